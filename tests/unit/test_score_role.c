/* The score process as its frame sees it: the role with real channels to a session worker and to console, and a clock that
 * stands still. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/config/config.h"
#include "msa/ipc/role.h"
#include "msa/mail/base64.h"
#include "policy/score/score.h"

enum end { SMTP = 0, CONSOLE, END_COUNT };

static const enum role roles[END_COUNT] = {ROLE_SMTP, ROLE_CONSOLE};

struct seen {
    unsigned answers;
    bool is_scored;
    int64_t score_milli;
    char findings[IPC_FINDINGS_MAX + 1];
    uint64_t fingerprints[16];
    size_t fingerprint_count;
};

static struct {
    struct loop *loop;
    void *state;
    struct config *config, *previous;
    struct chan *ours[END_COUNT]; /* the score process's */
    struct chan *theirs[END_COUNT];
    unsigned closed_count;
    struct seen seen;
    unsigned status;
    json_t *json;
} f;

/* ---- channels ---- */

static void on_closed(void *owner, struct chan *c)
{
    (void)owner, (void)c;
    f.closed_count++;
}

static struct chan *make_end(int fd, enum role self, enum role peer,
                             chan_handler_fn *const *handlers, void *owner)
{
    struct chan *c = chan_new(fd, &(struct chan_settings){.loop = f.loop,
                                                          .self = self,
                                                          .peer = peer,
                                                          .handlers = handlers,
                                                          .on_closed = on_closed,
                                                          .owner = owner});
    cr_assert_not_null(c);
    return c;
}

static void link_up(enum end e)
{
    static chan_handlers none = {0};
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    f.ours[e] = make_end(fds[0], ROLE_SCORE, roles[e], score_role.handlers, f.state);
    f.theirs[e] = make_end(fds[1], roles[e], ROLE_SCORE, none, NULL);
    score_role.peer_up(f.state, f.ours[e]);
}

static void link_down(enum end e)
{
    score_role.peer_down(f.state, f.ours[e]);
    chan_free(&f.ours[e]);
    chan_free(&f.theirs[e]);
}

static void turns(void)
{
    for (int i = 0; i < 6; i++)
        loop_run_once(f.loop, false);
}

/* ---- life ---- */

static void take(const char *text)
{
    char why[256] = "";
    struct config_errors errs;
    struct config *next = NULL;
    config_errors_init(&errs);
    cr_assert_eq(config_parse_snapshot(view_cstr(text), CONFIG_ROLE_SCORE, &next, &errs), MSA_OK,
                 "%s", errs.count > 0 ? errs.items[0].text : "");
    config_errors_fini(&errs);
    struct role_config rc = {.config = next};
    cr_assert_eq(score_role.take_config(f.state, &rc, why, sizeof why), MSA_OK, "%s", why);
    config_free(&f.previous);
    f.previous = f.config;
    f.config = next;
}

static void begin(const char *config)
{
    memset(&f, 0, sizeof f);
    msgid_setup(0);
    clock_set_for_test(1000000, INT64_C(1780000000000));
    f.loop = loop_new();
    struct role_env env = {.loop = f.loop};
    cr_assert_eq(score_role.open(&env, &f.state), MSA_OK);
    take(config);
    cr_assert_eq(score_role.serve(f.state), MSA_OK);
    link_up(SMTP);
    link_up(CONSOLE);
}

static void end(void)
{
    link_down(SMTP);
    link_down(CONSOLE);
    score_role.close(&f.state);
    turns();
    config_free(&f.config);
    config_free(&f.previous);
    json_decref(f.json);
    loop_free(&f.loop);
    clock_use_real();
}

TestSuite(score_role, .timeout = 60, .fini = end);

/* ---- questions ---- */

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct msg_score_answer a;
    (void)arg;
    if (err == MSA_ECLOSED)
        return;
    cr_assert_eq(err, MSA_OK);
    cr_assert_eq(msg_score_answer_decode(m->payload, &a), MSA_OK);
    f.seen.answers++;
    f.seen.is_scored = a.is_scored;
    f.seen.score_milli = a.score_milli;
    cr_assert(view_to_cstr(a.findings, f.seen.findings, sizeof f.seen.findings));
    f.seen.fingerprint_count = a.fingerprints.n / 8;
    cr_assert_leq(a.fingerprints.n, sizeof f.seen.fingerprints);
    memcpy(f.seen.fingerprints, a.fingerprints.p ? a.fingerprints.p : "", a.fingerprints.n);
}

static int descriptor_of(const char *text)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    return fd;
}

