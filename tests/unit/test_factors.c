#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth/app_password.h"
#include "auth/factors.h"
#include "auth_fixture.h"
#include "msa/base/err.h"
#include "msa/base/table.h"

TestSuite(factors, .timeout = 20);

/* As much as a record holds. */
static void fill(struct factors *f)
{
    memset(f, 0, sizeof *f);
    f->app_passwords_only = true;
    f->totp = TOTP_ON;
    f->last_step = 37037036;
    f->wrong_count = 3;
    f->wrong_ms = 1700000000000;
    f->recovery_count = FACTORS_RECOVERY_MAX;
    f->app_count = FACTORS_APPS_MAX;
    memset(f->sealed, 0x5a, sizeof f->sealed);
    memset(f->recovery, 0xa5, sizeof f->recovery);
    for (size_t i = 0; i < FACTORS_APPS_MAX; i++) {
        struct app_password *a = &f->apps[i];
        a->id = i + 1;
        memset(a->name, 'n', FACTORS_NAME_MAX);
        a->scopes = (uint8_t)(1 + i % APP_SCOPES_ALL);
        a->created_ms = 1700000000000 + (int64_t)i;
        a->used_ms = (int64_t)i;
        if (i % 2)
            memcpy(a->used_from, "JP", 3);
        memset(a->verifier, (int)i, sizeof a->verifier);
    }
}

Test(factors, the_largest_record_goes_round_and_every_damage_is_seen)
{
    static struct factors f, back;
    static char bytes[FACTORS_RECORD_MAX];
    struct buf record;
    fill(&f);
    buf_init_secret(&record, FACTORS_RECORD_MAX);
    factors_encode(&f, &record);
    cr_assert(not(buf_failed(&record)));
    cr_assert(eq(int, factors_decode(buf_view(&record), &back), MSA_OK));
    cr_assert(memcmp(&f, &back, sizeof f) == 0);
    size_t n = buf_len(&record);
    memcpy(bytes, buf_view(&record).p, n);
    buf_fini(&record);
    for (size_t i = 0; i < n; i++) {
        cr_assert(eq(int, factors_decode(view_of(bytes, i), &back), MSA_ECORRUPT));
        bytes[i] ^= 4;
        cr_assert(eq(int, factors_decode(view_of(bytes, n), &back), MSA_ECORRUPT), "byte %zu", i);
        bytes[i] ^= 4;
    }
    cr_assert(eq(sz, back.app_count, 0));
}

/* The layout that the head of factors.h draws: records of today are read tomorrow. */
Test(factors, record_layout)
{
    static const uint8_t want[] = {1, 1, 1, 8, 7, 6, 5, 4, 3, 2, 1, 2, 0, 0, 0, 'h', 'i', 3, 5, 0, 0,
                                   0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 'J', 'P'};
    static struct factors f = {.app_passwords_only = true, .app_count = 1};
    struct buf record;
    f.apps[0] = (struct app_password){.id = 0x0102030405060708u, .name = "hi", .scopes = 3, .created_ms = 5,
                                      .used_ms = 9, .used_from = "JP"};
    buf_init_secret(&record, FACTORS_RECORD_MAX);
    factors_encode(&f, &record);
    cr_assert(eq(sz, buf_len(&record), sizeof want + FACTORS_HASH_BYTES + 8));
    cr_assert(memcmp(buf_view(&record).p, want, sizeof want) == 0);
    buf_fini(&record);
}

