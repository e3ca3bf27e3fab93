#include "relay/dkim/canon.h"

#include <string.h>

/* ---- body ---- */

void dkim_body_init(struct dkim_body *b, dkim_sink_fn *sink, void *arg)
{
    b->sink = sink;
    b->arg = arg;
    b->line_end_count = 0;
    b->has_space = b->has_cr = b->has_text = false;
    b->staged = 0;
}

static void flush(struct dkim_body *b)
{
    if (b->staged > 0)
        b->sink(b->arg, view_of(b->stage, b->staged));
    b->staged = 0;
}

static void give(struct dkim_body *b, const char *p, size_t n)
{
    if (n > sizeof b->stage - b->staged)
        flush(b);
    if (n > sizeof b->stage) {
        b->sink(b->arg, view_of(p, n));
        return;
    }
    memcpy(b->stage + b->staged, p, n);
    b->staged += n;
}

/* What was held back, because something follows it. */
static void give_before(struct dkim_body *b)
{
    for (; b->line_end_count > 0; b->line_end_count--)
        give(b, "\r\n", 2);
    if (b->has_space)
        give(b, " ", 1);
    b->has_space = false;
    b->has_text = true;
}

static void give_text(struct dkim_body *b, const char *p, size_t n)
{
    if (b->line_end_count > 0 || b->has_space || !b->has_text)
        give_before(b);
    give(b, p, n);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static size_t text_length(struct view v)
{
    size_t n = 0;
    while (n < v.n && !is_space(v.p[n]) && v.p[n] != '\r')
        n++;
    return n;
}

/* Behind a CR. How many bytes of `v` it took. */
static size_t after_cr(struct dkim_body *b, struct view v)
{
    b->has_cr = false;
    if (v.p[0] != '\n') {
        give_text(b, "\r", 1);
        return 0;
    }
    b->has_space = false;
    b->line_end_count++;
    return 1;
}

void dkim_body_feed(struct dkim_body *b, struct view piece)
{
    while (piece.n > 0) {
        size_t n = 1;
        if (b->has_cr) {
            n = after_cr(b, piece);
        } else if (piece.p[0] == '\r') {
            b->has_cr = true;
        } else if (is_space(piece.p[0])) {
            b->has_space = true;
        } else {
            n = text_length(piece);
            give_text(b, piece.p, n);
        }
        piece = view_slice(piece, n, piece.n);
    }
}

void dkim_body_finish(struct dkim_body *b)
{
    if (b->has_cr)
        give_text(b, "\r", 1);
    b->has_cr = false;
    if (b->has_text)
        give(b, "\r\n", 2);
    flush(b);
}

/* ---- header ---- */

static bool is_line_end(struct view v, size_t at)
{
    return v.p[at] == '\r' && at + 1 < v.n && v.p[at + 1] == '\n';
}

int dkim_canon_field(struct view name, struct view body, struct buf *out)
{
    bool has_space = false, has_text = false;
    for (size_t i = 0; i < name.n; i++)
        buf_add_char(out, ascii_lower(name.p[i]));
    buf_add_char(out, ':');
    for (size_t i = 0; i < body.n; i++) {
        if (is_line_end(body, i)) {
            i++; /* white space follows: that is what folding is */
        } else if (is_space(body.p[i])) {
            has_space = true;
        } else {
            size_t n = text_length(view_slice(body, i, body.n));
            if (has_space && has_text)
                buf_add_char(out, ' ');
            n = n > 0 ? n : 1; /* a bare CR */
            buf_append(out, body.p + i, n);
            i += n - 1;
            has_space = false;
            has_text = true;
        }
    }
    return buf_failed(out) ? -1 : 0;
}
