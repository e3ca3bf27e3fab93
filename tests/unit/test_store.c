#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth_fixture.h"
#include "msa/base/err.h"

TestSuite(store, .timeout = 20);

static struct auth_fixture f;

static void setup(void)
{
    auth_fixture_open(&f);
}

static void teardown(void)
{
    auth_fixture_close(&f);
}

static void reopen(void)
{
    char error[256] = "";
    store_close(&f.env.store);
    f.env.store = store_open(f.path, error, sizeof error);
    cr_assert(f.env.store != NULL, "%s", error);
}

static uint64_t remove_account(const char *login)
{
    struct store_change change;
    uint64_t id = 0;
    store_begin(f.env.store, &change);
    cr_assert(eq(int, (int)store_remove(&change, view_cstr(login), &id), (int)MSA_FOUND));
    cr_assert(eq(int, store_commit(&change), MSA_OK));
    return id;
}

Test(store, key_is_made_once, .init = setup, .fini = teardown)
{
    uint8_t key[STORE_KEY_BYTES], zero[STORE_KEY_BYTES] = {0};
    memcpy(key, store_key(f.env.store), sizeof key);
    cr_assert(memcmp(key, zero, sizeof key) != 0);
    reopen();
    cr_assert(memcmp(key, store_key(f.env.store), sizeof key) == 0);
}

Test(store, accounts_are_found_by_name_and_id_also_after_reopening, .init = setup, .fini = teardown)
{
    char login[STORE_LOGIN_MAX + 1];
    struct account a;
    uint64_t taro = auth_fixture_add(&f, "taro@example.jp", "pencil");
    uint64_t jiro = auth_fixture_add(&f, "jiro@example.jp", "pencil");
    cr_assert(ne(u64, taro, jiro));
    for (int i = 0; i < 2; i++, reopen()) {
        cr_assert(eq(u64, auth_fixture_get(&f, "taro@example.jp").id, taro));
        cr_assert(eq(int, (int)store_find_by_id(f.env.store, jiro, login, &a), (int)MSA_FOUND));
        cr_assert(eq(str, login, "jiro@example.jp"));
        cr_assert(eq(u64, a.id, jiro));
        cr_assert(eq(int, (int)store_find(f.env.store, VIEW_LIT("Taro@example.jp"), &a),
                     (int)MSA_NOT_FOUND));
        cr_assert(eq(int, (int)store_find_by_id(f.env.store, 99, login, &a), (int)MSA_NOT_FOUND));
    }
}

Test(store, a_name_is_given_once, .init = setup, .fini = teardown)
{
    struct store_change change;
    uint64_t count;
    auth_fixture_add(&f, "taro@example.jp", "pencil");
    struct account again = auth_fixture_get(&f, "taro@example.jp");
    store_begin(f.env.store, &change);
    cr_assert(eq(int, store_add(&change, VIEW_LIT("taro@example.jp"), &again), MSA_EEXIST));
    cr_assert(eq(int, store_add(&change, VIEW_LIT("jiro@example.jp"), &again), MSA_OK));
    cr_assert(eq(int, store_commit(&change), MSA_OK)); /* the refusal did not spoil the change */
    cr_assert(eq(int, store_count(f.env.store, &count), MSA_OK));
    cr_assert(eq(u64, count, 2));
}

Test(store, an_id_is_never_given_twice, .init = setup, .fini = teardown)
{
    char login[STORE_LOGIN_MAX + 1];
    struct account a;
    uint64_t first = auth_fixture_add(&f, "taro@example.jp", "pencil");
    cr_assert(eq(u64, remove_account("taro@example.jp"), first));
    reopen();
    uint64_t second = auth_fixture_add(&f, "taro@example.jp", "pencil");
    cr_assert(gt(u64, second, first));
    cr_assert(eq(int, (int)store_find_by_id(f.env.store, first, login, &a), (int)MSA_NOT_FOUND));
}

Test(store, an_aborted_change_leaves_nothing, .init = setup, .fini = teardown)
{
    struct store_change change;
    struct account a = {.kind = HASH_BCRYPT, .secret = "x"};
    store_begin(f.env.store, &change);
    cr_assert(eq(int, store_add(&change, VIEW_LIT("taro@example.jp"), &a), MSA_OK));
    store_abort(&change);
    cr_assert(eq(int, (int)store_find(f.env.store, VIEW_LIT("taro@example.jp"), &a),
                 (int)MSA_NOT_FOUND));
    cr_assert(eq(u64, auth_fixture_add(&f, "taro@example.jp", "pencil"), 1));
}

Test(store, refuses_names_that_are_no_keys, .init = setup, .fini = teardown)
{
    char name[STORE_LOGIN_MAX + 1];
    struct store_change change;
    struct account a = {.kind = HASH_BCRYPT, .secret = "x"}, out;
    memset(name, 'a', sizeof name);
    store_begin(f.env.store, &change);
    cr_assert(eq(int, store_add(&change, VIEW_EMPTY, &a), MSA_EINVAL));
    cr_assert(eq(int, store_add(&change, view_of(name, sizeof name), &a), MSA_EINVAL));
    cr_assert(eq(int, store_add(&change, view_of(name, sizeof name - 1), &a), MSA_OK));
    store_abort(&change);
    cr_assert(eq(int, (int)store_find(f.env.store, VIEW_EMPTY, &out), (int)MSA_NOT_FOUND));
}

struct seen {
    char names[256];
    size_t limit, count;
};

static bool see(void *arg, struct view login, const struct account *account)
{
    struct seen *s = arg;
    size_t n = strlen(s->names);
    cr_assert(account != NULL);
    snprintf(s->names + n, sizeof s->names - n, "%.*s ", (int)login.n, login.p);
    return ++s->count < s->limit;
}

Test(store, lists_in_order_from_behind_a_name, .init = setup, .fini = teardown)
{
    static const struct {
        char after[16];
        size_t limit;
        char want[32];
    } rows[] = {
        {"", 9, "a b c d "}, {"b", 9, "c d "}, {"bb", 9, "c d "}, {"", 2, "a b "}, {"d", 9, ""},
        {"x", 9, ""},
    };
    for (const char *name = "dbca"; *name; name++)
        auth_fixture_add_hash(&f, (char[]){*name, '\0'}, "$2b$05$x");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct seen s = {.limit = rows[i].limit};
        cr_assert(eq(int, store_each(f.env.store, view_cstr(rows[i].after), see, &s), MSA_OK));
        cr_assert(eq(str, s.names, (char *)rows[i].want));
    }
}
