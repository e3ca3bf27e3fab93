#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chan_fixture.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"

TestSuite(chan, .timeout = 20, .init = fx_set_up, .fini = fx_tear_down);


Test(chan, message_arrives_after_the_turn)
{
    fx_set_up_pair();
    cr_assert_eq(fx_send_kill(42, "suspended"), MSA_OK);
    cr_assert_eq(fx.seen.kill_count, 0);
    fx_turns(2);
    cr_assert_eq(fx.seen.kill_count, 1);
    cr_assert_eq(fx.seen.kill_account, 42);
    cr_assert_str_eq(fx.seen.kill_text, "suspended");
    cr_assert_eq(chan_peer(fx.smtp), ROLE_POLICY);
    cr_assert_eq(chan_peer_index(fx.smtp), 3);
}

Test(chan, frames_of_a_turn_leave_together)
{
    fx_set_up_raw();
    struct chan *out = fx.smtp;
    struct msg_policy_disconnect s = {.session = 1};
    for (int i = 0; i < 10; i++)
        cr_assert_eq(CHAN_SEND(out, policy_disconnect, 0, &s), MSA_OK);
    char got[4096];
    cr_assert_eq(recv(fx.raw, got, sizeof got, MSG_DONTWAIT), -1);
    fx_turns(1);
    cr_assert_eq(recv(fx.raw, got, sizeof got, MSG_DONTWAIT), 10 * (16 + 8));
}

/* Three frames, cut in two at every place, and byte by byte. */
Test(chan, frames_survive_every_split)
{
    fx_set_up_raw();
    struct buf all, one;
    buf_init(&all, 4096);
    buf_init(&one, 4096);
    buf_add(&all, fx_kill_frame(&one, 1, "one"));
    buf_add(&all, fx_kill_frame(&one, 2, ""));
    buf_add(&all, fx_kill_frame(&one, 3, "three"));
    struct view v = buf_view(&all);
    for (size_t cut = 1; cut < v.n; cut++) {
        memset(&fx.seen, 0, sizeof fx.seen);
        fx_raw_send(view_slice(v, 0, cut));
        fx_turns(1);
        fx_raw_send(view_slice(v, cut, v.n));
        fx_turns(2);
        cr_assert_eq(fx.seen.kill_count, 3, "cut at %zu", cut);
        cr_assert_str_eq(fx.seen.kill_text, "three");
    }
    memset(&fx.seen, 0, sizeof fx.seen);
    for (size_t i = 0; i < v.n; i++) {
        fx_raw_send(view_slice(v, i, i + 1));
        fx_turns(1);
    }
    cr_assert_eq(fx.seen.kill_count, 3);
    cr_assert_eq(fx.seen.closed_count, 0);
    buf_fini(&all);
    buf_fini(&one);
}

struct bad_frame {
    const char *name;
    uint32_t length;
    unsigned type;
    unsigned fds;
    uint64_t id;
};

static const struct bad_frame bad_frames[] = {
    {"type 0", 0, IPC_NONE, 0, 0},
    {"type beyond the list", 0, IPC_TYPE_COUNT, 0, 0},
    {"type 65535", 0, 65535, 0, 0},
    {"one byte too long", CHAN_PAYLOAD_MAX + 1, IPC_policy_kill, 0, 0},
    {"longest length", UINT32_MAX, IPC_policy_kill, 0, 0},
    {"not the peer's to send", 0, IPC_relay_body_answer, 0, 0},
    {"ours to send, not the peer's", 0, IPC_policy_settle, 0, 0},
    {"nobody here expects it", 12, IPC_policy_kill, 0, 0},
    {"more descriptors than the message has", 0, IPC_policy_kill, 1, 0},
    {"answer to a question never asked", 0, IPC_policy_quota_answer, 0, UINT64_C(1) << 32},
    {"answer to id 0", 0, IPC_policy_quota_answer, 0, 0},
    {"payload does not decode", 0, IPC_policy_kill, 0, 0},
};

/* The header alone is enough, no payload is waited for. */
Test(chan, bad_frame_closes_the_channel)
{
    static chan_handlers none = {0};
    struct buf b;
    buf_init(&b, 4096);
    for (size_t i = 0; i < sizeof bad_frames / sizeof bad_frames[0]; i++) {
        const struct bad_frame *f = &bad_frames[i];
        memset(&fx.seen, 0, sizeof fx.seen);
        bool is_unexpected = f->length == 12;
        fx.smtp = fx_end_and_raw(ROLE_SMTP, ROLE_POLICY, is_unexpected ? none : fx_smtp_handlers);
        fx_raw_send(fx_frame(&b, f->length, f->type, f->fds, f->id));
        if (is_unexpected)
            fx_raw_send(VIEW_LIT("123456789012"));
        fx_turns(1);
        cr_assert_eq(fx.seen.closed_count, 1, "%s", f->name);
        cr_assert_eq(fx.seen.kill_count, 0, "%s", f->name);
        cr_assert_not(chan_is_open(fx.smtp), "%s", f->name);
        cr_assert_eq(recv(fx.raw, &(char){0}, 1, 0), 0, "%s: closed towards the sender", f->name);
        chan_free(&fx.smtp);
        fx_turns(1);
        fx_close_raw();
    }
    buf_fini(&b);
}

