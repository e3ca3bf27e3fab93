/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef MSA_BASE_UTF8_H
#define MSA_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

/* Bytes of the well-formed sequence at the front of `v`, 1 to 4, and its code point. 0 when
 * there is none; `code_out` is then left alone. */
size_t utf8_decode(struct view v, uint32_t *code_out);

bool utf8_is_valid(struct view v);
bool utf8_is_ascii(struct view v);

/* Code points in `v`, which is valid. */
size_t utf8_count(struct view v);

/* Writes `code` (a scalar value, else U+FFFD is taken) as UTF-8; the number of bytes, 1 to 4. */
size_t utf8_encode(uint32_t code, char out[static 4]);

/* Appends `v` as text that is safe to show on one line: each ill-formed byte becomes U+FFFD,
 * each control character (C0, DEL, C1, line and paragraph separators) a space. 0, or the
 * buffer's error with what fitted appended. */
int utf8_add_clean(struct buf *out, struct view v);

#endif
