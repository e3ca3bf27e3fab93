/* From the configuration's `rule` blocks to the engine's rules. */
#ifndef POLICY_RULES_H
#define POLICY_RULES_H

#include <stdint.h>

#include "msa/config/config.h"
#include "policy/engine/rule.h"

/* Rules, sealed, ready for engine_decide. Texts point into `cfg`, which must outlive it.
 * NULL: out of memory. `hash_key` (16 bytes) belongs to the records. */
struct rule_set *rules_new(const struct config *cfg, const uint8_t hash_key[16]);
void rules_free(struct rule_set **set);

/* For trying out: another limit for the rule of this name. False: there is none. */
bool rules_set_limit(struct rule_set *set, struct view name, uint32_t limit);
/* Takes all rules but the one of this name out of the set. */
bool rules_keep_only(struct rule_set *set, struct view name);

/* Is `country` one of the configuration's home countries? */
bool rules_is_home(const struct config *cfg, uint16_t country);

#endif
