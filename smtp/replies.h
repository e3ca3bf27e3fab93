/* The replies of the server, and how a reply line is written (RFC 5321 section 4.2, RFC 2034). */
#ifndef SMTP_REPLIES_H
#define SMTP_REPLIES_H

#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

enum smtp_reply {
    REPLY_NONE = 0,
#define REPLY(name, code, enhanced, text) REPLY_##name,
#include "smtp/replies.def"
#undef REPLY
    REPLY_COUNT
};

#define REPLY_LINE_MAX 512 /* with CRLF, RFC 5321 section 4.5.3.1.5 */

struct reply_entry {
    const char *name;
    uint16_t code;
    const char *enhanced; /* "" for none */
    const char *text;     /* one "%" at most */
};

const struct reply_entry *reply_entry(enum smtp_reply id); /* asserts that `id` is one */

/* The whole line with CRLF, `detail` in place of the "%". Bytes of `detail` outside 0x20..0x7e become "?",
 * and it is cut so that the line fits; where it follows a word directly it is set off with ": ". */
void reply_format(enum smtp_reply id, struct view detail, char line[REPLY_LINE_MAX],
                  size_t *len_out);

/* As reply_format, with code and enhanced code of the next hop where they are sound and of the same
 * class; else those of the catalogue stand. */
void reply_format_foreign(enum smtp_reply id, unsigned code, struct view enhanced,
                          struct view text, char line[REPLY_LINE_MAX], size_t *len_out);

/* conf/REPLIES.md. */
int reply_document(struct buf *out);

#endif
