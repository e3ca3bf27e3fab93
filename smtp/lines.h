/* Command lines out of the input (RFC 5321 section 2.3.8): they end in CR LF and nothing else. A line that
 * is too long is one line, however long it gets: the rest is thrown away up to its CR LF, never split. */
#ifndef SMTP_LINES_H
#define SMTP_LINES_H

#include <stdbool.h>

#include "msa/base/view.h"
#include "smtp/session.h"

enum lines_step {
    LINES_MORE = 0, /* no line yet */
    LINES_ONE,      /* `*line_out`, without CR LF; in s->in until lines_take */
    LINES_OVERLONG, /* the end of a line that was too long; lines_take it, too */
    LINES_OVERLONG_AUTH, /* the same, of an AUTH command or exchange */
    LINES_FOREIGN,  /* a TLS record in clear, or another protocol */
};

enum lines_step lines_next(struct smtp_session *s, struct view *line_out);
void lines_take(struct smtp_session *s); /* takes the line last given from the input, wiping it in AUTH */

/* The input begins like a TLS record or an HTTP request. */
bool lines_is_foreign(const struct smtp_session *s);

#endif
