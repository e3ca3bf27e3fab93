/* The rule engine: (rules, records, event) → (verdict, reasons, new records), and nothing
 * else.
 *
 * No I/O, no clock, no memory between calls but the records that a store keeps. The same
 * function decides live, in unit tests and in replay. The order of the rules has no
 * influence; shadow rules never change a verdict. */
#ifndef POLICY_ENGINE_ENGINE_H
#define POLICY_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/engine/event.h"
#include "policy/engine/rule.h"
#include "policy/engine/store.h"

#define REASONS_MAX 24
#define GROUNDS_MAX 160

/* Why a rule acted; kept for the support desk. */
struct reason {
    const struct rule *rule;
    uint32_t value; /* what was counted, this event included */
    uint32_t limit; /* in force for this account */
    bool is_shadow;
    bool is_standing_lock;     /* an earlier lock that has not run out */
    int64_t until_ms;          /* of a lock; 0: none */
    char grounds[GROUNDS_MAX]; /* "JP 2026-06-01T01:02Z, US …", what the counting cell
                                  holds */
};

struct verdict {
    unsigned actions; /* of enum rule_action, of all rules in force that acted */
    int64_t delay_ms; /* the longest */
    int64_t lock_until_ms;
    int32_t score_hundredths; /* the sum */
    struct view pool;         /* of the first rule by name that says one; empty: none */
    struct view pool_rule;    /* that rule's name */
    bool is_counted; /* what is used up was counted: give it back if the message fails */
    struct circumstances circumstances; /* for engine_give_back */
    unsigned reason_count;              /* the strictest first, shadow rules last */
    struct reason reasons[REASONS_MAX];
};

/* No reasons, no actions. Cheaper than to clear all of it. */
void verdict_init(struct verdict *v);

/* A verdict that lets the event pass, whatever else it asks for. */
static inline bool verdict_is_pass(const struct verdict *v)
{
    return (v->actions & (THEN_DEFER | THEN_REFUSE | THEN_LOCK | THEN_SUSPEND)) == 0;
}

/* Decides. 0; or MSA_EAGAIN when the store cannot answer, with *out a pass: counters that
 * are away refuse no mail. The store sees one read-many and at most one swap-many,
 * repeated (bounded) if another writer was faster. */
int engine_decide(const struct rule_set *set, struct store *store, const struct event *e,
                  struct verdict *out);

/* Only asks whether a lock stands that would shut this event out; nothing is counted and
 * nothing else is judged. Result as above. */
int engine_find_locks(const struct rule_set *set, struct store *store,
                      const struct event *e, struct verdict *out);

/* What the windows of the rules per account hold at this moment, by their place in the set; 0 for all others. Nothing
 * is counted or written. Result as above. */
int engine_look(const struct rule_set *set, struct store *store, const struct event *e,
                uint32_t values_out[RULES_MAX]);

/* The message of this earlier EVENT_MESSAGE or EVENT_CONTENT was not accepted after all:
 * what it used up is given back, in the windows of its own time. `circumstances` are its
 * verdict's. */
int engine_give_back(const struct rule_set *set, struct store *store,
                     const struct event *e, const struct circumstances *circumstances);

/* After a release: the account's windows begin anew. */
int engine_forget_account(const struct rule_set *set, struct store *store,
                          uint64_t account, int64_t now_ms);
/* The same of an address, and of the network that it is in. */
int engine_forget_source(const struct rule_set *set, struct store *store, const struct ipaddr *ip, int64_t now_ms);

#endif
