/* Who signs a message: the domain of its author, if the keyring has a key for it (see sign.h). Pure, any thread. */
#ifndef RELAY_DKIM_AUTHOR_H
#define RELAY_DKIM_AUTHOR_H

#include "msa/mail/domain.h"
#include "msa/mail/header.h"
#include "relay/dkim/keyring.h"

struct dkim_author {
    const struct dkim_domain *signer; /* NULL: nobody */
    char domain[DOMAIN_SIZE];         /* the author's own, canonical: the signer's or below it */
};

/* MSA_OK, or MSA_ENOMEM. */
int dkim_author_find(const struct dkim_keyring *ring, const struct header *h, struct dkim_author *out);

#endif
