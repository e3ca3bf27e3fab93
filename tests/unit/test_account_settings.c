#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/log.h"
#include "policy/account.h"
#include "policy/engine/rule.h"

TestSuite(account_settings, .timeout = 30);

#define NOW INT64_C(1796000000000)
#define DAY INT64_C(86400000)

static uint16_t country(const char *text)
{
    return country_code(view_cstr(text));
}

static struct account full(void)
{
    struct account a = {
        .id = 7, .created_ms = NOW - 900 * DAY, .changed_ms = NOW, .login = VIEW_LIT("taro@example.jp"),
        .class_name = VIEW_LIT("business"), .overseas = ACCOUNT_OVERSEAS_BLOCK,
        .consent = ACCOUNT_CONSENT_NO, .language = ACCOUNT_LANGUAGE_JA, .home_count = 2,
        .exception_count = 2, .override_count = 2, .normalizes_newlines = true,
        .senders = VIEW_LIT("@example.com\n"), .note = VIEW_LIT("電話で依頼"),
        .notice_address = VIEW_LIT("other@example.net"),
    };
    a.homes[0] = country("JP");
    a.homes[1] = country("US");
    a.exceptions[0] = (struct account_exception){country("FR"), NOW - DAY, NOW + DAY};
    a.exceptions[1] = (struct account_exception){country("DE"), 0, 0};
    a.override_rules[0] = VIEW_LIT("messages");
    a.overrides[0] = (struct rule_override){rule_name_hash(VIEW_LIT("messages")), 1000};
    a.override_rules[1] = VIEW_LIT("countries");
    a.overrides[1] = (struct rule_override){rule_name_hash(VIEW_LIT("countries")), UINT32_MAX};
    return a;
}

/* ---- the record ---- */

Test(account_settings, everything_comes_back)
{
    struct account in = full(), out;
    struct buf b;
    buf_init(&b, ACCOUNT_BYTES_MAX);
    cr_assert_eq(account_pack(&in, &b), MSA_OK);
    cr_assert_eq(account_unpack(buf_view(&b), &out), MSA_OK);
    cr_assert(view_eq(out.login, in.login));
    cr_assert(view_eq(out.class_name, in.class_name));
    cr_assert(view_eq(out.senders, in.senders));
    cr_assert(view_eq(out.note, in.note));
    cr_assert(view_eq(out.notice_address, in.notice_address));
    cr_assert_eq(out.created_ms, in.created_ms);
    cr_assert_eq(out.changed_ms, in.changed_ms);
    cr_assert_eq(out.overseas, in.overseas);
    cr_assert_eq(out.consent, in.consent);
    cr_assert_eq(out.language, in.language);
    cr_assert(out.normalizes_newlines);
    cr_assert_eq(out.home_count, 2);
    cr_assert_eq(out.homes[1], in.homes[1]);
    cr_assert_eq(out.exception_count, 2);
    cr_assert_eq(out.exceptions[0].until_ms, in.exceptions[0].until_ms);
    cr_assert_eq(out.override_count, 2);
    cr_assert_eq(out.overrides[1].rule_name_hash, in.overrides[1].rule_name_hash);
    cr_assert_eq(out.overrides[0].limit, 1000);
    cr_assert(view_eq(out.override_rules[1], in.override_rules[1]));
    buf_fini(&b);
}

Test(account_settings, the_largest_record_fits)
{
    static char text[ACCOUNT_BYTES_MAX];
    struct account a = full(), out;
    struct buf b, senders;
    memset(text, 'x', sizeof text);
    buf_init(&senders, 8192);
    for (unsigned i = 0; i < 90; i++)
        buf_addf(&senders, "%.60s%02u@example.jp\n", text, i);
    a.login = a.notice_address = view_of(text, ACCOUNT_ADDRESS_MAX);
    a.note = view_of(text, ACCOUNT_NOTE_MAX);
    a.senders = buf_view(&senders);
    a.home_count = ACCOUNT_HOMES_MAX;
    a.exception_count = ACCOUNT_EXCEPTIONS_MAX;
    a.override_count = ACCOUNT_OVERRIDES_MAX;
    for (unsigned i = 0; i < ACCOUNT_HOMES_MAX; i++)
        a.homes[i] = country("JP");
    for (unsigned i = 0; i < ACCOUNT_OVERRIDES_MAX; i++)
        a.override_rules[i] = view_of(text, ACCOUNT_NAME_MAX);
    buf_init(&b, ACCOUNT_BYTES_MAX);
    cr_assert_eq(account_pack(&a, &b), MSA_OK);
    cr_assert_eq(account_unpack(buf_view(&b), &out), MSA_OK);
    buf_fini(&b);
    buf_fini(&senders);
}

