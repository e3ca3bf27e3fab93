/* What a message is like, in the words of the configuration (enum config_score_fact, enum config_score_link). Pure. */
#ifndef POLICY_SCORE_TRAITS_H
#define POLICY_SCORE_TRAITS_H

#include <stdint.h>

#include "msa/base/view.h"
#include "policy/score/content/document.h"

/* Decoded values of the fields that traits look at; any may be empty. */
struct trait_fields {
    struct view subject; /* as it is, not folded */
    struct view from;
    struct view reply_to;
};

uint32_t traits_of(const struct document *d, const struct trait_fields *fields);
uint32_t traits_of_link(const struct document_link *link);

/* Different hosts that are linked to, mail addresses aside. */
unsigned traits_link_hosts(const struct document *d);

#endif