Test(chan, frames_before_a_bad_one_count_and_those_behind_do_not)
{
    fx_set_up_raw();
    struct buf all, one;
    buf_init(&all, 4096);
    buf_init(&one, 4096);
    buf_add(&all, fx_kill_frame(&one, 1, "good"));
    buf_add(&all, fx_frame(&one, 0, 65535, 0, 0));
    buf_add(&all, fx_kill_frame(&one, 2, "after"));
    fx_raw_send(buf_view(&all));
    fx_turns(1);
    cr_assert_eq(fx.seen.kill_count, 1);
    cr_assert_eq(fx.seen.closed_count, 1);
    buf_fini(&all);
    buf_fini(&one);
}

Test(chan, end_of_the_stream_closes_even_inside_a_frame)
{
    fx_set_up_raw();
    struct buf b;
    buf_init(&b, 4096);
    struct view v = fx_kill_frame(&b, 1, "good");
    fx_raw_send(v);
    fx_raw_send(view_slice(v, 0, v.n - 1));
    fx_close_raw();
    fx_turns(2);
    cr_assert_eq(fx.seen.kill_count, 1);
    cr_assert_eq(fx.seen.closed_count, 1);
    fx_turns(2);
    cr_assert_eq(fx.seen.closed_count, 1);
    buf_fini(&b);
}

Test(chan, handler_may_free_its_channel_with_frames_left)
{
    fx_set_up_pair();
    fx.seen.is_freeing = true;
    for (uint64_t i = 1; i <= 5; i++)
        fx_send_kill(i, "");
    fx_turns(3);
    cr_assert_eq(fx.seen.kill_count, 1);
    cr_assert_null(fx.smtp);
}

/* ---- sending ---- */

Test(chan, field_that_is_too_long_sends_nothing)
{
    fx_set_up_pair();
    char text[IPC_REPLY_MAX + 2];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    cr_assert_eq(fx_send_kill(1, text), MSA_ETOOBIG);
    cr_assert_eq(fx_send_kill(2, "fits"), MSA_OK);
    fx_turns(2);
    cr_assert_eq(fx.seen.kill_count, 1);
    cr_assert_str_eq(fx.seen.kill_text, "fits");
}

Test(chan, sending_on_a_closed_channel_says_so)
{
    fx_set_up_pair();
    chan_free(&fx.smtp);
    fx_turns(3);
    cr_assert_eq(fx.seen.closed_count, 1);
    cr_assert_eq(fx_send_kill(1, ""), MSA_ECLOSED);
    fx_turns(1);
}

/* More than the socket takes: the rest follows when the other side reads. */
Test(chan, long_frames_pass_in_pieces)
{
    struct chan *supervisor = fx_end_and_raw(ROLE_SUPERVISOR, ROLE_SMTP, fx_smtp_handlers);
    char *text = calloc(1, IPC_CONFIG_MAX);
    struct msg_boot_config_ask m = {.generation = 7, .text = view_of(text, IPC_CONFIG_MAX)};
    uint64_t id;
    cr_assert_eq(CHAN_ASK(supervisor, boot_config_ask, &m, 1000, NULL, NULL, &id), MSA_OK);
    chan_ask_cancel(supervisor, id);
    size_t total = 0, want = 16 + 8 + 4 + (size_t)IPC_CONFIG_MAX;
    for (int i = 0; i < 10000 && total < want; i++) {
        fx_turns(1);
        ssize_t n = recv(fx.raw, text, 100000, MSG_DONTWAIT);
        total += n > 0 ? (size_t)n : 0;
    }
    cr_assert_eq(total, want);
    free(text);
    chan_free(&supervisor);
}

Test(chan, peer_that_takes_nothing_loses_the_channel)
{
    fx.policy = fx_end_and_raw(ROLE_POLICY, ROLE_RELAY, fx_policy_handlers);
    char *text = calloc(1, 262144);
    struct msg_relay_notice_ask m = {.text = view_of(text, 262144)};
    int err = MSA_OK;
    int sent_count = 0;
    for (; err == MSA_OK && sent_count < 1000; sent_count++) {
        struct buf *b = chan_ask_begin(fx.policy, IPC_relay_notice_ask);
        msg_relay_notice_ask_encode(&m, b);
        uint64_t id;
        err = chan_ask_end(fx.policy, 1000, NULL, NULL, &id);
        if (err == MSA_OK)
            chan_ask_cancel(fx.policy, id);
        fx_turns(1);
    }
    cr_assert_eq(err, MSA_ECLOSED);
    cr_assert_geq(sent_count, 200);
    cr_assert_leq(sent_count, 260);
    cr_assert_eq(fx.seen.closed_count, 1);
    free(text);
}
