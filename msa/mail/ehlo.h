/* What a server offers in its answer to EHLO (RFC 5321 section 4.1.1.1). Good for this
 * connection and this side of STARTTLS only. Pure, any thread. */
#ifndef MSA_MAIL_EHLO_H
#define MSA_MAIL_EHLO_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

enum ehlo_capability {
    EHLO_PIPELINING = 1 << 0,
    EHLO_SIZE = 1 << 1,
    EHLO_8BITMIME = 1 << 2,
    EHLO_SMTPUTF8 = 1 << 3,
    EHLO_DSN = 1 << 4,
    EHLO_STARTTLS = 1 << 5,
    EHLO_ENHANCEDSTATUSCODES = 1 << 6,
    EHLO_CHUNKING = 1 << 7,
    EHLO_BINARYMIME = 1 << 8,
    EHLO_REQUIRETLS = 1 << 9,
    EHLO_AUTH = 1 << 10,
    EHLO_LIMITS = 1 << 11, /* RFC 9422 */
};

enum ehlo_mechanism {
    EHLO_AUTH_PLAIN = 1 << 0,
    EHLO_AUTH_LOGIN = 1 << 1,
    EHLO_AUTH_SCRAM_SHA_1 = 1 << 2,
    EHLO_AUTH_SCRAM_SHA_256 = 1 << 3,
    EHLO_AUTH_SCRAM_SHA_1_PLUS = 1 << 4,
    EHLO_AUTH_SCRAM_SHA_256_PLUS = 1 << 5,
    EHLO_AUTH_XOAUTH2 = 1 << 6,
    EHLO_AUTH_OAUTHBEARER = 1 << 7,
    EHLO_AUTH_CRAM_MD5 = 1 << 8,
    EHLO_AUTH_EXTERNAL = 1 << 9,
};

struct ehlo {
    unsigned capabilities; /* of enum ehlo_capability */
    unsigned mechanisms;   /* of enum ehlo_mechanism */
    uint64_t size_max;     /* octets of a message; 0: no limit was named */
    uint64_t rcpt_max;     /* recipients of a transaction; 0: no limit was named */
    uint64_t mail_max;     /* transactions of a connection; 0: no limit was named */
};

/* Reads the text of a 250 reply (reply_text): a greeting line, then one line for each
 * capability. What is unknown or malformed is passed over. */
void ehlo_parse(struct view text, struct ehlo *out);

#endif
