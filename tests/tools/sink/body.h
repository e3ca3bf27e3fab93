/* The end of a message and its line discipline, octet by octet (RFC 5321 2.3.8, 4.1.1.4, 4.5.2). Written apart from
 * the product's own machine, which it judges. Only CRLF.CRLF ends the data; a bare CR or LF and NUL are data
 * and counted. */
#ifndef TESTS_TOOLS_SINK_BODY_H
#define TESTS_TOOLS_SINK_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

enum body_state { BODY_LINE_START = 0, BODY_TEXT, BODY_CR, BODY_DOT, BODY_DOT_CR };

struct body {
    enum body_state state;
    bool is_stuffed; /* DATA; BDAT carries no extra dots */
    uint64_t line_bytes;
    uint64_t longest_line_bytes; /* without CRLF */
    uint64_t bare_cr_count;
    uint64_t bare_lf_count;
    uint64_t nul_count;
    uint64_t bad_dot_count; /* a dot at a line start that was neither stuffed nor alone */
    bool has_8bit;
};

void body_begin(struct body *b, bool is_stuffed);

/* Feeds `in`; calls `put` with what belongs to the message. Returns how many bytes were used: all of them,
 * or up to and with the end of data, and then `*ended_out` is true. */
typedef void body_put_fn(void *arg, struct view v);
size_t body_feed(struct body *b, struct view in, body_put_fn *put, void *arg, bool *ended_out);

#endif
