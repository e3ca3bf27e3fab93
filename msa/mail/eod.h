/* The end of a message, found by a state machine over bytes (RFC 5321 sections 2.3.8, 4.1.1.4,
 * 4.5.2).
 *
 * Data ends at CRLF.CRLF and nowhere else; the CRLF of the DATA line counts as the first one. A
 * dot that begins a line is taken off. A bare CR, a bare LF or a NUL is data and is remembered,
 * so that the caller reads on to the true end and then refuses once: that is what keeps
 * smuggled commands (CVE-2023-51764) from ever being seen as commands.
 *
 * State lives across reads. Runs point into the caller's bytes or to constants; nothing is
 * copied. Pure, any thread, never blocks. */
#ifndef MSA_MAIL_EOD_H
#define MSA_MAIL_EOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"
#include "msa/mail/line_scan.h"

enum eod_mode {
    EOD_DATA = 0,  /* dots mean something, CRLF.CRLF ends */
    EOD_CHUNKS = 1, /* BDAT (RFC 3030): the caller counts octets, dots are bytes like others */
};

/* What was seen in the message. The first three are reasons to refuse it. */
enum eod_fact {
    EOD_BARE_CR = LINE_BARE_CR,
    EOD_BARE_LF = LINE_BARE_LF,
    EOD_NUL = LINE_NUL,
    EOD_8BIT = LINE_8BIT, /* an octet above 127: the next hop needs 8BITMIME */
};
#define EOD_STRAY (EOD_BARE_CR | EOD_BARE_LF | EOD_NUL)

struct eod {
    uint64_t body_bytes;     /* handed out in runs so far */
    struct line_scan lines;  /* where the machine is within a line */
    enum eod_mode mode;
    uint8_t dot;             /* what is known of a dot that began the present line */
    bool is_normalizing;
};

enum eod_step {
    EOD_MORE = 0, /* `in` is used up, no run */
    EOD_RUN = 1,  /* a run was given, call again */
    EOD_END = 2,  /* the end was read; what is left in `in` comes behind it */
};

/* With `normalize` a bare LF is given out as CRLF; it is remembered all the same, and it neither
 * makes the end nor makes the dot behind it a stuffed one. Bare CR and NUL stay as they are. */
void eod_init(struct eod *e, enum eod_mode mode, bool normalize);

/* Takes bytes off the front of `*in` and gives the next run of message bytes, never empty:
 *
 *     while ((step = eod_next(&e, &in, &run)) == EOD_RUN)
 *         append(run);
 *
 * A run is valid as long as the input's bytes. Nothing is taken after EOD_END. */
enum eod_step eod_next(struct eod *e, struct view *in, struct view *run_out);

/* After the last chunk in EOD_CHUNKS: a CR that nothing followed is a bare one, a last line without
 * CRLF counts for the longest. */
void eod_finish_chunks(struct eod *e);

unsigned eod_facts(const struct eod *e); /* of enum eod_fact, so far */

/* The longest line so far, without CRLF and without a removed dot; RFC 5321 section 4.5.3.1.6
 * allows 998. Counts lines that are finished. */
size_t eod_longest_line(const struct eod *e);

/* True behind CRLF and at the very beginning. */
bool eod_is_at_line_start(const struct eod *e);

#endif
