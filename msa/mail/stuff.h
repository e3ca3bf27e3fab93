/* The way out of a message body: dots stuffed, the end mark written, and the promise checked again
 * that only CRLF line ends and no NUL leave the house, whatever the spool holds (RFC 5321 section
 * 4.5.2).
 *
 * Runs point into the caller's bytes or to constants. Pure, any thread, never blocks. */
#ifndef MSA_MAIL_STUFF_H
#define MSA_MAIL_STUFF_H

#include "msa/base/view.h"
#include "msa/mail/line_scan.h"

struct stuff {
    struct line_scan lines; /* its strays are sticky: a broken promise stays broken */
};

void stuff_init(struct stuff *s);

/* Takes body bytes off the front of `*in` and gives the next run to send. 1 with a run that is
 * not empty, 0 when `in` is used up, MSA_EINVAL when the body breaks the promise: the caller
 * then drops the connection without the end mark, so that the next hop takes nothing. */
int stuff_next(struct stuff *s, struct view *in, struct view *run_out);

/* What ends the message: ".CRLF", behind a CRLF of its own if the last line lacks one. MSA_EINVAL
 * when the promise was broken or the body ends in a bare CR. */
int stuff_end(const struct stuff *s, struct view *run_out);

#endif
