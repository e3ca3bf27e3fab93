/* struct dkim_keyring: the keys of one configuration, by domain. Immutable, so that threads may sign with it while
 * a reload brings the next one; the loop's thread alone counts who still holds it. */
#ifndef RELAY_DKIM_KEYRING_H
#define RELAY_DKIM_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/config/config.h"
#include "msa/mail/domain.h"
#include "relay/dkim/key.h"

struct dkim_names {
    const char **items;
    uint32_t count;
};

struct dkim_domain {
    char name[DOMAIN_SIZE]; /* canonical: lower case A-labels */
    bool has_subdomains;    /* signs for names below it, too */
    struct dkim_names oversign;
    struct dkim_names sign;
    int64_t expire_s;       /* 0: never */
    const char *selectors[DKIM_ALGORITHM_COUNT];
    struct dkim_key *keys[DKIM_ALGORITHM_COUNT]; /* NULL: none of that kind is in use */
};

struct dkim_keyring;

/* NULL with a text in `why`. Holds nothing of `config`. Without a domain it is there, and finds nothing. */
struct dkim_keyring *dkim_keyring_new(const struct config *config, char *why, size_t why_size);
struct dkim_keyring *dkim_keyring_hold(struct dkim_keyring *ring);
void dkim_keyring_drop(struct dkim_keyring **ring); /* frees it with the last; NULL is fine */

bool dkim_keyring_is_empty(const struct dkim_keyring *ring);

/* The domain that signs for mail from `name` (canonical): itself, or the nearest one above it that does so for
 * subdomains. NULL: none, or none of its keys is in use. Any thread. */
const struct dkim_domain *dkim_keyring_find(const struct dkim_keyring *ring, struct view name);

#endif
