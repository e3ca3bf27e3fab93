#include "tests/unit/engine_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "msa/base/err.h"

struct store *store;

void engine_begin(void)
{
    store = store_memory_new();
}

void engine_end(void)
{
    store_memory_free(&store);
}

struct rule_set set_of(struct rule *rules, unsigned count)
{
    struct rule_set set = {.v6_source_bits = 64,
                           .v4_network_bits = 24,
                           .v6_network_bits = 48,
                           .v4_block_bits = 16,
                           .v6_block_bits = 32,
                           .mailbox_lately_ms = DAY_MS,
                           .mailbox_habit_ms = 7 * (int64_t)DAY_MS,
                           .hash_key = "test"};
    rules_seal(&set, rules, count);
    return set;
}

struct ipaddr ip(const char *text)
{
    struct ipaddr a;
    cr_assert(ipaddr_parse(view_cstr(text), &a));
    return a;
}

struct event event_of(enum event_kind kind, int64_t at_ms)
{
    return (struct event){.kind = kind,
                          .at_ms = at_ms,
                          .account = 1,
                          .account_age_ms = -1,
                          .ip = ip("192.0.2.1"),
                          .place = {.country = JP},
                          .is_home = true,
                          .recipients = 1,
                          .account_class = VIEW_LIT("default"),
                          .protocol = VIEW_LIT("smtp")};
}

struct verdict decide(const struct rule_set *set, const struct event *e)
{
    struct verdict v;
    cr_assert(eq(int, engine_decide(set, store, e, &v), MSA_OK));
    return v;
}