Test(factors, a_record_with_a_right_sum_and_wrong_fields_is_refused)
{
    static const uint8_t zeros[16];
    static struct factors f;
    static const struct {
        uint8_t bytes[8];
        size_t n;
    } rows[] = {
        {{2, 0, 0}, 3},  /* a version of tomorrow */
        {{1, 8, 0}, 3},  /* a flag of tomorrow */
        {{1, 6, 0}, 3},  /* set up and on at once */
        {{1, 0, 21}, 3}, /* too many app passwords */
        {{1, 0, 1}, 3},  /* one that is not there */
        {{1, 0, 0, 0}, 4},
        {{1, 0}, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char record[16];
        memcpy(record, rows[i].bytes, rows[i].n);
        uint64_t sum = siphash13(zeros, record, rows[i].n);
        for (size_t j = 0; j < 8; j++)
            record[rows[i].n + j] = (char)(sum >> (8 * j));
        cr_assert(eq(int, factors_decode(view_of(record, rows[i].n + 8), &f), MSA_ECORRUPT), "row %zu", i);
    }
}

Test(factors, the_order_stays_when_one_goes)
{
    static struct factors f;
    fill(&f);
    factors_drop_app(&f, factors_app(&f, 5));
    cr_assert(factors_app(&f, 5) == NULL);
    cr_assert(eq(sz, f.app_count, FACTORS_APPS_MAX - 1));
    cr_assert(eq(u64, f.apps[3].id, 4));
    cr_assert(eq(u64, f.apps[4].id, 6));
    cr_assert(eq(u64, f.apps[18].id, 20));
    factors_drop_app(&f, factors_app(&f, 20));
    cr_assert(eq(u64, f.apps[17].id, 19));
}

/* ---- app passwords ---- */

Test(factors, an_app_password_is_four_groups_that_nobody_mistakes)
{
    char one[APP_PASSWORD_SIZE], other[APP_PASSWORD_SIZE];
    unsigned seen[256] = {0};
    for (int i = 0; i < 500; i++) {
        app_password_make(one);
        app_password_make(other);
        cr_assert(ne(str, one, other));
        cr_assert(eq(sz, strlen(one), 19));
        cr_assert(eq(sz, strspn(one, "abcdefghjkmnpqrstvwxyz3467-"), 19));
        cr_assert(one[4] == '-' && one[9] == '-' && one[14] == '-');
        for (size_t j = 0; j < 19; j++)
            seen[(unsigned char)one[j]]++;
    }
    for (const char *c = "abcdefghjkmnpqrstvwxyz3467"; *c; c++) /* 8000 signs, 308 of each on average */
        cr_assert(seen[(unsigned char)*c] > 150 && seen[(unsigned char)*c] < 500, "%c %u", *c,
                  seen[(unsigned char)*c]);
}

Test(factors, an_app_password_is_read_as_people_type_it)
{
    static const struct {
        const char *typed;
        bool is_same;
    } rows[] = {
        {"abcd-efgh-jkmn-pqrs", true},   {"abcdefghjkmnpqrs", true},       {"abcd efgh jkmn pqrs", true},
        {" ABCD-EFGH-jkmn-pqrs ", true}, {"abcd-efgh-jkmn-pqr", false},    {"abcd-efgh-jkmn-pqrss", false},
        {"abcd-efgh-jkmn-pqrt", false},  {"abcd_efgh_jkmn_pqrs", false},   {"", false},
        {"abcd-efgh-jkmn-pqri", false},  {"abcd-efgh-jkmn-pqrs\n", false},
    };
    uint8_t key[32] = {9}, want[FACTORS_HASH_BYTES], hash[FACTORS_HASH_BYTES];
    app_password_hash(key, 5, view_cstr(rows[0].typed), want);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        app_password_hash(key, 5, view_cstr(rows[i].typed), hash);
        cr_assert(eq(int, memcmp(hash, want, sizeof hash) == 0, rows[i].is_same), "%s", rows[i].typed);
    }
    app_password_hash(key, 6, view_cstr(rows[0].typed), hash);
    cr_assert(memcmp(hash, want, sizeof hash) != 0, "the same password of two accounts looks alike");
}

/* ---- what they open ---- */

static struct auth_fixture f;
static struct verify v;
#define APP "abcd-efgh-jkmn-pqrs"

static void set_up(void)
{
    auth_fixture_open(&f);
    verify_init(&v, &f.env, &f.rules);
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    auth_fixture_add(&f, "hana@example.jp", "pencil");
}

static void tear_down(void)
{
    verify_fini(&v);
    auth_fixture_close(&f);
}

static void give(const char *login, uint8_t scopes, bool is_only)
{
    static struct factors x;
    struct store_change change;
    uint64_t id = auth_fixture_get(&f, login).id;
    memset(&x, 0, sizeof x);
    x.app_passwords_only = is_only;
    x.app_count = scopes ? 1 : 0;
    x.apps[0] = (struct app_password){.id = 1, .name = "phone", .scopes = scopes};
    app_password_hash(store_key(f.env.store), id, VIEW_LIT(APP), x.apps[0].verifier);
    store_begin(f.env.store, &change);
    store_put_factors(&change, id, &x);
    cr_assert(eq(int, store_commit(&change), MSA_OK));
}

static enum auth_result try(const char *login, const char *password, unsigned scope)
{
    verify_fini(&v);
    verify_init(&v, &f.env, &f.rules);
    v.scope = scope;
    verify_login(&v, view_cstr(login));
    enum auth_result result = verify_password(&v, view_cstr(password));
    return result == AUTH_OK ? verify_authorize(&v) : result;
}

