/* struct dkim_key: a private key that signs mail (RFC 6376 section 3.3, RFC 8463), and the DNS record that publishes
 * its other half. Immutable once made, so any number of threads may sign with it at once. Never blocks, but an RSA
 * signature takes most of a millisecond. */
#ifndef RELAY_DKIM_KEY_H
#define RELAY_DKIM_KEY_H

#include <stddef.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

/* In the order in which signatures stand in a message. */
enum dkim_algorithm { DKIM_RSA_SHA256 = 0, DKIM_ED25519_SHA256, DKIM_ALGORITHM_COUNT };

/* RFC 8301 section 3.2: signers MUST use at least 1024 bits and SHOULD use at least 2048; verifiers need not
 * take more than 4096. */
#define DKIM_RSA_BITS_MIN  1024u
#define DKIM_RSA_BITS_WEAK 2048u
#define DKIM_RSA_BITS_MAX  4096u

#define DKIM_DIGEST_BYTES    32 /* SHA-256 */
#define DKIM_SIGNATURE_MAX   (DKIM_RSA_BITS_MAX / 8)
#define DKIM_KEY_WHY_MAX     128
#define DKIM_RECORD_MAX      1024 /* octets of a record with the longest key */
#define DKIM_TEXT_STRING_MAX 255  /* octets of one string of a TXT record (RFC 1035 section 3.3) */

struct dkim_key;

const char *dkim_algorithm_name(enum dkim_algorithm algorithm); /* "rsa-sha256": the tag a= */

/* The first private key of a PEM text. NULL with the reason in `why`: no key, encrypted, another kind than
 * RSA and Ed25519, or too short or long. */
struct dkim_key *dkim_key_parse(struct view pem, char why[DKIM_KEY_WHY_MAX]);

/* A new one; `bits` is for RSA. NULL as above. Takes up to seconds. */
struct dkim_key *dkim_key_generate(enum dkim_algorithm algorithm, unsigned bits,
                                   char why[DKIM_KEY_WHY_MAX]);
void dkim_key_free(struct dkim_key **key); /* NULL is fine */

enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *key);
unsigned dkim_key_bits(const struct dkim_key *key);

/* Signs a SHA-256 digest. How many bytes, or MSA_ENOMEM. */
int dkim_key_sign(const struct dkim_key *key, const unsigned char digest[static DKIM_DIGEST_BYTES],
                  unsigned char signature[static DKIM_SIGNATURE_MAX]);

/* Appends the text of the DNS record (RFC 6376 section 3.6.1, RFC 8463 section 4), or the key as PKCS #8 in PEM.
 * MSA_OK, or MSA_ENOMEM with nothing of use appended. */
int dkim_key_record(const struct dkim_key *key, struct buf *out);
int dkim_key_pem(const struct dkim_key *key, struct buf *out);

#endif
