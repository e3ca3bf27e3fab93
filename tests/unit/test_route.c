/* Which route takes a message, as a table: configuration, facts and recipients in, a word out. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/ipc/messages.h"
#include "policy/engine/event.h"
#include "policy/route.h"

TestSuite(route, .timeout = 20);

#define POOLS "pool main { } pool bulk { } pool carriers { } pool suspect { } policy { default_pool main; }\n"

static const char settings[] = POOLS
    "destination carriers { domains docomo.ne.jp .softbank.jp; }\n"
    "route virus { when { findings VIRUS OTHER; } then refuse; text \"it has a virus\"; }\n"
    "route spam { when { min_score 12.0; } then hold; to_pool suspect; }\n"
    "route doubtful { when { min_score 6.0; } then pool; to_pool suspect; stay 24h; clean_below 3.0; }\n"
    "route known { when { restricted_within 30d; } then pool; to_pool suspect; }\n"
    "route abroad { when { from overseas; countries FR US; } then pool; to_pool suspect; }\n"
    "route letters { when { classes newsletter; } then pool; to_pool bulk; }\n"
    "route young { when { younger_than 7d; listener webmail; } then defer; text \"too young\"; }\n"
    "route carriers { when { destinations carriers ezweb.ne.jp; } then pool; to_pool carriers; }\n"
    "route held { when { destinations hold.example; } then hold; }\n";

static struct config *parse(const char *text)
{
    struct config *config = NULL;
    struct config_errors errs;
    config_errors_init(&errs);
    cr_assert_eq(config_parse_snapshot(view_cstr(text), CONFIG_ROLE_POLICY, &config, &errs), MSA_OK,
                 "%s", errs.count > 0 ? errs.items[0].text : "");
    config_errors_fini(&errs);
    return config;
}

/* Names apart by spaces, as items. */
static void put_recipients(const char *names, struct buf *out)
{
    struct view rest = view_cstr(names);
    buf_init(out, 65536);
    while (rest.n > 0) {
        const struct msg_recipient r = {.path = view_cut(&rest, ' ')};
        items_add_recipient(out, &r);
    }
}

/* "NAME then POOL". */
static void decide(const struct config *config, const struct routes *r, const struct route_facts *f,
                   const char *recipients, char out[128])
{
    static const char *const then[] = {"pool", "hold", "defer", "refuse"};
    struct route_choice c, shadow;
    struct buf list;
    put_recipients(recipients, &list);
    routes_decide(r, f, buf_view(&list), &c, &shadow);
    int n = snprintf(out, 128, "%s %s %s", c.route ? c.route->name : "-", then[c.then], config->pools[c.pool].name);
    if (shadow.route)
        snprintf(out + n, 128 - (size_t)n, " (%s %s)", shadow.route->name, then[shadow.then]);
    buf_fini(&list);
}

#define DAY (INT64_C(86400) * 1000)

/* At home, of a grown account, not scored high, nothing else. */
#define HOME                                                                                       \
    .account_class = VIEW_LIT("default"), .account_age_ms = -1, .is_home = true,                   \
    .listener = VIEW_LIT("submission")

