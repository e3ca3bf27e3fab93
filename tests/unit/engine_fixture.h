/* What the tests of the rule engine share: a set of rules, an ordinary event, a store. */
#ifndef TESTS_UNIT_ENGINE_FIXTURE_H
#define TESTS_UNIT_ENGINE_FIXTURE_H

#include "policy/engine/engine.h"

#define MINUTE_MS 60000
#define HOUR_MS   3600000
#define DAY_MS    86400000
#define T0        1780000000000 /* an instant in 2026 */

#define JP ('J' << 8 | 'P')
#define US ('U' << 8 | 'S')

/* Of the test under way: made by engine_begin, freed by engine_end. */
extern struct store *store;

void engine_begin(void);
void engine_end(void);

struct rule_set set_of(struct rule *rules, unsigned count);
struct ipaddr ip(const char *text);
/* Account 1 at home in Japan, on 192.0.2.1, with one recipient. */
struct event event_of(enum event_kind kind, int64_t at_ms);
struct verdict decide(const struct rule_set *set, const struct event *e);

#endif
