/* News: bounded, and never waited for. */
#include <criterion/criterion.h>
#include <string.h>

#include "chan_fixture.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/ipc/news.h"

TestSuite(news, .timeout = 20, .init = fx_set_up, .fini = fx_tear_down);

static struct {
    unsigned count;
    uint32_t untold;
    char json[64];
} heard;

static int on_news(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_news_tell told;
    (void)owner, (void)c;
    if (msg_news_tell_decode(m->payload, &told) < 0)
        return MSA_EPROTO;
    heard.count++;
    heard.untold = told.untold;
    (void)view_to_cstr(told.json, heard.json, sizeof heard.json);
    return MSA_OK;
}

static chan_handler_fn *const console_handlers[IPC_TYPE_COUNT] = {[IPC_news_tell] = on_news};
static chan_handler_fn *const no_handlers[IPC_TYPE_COUNT] = {0};

struct ends {
    struct chan *policy, *console; /* each the end of */
};

static struct ends make_ends(void)
{
    struct ends e;
    e.policy = fx_end_and_raw(ROLE_POLICY, ROLE_CONSOLE, no_handlers);
    e.console = fx_end_new(fx.raw, ROLE_CONSOLE, ROLE_POLICY, console_handlers);
    fx.raw = -1;
    memset(&heard, 0, sizeof heard);
    return e;
}

static void tell(struct news_teller *t, int n)
{
    news_tell(t, NEWS_RULE, json_pack("{s:i}", "n", n));
}

Test(news, what_happens_is_told_at_the_end_of_the_turn)
{
    struct news_teller t = {0};
    struct ends e = make_ends();
    news_peer_up(&t, e.policy);
    tell(&t, 1);
    fx_turns(2);
    cr_assert_eq(heard.count, 1);
    cr_assert_str_eq(heard.json, "{\"n\":1}");
    cr_assert_eq(heard.untold, 0);
    chan_free(&e.policy);
    chan_free(&e.console);
}

Test(news, too_much_is_counted_and_the_next_one_says_so)
{
    struct news_teller t = {0};
    struct ends e = make_ends();
    news_peer_up(&t, e.policy);
    for (int i = 0; i < NEWS_PER_SECOND + 7; i++)
        tell(&t, i);
    fx_turns(2);
    cr_assert_eq(heard.count, NEWS_PER_SECOND);
    clock_advance_for_test(1000);
    tell(&t, 100);
    fx_turns(2);
    cr_assert_eq(heard.count, NEWS_PER_SECOND + 1);
    cr_assert_eq(heard.untold, 7);
    tell(&t, 101);
    fx_turns(2);
    cr_assert_eq(heard.untold, 0);
    chan_free(&e.policy);
    chan_free(&e.console);
}

Test(news, what_could_not_be_told_need_not_be_built)
{
    struct news_teller t = {0};
    struct ends e = make_ends();
    cr_assert_not(news_is_worth_it(&t), "nobody is there");
    news_peer_up(&t, e.policy);
    for (int i = 0; i < NEWS_PER_SECOND; i++) {
        cr_assert(news_is_worth_it(&t));
        tell(&t, i);
    }
    cr_assert_not(news_is_worth_it(&t));
    cr_assert_not(news_is_worth_it(&t));
    clock_advance_for_test(1000);
    cr_assert(news_is_worth_it(&t));
    tell(&t, 100);
    fx_turns(2);
    cr_assert_eq(heard.untold, 2);
    chan_free(&e.policy);
    chan_free(&e.console);
}

Test(news, without_console_and_without_memory_it_is_counted)
{
    struct news_teller t = {0};
    tell(&t, 1);
    struct ends e = make_ends();
    news_peer_up(&t, e.policy);
    news_tell(&t, NEWS_RULE, NULL);
    tell(&t, 2);
    fx_turns(2);
    cr_assert_eq(heard.count, 1);
    cr_assert_eq(heard.untold, 2);
    news_peer_down(&t, e.policy);
    tell(&t, 3);
    cr_assert_eq(t.untold, 1);
    chan_free(&e.policy);
    chan_free(&e.console);
}

Test(news, each_word_stands_once)
{
    for (unsigned i = 0; i < NEWS_KIND_COUNT; i++)
        for (unsigned k = 0; k < i; k++)
            cr_assert_str_neq(news_kind_name(i), news_kind_name(k));
}
