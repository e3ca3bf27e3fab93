/* One rule against one event and one record: count, compare. Inside of the engine. */
#ifndef POLICY_ENGINE_JUDGE_H
#define POLICY_ENGINE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "policy/engine/event.h"
#include "policy/engine/record.h"
#include "policy/engine/rule.h"

/* What this event adds to a count that is used up (0: nothing). */
uint32_t judge_amount(const struct rule *r, const struct event *e,
                      const struct record *account);

/* A sign: notes the event in the record's cell. */
void judge_note(const struct rule_set *set, const struct rule *r, const struct event *e,
                struct record *rec);

/* What the window holds now: without this event for what is used up, with it for a sign.
 */
uint32_t judge_value(const struct rule *r, const struct event *e, struct record *rec);

/* True if the value (for what is used up: with `amount`) calls for action. May draw on
 * the rule's reserve. */
bool judge_acts(const struct rule *r, const struct event *e, struct record *rec,
                uint32_t value, uint32_t amount);

/* Counts what was used up, and gives it back. */
void judge_use(const struct rule *r, const struct event *e, struct record *rec,
               uint32_t amount);
void judge_give_back(const struct rule *r, const struct event *e, struct record *rec,
                     uint32_t amount);

/* What the support desk reads: countries with times, or how many in how long.
 * NUL-terminated, cut to size. */
void judge_grounds(const struct rule *r, const struct event *e, struct record *rec,
                   uint32_t value, char *out, size_t out_size);

#endif
