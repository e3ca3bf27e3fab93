#include "tests/tools/sink/body.h"

void body_begin(struct body *b, bool is_stuffed)
{
    *b = (struct body){.is_stuffed = is_stuffed};
}

static void count_octet(struct body *b, unsigned char c)
{
    b->line_bytes++;
    b->has_8bit = b->has_8bit || c > 0x7f;
    b->nul_count += c == '\0';
}

static void end_line(struct body *b)
{
    if (b->line_bytes > b->longest_line_bytes)
        b->longest_line_bytes = b->line_bytes;
    b->line_bytes = 0;
}

/* The state after an octet that is no dot at a line start. */
static enum body_state after(struct body *b, unsigned char c)
{
    if (b->state == BODY_CR && c == '\n') {
        end_line(b);
        return BODY_LINE_START;
    }
    b->bare_cr_count += b->state == BODY_CR;
    if (c == '\r')
        return BODY_CR;
    b->bare_lf_count += c == '\n';
    count_octet(b, c);
    return BODY_TEXT;
}

size_t body_feed(struct body *b, struct view in, body_put_fn *put, void *arg, bool *ended_out)
{
    size_t run = 0; /* first byte that was not put yet */
    *ended_out = false;
    for (size_t i = 0; i < in.n; i++) {
        unsigned char c = (unsigned char)in.p[i];
        if (b->state == BODY_LINE_START && c == '.' && b->is_stuffed) {
            put(arg, view_slice(in, run, i)); /* the dot itself never belongs to the message */
            run = i + 1;
            b->state = BODY_DOT;
        } else if (b->state == BODY_DOT && c == '\r') {
            run = i + 1;
            b->state = BODY_DOT_CR;
        } else if (b->state == BODY_DOT) {
            b->bad_dot_count += c != '.';
            b->state = BODY_LINE_START;
            b->state = after(b, c);
        } else if (b->state == BODY_DOT_CR && c == '\n') {
            *ended_out = true;
            return i + 1;
        } else if (b->state == BODY_DOT_CR) { /* ".\r" and something: the CR was data after all */
            put(arg, VIEW_LIT("\r"));
            run = i;
            b->bad_dot_count++;
            b->state = BODY_CR;
            b->state = after(b, c);
        } else {
            b->state = after(b, c);
        }
    }
    put(arg, view_slice(in, run, in.n));
    return in.n;
}
