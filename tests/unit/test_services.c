/* Services that answer well, badly and not at all: the message goes on, and the breaker sees it. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services_fixture.h"

TestSuite(services, .timeout = 60, .init = sf_set_up, .fini = sf_tear_down);

#define MESSAGE "From: taro@example.jp\r\nSubject: hello\r\n\r\nThe body.\r\n"

static struct sf_peer peer;
static struct config_rspamd rspamd;
static struct config_clamd clamd;

/* ---- scripts: what the peer says once it has heard the whole question ---- */

static bool has_heard(struct sf_client *c, const char *text)
{
    struct view v = buf_view(&c->heard);
    return v.n > 0 && memmem(v.p, v.n, text, strlen(text)) != NULL;
}

static void say_answer(struct sf_client *c)
{
    if (c->said_count++ > 0)
        return;
    sf_say(c, c->peer->answer, c->peer->answer_bytes);
    sf_end(c);
}

static void hear_http(struct sf_client *c)
{
    if (has_heard(c, "The body.\r\n"))
        say_answer(c);
}

static void hear_clamd(struct sf_client *c)
{
    struct view v = buf_view(&c->heard);
    if (v.n > 14 && memcmp(v.p + v.n - 4, "\0\0\0\0", 4) == 0)
        say_answer(c);
}

static void drop_all(struct sf_client *c)
{
    sf_drop(c);
}

static void say_without_end(struct sf_client *c)
{
    char junk[4096];
    memset(junk, 'x', sizeof junk);
    sf_say(c, junk, sizeof junk);
}

static void start_rspamd(sf_hear_fn *hear)
{
    sf_peer_open(&peer, hear);
    rspamd = (struct config_rspamd){.common = sf_common("main", peer.socket),
                                    .settings_id = "out",
                                    .add_headers = true,
                                    .on_reject = CONFIG_ACT_REFUSE,
                                    .on_soft_reject = CONFIG_ACT_DEFER};
    sf_config.score.services.rspamds = &rspamd;
    sf_config.score.services.rspamd_count = 1;
    sf_start();
}

static void start_clamd(sf_hear_fn *hear)
{
    sf_peer_open(&peer, hear);
    clamd = (struct config_clamd){.common = sf_common("virus", peer.socket),
                                  .on_virus = CONFIG_ACT_REFUSE,
                                  .on_heuristic = CONFIG_ACT_SCORE};
    sf_config.score.services.clamds = &clamd;
    sf_config.score.services.clamd_count = 1;
    sf_start();
}

static void set_answer(const char *bytes, size_t n)
{
    peer.answer = bytes;
    peer.answer_bytes = n;
}

#define JSON "{\"score\":7.5,\"action\":\"add header\",\"symbols\":{\"BAD\":{\"score\":7.5}}}"
#define HTTP_OK(length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n"

/* It counts as not asked. */
static void expect_neutral(unsigned n)
{
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].asked, 1);
    cr_assert_eq(sf_seen[n].answered, 0);
    cr_assert_not(sf_seen[n].is_scored);
    cr_assert_eq(sf_seen[n].action, SCORE_ACTION_NONE);
    cr_assert_str_eq(sf_seen[n].findings, "");
    cr_assert_str_eq(sf_seen[n].header, "");
}

/* ---- none ---- */

Test(services, without_any_the_answer_comes_in_the_next_turn)
{
    sf_start();
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].asked, 0);
    cr_assert_eq(services_count(sf_services), 0);
}

/* ---- rspamd ---- */

static void answer_json(struct sf_client *c)
{
    char head[128];
    if (!has_heard(c, "The body.\r\n") || c->said_count++ > 0)
        return;
    snprintf(head, sizeof head, HTTP_OK("%zu"), strlen(JSON));
    sf_say_text(c, head);
    sf_say_text(c, JSON);
}

static struct buf kept;

static void keep_and_answer(struct sf_client *c)
{
    buf_reset(&kept);
    buf_add(&kept, buf_view(&c->heard));
    answer_json(c);
}