static const struct {
    struct route_facts facts;
    const char *recipients;
    const char *want;
} table[] = {
    {{HOME, .restricted_ago_ms = -1}, "a@x.jp", "- pool main"},
    {{HOME, .restricted_ago_ms = -1, .score_milli = 5999}, "a@x.jp", "- pool main"},
    {{HOME, .restricted_ago_ms = -1, .score_milli = 6000}, "a@x.jp", "doubtful pool suspect"},
    {{HOME, .restricted_ago_ms = -1, .score_milli = 11999}, "a@x.jp", "doubtful pool suspect"},
    {{HOME, .restricted_ago_ms = -1, .score_milli = 12000}, "a@x.jp", "spam hold suspect"},
    {{HOME, .restricted_ago_ms = -1, .score_milli = -50000}, "a@x.jp", "- pool main"},
    {{HOME, .restricted_ago_ms = -1, .findings = VIEW_LIT("LINK 1.5\nVIRUS 20\n")}, "a@x.jp", "virus refuse main"},
    {{HOME, .restricted_ago_ms = -1, .findings = VIEW_LIT("VIRUS")}, "a@x.jp", "virus refuse main"},
    {{HOME, .restricted_ago_ms = -1, .findings = VIEW_LIT("VIRUSES 1\nNO VIRUS\n")}, "a@x.jp", "- pool main"},
    {{HOME, .restricted_ago_ms = -1, .findings = VIEW_LIT("VIRUS 1\n"), .score_milli = 15000}, "a@x.jp", "virus refuse main"},
    {{HOME, .restricted_ago_ms = 29 * DAY}, "a@x.jp", "known pool suspect"},
    {{HOME, .restricted_ago_ms = 30 * DAY}, "a@x.jp", "- pool main"},
    {{HOME, .restricted_ago_ms = 0}, "a@x.jp", "known pool suspect"},
    {{.account_age_ms = -1, .country = 'F' << 8 | 'R', .restricted_ago_ms = -1}, "a@x.jp",
     "abroad pool suspect"},
    {{.account_age_ms = -1, .country = 'C' << 8 | 'N', .restricted_ago_ms = -1}, "a@x.jp",
     "- pool main"},
    {{.account_age_ms = -1, .is_home = true, .country = 'F' << 8 | 'R', .restricted_ago_ms = -1},
     "a@x.jp", "- pool main"},
    {{.account_class = VIEW_LIT("newsletter"), .account_age_ms = -1, .is_home = true,
      .restricted_ago_ms = -1}, "a@x.jp", "letters pool bulk"},
    {{.account_class = VIEW_LIT("default"), .account_age_ms = DAY, .is_home = true,
      .listener = VIEW_LIT("webmail"), .restricted_ago_ms = -1}, "a@x.jp", "young defer main"},
    {{.account_class = VIEW_LIT("default"), .account_age_ms = 7 * DAY, .is_home = true,
      .listener = VIEW_LIT("webmail"), .restricted_ago_ms = -1}, "a@x.jp", "- pool main"},
    {{.account_class = VIEW_LIT("default"), .account_age_ms = DAY, .is_home = true,
      .listener = VIEW_LIT("submission"), .restricted_ago_ms = -1}, "a@x.jp", "- pool main"},
    /* Destinations: a domain, a block, all below a domain; whatever the case. */
    {{HOME, .restricted_ago_ms = -1}, "a@docomo.ne.jp", "carriers pool carriers"},
    {{HOME, .restricted_ago_ms = -1}, "a@DoCoMo.NE.jp", "carriers pool carriers"},
    {{HOME, .restricted_ago_ms = -1}, "a@ezweb.ne.jp", "carriers pool carriers"},
    {{HOME, .restricted_ago_ms = -1}, "a@i.softbank.jp", "carriers pool carriers"},
    {{HOME, .restricted_ago_ms = -1}, "a@a.b.softbank.jp", "carriers pool carriers"},
    {{HOME, .restricted_ago_ms = -1}, "a@softbank.jp", "- pool main"},
    {{HOME, .restricted_ago_ms = -1}, "a@xdocomo.ne.jp", "- pool main"},
    {{HOME, .restricted_ago_ms = -1}, "a@x.docomo.ne.jp", "- pool main"},
    {{HOME, .restricted_ago_ms = -1}, "\"a@docomo.ne.jp\"@x.jp", "- pool main"},
    {{HOME, .restricted_ago_ms = -1}, "postmaster", "- pool main"},
    /* Several: the strictest for the whole, wherever it stands. */
    {{HOME, .restricted_ago_ms = -1}, "a@x.jp b@docomo.ne.jp", "carriers pool carriers"},
    {{HOME, .restricted_ago_ms = -1}, "b@docomo.ne.jp a@x.jp", "carriers pool carriers"},
    {{HOME, .restricted_ago_ms = -1}, "a@docomo.ne.jp b@hold.example c@x.jp", "held hold main"},
    {{HOME, .restricted_ago_ms = -1}, "c@x.jp a@hold.example b@docomo.ne.jp", "held hold main"},
    {{HOME, .restricted_ago_ms = -1, .score_milli = 7000}, "a@docomo.ne.jp b@hold.example", "doubtful pool suspect"},
    {{HOME, .restricted_ago_ms = -1}, "", "- pool main"},
};

