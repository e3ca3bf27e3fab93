#include <criterion/criterion.h>

#include <stdlib.h>

#include "chan_fixture.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"

TestSuite(chan_ask, .timeout = 20, .init = fx_set_up, .fini = fx_tear_down);


struct asker {
    int answer_count;
    int err;
    uint64_t reservation;
    bool is_in_call;
    bool asks_again;
};

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct asker *a = arg;
    cr_assert_not(a->is_in_call);
    a->answer_count++;
    a->err = err;
    struct msg_policy_quota_answer q;
    if (m && msg_policy_quota_answer_decode(m->payload, &q) == MSA_OK)
        a->reservation = q.reservation;
    cr_assert_eq(m == NULL, err < 0);
    if (a->asks_again) {
        struct msg_policy_quota_ask ask = {0};
        cr_assert_eq(CHAN_ASK(fx.smtp, policy_quota_ask, &ask, 1000, on_answer, a, NULL), MSA_ECLOSED);
    }
}

static uint64_t ask(struct asker *a, int64_t within_ms)
{
    struct msg_policy_quota_ask m = {.session = 1};
    uint64_t id = 0;
    a->is_in_call = true;
    cr_assert_eq(CHAN_ASK(fx.smtp, policy_quota_ask, &m, within_ms, on_answer, a, &id), MSA_OK);
    a->is_in_call = false;
    cr_assert_neq(id, 0);
    return id;
}

Test(chan_ask, answers_find_their_questions_in_any_order)
{
    fx_set_up_pair();
    struct asker askers[3] = {0};
    for (int i = 0; i < 3; i++)
        ask(&askers[i], 1000);
    fx_turns(2);
    cr_assert_eq(fx.seen.ask_count, 3);
    for (int i = 2; i >= 0; i--)
        fx_answer_quota(fx.seen.ask_ids[i], (uint64_t)(100 + i));
    fx_turns(2);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(askers[i].answer_count, 1);
        cr_assert_eq(askers[i].err, MSA_OK);
        cr_assert_eq(askers[i].reservation, (uint64_t)(100 + i));
    }
}

Test(chan_ask, question_times_out_once_and_the_late_answer_is_dropped)
{
    fx_set_up_pair();
    struct asker late = {0}, next = {0};
    ask(&late, 100);
    fx_turns(2);
    clock_advance_for_test(99);
    fx_turns(1);
    cr_assert_eq(late.answer_count, 0);
    clock_advance_for_test(1);
    fx_turns(1);
    cr_assert_eq(late.answer_count, 1);
    cr_assert_eq(late.err, MSA_ETIMEOUT);

    ask(&next, 100); /* takes the same slot */
    fx_turns(2);
    fx_answer_quota(fx.seen.ask_ids[0], 1);
    fx_turns(2);
    cr_assert_eq(late.answer_count, 1);
    cr_assert_eq(next.answer_count, 0);
    cr_assert_eq(chan_late_answers(fx.smtp), 1);
    fx_answer_quota(fx.seen.ask_ids[1], 2);
    fx_turns(2);
    cr_assert_eq(next.reservation, 2);
    cr_assert_eq(fx.seen.closed_count, 0);
}

Test(chan_ask, second_answer_is_late)
{
    fx_set_up_pair();
    struct asker a = {0};
    ask(&a, 100);
    fx_turns(2);
    fx_answer_quota(fx.seen.ask_ids[0], 1);
    fx_answer_quota(fx.seen.ask_ids[0], 2);
    fx_turns(2);
    cr_assert_eq(a.answer_count, 1);
    cr_assert_eq(a.reservation, 1);
    cr_assert_eq(chan_late_answers(fx.smtp), 1);
}

Test(chan_ask, cancelled_question_is_never_answered)
{
    fx_set_up_pair();
    struct asker a = {0};
    uint64_t id = ask(&a, 100);
    fx_turns(2);
    chan_ask_cancel(fx.smtp, id);
    chan_ask_cancel(fx.smtp, id);
    chan_ask_cancel(fx.smtp, 12345);
    fx_answer_quota(fx.seen.ask_ids[0], 1);
    fx_turns(2);
    clock_advance_for_test(1000);
    fx_turns(1);
    cr_assert_eq(a.answer_count, 0);
    cr_assert_eq(chan_late_answers(fx.smtp), 1);
}