static bool was_told(const char *text)
{
    return memmem(buf_view(&kept).p, buf_len(&kept), text, strlen(text)) != NULL;
}

Test(services, rspamd_scores)
{
    buf_init(&kept, 65536);
    start_rspamd(keep_and_answer);
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    static const char *const told[] = {"POST /checkv2 HTTP/1.1\r\n", "\r\nIP: 192.0.2.7\r\n",
                                       "\r\nHelo: pc.example.jp\r\n", "\r\nUser: taro@example.jp\r\n",
                                       "\r\nFrom: taro@example.jp\r\n", "\r\nRcpt: hana@example.net\r\n",
                                       "\r\nRcpt: ken@example.org\r\n", "\r\nSettings-ID: out\r\n",
                                       "\r\nMTA-Name: submit.test\r\n", "\r\nQueue-Id: ", "\r\n\r\n" MESSAGE};
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++)
        cr_assert(was_told(told[i]), "%s", told[i]);
    cr_assert_eq(sf_seen[n].answered, 1);
    cr_assert(sf_seen[n].is_scored);
    cr_assert_eq(sf_seen[n].score_milli, 7500);
    cr_assert_str_eq(sf_seen[n].findings, "main/BAD 7500\n");
    cr_assert_eq(sf_status("answered"), 1);
    cr_assert_str_eq(sf_status_text("state"), "closed");
    buf_fini(&kept);
}

Test(services, rspamd_may_answer_byte_by_byte)
{
    start_rspamd(answer_json);
    peer.piece_bytes = 1;
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].score_milli, 7500);
}

Test(services, what_rspamd_should_not_say_is_neutral)
{
    static const struct {
        const char *answer;
        size_t n;
    } bad[] = {
#define V(text) {text, sizeof(text) - 1}
        V("HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" JSON),
        V("HTTP/1.1 500 Broken\r\nContent-Length: 2\r\n\r\n{}"),
        V("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        V("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong"),
        V("HTTP/1.1 200"),
        V("220 mail.example ESMTP\r\n"),
        V("\0\0\0\0"),
        V("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"),
    };
    start_rspamd(hear_http);
    rspamd.common.failure_count = 1000;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set_answer(bad[i].answer, bad[i].n);
        expect_neutral(sf_ask(MESSAGE));
        cr_assert_eq(sf_status("failed"), (int64_t)i + 1);
    }
}

Test(services, rspamd_that_goes_away_or_never_ends_is_neutral)
{
    start_rspamd(drop_all);
    expect_neutral(sf_ask(MESSAGE));
    peer.hear = say_without_end;
    expect_neutral(sf_ask(MESSAGE));
    cr_assert_eq(sf_status("failed"), 2);
}

Test(services, silence_ends_at_the_deadline)
{
    start_rspamd(NULL);
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT(peer.heard_bytes > 0);
    sf_pass(1999);
    cr_assert_not(sf_seen[n].is_there);
    sf_pass(1);
    expect_neutral(n);
    cr_assert_str_eq(sf_status_text("last_error"), "it did not answer in time");
}

/* ---- clamd ---- */

#define CLEAN "stream: OK\0"
#define FOUND "stream: Eicar-Test FOUND\0"

Test(services, clamd_clean_and_found)
{
    start_clamd(hear_clamd);
    set_answer(CLEAN, sizeof CLEAN - 1);
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].answered, 1);
    cr_assert_not(sf_seen[n].is_scored);
    peer.piece_bytes = 1;
    set_answer(FOUND, sizeof FOUND - 1);
    n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].action, SCORE_ACTION_REFUSE);
    cr_assert_str_eq(sf_seen[n].text, "message contains a virus (Eicar-Test)");
    cr_assert_str_eq(sf_seen[n].findings, "virus/Eicar-Test 0\n");
}