Test(route, first_that_holds_takes_it_and_the_strictest_of_several_recipients)
{
    struct config *config = parse(settings);
    struct routes *r = routes_new(config);
    cr_assert_not_null(r);
    cr_expect_eq(routes_ask_restricted_ms(r), 30 * DAY);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char got[128];
        decide(config, r, &table[i].facts, table[i].recipients, got);
        cr_expect_str_eq(got, table[i].want, "row %zu, to %s: %s", i, table[i].recipients, got);
    }
    routes_free(&r);
    config_free(&config);
}

Test(route, an_account_that_stays_can_be_asked_for)
{
    struct config *config = parse(POOLS "route yes { when { risky yes; } then hold; }"
                                        "route no { when { risky no; } then pool; to_pool bulk; }");
    struct routes *r = routes_new(config);
    struct route_facts f = {HOME, .restricted_ago_ms = -1};
    char got[128];
    decide(config, r, &f, "a@x.jp", got);
    cr_expect_str_eq(got, "no pool bulk");
    f.is_risky = true;
    decide(config, r, &f, "a@x.jp", got);
    cr_expect_str_eq(got, "yes hold main");
    routes_free(&r);
    config_free(&config);
}

Test(route, one_in_shadow_takes_nothing_and_is_told)
{
    struct config *config = parse(POOLS
        "route bad { when { min_score 12.0; } then hold; }"
        "route trial { mode shadow; when { min_score 6.0; } then refuse; }"
        "route late { when { destinations carriers.example; min_score 6.0; } then pool; to_pool bulk; }"
        "route narrow { mode shadow; when { destinations b.example; } then defer; }");
    struct routes *r = routes_new(config);
    static const struct {
        int64_t score_milli;
        const char *recipients, *want;
    } rows[] = {
        {0, "a@x.jp", "- pool main"},
        {7000, "a@x.jp", "- pool main (trial refuse)"},
        {7000, "a@x.jp b@carriers.example", "late pool bulk (trial refuse)"},
        {12000, "a@x.jp", "bad hold main"},
        {0, "a@x.jp b@b.example", "- pool main (narrow defer)"},
        {12000, "b@b.example", "bad hold main"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct route_facts f = {HOME, .restricted_ago_ms = -1, .score_milli = rows[i].score_milli};
        char got[128];
        decide(config, r, &f, rows[i].recipients, got);
        cr_expect_str_eq(got, rows[i].want, "row %zu: %s", i, got);
    }
    routes_free(&r);
    config_free(&config);
}

Test(route, without_routes_all_goes_through_the_default_pool)
{
    struct config *config = parse("pool main { } pool other { } policy { default_pool other; }");
    struct routes *r = routes_new(config);
    struct route_facts f = {HOME, .restricted_ago_ms = -1, .score_milli = 99000};
    char got[128];
    decide(config, r, &f, "a@x.jp b@y.jp", got);
    cr_expect_str_eq(got, "- pool other");
    routes_free(&r);
    config_free(&config);
}

Test(route, fifty_thousand_recipients_are_looked_at)
{
    struct config *config = parse(settings);
    struct routes *r = routes_new(config);
    struct route_facts f = {HOME, .restricted_ago_ms = -1};
    struct route_choice c, shadow;
    struct buf list;
    buf_init(&list, IPC_ITEMS_MAX);
    for (unsigned i = 0; i < 50000; i++) {
        char path[40];
        snprintf(path, sizeof path, "u%u@d%u.example", i, i);
        const struct msg_recipient rcpt = {.path = view_cstr(i == 49999 ? "a@hold.example" : path)};
        items_add_recipient(&list, &rcpt);
    }
    cr_assert(!buf_failed(&list));
    routes_decide(r, &f, buf_view(&list), &c, &shadow);
    cr_expect_str_eq(c.route->name, "held");
    buf_fini(&list);
    routes_free(&r);
    config_free(&config);
}

/* ---- mistakes ---- */

#define WHOLE                                                                                      \
    "hostname h.example; listener s { address 127.0.0.1:2525; auth_without_tls yes; }\n"           \
    "pool main { smarthost 127.0.0.1:25; } pool suspect { smarthost 127.0.0.1:26; }\n"

static const struct {
    const char *text;
    const char *want;
} mistakes[] = {
    {"route a { then pool; }", "which pool"},
    {"route a { then pool; to_pool suspekt; }", "there is no pool 'suspekt'"},
    {"route a { then hold; stay 1h; }", "'stay' needs 'to_pool'"},
    {"route a { then hold; text \"x\"; }", "nobody would read it"},
    {"route a { then pool; to_pool main; clean_below 3.0; }", "no effect without 'stay'"},
    {"route a { then hold; when { destinations carrier; } }", "there is no destination 'carrier'"},
    {"route a { then hold; when { countries JPN; } }", "'JPN' is not a country"},
    {"route a { then hold; when { listener x; } }", "there is no listener 'x'"},
    {"route a { then hold; when { older_than 9d; younger_than 3d; } }", "no account is older"},
    {"route a { then hold; } route b { then hold; when { min_score 3.0; } }", "'b' is never reached: 'a'"},
    {"route a { then hold; when { min_score 3.0; } } route b { then refuse; when { min_score 5.0; } }",
     "'b' is never reached: 'a'"},
    {"route a { then hold; when { classes x y; } } route b { then hold; when { classes y; from home; } }",
     "'b' is never reached: 'a'"},
    {"route a { then hold; when { restricted_within 9d; } } "
     "route b { then hold; when { restricted_within 3d; } }", "'b' is never reached: 'a'"},
    {"route a { then hold; mode shadow; } route b { then refuse; mode shadow; }", "'b' is never reached: 'a'"},
    {"route a { then hold; } route b { then refuse; mode shadow; }", "'b' is never reached: 'a'"},
};

static const char *const sound[] = {
    "route a { then refuse; mode shadow; } route b { then hold; }",
    "route a { then hold; when { min_score 5.0; } } route b { then refuse; when { min_score 3.0; } }",
    "route a { then hold; when { classes x; } } route b { then hold; when { classes x y; } }",
    "route a { then hold; when { from home; } } route b { then hold; when { from overseas; } } route c { then hold; }",
    "route a { then hold; when { restricted_within 3d; } } route b { then hold; when { restricted_within 9d; } }",
    "route a { then pool; to_pool suspect; stay 24h; clean_below 3.0; when { risky yes; destinations a.jp; } }",
};

static int parse_whole(const char *text, char error[512])
{
    struct config *config = NULL;
    struct config_errors errs;
    char whole[2048];
    snprintf(whole, sizeof whole, "%s%s", WHOLE, text);
    config_errors_init(&errs);
    int err = config_parse_text(view_cstr(whole), "t", &config, &errs);
    snprintf(error, 512, "%s", errs.count > 0 ? errs.items[0].text : "");
    config_errors_fini(&errs);
    config_free(&config);
    return err;
}

Test(route, mistakes_are_told_with_what_would_be_right)
{
    char error[512];
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        cr_expect_lt(parse_whole(mistakes[i].text, error), 0, "%s", mistakes[i].text);
        cr_expect_not_null(strstr(error, mistakes[i].want), "%s: %s", mistakes[i].text, error);
    }
    for (size_t i = 0; i < sizeof sound / sizeof sound[0]; i++)
        cr_expect_eq(parse_whole(sound[i], error), MSA_OK, "%s: %s", sound[i], error);
}
