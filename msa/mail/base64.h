/* Base64 (RFC 4648 section 4), strictly: padding must be there and only at the end, unused bits
 * must be zero, and not one foreign character is skipped. Text that decodes has exactly one way
 * to be written. Secrets are decoded into a buf made with buf_init_secret. Pure, any thread. */
#ifndef MSA_MAIL_BASE64_H
#define MSA_MAIL_BASE64_H

#include "msa/base/buf.h"
#include "msa/base/view.h"

/* Appends what `text` means; empty text is nothing. 0, MSA_EINVAL, or the buffer's error;
 * nothing is appended on failure. */
int base64_decode(struct view text, struct buf *out);

/* Appends `bytes` encoded, in one line. 0 or the buffer's error. */
int base64_encode(struct view bytes, struct buf *out);

#endif
