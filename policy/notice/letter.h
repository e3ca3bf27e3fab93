/* A notice as a mail: header, empty line, text, CRLF everywhere. Subject and text may be any UTF-8; what is written is
 * ASCII alone (encoded words, base64), which every smarthost takes. The message id comes from the id of the
 * notice, so that one sent twice can be told for the same. Pure, any thread. */
#ifndef POLICY_NOTICE_LETTER_H
#define POLICY_NOTICE_LETTER_H

#include <stdbool.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "policy/notice/matter.h"

struct letter {
    uint64_t id;
    int64_t at_ms;
    int offset_min;
    struct view from; /* plain ASCII addresses, without brackets */
    struct view to;
    struct view subject;  /* one line of UTF-8 */
    struct view language; /* "ja", "en" */
    struct view body;     /* UTF-8, CRLF */
};

/* A plain ASCII address, which needs no quoting in a header field. */
bool letter_is_address(struct view v);

/* MSA_EINVAL for an address that could not stand in a header field as it is; the buffer's error. */
int letter_write(const struct letter *l, struct buf *out);

#endif
