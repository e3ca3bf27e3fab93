/* Encoded words (RFC 2047, RFC 2231 section 5): "=?ISO-2022-JP?B?GyRC...?=".
 *
 * Decoded text is for people's eyes and for the features of the content score. It is UTF-8
 * without control characters and never goes back into a parser: an "@" or a line end made by
 * decoding means nothing.
 *
 * Memory is bounded by the input. Never blocks. */
#ifndef MSA_MAIL_RFC2047_H
#define MSA_MAIL_RFC2047_H

#include <stddef.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "msa/mail/charset.h"

/* `cs` may be NULL: see charset.h.
 *
 * Appends the body of a field, folded or not, as one line. Words in unknown charsets and
 * malformed words stay as they are; words side by side in one charset are joined before
 * conversion, because programs cut characters in two. 0, MSA_ENOMEM, or the buffer's error with
 * what fitted appended. */
int rfc2047_decode(struct charsets *cs, struct view body, struct buf *out);

/* Appends `text` (UTF-8) for a field body that stands at `column` of its line: unchanged if it
 * is plain ASCII, else as encoded words of at most 75 characters on folded lines. MSA_EINVAL
 * for malformed UTF-8 and for control characters, or the buffer's error. */
int rfc2047_encode(struct view text, size_t column, struct buf *out);

#endif
