#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/confusable.h"
#include "policy/lookalikes.h"

static char dir[64];
static struct loop *loop;
static struct ledger *ledger;
static struct buf out;

static void setup(void)
{
    char path[96], error[256] = "";
    snprintf(dir, sizeof dir, "/tmp/msad-lookalikes-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/policy.mdb", dir);
    loop = loop_new();
    ledger = ledger_open(loop, path, 16u << 20, error, sizeof error);
    cr_assert_not_null(ledger, "%s", error);
    buf_init(&out, 4096);
}

static int remove_one(const char *name, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(name);
}

static void teardown(void)
{
    ledger_close(&ledger);
    loop_free(&loop);
    buf_fini(&out);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(lookalikes, .timeout = 20, .init = setup, .fini = teardown);

static void learn(const char *login)
{
    lookalikes_learn(ledger, view_cstr(login));
}

/* Whom `address` could be taken for when `login` uses it. */
static struct view find(const char *address, const char *login)
{
    char skeleton[CONFUSABLE_SIZE];
    int n = confusable_skeleton(view_cstr(address), skeleton);
    cr_assert_gt(n, 0);
    return lookalikes_find(ledger, view_of(skeleton, (size_t)n), view_cstr(address),
                           view_cstr(login), &out);
}

Test(lookalikes, finds_the_account_that_an_address_looks_like)
{
    learn("boss@example.jp");
    learn("taro@example.jp");
    cr_assert(
        view_eq(find("b0ss@example.jp", "taro@example.jp"), VIEW_LIT("boss@example.jp")));
    cr_assert(view_eq(find("b\xd0\xbess@example.jp", "taro@example.jp"),
                      VIEW_LIT("boss@example.jp")));
    cr_assert_eq(find("hana@example.jp", "taro@example.jp").n, 0);
    cr_assert_eq(find("boss@example.jp", "taro@example.jp").n, 0,
                 "that is the address itself");
    cr_assert_eq(find("b0ss@example.jp", "boss@example.jp").n, 0, "looks like himself");
}

Test(lookalikes, keeps_several_of_one_look_and_not_without_end)
{
    char login[32];
    learn("taro"); /* no address */
    learn("boss@example.jp");
    learn("boss@example.jp");
    learn("b0ss@example.jp");
    cr_assert(view_eq(find("bo5s@example.jp", "b0ss@example.jp"),
                      VIEW_LIT("boss@example.jp")) ||
              find("bo5s@example.jp", "b0ss@example.jp").n == 0);
    cr_assert(
        view_eq(find("b0ss@example.jp", "b0ss@example.jp"), VIEW_LIT("boss@example.jp")));
    cr_assert(
        view_eq(find("boss@example.jp", "boss@example.jp"), VIEW_LIT("b0ss@example.jp")));
    for (int i = 0; i < 64; i++) {
        snprintf(login, sizeof login, "%c%c%c%c%c%c@example.jp", i & 1 ? 'o' : '0',
                 i & 2 ? 'o' : '0', i & 4 ? 'o' : '0', i & 8 ? 'o' : '0',
                 i & 16 ? 'o' : '0', i & 32 ? 'o' : '0');
        learn(login);
    }
    cr_assert_gt(find("oooooo@example.jp", "taro@example.jp").n, 0);
    cr_assert_lt(buf_len(&out), 200);
}
