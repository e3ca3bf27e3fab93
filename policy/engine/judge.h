/* One rule against one event and one record: count, compare. Inside of the engine. */
#ifndef POLICY_ENGINE_JUDGE_H
#define POLICY_ENGINE_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "policy/engine/event.h"
#include "policy/engine/record.h"
#include "policy/engine/rule.h"

/* Recipients that the account has not written to as far as is remembered; `account` may
 * be NULL. */
uint32_t judge_new_recipients(const struct event *e, struct record *account);

/* What this event adds to a count that is used up (0: nothing). `new_recipients` is the
 * number above. */
uint32_t judge_amount(const struct rule *r, const struct event *e, unsigned nth,
                      uint32_t new_recipients);

/* A sign: notes the event in the record's cell. */
void judge_note(const struct rule_set *set, const struct rule *r, const struct event *e,
                unsigned nth, struct record *rec);

/* What the window holds now (a record of a wrong date is put right): without this event
 * for what is used up, with it for a sign.
 */
uint32_t judge_value(const struct rule *r, const struct event *e, struct record *rec);

/* True if the value (for what is used up: with `amount`) calls for action. Changes
 * nothing; what the reserve gave is taken by judge_draw. */
bool judge_acts(const struct rule *r, const struct event *e, struct record *rec,
                uint32_t value, uint32_t amount);

/* Counts what was used up, and gives it back. What goes beyond the limit is drawn from
 * the rule's own reserve; several rules may share the count, so all draw before one
 * uses. */
void judge_draw(const struct rule *r, const struct event *e, struct record *rec,
                uint32_t amount);
void judge_use(const struct rule *r, const struct event *e, struct record *rec,
               uint32_t amount);
void judge_refill(const struct rule *r, const struct event *e, struct record *rec,
                  uint32_t amount);
void judge_give_back(const struct rule *r, const struct event *e, struct record *rec,
                     uint32_t amount);

/* What the support desk reads: countries with times, or how many in how long.
 * NUL-terminated, cut to size. */
void judge_grounds(const struct rule *r, struct record *rec, uint32_t value, char *out,
                   size_t out_size);

#endif
