/* Content-Transfer-Encoding undone (RFC 2045 section 6), as mail programs do it: what is
 * malformed is shown as it stands or left out, and leaves a mark. A stream: pieces may be
 * cut anywhere. (The strict base64 is msa/mail/base64.h.) */
#ifndef POLICY_SCORE_CONTENT_TRANSFER_H
#define POLICY_SCORE_CONTENT_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "policy/score/content/document_part.h"

struct transfer {
    enum document_encoding encoding;
    uint32_t bits;     /* base64: of the characters of an unfinished group */
    unsigned held;     /* base64: how many those are; quoted-printable: where it stands */
    char first_digit;  /* quoted-printable: behind "=" */
    bool is_malformed; /* base64: foreign characters, or an end inside a byte;
                          quoted-printable: a bare "=" */
};

void transfer_init(struct transfer *t, enum document_encoding encoding);

/* Appends what `in` means. 0 or the buffer's error, which may leave some of `in` out. */
int transfer_feed(struct transfer *t, struct view in, struct buf *out);

/* The end: what is held back is appended. */
int transfer_finish(struct transfer *t, struct buf *out);

#endif