Test(services, clamd_heuristics_have_an_act_of_their_own)
{
    static const char answer[] = "stream: Heuristics.Encrypted.Zip FOUND\0";
    start_clamd(hear_clamd);
    set_answer(answer, sizeof answer - 1);
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].action, SCORE_ACTION_NONE);
    cr_assert(sf_seen[n].is_scored && sf_seen[n].score_milli == 1000);
    cr_assert_str_eq(sf_seen[n].findings, "virus/Heuristics.Encrypted.Zip 1000\n");
}

static struct buf stream;

static void keep_stream(struct sf_client *c)
{
    buf_reset(&stream);
    buf_add(&stream, buf_view(&c->heard));
    hear_clamd(c);
}

static char *large_message(size_t n)
{
    static const char head[] = "Subject: x\r\n\r\n";
    char *text = malloc(n);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + i % 23);
    memcpy(text, head, sizeof head - 1);
    return text;
}

Test(services, twelve_mebibytes_arrive_whole)
{
    size_t n = (12u << 20) + 1234;
    char *text = large_message(n);
    buf_init(&stream, 32u << 20);
    start_clamd(keep_stream);
    set_answer(CLEAN, sizeof CLEAN - 1);
    unsigned number = sf_ask_fd(sf_file(text, n), 12, n);
    SF_WAIT_ANSWER(number);
    cr_assert_eq(sf_seen[number].answered, 1);
    cr_assert_eq(buf_len(&stream), 10 + 4 + n + 4);
    struct view v = buf_view(&stream);
    cr_assert_eq(memcmp(v.p, "zINSTREAM\0", 10), 0);
    const unsigned char *length = (const unsigned char *)v.p + 10;
    cr_assert_eq((size_t)length[0] << 24 | (size_t)length[1] << 16 | (size_t)length[2] << 8 | length[3], n);
    cr_assert_eq(memcmp(v.p + 14, text, n), 0);
    buf_fini(&stream);
    free(text);
}

static void too_big_at_once(struct sf_client *c)
{
    static const char answer[] = "INSTREAM size limit exceeded. ERROR\0";
    if (buf_len(&c->heard) < 14 || c->said_count++ > 0)
        return;
    sf_say(c, answer, sizeof answer - 1);
    sf_end(c); /* with most of the message unread */
}

Test(services, too_long_for_clamd_is_an_answer)
{
    size_t n = 12u << 20;
    char *text = large_message(n);
    start_clamd(too_big_at_once);
    clamd.common.on_too_big = CONFIG_ACT_HOLD;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    unsigned number = sf_ask_fd(sf_file(text, n), 12, n);
    SF_WAIT_ANSWER(number);
    cr_assert_eq(sf_seen[number].answered, 1);
    cr_assert_eq(sf_seen[number].action, SCORE_ACTION_HOLD);
    cr_assert_str_eq(sf_seen[number].findings, "virus/TOO_BIG 0\n");
    cr_assert_eq(sf_status("too_big"), 1);
    cr_assert_eq(sf_status("failed"), 0);
    free(text);
}

Test(services, too_long_by_its_setting_is_not_sent)
{
    start_clamd(hear_clamd);
    clamd.common.max_bytes = 20;
    clamd.common.on_too_big = CONFIG_ACT_DEFER;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].action, SCORE_ACTION_DEFER);
    cr_assert_eq(peer.accepted_count, 0);
}

Test(services, what_clamd_should_not_say_is_neutral)
{
    static const struct {
        const char *answer;
        size_t n;
    } bad[] = {V("stream: OK"), V("stream: Can't open file ERROR\0"), V("UNKNOWN COMMAND\0"), V("\0"), V(""),
               V("stream: OK\0stream: OK\0")};
    start_clamd(hear_clamd);
    clamd.common.failure_count = 1000;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set_answer(bad[i].answer, bad[i].n);
        expect_neutral(sf_ask(MESSAGE));
    }
    peer.hear = say_without_end;
    expect_neutral(sf_ask(MESSAGE));
    cr_assert_eq(sf_status("failed"), (int64_t)(sizeof bad / sizeof bad[0]) + 1);
}

