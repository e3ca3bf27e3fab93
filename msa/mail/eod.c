#include "msa/mail/eod.h"

#include "msa/base/assert.h"

/* A dot at the start of a line is taken off at once: it is either a stuffed one or the end
 * mark, and never data. Only a CR right behind it must be held back until the next byte tells
 * which. */
enum dot {
    DOT_NONE = 0,
    DOT_TAKEN,    /* the line so far: "." */
    DOT_TAKEN_CR, /* the line so far: ".CR"; the CR was not handed out yet */
    DOT_ENDED,    /* ".CRLF": the message is over */
};

void eod_init(struct eod *e, enum eod_mode mode, bool normalize)
{
    *e = (struct eod){.mode = mode, .is_normalizing = normalize};
}

unsigned eod_facts(const struct eod *e)
{
    return e->lines.facts;
}

size_t eod_longest_line(const struct eod *e)
{
    return e->lines.longest_line_bytes;
}

bool eod_is_at_line_start(const struct eod *e)
{
    return e->lines.state == LINE_START;
}

static enum eod_step give(struct eod *e, struct view run, struct view *run_out)
{
    e->body_bytes += run.n;
    *run_out = run;
    return EOD_RUN;
}

/* The CR behind a dot was no line end after all, so it is data. */
static enum eod_step give_held_cr(struct eod *e, struct view *run_out)
{
    static const struct view cr = {"\r", 1};
    e->dot = DOT_NONE;
    line_scan_run(&e->lines, cr, 0);
    return give(e, cr, run_out);
}

static enum eod_step give_crlf(struct eod *e, struct view *run_out)
{
    line_scan_finish(&e->lines); /* leaves the state within a line: no dot is special behind it */
    return give(e, VIEW_LIT("\r\n"), run_out);
}

static void skip(struct view *in)
{
    *in = view_slice(*in, 1, in->n);
}

static enum eod_step next_run(struct eod *e, struct view *in, struct view *run_out)
{
    unsigned stops = (e->mode == EOD_DATA ? LINE_STOP_AT_DOT : 0) |
                     (e->is_normalizing ? LINE_STOP_AT_BARE_LF : 0);
    size_t n = line_scan_run(&e->lines, *in, stops);
    if (n == 0) { /* a dot was handled before, so it is a bare LF to be mended */
        skip(in);
        return give_crlf(e, run_out);
    }
    struct view run = view_slice(*in, 0, n);
    *in = view_slice(*in, n, in->n);
    return give(e, run, run_out);
}

enum eod_step eod_next(struct eod *e, struct view *in, struct view *run_out)
{
    if (e->dot == DOT_ENDED)
        return EOD_END;
    while (in->n > 0) {
        char c = in->p[0];
        if (e->dot == DOT_TAKEN_CR && c != '\n')
            return give_held_cr(e, run_out);
        if (e->dot == DOT_TAKEN_CR) {
            e->dot = DOT_ENDED;
            skip(in);
            return EOD_END;
        }
        if (e->dot == DOT_TAKEN && c == '\r') {
            e->dot = DOT_TAKEN_CR;
            skip(in);
            continue;
        }
        if (e->dot == DOT_NONE && c == '.' && e->mode == EOD_DATA &&
            e->lines.state == LINE_START) {
            e->dot = DOT_TAKEN;
            e->lines.state = LINE_WITHIN;
            skip(in);
            continue;
        }
        e->dot = DOT_NONE;
        return next_run(e, in, run_out);
    }
    return EOD_MORE;
}

void eod_finish_chunks(struct eod *e)
{
    MSA_ASSERT(e->mode == EOD_CHUNKS);
    line_scan_finish(&e->lines);
}