Test(chan_ask, answer_of_another_kind_closes_the_channel)
{
    fx_set_up_pair();
    struct asker a = {0};
    uint64_t id = ask(&a, 100);
    struct msg_policy_mail_answer wrong = {0};
    cr_assert_eq(CHAN_SEND(fx.policy, policy_mail_answer, id, &wrong), MSA_OK);
    fx_turns(2);
    cr_assert_eq(a.answer_count, 1);
    cr_assert_eq(a.err, MSA_ECLOSED);
    cr_assert_geq(fx.seen.closed_count, 1);
}

Test(chan_ask, close_fails_all_questions_before_on_closed)
{
    fx_set_up_pair();
    struct asker a = {.asks_again = true}, b = {0};
    ask(&a, 1000);
    ask(&b, 1000);
    chan_free(&fx.policy);
    fx_turns(3);
    cr_assert_eq(a.answer_count, 1);
    cr_assert_eq(a.err, MSA_ECLOSED);
    cr_assert_eq(b.err, MSA_ECLOSED);
    cr_assert_eq(fx.seen.closed_count, 1);
}

Test(chan_ask, freeing_with_questions_open_fails_them_from_the_loop)
{
    fx_set_up_pair();
    struct asker a = {0};
    ask(&a, 1000);
    a.is_in_call = true;
    chan_free(&fx.smtp);
    cr_assert_null(fx.smtp);
    a.is_in_call = false;
    fx_turns(1);
    cr_assert_eq(a.answer_count, 1);
    cr_assert_eq(a.err, MSA_ECLOSED);
    cr_assert_eq(fx.seen.closed_count, 0);
}

Test(chan_ask, what_was_sent_before_chan_free_arrives)
{
    fx_set_up_pair();
    fx_send_kill(5, "last words");
    chan_free(&fx.policy);
    fx_turns(3);
    cr_assert_str_eq(fx.seen.kill_text, "last words");
}

Test(chan_ask, questions_are_bounded)
{
    fx_set_up_pair();
    struct asker a = {0};
    struct msg_policy_quota_ask m = {0};
    uint64_t *ids = calloc(CHAN_QUESTIONS_MAX, sizeof *ids);
    for (unsigned i = 0; i < CHAN_QUESTIONS_MAX; i++) {
        int err = CHAN_ASK(fx.smtp, policy_quota_ask, &m, 1000, on_answer, &a, &ids[i]);
        cr_assert_eq(err, MSA_OK);
        if (i % 512 == 0)
            fx_turns(2);
    }
    cr_assert_eq(CHAN_ASK(fx.smtp, policy_quota_ask, &m, 1000, on_answer, &a, NULL), MSA_EFULL);
    for (unsigned i = 0; i < CHAN_QUESTIONS_MAX; i++)
        chan_ask_cancel(fx.smtp, ids[i]);
    uint64_t id;
    cr_assert_eq(CHAN_ASK(fx.smtp, policy_quota_ask, &m, 1000, on_answer, &a, &id), MSA_OK);
    cr_assert_eq((uint32_t)(id >> 32), 2, "the slot's second generation");
    chan_ask_cancel(fx.smtp, id);
    free(ids);
}

Test(chan_ask, reject_closes_like_a_malformed_message)
{
    fx_set_up_pair();
    chan_reject(fx.smtp, "its answer made no sense");
    cr_assert_eq(fx.seen.closed_count, 0, "not from inside the call");
    fx_turns(2);
    cr_assert_geq(fx.seen.closed_count, 1);
    cr_assert_not(chan_is_open(fx.smtp));
}

Test(chan_ask, question_with_a_long_list_is_answered)
{
    fx_set_up_pair();
    fx.seen.is_answering = true;
    struct asker a = {0};
    char *list = calloc(1, 300000);
    struct msg_policy_quota_ask m = {.recipients = view_of(list, 300000)};
    cr_assert_eq(CHAN_ASK(fx.smtp, policy_quota_ask, &m, 1000, on_answer, &a, NULL), MSA_OK);
    for (int i = 0; i < 100 && a.answer_count == 0; i++)
        fx_turns(1);
    cr_assert_eq(a.answer_count, 1);
    cr_assert_eq(fx.seen.ask_count, 1);
    free(list);
}
