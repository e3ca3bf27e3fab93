/* Lines inside a body: what eod.c and stuff.c share. Follows CRLF over any split of the bytes,
 * stops where a dot begins a line, and remembers strays. Two memchr a line, so a body costs
 * little more than reading it. */
#ifndef MSA_MAIL_LINE_SCAN_H
#define MSA_MAIL_LINE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/view.h"

enum line_state {
    LINE_START = 0, /* behind CRLF, or nothing read yet */
    LINE_WITHIN,
    LINE_AFTER_CR, /* the last byte was CR: a line end if LF follows, a bare CR if not */
};

/* What was seen. */
enum line_fact {
    LINE_BARE_CR = 1 << 0,
    LINE_BARE_LF = 1 << 1,
    LINE_NUL = 1 << 2,
    LINE_8BIT = 1 << 3,
};
#define LINE_STRAY (LINE_BARE_CR | LINE_BARE_LF | LINE_NUL)

/* Where line_scan_run stops besides the end of its bytes. */
enum line_stop {
    LINE_STOP_AT_DOT = 1 << 0,     /* before a dot at the start of a line */
    LINE_STOP_AT_BARE_LF = 1 << 1, /* before a bare LF (it is noted) */
};

struct line_scan {
    enum line_state state;
    unsigned facts;
    size_t line_bytes; /* the present line so far; a CR at its end counts until LF follows */
    size_t longest_line_bytes;
};

/* Reads `in` up to where `stops` say; returns the number of bytes read. */
size_t line_scan_run(struct line_scan *s, struct view in, unsigned stops);

/* The last bytes were read: a line without CRLF counts for the longest, a CR at the end is bare. */
void line_scan_finish(struct line_scan *s);

#endif
