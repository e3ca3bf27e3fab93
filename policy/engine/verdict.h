/* How the verdicts of single rules become one. Inside of the engine; nothing here depends
 * on the order in which rules come. */
#ifndef POLICY_ENGINE_VERDICT_H
#define POLICY_ENGINE_VERDICT_H

#include "policy/engine/engine.h"

/* Takes `actions` of the rule into the verdict, if it is in force. */
void verdict_fold(struct verdict *v, const struct rule *r, unsigned actions);

/* The strictest come first, in force before shadow; beyond REASONS_MAX the mildest go. */
void verdict_add_reason(struct verdict *v, const struct reason *reason);

#endif
