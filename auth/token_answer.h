/* The answer of an identity provider about a token (RFC 7662 §2.2): a JSON object, read strictly. Pure: any thread. */
#ifndef AUTH_TOKEN_ANSWER_H
#define AUTH_TOKEN_ANSWER_H

#include <stdint.h>

#include "auth/authority.h"
#include "msa/config/settings_identity.h"

struct token_answer {
    struct finding finding; /* FINDING_AWAY: the provider talks rubbish, which is not the client's fault */
    int64_t expires_s;      /* 0: it does not say */
    const char *why;        /* a word for the log: "expired", "audience" …; "" when good */
};

void token_answer_read(struct view json, const struct config_identity_provider *p, int64_t now_s,
                       struct token_answer *out);

#endif
