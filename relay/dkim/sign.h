/* Signing one message (RFC 6376 sections 3.5, 3.7 and 5): who signs, over which fields, and the DKIM-Signature fields
 * that come out. For a worker thread: reads the whole message, takes a millisecond or more. No state, no I/O but what
 * `piece` does.
 *
 * Whose key: that of the author's domain. A message with several authors is signed for the domain of its Sender field
 * if that is one of them, else for the first author who has a key. Nobody else's key is used, for the signature would
 * not be of the domain in From. A message without exactly one From field that can be read is signed for
 * nobody (RFC 6376 section 8.15).
 *
 * Always c=relaxed/relaxed and the whole body; an RSA and an Ed25519 signature where both keys are in use. Of each field
 * to be signed all are listed, the last first; those of `oversign` once more than there are, so that a further one
 * breaks the signature. */
#ifndef RELAY_DKIM_SIGN_H
#define RELAY_DKIM_SIGN_H

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "relay/dkim/keyring.h"

/* The piece of the message that begins at `offset`, as content_piece gives it: MSA_OK or an error. */
typedef int dkim_piece_fn(const void *arg, uint64_t offset, char *scratch, size_t scratch_bytes,
                          struct view *piece_out);

struct dkim_message { /* exactly what is sent, without dots stuffed */
    dkim_piece_fn *piece;
    const void *arg;
    uint64_t bytes;
};

#define DKIM_FIELDS_MAX    (256u << 10) /* both signatures */
#define DKIM_BY_SIZE       (DOMAIN_SIZE + 2 * 64 + 8)
#define DKIM_INSTANCES_MAX 50 /* of one field name; of more the last ones are signed */

struct dkim_signed {
    struct buf fields;     /* to be put in front of the message; empty: there is no key for it */
    char by[DKIM_BY_SIZE]; /* "example.jp/s1,e1", for the log */
};

void dkim_signed_init(struct dkim_signed *s);
void dkim_signed_fini(struct dkim_signed *s);

/* MSA_OK; or an error (of `piece`, MSA_ENOMEM, MSA_ETOOBIG) with nothing to be used in `out`. `at_s`: the time of
 * signing, since 1970. */
int dkim_sign(const struct dkim_keyring *ring, const struct dkim_message *m, int64_t at_s,
              struct dkim_signed *out);

#endif
