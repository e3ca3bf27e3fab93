/* Asks saslauthd (LDAP, PAM, whatever stands behind it) about passwords: a Unix socket from the loop, never a wait.
 *
 * Bounded in time, answer and number; questions beyond `connections` stand in a queue, whose wait is part of their
 * time. A saslauthd that is down, hangs or talks rubbish is left alone for a while (msa/base/breaker.h), and sign-ins
 * of the accounts that it knows get 454 meanwhile. The question's bytes are wiped. */
#ifndef AUTH_SASLAUTHD_H
#define AUTH_SASLAUTHD_H

#include <stddef.h>
#include <stdint.h>

#include "auth/authority.h"
#include "msa/config/settings_identity.h"
#include "msa/io/loop.h"

struct saslauthd;

struct saslauthd_counts {
    size_t running;
    size_t waiting;
    uint64_t asked;
    uint64_t failed;
};

struct saslauthd *saslauthd_new(struct loop *loop); /* NULL: no memory */
void saslauthd_free(struct saslauthd **s);          /* whoever still waits is not told */

/* For questions from now on; `set` lives until the next call or the end. NULL: nobody is there to ask. */
void saslauthd_configure(struct saslauthd *s, const struct config_saslauthd *set);

struct authority saslauthd_authority(struct saslauthd *s);

void saslauthd_counts(const struct saslauthd *s, struct saslauthd_counts *out);

#endif
