/* `rule` blocks of the configuration become rules of the engine. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/engine/engine.h"
#include "policy/engine/record.h"
#include "policy/rules.h"

TestSuite(rules, .timeout = 20);

#define BASE                                                           \
    "hostname mx.example.jp;\n"                                        \
    "listener lo { address 127.0.0.1:10587; auth_without_tls yes; }\n" \
    "pool main { smarthost 127.0.0.1:10025; }\n"

static struct config_errors errs;
static const uint8_t hash_key[16] = "0123456789abcde";

static struct config *parse(const char *text)
{
    struct config *cfg = NULL;
    config_errors_init(&errs);
    config_parse_text(view_cstr(text), "f", &cfg, &errs);
    return cfg;
}

Test(rules, a_block_becomes_a_rule)
{
    struct config *cfg = parse(
        BASE "rule r { count countries; within 6h; limit 3; spare 2;\n"
             "  when { from overseas; countries CN ru; classes new; "
             "mailbox elsewhere; block unfamiliar; also moves;  younger_than 14d; }\n"
             "  then suspend notify; mode shadow; }\n"
             "rule s { count recipients; per destination; within 6h; limit 3;\n"
             "  when { destinations docomo.ne.jp; min_score 2.5; } then defer; }\n"
             "rule moves { count blocks; within 1d; limit 9; then sign; }\n"
             "rule unused { count logins; within 1h; limit 1; then notify; mode off; }");
    cr_assert(cfg != NULL);
    struct rule_set *set = rules_new(cfg, hash_key);
    cr_assert(eq(uint, set->rule_count, 3));
    const struct rule *r = &set->rules[0];
    cr_assert(view_eq(r->name, VIEW_LIT("r")));
    cr_assert(eq(int, (int)r->count, COUNT_COUNTRIES));
    cr_assert(eq(i64, r->within_ms, 6 * 3600000));
    cr_assert(eq(u32, r->limit, 3));
    cr_assert(eq(uint, r->actions, THEN_SUSPEND | THEN_NOTIFY));
    cr_assert(r->is_shadow);
    cr_assert(eq(int, (int)r->when.origin, FROM_OVERSEAS));
    cr_assert(eq(uint, r->when.country_count, 2));
    cr_assert(eq(u16, r->when.countries[1], 'R' << 8 | 'U'));
    cr_assert(view_eq(r->when.classes[0], VIEW_LIT("new")));
    cr_assert(eq(int, (int)r->when.mailbox, MAILBOX_ELSEWHERE));
    cr_assert(eq(int, (int)r->when.block, BLOCK_UNFAMILIAR));
    cr_assert(view_eq(r->when.also[0], VIEW_LIT("moves")));
    cr_assert(eq(u8, r->also[0], 2));
    cr_assert(set->is_also[2] && !set->is_also[0] && !r->when.has_min_score);
    cr_assert(eq(i64, r->when.younger_than_ms, 14ll * 86400000));
    r = &set->rules[1];
    cr_assert(eq(int, (int)r->per, PER_DESTINATION));
    cr_assert(r->when.has_min_score);
    cr_assert(eq(i32, r->when.min_score_hundredths, 250));
    cr_assert(view_eq(r->when.destinations[0], VIEW_LIT("docomo.ne.jp")));
    cr_assert(rules_is_home(cfg, 'J' << 8 | 'P'));
    cr_assert(not(rules_is_home(cfg, 'U' << 8 | 'S')));
    rules_free(&set);
    config_free(&cfg);
    config_errors_fini(&errs);
}

Test(rules, counts_survive_a_change_of_limit_and_action_but_not_of_the_question)
{
    static const char *const texts[] = {
        BASE "rule a { count messages; within 1h; limit 3; then defer; }",
        BASE "rule other { count messages; within 1h; limit 9; then refuse; }",
        BASE "rule a { count messages; within 2h; limit 3; then defer; }",
        BASE "rule a { count messages; within 1h; limit 3; then defer; when { from "
             "overseas; } }",
    };
    uint32_t ids[4];
    for (size_t i = 0; i < 4; i++) {
        struct config *cfg = parse(texts[i]);
        struct rule_set *set = rules_new(cfg, hash_key);
        ids[i] = set->rules[0].cell_id;
        rules_free(&set);
        config_free(&cfg);
        config_errors_fini(&errs);
    }
    cr_assert(eq(u32, ids[0], ids[1]));
    cr_assert(ne(u32, ids[0], ids[2]));
    cr_assert(ne(u32, ids[0], ids[3]));
}

Test(rules, what_makes_no_sense_is_said)
{
    static const char *const texts[] = {
        BASE "rule r { count countries; limit 3; then suspend; }",
        BASE "rule r { count speed; within 1h; limit 3; then suspend; }",
        BASE "rule r { count messages; within 1h; limit 3; then pool; to_pool nowhere; }",
        BASE "rule r { count messages; within 1h; limit 3; then defer; when { countries "
             "Japan; } }",
        BASE "rule r { count messages; within 1h; then defer; }",
        BASE "rule r { count message; within 1h; limit 1; then defer; }",
        BASE "rules { home japan; }",
        BASE "rule r { count countries; per address; within 1h; limit 3; then notify; }",
        BASE "rule r { count sessions; per network; limit 3; then refuse; }",
        BASE "rule r { count addresses; within 1h; limit 121; then notify; }",
        BASE "rule r { count switches; within 1h; limit 41; then notify; }",
        BASE "rule r { count logins; within 1h; limit 1; then notify; when { min_score "
             "1.0; } }",
        BASE
        "rule r { count logins; within 1h; limit 1; then notify; when { destinations "
        "a.jp; } }",
        BASE "rule r { count logins; within 1h; limit 1; then notify; when { also s; } }",
        BASE
        "rule r { count logins; within 1h; limit 1; then notify; when { also s; } }\n"
        "rule s { count logins; per address; within 1h; limit 1; then sign; }",
        BASE "rule r { count logins; within 1h; limit 1; then sign; when { "
             "min_recipients 2; } }",
        BASE "rule r { count blocks; per address; within 1h; limit 3; then sign; }",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct config *cfg = parse(texts[i]);
        cr_assert(cfg == NULL, "%s", texts[i]);
        cr_assert(eq(u32, errs.count, 1), "%s", texts[i]);
        config_errors_fini(&errs);
    }
}

/* As many rules as the configuration takes: none of them finds its record full. */
Test(rules, what_the_configuration_allows_fits_into_a_record)
{
    static char text[65536];
    size_t n = (size_t)snprintf(text, sizeof text, "%s", BASE);
    struct config *cfg = parse(text);
    for (unsigned i = 0; cfg; i++) {
        config_free(&cfg);
        config_errors_fini(&errs);
        n += (size_t)snprintf(
            text + n, sizeof text - n,
            "rule r%u { count addresses; within %uh; limit 120; then lock; }\n", i,
            i + 1);
        cfg = parse(text);
    }
    config_errors_fini(&errs);
    char *last = strrchr(text, 'r'); /* of "rule": the first that was too much */
    while (strncmp(last, "rule r", 6) != 0)
        last--;
    *last = '\0';
    cfg = parse(text);
    cr_assert(cfg != NULL);
    struct rule_set *set = rules_new(cfg, hash_key);
    struct store *s = store_memory_new();
    struct event e = {.kind = EVENT_MESSAGE, .account = 1, .at_ms = 1780000000000};
    static uint32_t recipients[2 * KNOWN_MAX];
    for (uint32_t i = 0; i < 2 * KNOWN_MAX; i++)
        recipients[i] = i;
    e.recipient_hashes = recipients;
    e.recipients = 2 * KNOWN_MAX;
    struct verdict v;
    cr_assert(eq(int, engine_decide(set, s, &e, &v), MSA_OK));
    for (uint32_t i = 0; i < 400; i++) {
        e.kind = i % 2 ? EVENT_LOGIN : EVENT_MAILBOX;
        e.place.country = (uint16_t)('A' << 8 | ('A' + (int)(i % 26)));
        e.ip = (struct ipaddr){
            {[0] = 0x20, [1] = 1, [3] = (uint8_t)i, [4] = (uint8_t)(i >> 8)}};
        cr_assert(eq(int, engine_decide(set, s, &e, &v), MSA_OK));
    }
    for (unsigned i = 0; i < v.reason_count; i++)
        cr_assert(ge(u32, v.reasons[i].value, v.reasons[i].limit));
    e.kind = EVENT_LOGIN;
    cr_assert(eq(int, engine_decide(set, s, &e, &v), MSA_OK));
    cr_assert(eq(uint, v.reason_count,
                 set->rule_count < REASONS_MAX ? set->rule_count : REASONS_MAX),
              "the locks of all are remembered");
    store_memory_free(&s);
    rules_free(&set);
    config_free(&cfg);
}

/* The rules that ship are sound, whatever a provider's own configuration says around
 * them. */
Test(rules, the_shipped_rules_are_good)
{
    static char text[65536];
    int n = snprintf(text, sizeof text, "%s", BASE);
    FILE *f = fopen("conf/rules.conf", "r");
    cr_assert(f != NULL, "run from the top of the repository");
    n += (int)fread(text + n, 1, sizeof text - (size_t)n - 1, f);
    fclose(f);
    text[n] = '\0';
    struct config *cfg = parse(text);
    cr_assert(cfg != NULL);
    cr_assert(gt(u32, cfg->rule_count, 20));
    struct rule_set *set = rules_new(cfg, hash_key);
    cr_assert(eq(uint, set->rule_count, cfg->rule_count));
    rules_free(&set);
    config_free(&cfg);
    config_errors_fini(&errs);
}
