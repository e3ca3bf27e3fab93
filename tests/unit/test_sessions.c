#include <criterion/criterion.h>

#include <stdlib.h>

#include "msa/base/err.h"
#include "policy/sessions.h"

TestSuite(sessions, .timeout = 20);

static const int workers[2];

static struct ipaddr ip_of(const char *text)
{
    struct ipaddr a;
    cr_assert(ipaddr_parse(view_cstr(text), &a));
    return a;
}

static struct live_session *open_one(struct sessions *ss, int worker, uint64_t id,
                                     const char *ip)
{
    struct ipaddr a = ip_of(ip);
    struct live_session *s = sessions_get(ss, &workers[worker], id, &a);
    cr_assert_not_null(s);
    return s;
}

Test(sessions, counts_what_a_source_and_an_account_have_open)
{
    struct sessions *ss = sessions_new();
    struct live_session *a = open_one(ss, 0, 1, "192.0.2.1");
    struct live_session *b = open_one(ss, 1, 2, "192.0.2.1");
    struct live_session *c = open_one(ss, 1, 3, "192.0.2.2");
    cr_assert_eq(sessions_of_source(a).sessions, 2);
    cr_assert_eq(sessions_of_source(c).sessions, 1);
    cr_assert_eq(sessions_of_account(a).sessions, 0, "nobody has signed in");
    cr_assert_eq(sessions_sign_in(ss, b, 7), MSA_OK);
    cr_assert_eq(sessions_sign_in(ss, c, 7), MSA_OK);
    cr_assert_eq(sessions_sign_in(ss, c, 7), MSA_OK, "the same again counts once");
    cr_assert_eq(sessions_of_account(b).sessions, 2);
    sessions_end(ss, 3, NULL, NULL);
    cr_assert_eq(sessions_of_account(b).sessions, 1);
    sessions_end(ss, 3, NULL, NULL);
    cr_assert_eq(sessions_count(ss), 2);
    sessions_free(&ss);
    cr_assert_null(ss);
}

Test(sessions, another_account_takes_the_session_along)
{
    struct sessions *ss = sessions_new();
    struct live_session *a = open_one(ss, 0, 1, "192.0.2.1");
    struct live_session *b = open_one(ss, 0, 2, "192.0.2.1");
    sessions_sign_in(ss, a, 7);
    sessions_sign_in(ss, b, 7);
    sessions_set_sending(b, true);
    sessions_sign_in(ss, b, 8);
    cr_assert_eq(sessions_of_account(a).sessions, 1);
    cr_assert_eq(sessions_of_account(a).sending, 0);
    cr_assert_eq(sessions_of_account(b).sending, 1);
    sessions_free(&ss);
}

Test(sessions, sending_is_counted_once_and_ends_with_the_session)
{
    struct sessions *ss = sessions_new();
    struct live_session *a = open_one(ss, 0, 1, "192.0.2.1");
    struct live_session *b = open_one(ss, 0, 2, "192.0.2.1");
    sessions_sign_in(ss, a, 7);
    sessions_sign_in(ss, b, 7);
    sessions_set_sending(a, true);
    sessions_set_sending(a, true);
    sessions_set_sending(b, true);
    cr_assert_eq(sessions_of_account(a).sending, 2);
    cr_assert_eq(sessions_of_source(a).sending, 2);
    sessions_set_sending(a, false);
    cr_assert_eq(sessions_of_account(a).sending, 1);
    sessions_end(ss, 2, NULL, NULL);
    cr_assert_eq(sessions_of_account(a).sending, 0);
    cr_assert_eq(sessions_of_source(a).sending, 0);
    sessions_free(&ss);
}

Test(sessions, an_ipv6_source_is_a_network)
{
    struct sessions *ss = sessions_new();
    struct live_session *a = open_one(ss, 0, 1, "2001:db8:1:1::1");
    open_one(ss, 0, 2, "2001:db8:1:1::2");
    open_one(ss, 0, 3, "2001:db8:1:2::1");
    cr_assert_eq(sessions_of_source(a).sessions, 2);
    sessions_set_source_bits(ss, 48);
    struct live_session *d = open_one(ss, 0, 4, "2001:db8:1:3::1");
    cr_assert_eq(sessions_of_source(d).sessions, 1, "those that are known keep theirs");
    cr_assert_eq(sessions_of_source(open_one(ss, 0, 5, "2001:db8:1:4::1")).sessions, 2);
    sessions_free(&ss);
}

static void note(void *arg, struct live_session *s)
{
    *(uint64_t *)arg += s->id;
}

Test(sessions, a_worker_that_dies_takes_its_sessions_along)
{
    struct sessions *ss = sessions_new();
    uint64_t sum = 0;
    for (uint64_t id = 1; id <= 100; id++)
        sessions_sign_in(ss, open_one(ss, id % 2, id, "192.0.2.1"), id % 3);
    sessions_end_worker(ss, &workers[0], note, &sum);
    cr_assert_eq(sum, 50 * 51);
    cr_assert_eq(sessions_count(ss), 50);
    cr_assert_eq(sessions_of_source(sessions_find(ss, 1)).sessions, 50);
    cr_assert_null(sessions_find(ss, 2));
    sessions_end_worker(ss, &workers[0], note, &sum);
    sessions_free(&ss);
}

/* Against a model that counts by looking at all. */
Test(sessions, any_sequence_counts_like_a_list)
{
    enum { COUNT = 40, STEPS = 20000 };
    struct {
        bool is_open, is_sending;
        unsigned source, account;
    } model[COUNT] = {0};
    struct sessions *ss = sessions_new();
    unsigned seed = 1;
    for (unsigned step = 0; step < STEPS; step++) {
        seed = seed * 1103515245 + 12345;
        unsigned i = seed / 65536 % COUNT, what = seed / 7 % 4;
        struct live_session *s = sessions_find(ss, i + 1);
        cr_assert_eq(s != NULL, model[i].is_open);
        if (!s) {
            struct ipaddr ip = ip_of(seed & 64 ? "192.0.2.1" : "192.0.2.2");
            sessions_get(ss, &workers[i % 2], i + 1, &ip);
            model[i].is_open = true;
            model[i].source = seed & 64;
        } else if (what == 0) {
            sessions_end(ss, i + 1, NULL, NULL);
            memset(&model[i], 0, sizeof model[i]);
        } else if (what == 1) {
            model[i].account = 1 + (seed & 3);
            sessions_sign_in(ss, s, model[i].account);
        } else {
            model[i].is_sending = what == 2;
            sessions_set_sending(s, what == 2);
        }
        struct live_session *probe = sessions_find(ss, i + 1);
        struct open_counts source = {0}, account = {0};
        for (unsigned k = 0; probe && k < COUNT; k++) {
            if (model[k].is_open && model[k].source == model[i].source) {
                source.sessions++;
                source.sending += model[k].is_sending;
            }
            if (model[k].is_open && model[i].account &&
                model[k].account == model[i].account) {
                account.sessions++;
                account.sending += model[k].is_sending;
            }
        }
        if (!probe)
            continue;
        cr_assert_eq(sessions_of_source(probe).sessions, source.sessions);
        cr_assert_eq(sessions_of_source(probe).sending, source.sending);
        cr_assert_eq(sessions_of_account(probe).sessions, account.sessions);
        cr_assert_eq(sessions_of_account(probe).sending, account.sending);
    }
    sessions_free(&ss);
}