/* The id of the question. */
static uint64_t ask(int fd, uint64_t bytes)
{
    uint64_t id;
    const struct msg_score_ask m = {.message = 77,
                                    .login = VIEW_LIT("taro@example.jp"),
                                    .sender = VIEW_LIT("taro@example.jp"),
                                    .body_bytes = bytes,
                                    .recipient_count = 1};
    msg_score_ask_encode(&m, chan_ask_begin(f.theirs[SMTP], IPC_score_ask));
    if (fd >= 0)
        chan_attach_fd(f.theirs[SMTP], fd);
    cr_assert_eq(chan_ask_end(f.theirs[SMTP], 600000, on_answer, NULL, &id), MSA_OK);
    return id;
}

static uint64_t ask_text(const char *text)
{
    int fd = descriptor_of(text);
    uint64_t id = ask(fd, strlen(text));
    close(fd);
    return id;
}

static void wait_for_answers(unsigned count)
{
    while (f.seen.answers < count)
        loop_run_once(f.loop, true);
}

static void on_admin(void *arg, struct chan_message *m, int err)
{
    struct msg_admin_answer a;
    (void)arg;
    cr_assert_eq(err, MSA_OK);
    cr_assert_eq(msg_admin_answer_decode(m->payload, &a), MSA_OK);
    f.status = a.status;
    f.json = json_loadb(a.json.p, a.json.n, 0, NULL);
    cr_assert_not_null(f.json);
}

static const json_t *op(const char *name, const char *args)
{
    const struct msg_admin_ask m = {
        .op = view_cstr(name), .actor = VIEW_LIT("test"), .json = view_cstr(args)};
    json_decref(f.json);
    f.json = NULL;
    cr_assert_eq(CHAN_ASK(f.theirs[CONSOLE], admin_ask, &m, 600000, on_admin, NULL, NULL), MSA_OK);
    while (!f.json)
        loop_run_once(f.loop, true);
    return f.json;
}

static int count_of(const char *name)
{
    return (int)json_integer_value(json_object_get(op("score.status", "{}"), name));
}

/* A message that takes a reader many seconds, unless somebody truncates it. It takes no memory. */
static int endless(uint64_t *bytes_out)
{
    int fd = memfd_create("endless", MFD_CLOEXEC);
    *bytes_out = UINT64_C(1) << 38;
    cr_assert_eq(ftruncate(fd, (off_t)*bytes_out), 0);
    return fd;
}

#define RULES                                                                                      \
    "score_rule FREE { phrases \"for free\"; add 1.5; describe \"free\"; }"                        \
    "score_rule LINK { min_links 1; add 0.25; describe \"link\"; }"
#define LETTER                                                                                     \
    "Subject: For free\r\n\r\none two three four five six seven eight nine ten eleven twelve "     \
    "thirteen fourteen fifteen sixteen seventeen http://shop.example.com/x\r\n"

/* ---- tests ---- */

Test(score_role, a_message_gets_its_score_and_the_reasons)
{
    begin(RULES);
    ask_text(LETTER);
    wait_for_answers(1);
    cr_expect(f.seen.is_scored);
    cr_expect_eq(f.seen.score_milli, 1750);
    cr_expect_str_eq(f.seen.findings, "FREE 1.5\nLINK 0.25");
    cr_expect_eq(f.seen.fingerprint_count, 8);
    cr_expect_eq(count_of("scored"), 1);
    cr_expect_eq(count_of("open"), 0);
}

Test(score_role, without_rules_the_score_is_nothing)
{
    begin("score { neutral_score 1.0; }");
    ask_text("Subject: x\r\n\r\n");
    wait_for_answers(1);
    cr_expect(f.seen.is_scored, "it was looked at");
    cr_expect_eq(f.seen.score_milli, 0);
    cr_expect_eq(f.seen.fingerprint_count, 0);
}

Test(score_role, many_are_scored_at_once_and_each_is_answered_once)
{
    begin(RULES "score { threads 3; }");
    for (int i = 0; i < 200; i++)
        ask_text(LETTER);
    wait_for_answers(200);
    turns();
    cr_expect_eq(f.seen.answers, 200);
    cr_expect_eq(count_of("scored"), 200);
}

Test(score_role, beyond_the_number_of_jobs_a_message_goes_on_at_once)
{
    uint64_t bytes;
    begin(RULES "score { threads 1; jobs 1; neutral_score -0.5; }");
    int fd = endless(&bytes);
    ask(fd, bytes);
    ask_text(LETTER);
    wait_for_answers(1);
    cr_expect_not(f.seen.is_scored);
    cr_expect_eq(f.seen.score_milli, -500);
    cr_expect_str_eq(f.seen.findings, "busy:score 0");
    cr_expect_eq(count_of("full"), 1);
    cr_expect_eq(count_of("open"), 1);
    cr_assert_eq(ftruncate(fd, 0), 0);
    close(fd);
    wait_for_answers(2);
}

