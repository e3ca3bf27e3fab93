/* xtext (RFC 3461 section 4): printable ASCII in which "+" and "=" and all else are written
 * +HH, with hexadecimal digits in upper case. Strict: what decodes to a control character is
 * refused, because it would end up in another command line or header. Pure, any thread. */
#ifndef MSA_MAIL_XTEXT_H
#define MSA_MAIL_XTEXT_H

#include <stdbool.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

/* Well-formed, and nothing below 0x20 and no 0x7f in it once decoded. Empty is fine. */
bool xtext_is_valid(struct view v);

/* Appends the decoded text. 0, MSA_EINVAL if not valid, or the buffer's error; nothing is appended
 * then. */
int xtext_decode(struct view v, struct buf *out);

/* Appends `plain` encoded. 0, MSA_EINVAL if it holds a control character, or the buffer's error. */
int xtext_encode(struct view plain, struct buf *out);

#endif
