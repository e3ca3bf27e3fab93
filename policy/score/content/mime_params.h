/* Content-Type and its like: a word and parameters (RFC 2045 section 5.1, RFC 2231), read
 * tolerantly. */
#ifndef POLICY_SCORE_CONTENT_MIME_PARAMS_H
#define POLICY_SCORE_CONTENT_MIME_PARAMS_H

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "msa/mail/charset.h"

#define MIME_VALUE_BYTES_MAX 1024 /* of one parameter, decoded */

/* What stands before the first ";", without comments and blanks, lower case, in `dst`:
 * "text/plain", "attachment", "base64". Cut to `dst_size`. */
struct view mime_word(struct view value, char *dst, size_t dst_size);

/* Appends the value of the parameter called `name`: quotes and their backslashes taken
 * off; pieces and percent signs of RFC 2231 put together; as it stands otherwise.
 * MSA_FOUND, MSA_NOT_FOUND, or MSA_ENOMEM when `out` is full. */
int mime_param(struct view value, struct view name, struct buf *out);

/* The same for text that is shown: also encoded words (which RFC 2047 forbids here and
 * many programs write), and charsets. UTF-8 without control characters. */
int mime_param_text(struct charsets *cs, struct view value, struct view name,
                    struct buf *out);

#endif