Test(score_role, at_the_deadline_the_answer_comes_and_says_what_is_missing)
{
    uint64_t bytes;
    begin(RULES "score { threads 1; deadline 2s; neutral_score -0.5; }");
    int fd = endless(&bytes);
    ask(fd, bytes);
    turns();
    cr_expect_eq(f.seen.answers, 0);
    clock_advance_for_test(2000);
    wait_for_answers(1);
    cr_expect_not(f.seen.is_scored);
    cr_expect_eq(f.seen.score_milli, -500);
    cr_expect_str_eq(f.seen.findings, "late:scan 0");
    cr_expect_eq(count_of("late"), 1);
    cr_expect_eq(count_of("neutral"), 1);
    cr_expect_eq(count_of("open"), 1, "the worker is still at it");
    cr_assert_eq(ftruncate(fd, 0), 0);
    close(fd);
    while (count_of("open") > 0) {
    }
    cr_expect_eq(f.seen.answers, 1, "once");
}

Test(score_role, a_session_that_is_gone_is_worked_for_no_more)
{
    uint64_t bytes;
    begin(RULES "score { threads 1; }");
    int fd = endless(&bytes);
    uint64_t id = ask(fd, bytes);
    ask_text(LETTER); /* waits for the thread */
    turns();
    cr_expect_eq(count_of("open"), 2);
    const struct msg_score_drop drop = {.question = id};
    chan_ask_cancel(f.theirs[SMTP], id);
    cr_assert_eq(CHAN_SEND(f.theirs[SMTP], score_drop, 0, &drop), MSA_OK);
    turns();
    cr_expect_eq(count_of("dropped"), 1);
    link_down(SMTP);
    link_up(SMTP);
    cr_expect_eq(count_of("dropped"), 2);
    cr_assert_eq(ftruncate(fd, 0), 0);
    close(fd);
    while (count_of("open") > 0) {
    }
    cr_expect_eq(f.seen.answers, 0);
    cr_expect_eq(count_of("scored"), 0);
}

Test(score_role, a_descriptor_that_gives_less_than_was_said_is_neutral)
{
    begin(RULES);
    int fd = descriptor_of(LETTER);
    ask(fd, 100000);
    close(fd);
    wait_for_answers(1);
    cr_expect_not(f.seen.is_scored);
    cr_expect_str_eq(f.seen.findings, "failed:scan 0");
    cr_expect_eq(count_of("failed"), 1);
}

Test(score_role, a_question_without_a_body_breaks_the_channel_and_nothing_else)
{
    begin(RULES);
    ask(-1, 10);
    while (f.closed_count == 0)
        loop_run_once(f.loop, true);
    cr_expect_eq(count_of("asked"), 0);
}

Test(score_role, a_reload_brings_other_rules)
{
    begin(RULES);
    ask_text(LETTER);
    wait_for_answers(1);
    take("score_rule FREE { phrases \"for free\"; add 4.0; describe \"free\"; }");
    ask_text(LETTER);
    wait_for_answers(2);
    cr_expect_eq(f.seen.score_milli, 4000);
}

/* ---- msactl score check ---- */

static const json_t *check(const char *message, const char *more)
{
    struct buf args;
    buf_init(&args, 2 << 20);
    buf_addf(&args, "{%s\"message\":\"", more);
    cr_assert_eq(base64_encode(view_cstr(message), &args), MSA_OK);
    buf_add_cstr(&args, "\"}");
    buf_append(&args, "", 1);
    const json_t *answer = op("score.check", buf_view(&args).p);
    buf_fini(&args);
    return answer;
}

Test(score_role, a_check_says_what_a_session_would_hear)
{
    begin(RULES);
    const json_t *a = check(LETTER, "");
    cr_assert_eq(f.status, 200);
    cr_expect_float_eq(json_real_value(json_object_get(a, "score")), 1.75, 1e-9);
    const json_t *first = json_array_get(json_object_get(a, "findings"), 0);
    cr_expect_str_eq(json_string_value(json_object_get(first, "name")), "FREE");
    cr_expect_str_eq(json_string_value(json_object_get(first, "text")), "free");
    const json_t *prints = json_object_get(a, "fingerprints");
    cr_expect_eq(json_array_size(prints), 8);
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(prints, 0), "domain")), "example.com");
    bool is_late = json_is_true(json_object_get(a, "late"));
    cr_expect_not(is_late);
    a = check(LETTER, "\"sender\":\"a@example.com\",");
    prints = json_object_get(a, "fingerprints");
    cr_expect_str_eq(json_string_value(json_object_get(json_array_get(prints, 0), "of")), "body",
                     "a link to the sender's own domain says nothing");
}

Test(score_role, a_check_of_what_is_no_message_is_refused)
{
    begin(RULES);
    op("score.check", "{}");
    cr_expect_eq(f.status, 400);
    op("score.check", "{\"message\":\"!!\"}");
    cr_expect_eq(f.status, 400);
    op("score.check", "{\"message\":7}");
    cr_expect_eq(f.status, 400);
    op("score.check", "[]");
    cr_expect_eq(f.status, 400);
}