Test(services, the_status_can_be_told_whatever_came)
{
    static const char answer[] = "stream: \xff\xfe\x01 caf\xe9 ERROR\0";
    start_clamd(hear_clamd);
    set_answer(answer, sizeof answer - 1);
    expect_neutral(sf_ask(MESSAGE));
    cr_assert_str_eq(sf_status_text("last_error"), "it says: stream: ??? caf?");
}

Test(services, one_that_reads_nothing_costs_no_memory_and_ends_in_time)
{
    size_t n = 12u << 20;
    char *text = large_message(n);
    start_clamd(NULL);
    peer.is_deaf = true;
    unsigned number = sf_ask_fd(sf_file(text, n), 12, n);
    SF_WAIT(peer.accepted_count == 1);
    for (int i = 0; i < 200; i++)
        sf_turn();
    cr_assert_not(sf_seen[number].is_there);
    sf_pass(2000);
    expect_neutral(number);
    free(text);
}

Test(services, a_file_that_is_too_short_is_neutral)
{
    start_clamd(hear_clamd);
    unsigned n = sf_ask_fd(sf_file("short", 5), 2, 5000);
    expect_neutral(n);
}

/* ---- breaker ---- */

Test(services, nobody_there_opens_the_breaker_and_a_probe_closes_it)
{
    start_clamd(hear_clamd);
    set_answer(CLEAN, sizeof CLEAN - 1);
    peer.hear = drop_all;
    for (int i = 0; i < 3; i++)
        expect_neutral(sf_ask(MESSAGE));
    cr_assert_str_eq(sf_status_text("state"), "open");
    cr_assert_eq(peer.accepted_count, 3);
    expect_neutral(sf_ask(MESSAGE));
    cr_assert_eq(peer.accepted_count, 3, "it is left alone");
    cr_assert_eq(sf_status("skipped"), 1);

    sf_pass(10000);
    expect_neutral(sf_ask(MESSAGE)); /* the probe fails */
    cr_assert_eq(peer.accepted_count, 4);
    expect_neutral(sf_ask(MESSAGE));
    cr_assert_eq(peer.accepted_count, 4);

    sf_pass(10000);
    peer.hear = hear_clamd;
    unsigned probe = sf_ask(MESSAGE), beside = sf_ask(MESSAGE);
    expect_neutral(beside);
    SF_WAIT_ANSWER(probe);
    cr_assert_eq(sf_seen[probe].answered, 1);
    cr_assert_str_eq(sf_status_text("state"), "closed");
    cr_assert_eq(peer.accepted_count, 5);
}

Test(services, a_refused_connection_is_a_failure)
{
    start_clamd(hear_clamd);
    sf_peer_close(&peer);
    expect_neutral(sf_ask(MESSAGE));
    cr_assert_eq(sf_status("failed"), 1);
}

Test(services, an_open_breaker_sends_away_who_waits)
{
    start_clamd(NULL);
    clamd.common.concurrency_count = 1;
    clamd.common.failure_count = 1;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    unsigned first = sf_ask(MESSAGE), second = sf_ask(MESSAGE);
    SF_WAIT(peer.accepted_count == 1);
    sf_drop(&peer.clients[0]);
    expect_neutral(first);
    expect_neutral(second);
    cr_assert_eq(peer.accepted_count, 1);
    cr_assert_eq(sf_status("skipped"), 1);
}

/* ---- bounds ---- */

Test(services, so_many_run_so_many_wait_and_more_go_on_without)
{
    start_clamd(NULL);
    unsigned n[10];
    for (int i = 0; i < 10; i++)
        n[i] = sf_ask(MESSAGE);
    expect_neutral(n[8]);
    expect_neutral(n[9]);
    SF_WAIT(peer.accepted_count == 4);
    cr_assert_eq(sf_status("running"), 4);
    cr_assert_eq(sf_status("waiting"), 4);
    set_answer(CLEAN, sizeof CLEAN - 1);
    peer.hear = hear_clamd;
    for (int i = 0; i < 4; i++)
        SF_WAIT(peer.clients[i].fd != -1 && buf_len(&peer.clients[i].heard) > 14);
    for (int i = 0; i < 4; i++)
        hear_clamd(&peer.clients[i]);
    for (int i = 0; i < 8; i++) {
        SF_WAIT_ANSWER(n[i]);
        cr_assert_eq(sf_seen[n[i]].answered, 1);
    }
    cr_assert_eq(peer.most_open_count, 4);
    cr_assert_eq(sf_status("running"), 0);
}

