/* Asks the identity provider about tokens (RFC 7662): HTTP from the loop, never a wait.
 *
 * Bounded in time, answer and number; a provider that fails is left alone for a while (msa/base/breaker.h), and
 * sign-ins by token get 454 meanwhile. What was found is remembered, good for as long as the configuration and the
 * token's `exp` say, refused for a moment, under HMAC-SHA-256(key of this process, token): the token itself is never
 * kept, nor logged. curl's memory is wiped as it is given back (msa/io/fetch.c). */
#ifndef AUTH_INTROSPECT_H
#define AUTH_INTROSPECT_H

#include <stddef.h>
#include <stdint.h>

#include "auth/authority.h"
#include "msa/config/settings_identity.h"
#include "msa/io/fetch.h"

struct introspect;

struct introspect_counts {
    size_t running;
    size_t remembered;
    uint64_t asked;      /* over the network */
    uint64_t recognized; /* without */
    uint64_t failed;
};

/* NULL: no memory. `fetcher` outlives it. */
struct introspect *introspect_new(struct fetcher *fetcher);
void introspect_free(struct introspect **i); /* whoever still waits is not told */

/* From now on `p`, which lives until the next call or the end; NULL: nobody is there to ask. What was remembered is
 * forgotten. */
void introspect_configure(struct introspect *i, const struct config_identity_provider *p);

struct authority introspect_authority(struct introspect *i);

void introspect_counts(const struct introspect *i, struct introspect_counts *out);

#endif