Test(account_settings, a_record_cut_anywhere_is_damaged)
{
    struct account in = full(), out;
    struct buf b;
    buf_init(&b, ACCOUNT_BYTES_MAX);
    account_pack(&in, &b);
    struct view whole = buf_view(&b);
    for (size_t n = 0; n < whole.n; n++) {
        char *copy = malloc(n + 1); /* for the sanitizer */
        memcpy(copy, whole.p, n);
        cr_assert_eq(account_unpack(view_of(copy, n), &out), MSA_ECORRUPT, "%zu", n);
        cr_assert_eq(out.overseas, ACCOUNT_OVERSEAS_DEFAULT);
        free(copy);
    }
    cr_assert_eq(buf_add_char(&b, 0), MSA_OK);
    cr_assert_eq(account_unpack(buf_view(&b), &out), MSA_ECORRUPT, "something behind it");
    buf_fini(&b);
}

Test(account_settings, what_is_out_of_bounds_is_damaged)
{
    static const struct {
        size_t at;
        uint8_t byte;
    } cases[] = {{0, 2}, {1, 2}, {2, 3}, {3, 3}, {4, 3}, {12, 0x80}, {20, 0x80}};
    struct account in = full(), out;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf b;
        char bytes[ACCOUNT_BYTES_MAX];
        buf_init(&b, ACCOUNT_BYTES_MAX);
        account_pack(&in, &b);
        size_t n = buf_len(&b);
        memcpy(bytes, buf_view(&b).p, n);
        bytes[cases[i].at] = (char)cases[i].byte;
        cr_expect_eq(account_unpack(view_of(bytes, n), &out), MSA_ECORRUPT, "byte %zu", cases[i].at);
        buf_fini(&b);
    }
    in.homes[0] = 77; /* no two letters */
    struct buf b;
    buf_init(&b, ACCOUNT_BYTES_MAX);
    account_pack(&in, &b);
    cr_expect_eq(account_unpack(buf_view(&b), &out), MSA_ECORRUPT);
    buf_reset(&b);
    in = full();
    in.note = VIEW_LIT("\xff");
    account_pack(&in, &b);
    cr_expect_eq(account_unpack(buf_view(&b), &out), MSA_ECORRUPT);
    buf_fini(&b);
}

/* ---- in the ledger ---- */

Test(account_settings, one_without_a_record_has_defaults_and_a_damaged_one_too)
{
    char error[256] = "", dir[] = "/tmp/msad-account-XXXXXX", path[64];
    struct account a = full();
    struct buf b;
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/p", dir);
    log_set_level(LOG_LEVEL_ERROR + 1);
    struct loop *loop = loop_new();
    struct ledger *l = ledger_open(loop, path, 8u << 20, error, sizeof error);
    cr_assert_not_null(l, "%s", error);
    buf_init(&b, ACCOUNT_BYTES_MAX);
    cr_assert_eq(account_load(l, 7, &b, &a), MSA_NOT_FOUND);
    cr_assert_eq(a.id, 7);
    cr_assert_eq(a.home_count, 0);
    a = full();
    cr_assert_eq(account_save(l, &a), MSA_OK);
    ledger_close(&l);
    l = ledger_open(loop, path, 8u << 20, error, sizeof error);
    cr_assert_eq(account_load(l, 7, &b, &a), MSA_FOUND);
    cr_assert_eq(a.home_count, 2);
    cr_assert_eq(account_load(l, 8, &b, &a), MSA_NOT_FOUND);
    cr_assert_eq(account_load(l, 0, &b, &a), MSA_NOT_FOUND);
    ledger_put(l, LEDGER_ACCOUNTS, VIEW_LIT("\0\0\0\0\0\0\0\x07"), VIEW_LIT("rubbish"));
    cr_assert_eq(account_load(l, 7, &b, &a), MSA_RETRY);
    cr_assert_eq(a.id, 7);
    cr_assert_eq(a.home_count, 0);
    ledger_close(&l);
    buf_fini(&b);
    loop_free(&loop);
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", dir);
    cr_assert_eq(system(command), 0);
}

/* ---- overseas ---- */

static bool allows(enum account_overseas setting, const struct config_accounts *all,
                   int64_t created_ms)
{
    struct config cfg = {.accounts = *all};
    struct account a = {.overseas = setting, .created_ms = created_ms};
    bool allowed = account_allows_from(&a, &cfg, country("CN"), false, NOW);
    cr_expect(account_allows_from(&a, &cfg, country("JP"), true, NOW), "home is never blocked");
    cr_expect_eq(account_is_blocked_overseas(&a, &cfg), !allowed);
    return allowed;
}