Test(factors, an_app_password_opens_its_scopes_and_no_page, .init = set_up, .fini = tear_down)
{
    give("taro@example.jp", APP_SCOPE_SMTP | APP_SCOPE_POP, false);
    for (int again = 0; again < 2; again++) { /* the second time the cache knows it */
        cr_assert(eq(int, (int)try("taro", APP, APP_SCOPE_SMTP), (int)AUTH_OK));
        cr_assert(eq(u64, v.app_id, 1));
        cr_assert(eq(int, (int)try("taro", "ABCD EFGH JKMN PQRS", APP_SCOPE_POP), (int)AUTH_OK));
        cr_assert(eq(int, (int)try("taro", APP, APP_SCOPE_IMAP), (int)AUTH_BAD_CREDENTIALS));
        cr_assert(ne(u64, v.wrong_password, 0));
        cr_assert(eq(int, (int)try("taro", APP, 0), (int)AUTH_BAD_CREDENTIALS));
        cr_assert(eq(int, (int)try("hana", APP, APP_SCOPE_SMTP), (int)AUTH_BAD_CREDENTIALS));
        cr_assert(eq(int, (int)try("taro", "pencil", APP_SCOPE_SMTP), (int)AUTH_OK));
        cr_assert(eq(u64, v.app_id, 0));
        cr_assert(eq(int, (int)try("taro", "pencil", 0), (int)AUTH_OK));
    }
}

Test(factors, the_main_password_may_be_for_pages_alone, .init = set_up, .fini = tear_down)
{
    cr_assert(eq(int, (int)try("taro", "pencil", APP_SCOPE_SMTP), (int)AUTH_OK)); /* and is remembered */
    give("taro@example.jp", APP_SCOPE_SMTP, true);
    cr_assert(eq(int, (int)try("taro", "pencil", APP_SCOPE_SMTP), (int)AUTH_NOT_THIS_PASSWORD));
    cr_assert(eq(u64, v.wrong_password, 0));
    cr_assert(eq(int, (int)try("taro", "pencil", 0), (int)AUTH_OK));
    cr_assert(eq(int, (int)try("taro", "pencil", APP_SCOPE_SMTP), (int)AUTH_NOT_THIS_PASSWORD));
    cr_assert(eq(int, (int)try("taro", APP, APP_SCOPE_SMTP), (int)AUTH_OK));
}

/* Unknown, wrong, without and with app passwords, refused for its scope, right but not taken: one derivation each. */
Test(factors, every_answer_costs_one_derivation, .init = set_up, .fini = tear_down)
{
    static const struct {
        const char *login, *password;
        unsigned scope;
        enum auth_result want;
    } rows[] = {
        {"taro", "wrong", APP_SCOPE_SMTP, AUTH_BAD_CREDENTIALS},
        {"taro", APP, APP_SCOPE_SMTP, AUTH_OK},
        {"taro", APP, APP_SCOPE_IMAP, AUTH_BAD_CREDENTIALS},
        {"taro", APP, 0, AUTH_BAD_CREDENTIALS},
        {"taro", "pencil", APP_SCOPE_SMTP, AUTH_NOT_THIS_PASSWORD},
        {"taro", "pencil", APP_SCOPE_SMTP, AUTH_NOT_THIS_PASSWORD},
        {"hana", "wrong", APP_SCOPE_SMTP, AUTH_BAD_CREDENTIALS},
        {"hana", APP, APP_SCOPE_SMTP, AUTH_BAD_CREDENTIALS},
        {"nobody", APP, APP_SCOPE_SMTP, AUTH_NO_SUCH_USER},
        {"off", APP, APP_SCOPE_SMTP, AUTH_DISABLED},
        {"off", APP, APP_SCOPE_SMTP, AUTH_DISABLED},
        {"off", "wrong", APP_SCOPE_SMTP, AUTH_BAD_CREDENTIALS},
    };
    auth_fixture_add(&f, "off@example.jp", "pencil");
    auth_fixture_disable(&f, "off@example.jp");
    give("taro@example.jp", APP_SCOPE_SMTP, true);
    give("off@example.jp", APP_SCOPE_SMTP, false);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint64_t before = auth_fixture_derivations();
        cr_assert(eq(int, (int)try(rows[i].login, rows[i].password, rows[i].scope), (int)rows[i].want), "row %zu", i);
        cr_assert(eq(u64, auth_fixture_derivations(), before + 1), "row %zu", i);
    }
}

Test(factors, a_damaged_record_is_no_wrong_password, .init = set_up, .fini = tear_down)
{
    struct store_change change;
    uint64_t id = auth_fixture_get(&f, "taro@example.jp").id;
    static struct factors x = {.app_count = 1}; /* an app password without id, name and scope: none that decodes */
    store_begin(f.env.store, &change);
    store_put_factors(&change, id, &x);
    cr_assert(eq(int, store_commit(&change), MSA_OK));
    cr_assert(eq(int, (int)try("taro", "pencil", APP_SCOPE_SMTP), (int)AUTH_UNAVAILABLE));
    cr_assert(eq(int, (int)try("hana", "pencil", APP_SCOPE_SMTP), (int)AUTH_OK));
}
