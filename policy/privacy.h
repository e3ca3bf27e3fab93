/* In which form a client's address is kept in records (secrecy of communications: only
 * what is needed). */
#ifndef POLICY_PRIVACY_H
#define POLICY_PRIVACY_H

#include "policy/state.h"

#define PRIVACY_SOURCE_MAX 64

/* The address in full, its network, or a keyed hash of it ("#" and 16 digits), as
 * `privacy` says. */
void privacy_source(const struct policy *p, const struct ipaddr *ip,
                    char out[PRIVACY_SOURCE_MAX]);

#endif