Test(account_settings, who_is_blocked)
{
    const struct config_accounts open = {0},
                                 shut = {.overseas = CONFIG_OVERSEAS_BLOCK},
                                 shut_for_new = {.overseas_new = CONFIG_OVERSEAS_BLOCK,
                                                 .new_since_ms = NOW - DAY},
                                 never = {.overseas_new = CONFIG_OVERSEAS_BLOCK};
    cr_expect(allows(ACCOUNT_OVERSEAS_DEFAULT, &open, NOW));
    cr_expect_not(allows(ACCOUNT_OVERSEAS_BLOCK, &open, NOW));
    cr_expect_not(allows(ACCOUNT_OVERSEAS_DEFAULT, &shut, NOW));
    cr_expect(allows(ACCOUNT_OVERSEAS_ALLOW, &shut, NOW));
    cr_expect_not(allows(ACCOUNT_OVERSEAS_DEFAULT, &shut_for_new, NOW));
    cr_expect_not(allows(ACCOUNT_OVERSEAS_DEFAULT, &shut_for_new, NOW - DAY));
    cr_expect(allows(ACCOUNT_OVERSEAS_DEFAULT, &shut_for_new, NOW - DAY - 1));
    cr_expect(allows(ACCOUNT_OVERSEAS_DEFAULT, &shut_for_new, 0), "an unknown age is not new");
    cr_expect(allows(ACCOUNT_OVERSEAS_ALLOW, &shut_for_new, NOW));
    cr_expect(allows(ACCOUNT_OVERSEAS_DEFAULT, &never, NOW));
}

Test(account_settings, exceptions_by_country_and_period)
{
    static const struct {
        const char *name;
        const char *exception; /* "": any country */
        int64_t from_ms, until_ms;
        const char *from_country; /* "": unknown */
        bool is_allowed;
    } cases[] = {
        {"the country, for ever", "FR", 0, 0, "FR", true},
        {"another country", "FR", 0, 0, "DE", false},
        {"unknown is no country", "FR", 0, 0, "", false},
        {"any country, for ever", "", 0, 0, "CN", true},
        {"any country holds for unknown", "", 0, 0, "", true},
        {"during the journey", "FR", NOW - DAY, NOW + DAY, "FR", true},
        {"elsewhere during the journey", "FR", NOW - DAY, NOW + DAY, "DE", false},
        {"at its first moment", "FR", NOW, NOW + DAY, "FR", true},
        {"before it", "FR", NOW + 1, NOW + DAY, "FR", false},
        {"at its last moment", "FR", NOW - DAY, NOW + 1, "FR", true},
        {"when it is over", "FR", NOW - DAY, NOW, "FR", false},
        {"without an end", "FR", NOW - DAY, 0, "FR", true},
        {"a journey to anywhere", "", NOW - DAY, NOW + DAY, "BR", true},
    };
    struct config cfg = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct account a = {.overseas = ACCOUNT_OVERSEAS_BLOCK, .exception_count = 2};
        a.exceptions[0] = (struct account_exception){country("ZZ"), 0, 0};
        a.exceptions[1] = (struct account_exception){country(cases[i].exception), cases[i].from_ms,
                                                     cases[i].until_ms};
        cr_expect_eq(account_allows_from(&a, &cfg, country(cases[i].from_country), false, NOW),
                     cases[i].is_allowed, "%s", cases[i].name);
    }
}

Test(account_settings, homes)
{
    static const char *const jp[] = {"JP"};
    struct config cfg = {.rules.home = {jp, 1}, .geo.unknown = CONFIG_UNKNOWN_HOME};
    struct account a = full();
    cr_expect(account_has_home(&a, country("US")));
    cr_expect_not(account_has_home(&a, country("CN")));
    cr_expect(account_default_is_home(&cfg, country("JP")));
    cr_expect_not(account_default_is_home(&cfg, country("US")));
    cr_expect(account_default_is_home(&cfg, COUNTRY_NONE));
    cfg.geo.unknown = CONFIG_UNKNOWN_OVERSEAS;
    cr_expect_not(account_default_is_home(&cfg, COUNTRY_NONE));
}

/* yes, consent, no: what the account has said itself. */
static const struct scoring_vector {
    enum config_content_scoring setting;
    bool is_scored[3]; /* by enum account_consent */
} scoring_vectors[] = {
    {CONFIG_SCORING_YES, {true, true, false}},
    {CONFIG_SCORING_CONSENT, {false, true, false}},
    {CONFIG_SCORING_NO, {false, false, false}},
};

Test(account_settings, consent_to_scoring)
{
    for (size_t i = 0; i < 3; i++) {
        const struct config_account_class classes[] = {{"other", CONFIG_SCORING_YES},
                                                       {"business", scoring_vectors[i].setting}};
        const struct config config = {.accounts.content_scoring = scoring_vectors[i].setting};
        const struct config by_class = {.accounts = {.content_scoring = CONFIG_SCORING_YES,
                                                     .classes = classes,
                                                     .class_count = 2}};
        for (int consent = ACCOUNT_CONSENT_DEFAULT; consent <= ACCOUNT_CONSENT_NO; consent++) {
            struct account a = {.consent = (enum account_consent)consent};
            cr_expect_eq(account_may_score(&a, &config), scoring_vectors[i].is_scored[consent]);
            a.class_name = VIEW_LIT("business");
            cr_expect_eq(account_may_score(&a, &by_class), scoring_vectors[i].is_scored[consent]);
        }
    }
}