Test(services, who_waits_in_vain_is_no_failure_of_the_service)
{
    start_clamd(NULL);
    clamd.common.concurrency_count = 1;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    unsigned first = sf_ask(MESSAGE), second = sf_ask(MESSAGE);
    sf_pass(2000);
    expect_neutral(first);
    expect_neutral(second);
    cr_assert_eq(sf_status("failed") + sf_status("skipped"), 2);
    cr_assert_geq(sf_status("failed"), 1);
}

/* ---- the life of questions and settings ---- */

Test(services, a_cancelled_question_is_not_answered)
{
    start_clamd(NULL);
    clamd.common.concurrency_count = 1;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    unsigned first = sf_ask(MESSAGE), second = sf_ask(MESSAGE), third = sf_ask(MESSAGE);
    SF_WAIT(peer.accepted_count == 1);
    services_cancel(sf_handle(third));
    services_cancel(sf_handle(first));
    SF_WAIT(peer.accepted_count == 2);
    sf_pass(2000);
    expect_neutral(second);
    cr_assert_eq(sf_answer_count, 1);
}

Test(services, a_cancelled_probe_lets_another_try)
{
    start_clamd(drop_all);
    clamd.common.failure_count = 1;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    expect_neutral(sf_ask(MESSAGE));
    sf_pass(10000);
    peer.hear = NULL;
    unsigned probe = sf_ask(MESSAGE);
    SF_WAIT(peer.accepted_count == 2);
    services_cancel(sf_handle(probe));
    peer.hear = hear_clamd;
    set_answer(CLEAN, sizeof CLEAN - 1);
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].answered, 1);
}

Test(services, all_can_end_with_questions_under_way)
{
    start_clamd(NULL);
    sf_ask(MESSAGE);
    SF_WAIT(peer.accepted_count == 1);
    services_free(&sf_services);
    sf_pass(5000);
    cr_assert_eq(sf_answer_count, 0);
}

Test(services, a_reload_keeps_what_is_the_same_and_lets_questions_end)
{
    start_clamd(NULL);
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT(peer.accepted_count == 1);
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    cr_assert_eq(sf_status("asked"), 1, "unchanged: its counts stay");
    clamd.on_virus = CONFIG_ACT_HOLD;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    cr_assert_eq(sf_status("asked"), 0, "changed: a new one");
    sf_config.score.services.clamd_count = 0;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    set_answer(FOUND, sizeof FOUND - 1);
    SF_WAIT(buf_len(&peer.clients[0].heard) > 14);
    hear_clamd(&peer.clients[0]);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].action, SCORE_ACTION_REFUSE, "by the settings that it began with");
    n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].asked, 0);
}

Test(services, several_are_one_answer)
{
    static struct sf_peer other;
    sf_peer_open(&other, answer_json);
    rspamd = (struct config_rspamd){.common = sf_common("main", other.socket), .settings_id = ""};
    sf_config.score.services.rspamds = &rspamd;
    sf_config.score.services.rspamd_count = 1;
    start_clamd(hear_clamd);
    set_answer(FOUND, sizeof FOUND - 1);
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    cr_assert_eq(sf_seen[n].asked, 2);
    cr_assert_eq(sf_seen[n].answered, 2);
    cr_assert_eq(sf_seen[n].score_milli, 7500);
    cr_assert_eq(sf_seen[n].action, SCORE_ACTION_REFUSE);
    cr_assert_str_eq(sf_seen[n].findings, "main/BAD 7500\nvirus/Eicar-Test 0\n");
}
