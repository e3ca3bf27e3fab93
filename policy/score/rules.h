/* struct score_rules: the configuration's score_rule blocks, made ready, and what else a job needs of the settings. Counted
 * references, since jobs of the configuration before are still under way after a reload. Read by any thread. */
#ifndef POLICY_SCORE_RULES_H
#define POLICY_SCORE_RULES_H

#include <stdint.h>

#include "msa/config/config.h"
#include "policy/score/content/document.h"
#include "policy/score/findings.h"

struct score_rules;

/* One reference, the caller's; NULL: out of memory. Copies what it keeps. */
struct score_rules *score_rules_new(const struct config *config);
struct score_rules *score_rules_ref(struct score_rules *r);
void score_rules_unref(struct score_rules **r); /* sets *r to NULL */

struct score_subject {
    const struct document *document;
    struct document_reader *reader; /* decodes header fields */
    uint32_t recipient_count;
};

/* Adds the findings of all rules that hold. Bounded by rules times the limits of a document. MSA_OK or
 * MSA_ENOMEM. */
int score_rules_judge(const struct score_rules *r, const struct score_subject *subject,
                      struct findings *out);

/* Of `score { classifier_weight … }`. */
int32_t score_rules_classifier_weight_milli(const struct score_rules *r);

/* Of `score { known_hosts … }`. */
const struct view *score_rules_known_hosts(const struct score_rules *r, uint32_t *count_out);

#endif
