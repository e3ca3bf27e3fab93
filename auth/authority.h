/* Somebody outside msad who knows whether a token or a password is good, and how an exchange asks. The loop's thread. */
#ifndef AUTH_AUTHORITY_H
#define AUTH_AUTHORITY_H

#include <stdint.h>

#include "msa/base/view.h"
#include "msa/mail/login.h"

enum authority_kind {
    AUTHORITY_NONE = 0,
    AUTHORITY_PROVIDER,  /* introspect.h: tokens */
    AUTHORITY_SASLAUTHD, /* saslauthd.h: passwords */
    AUTHORITY_COUNT,
};

enum finding_kind {
    FINDING_AWAY = 0, /* nobody can tell now: 454 */
    FINDING_BAD,
    FINDING_GOOD,
};

struct finding {
    enum finding_kind kind;
    char login[LOGIN_TYPED_MAX + 1]; /* of a good token: whose it is, as the provider writes it */
};

struct question {
    struct view login; /* whose it is said to be, canonical; empty where the secret itself tells */
    struct view secret; /* copied as far as it is kept */
};

typedef void finding_fn(void *arg, const struct finding *finding);

struct authority {
    /* `fn` is called once, perhaps before this returns; if not, `*id_out` is for cancel, else 0. */
    void (*ask)(void *self, const struct question *q, finding_fn *fn, void *arg, uint64_t *id_out);
    void (*cancel)(void *self, uint64_t id); /* of one that has not been answered: fn is not called */
    void *self;
};

#endif
