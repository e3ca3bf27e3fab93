#include "policy_fixture.h"

#include <criterion/criterion.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/config/config.h"
#include "msa/ipc/role.h"
#include "policy/policy.h"

struct pf_seen pf_seen;

enum pf_end { END_A, END_B, END_RELAY, END_CONSOLE, END_COUNT };

static const enum role roles[END_COUNT] = {ROLE_SMTP, ROLE_SMTP, ROLE_RELAY, ROLE_CONSOLE};

static struct {
    char dir[64];
    struct loop *loop;
    void *state;
    struct config *config, *previous;
    struct chan *ours[END_COUNT];   /* policy's ends */
    struct chan *theirs[END_COUNT];
    bool has_answer;
    struct pf_answer answer;
    unsigned status;
    json_t *json;
} f;

/* ---- what the peers hear ---- */

static void take_text(struct view v, char *out, size_t size)
{
    cr_assert(view_to_cstr(v, out, size));
}

#define ON_ANSWER(name, ...)                                                                       \
    static void on_##name(void *arg, struct chan_message *m, int err)                              \
    {                                                                                              \
        struct msg_##name a;                                                                       \
        (void)arg;                                                                                 \
        cr_assert_eq(err, MSA_OK);                                                                 \
        cr_assert_eq(msg_##name##_decode(m->payload, &a), MSA_OK);                                 \
        f.answer.verdict = (enum policy_verdict)a.verdict;                                         \
        f.answer.delay_ms = a.delay_ms;                                                            \
        take_text(a.text, f.answer.text, sizeof f.answer.text);                                    \
        __VA_ARGS__                                                                                \
        f.has_answer = true;                                                                       \
    }

ON_ANSWER(policy_connect_answer, take_text(a.country, f.answer.country, sizeof f.answer.country);)
ON_ANSWER(policy_login_answer, take_text(a.country, f.answer.country, sizeof f.answer.country);
          take_text(a.account_class, f.answer.account_class, sizeof f.answer.account_class);)
ON_ANSWER(policy_mail_answer,
          take_text(a.rewritten_sender, f.answer.sender, sizeof f.answer.sender);)
ON_ANSWER(policy_quota_answer, f.answer.reservation = a.reservation;)
ON_ANSWER(policy_route_answer, take_text(a.pool, f.answer.pool, sizeof f.answer.pool);
          f.answer.held_for = a.held_for; f.answer.sender_field = a.sender_field;
          f.answer.score_milli = a.score_milli;)

static int on_kill(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_policy_kill kill;
    (void)owner;
    cr_assert_eq(msg_policy_kill_decode(m->payload, &kill), MSA_OK);
    pf_seen.kills[c == f.theirs[END_B]]++;
    pf_seen.killed_account = kill.account;
    return MSA_OK;
}

static int on_hold(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_relay_hold_ask ask;
    (void)owner;
    cr_assert_eq(msg_relay_hold_ask_decode(m->payload, &ask), MSA_OK);
    pf_seen.holds += ask.is_held;
    pf_seen.let_go += !ask.is_held;
    pf_seen.held_account = ask.account;
    CHAN_SEND(c, relay_hold_answer, m->id, &(struct msg_relay_hold_answer){.message_count = 1});
    return MSA_OK;
}

static int on_notice(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner;
    pf_seen.notices++;
    CHAN_SEND(c, relay_notice_answer, m->id, &(struct msg_relay_notice_answer){.is_queued = true});
    return MSA_OK;
}

static int on_webhook(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner;
    pf_seen.webhooks++;
    const struct msg_relay_webhook_answer answer = {.status = 200, .is_delivered = true};
    CHAN_SEND(c, relay_webhook_answer, m->id, &answer);
    return MSA_OK;
}

static chan_handlers smtp_handlers = {
    [IPC_policy_kill] = on_kill,
};
static chan_handlers relay_handlers = {
    [IPC_relay_hold_ask] = on_hold,
    [IPC_relay_notice_ask] = on_notice,
    [IPC_relay_webhook_ask] = on_webhook,
};
static int on_news(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c, (void)m; /* nothing depends on it */
    return MSA_OK;
}

static chan_handlers console_handlers = {[IPC_news_tell] = on_news};

/* ---- channels ---- */

static void on_closed(void *owner, struct chan *c)
{
    (void)owner, (void)c;
    cr_assert_fail("a channel broke");
}

static struct chan *end(int fd, enum role self, enum role peer, unsigned index,
                        chan_handler_fn *const *handlers, void *owner)
{
    struct chan *c = chan_new(fd, &(struct chan_settings){.loop = f.loop,
                                                          .self = self,
                                                          .peer = peer,
                                                          .peer_index = index,
                                                          .handlers = handlers,
                                                          .on_closed = on_closed,
                                                          .owner = owner});
    cr_assert_not_null(c);
    return c;
}

static void link_up(enum pf_end e)
{
    static chan_handler_fn *const *const handlers[END_COUNT] = {smtp_handlers, smtp_handlers,
                                                                relay_handlers, console_handlers};
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    f.ours[e] = end(fds[0], ROLE_POLICY, roles[e], e == END_B, policy_role.handlers, f.state);
    f.theirs[e] = end(fds[1], roles[e], ROLE_POLICY, 0, handlers[e], NULL);
    policy_role.peer_up(f.state, f.ours[e]);
}

static void link_down(enum pf_end e)
{
    policy_role.peer_down(f.state, f.ours[e]);
    chan_free(&f.ours[e]);
    chan_free(&f.theirs[e]);
}

void pf_turns(void)
{
    for (int i = 0; i < 8; i++)
        loop_run_once(f.loop, false);
}

void pf_wait(void)
{
    loop_run_once(f.loop, true);
}

void pf_advance(int64_t ms)
{
    clock_advance_for_test(ms);
    pf_turns();
}

/* ---- life ---- */

void pf_reload(const char *text)
{
    char why[256] = "";
    struct config_errors errs;
    struct config *next = NULL;
    config_errors_init(&errs);
    cr_assert_eq(config_parse_snapshot(view_cstr(text), CONFIG_ROLE_POLICY, &next, &errs), MSA_OK,
                 "%s", errs.count > 0 ? errs.items[0].text : "");
    config_errors_fini(&errs);
    struct role_config rc = {.config = next};
    cr_assert_eq(policy_role.take_config(f.state, &rc, why, sizeof why), MSA_OK, "%s", why);
    config_free(&f.previous);
    f.previous = f.config;
    f.config = next;
}

static void start(const char *config)
{
    struct role_env env = {.loop = f.loop, .state_dir = f.dir};
    cr_assert_eq(policy_role.open(&env, &f.state), MSA_OK);
    pf_reload(config);
    cr_assert_eq(policy_role.serve(f.state), MSA_OK);
    for (enum pf_end e = 0; e < END_COUNT; e++)
        link_up(e);
    pf_turns();
}

static void stop(void)
{
    for (enum pf_end e = 0; e < END_COUNT; e++)
        link_down(e);
    pf_turns(); /* what it has asked is answered while it lives, as in a process */
    policy_role.close(&f.state);
}

static char saved_config[16384];

void pf_begin(const char *config)
{
    memset(&f, 0, sizeof f);
    memset(&pf_seen, 0, sizeof pf_seen);
    msgid_setup(0);
    clock_set_for_test(1000000, PF_T0_MS);
    snprintf(f.dir, sizeof f.dir, "/tmp/msad-policy-XXXXXX");
    cr_assert_not_null(mkdtemp(f.dir));
    f.loop = loop_new();
    snprintf(saved_config, sizeof saved_config, "counters { size 8M; }\n%s", config);
    start(saved_config);
}

void pf_restart(void)
{
    stop();
    start(saved_config);
}

void pf_lose_worker(enum pf_worker w)
{
    link_down((enum pf_end)w);
    link_up((enum pf_end)w);
    pf_turns();
}

void pf_take_relay(bool is_away)
{
    if (is_away)
        link_down(END_RELAY);
    else
        link_up(END_RELAY);
    pf_turns();
}

void pf_lose_relay(void)
{
    link_down(END_RELAY);
    link_up(END_RELAY);
    pf_turns();
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void pf_end(void)
{
    stop();
    config_free(&f.config);
    config_free(&f.previous);
    json_decref(f.json);
    loop_free(&f.loop);
    nftw(f.dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    clock_use_real();
}

/* ---- questions ---- */

static struct ipaddr ip_of(const char *text)
{
    struct ipaddr ip;
    cr_assert(ipaddr_parse(view_cstr(text), &ip));
    return ip;
}

static struct pf_answer wait_for_answer(void)
{
    for (int i = 0; i < 100 && !f.has_answer; i++)
        loop_run_once(f.loop, false);
    cr_assert(f.has_answer, "no answer came");
    pf_turns();
    return f.answer;
}

#define BEGIN_ASK() (f.has_answer = false, f.answer = (struct pf_answer){0})

struct pf_answer pf_connect(enum pf_worker w, uint64_t session, const char *ip)
{
    struct msg_policy_connect_ask m = {
        .session = session, .client_ip = ip_of(ip), .listener = VIEW_LIT("submission")};
    BEGIN_ASK();
    CHAN_ASK(f.theirs[w], policy_connect_ask, &m, 60000, on_policy_connect_answer, NULL, NULL);
    return wait_for_answer();
}

struct pf_answer pf_login(enum pf_worker w, uint64_t session, const char *ip, uint64_t account,
                          const char *login, unsigned result, uint64_t wrong_password)
{
    struct msg_policy_login_ask m = {
        .session = session,
        .client_ip = ip_of(ip),
        .result = (uint8_t)result,
        .account = account,
        .login = view_cstr(login),
        .mechanism = VIEW_LIT("PLAIN"),
        .wrong_password = wrong_password,
        .created_ms = account ? PF_T0_MS - INT64_C(400) * 86400000 : 0,
        .helo = VIEW_LIT("client"),
        .listener = VIEW_LIT("submission"),
        .is_tls = true,
    };
    BEGIN_ASK();
    CHAN_ASK(f.theirs[w], policy_login_ask, &m, 60000, on_policy_login_answer, NULL, NULL);
    return wait_for_answer();
}

struct pf_answer pf_mail(enum pf_worker w, uint64_t session, const char *ip, uint64_t account,
                         const char *login, const char *sender)
{
    struct msg_policy_mail_ask m = {
        .session = session,
        .account = account,
        .login = view_cstr(login),
        .created_ms = PF_T0_MS - INT64_C(400) * 86400000,
        .client_ip = ip_of(ip),
        .listener = VIEW_LIT("submission"),
        .sender = view_cstr(sender),
    };
    BEGIN_ASK();
    CHAN_ASK(f.theirs[w], policy_mail_ask, &m, 60000, on_policy_mail_answer, NULL, NULL);
    return wait_for_answer();
}

static void add_recipients(struct buf *items, unsigned count)
{
    char path[64];
    for (unsigned i = 0; i < count; i++) {
        snprintf(path, sizeof path, "r%u@there.example", i);
        items_add_recipient(items, &(struct msg_recipient){.path = view_cstr(path)});
    }
}

struct pf_answer pf_quota(enum pf_worker w, uint64_t session, const char *ip, uint64_t account,
                          const char *login, unsigned recipients)
{
    struct buf items;
    buf_init(&items, 1u << 20);
    add_recipients(&items, recipients);
    struct msg_policy_quota_ask m = {
        .session = session,
        .account = account,
        .login = view_cstr(login),
        .client_ip = ip_of(ip),
        .sender = view_cstr(login),
        .recipient_count = recipients,
        .recipients = buf_view(&items),
    };
    BEGIN_ASK();
    CHAN_ASK(f.theirs[w], policy_quota_ask, &m, 60000, on_policy_quota_answer, NULL, NULL);
    buf_fini(&items);
    return wait_for_answer();
}

static unsigned scanner_action;
static const char *scanner_text = "";

void pf_scanner_says(unsigned action, const char *text)
{
    scanner_action = action;
    scanner_text = text;
}

static uint32_t route_recipients = 1;

void pf_claim_recipients(uint32_t count)
{
    route_recipients = count;
}

struct pf_answer pf_route(enum pf_worker w, uint64_t session, const char *ip, uint64_t account,
                          const char *login, const char *author, uint64_t reservation,
                          int64_t score_milli)
{
    char authors[512];
    snprintf(authors, sizeof authors, "%s\n", author);
    struct msg_policy_route_ask m = {
        .session = session,
        .account = account,
        .login = view_cstr(login),
        .client_ip = ip_of(ip),
        .reservation = reservation,
        .sender = view_cstr(login),
        .authors = view_cstr(authors),
        .body_bytes = 2000,
        .recipient_count = route_recipients,
        .is_scored = true,
        .score_milli = score_milli,
        .score_action = (uint8_t)scanner_action,
        .score_text = view_cstr(scanner_text),
    };
    pf_scanner_says(SCORE_ACTION_NONE, "");
    route_recipients = 1;
    BEGIN_ASK();
    CHAN_ASK(f.theirs[w], policy_route_ask, &m, 60000, on_policy_route_answer, NULL, NULL);
    return wait_for_answer();
}

void pf_settle(enum pf_worker w, uint64_t session, uint64_t reservation, bool is_kept)
{
    struct msg_policy_settle m = {.session = session, .reservation = reservation, .is_kept = is_kept};
    CHAN_SEND(f.theirs[w], policy_settle, 0, &m);
    pf_turns();
}

void pf_sent(enum pf_worker w, uint64_t session, uint64_t message, const char *message_id, uint64_t account, const char *login)
{
    struct msg_policy_settle m = {.session = session, .is_kept = true, .message = message, .account = account,
                                  .login = view_cstr(login), .message_id = view_cstr(message_id)};
    CHAN_SEND(f.theirs[w], policy_settle, 0, &m);
    pf_turns();
}

void pf_disconnect(enum pf_worker w, uint64_t session)
{
    struct msg_policy_disconnect m = {session};
    CHAN_SEND(f.theirs[w], policy_disconnect, 0, &m);
    pf_turns();
}

void pf_outcome(uint64_t account, const char *login, unsigned refused, unsigned taken)
{
    struct buf items;
    char path[64];
    buf_init(&items, 1u << 20);
    for (unsigned i = 0; i < refused + taken; i++) {
        snprintf(path, sizeof path, "r%u@there.example", i);
        items_add_result(&items, &(struct msg_recipient_result){
                                     .path = view_cstr(path),
                                     .code = i < refused ? 550 : 250,
                                     .enhanced = VIEW_LIT("5.1.1")});
    }
    struct msg_relay_outcome m = {.account = account,
                                  .login = view_cstr(login),
                                  .client_ip = ip_of("192.0.2.1"),
                                  .results = buf_view(&items)};
    CHAN_SEND(f.theirs[END_RELAY], relay_outcome, 0, &m);
    buf_fini(&items);
    pf_turns();
}

static void on_mailbox_answer(void *arg, struct chan_message *m, int err)
{
    struct msg_policy_mailbox_answer a;
    cr_assert_eq(err, MSA_OK);
    cr_assert_eq(msg_policy_mailbox_answer_decode(m->payload, &a), MSA_OK);
    *(bool *)arg = a.is_allowed;
    f.has_answer = true;
}

bool pf_mailbox(unsigned kind, const char *ip, const char *protocol, const char *program)
{
    bool is_allowed = false;
    struct msg_policy_mailbox_ask m = {.kind = (uint8_t)kind,
                                       .account = PF_TARO,
                                       .login = view_cstr(PF_TARO_LOGIN),
                                       .client_ip = ip_of(ip),
                                       .protocol = view_cstr(protocol),
                                       .program = view_cstr(program)};
    BEGIN_ASK();
    CHAN_ASK(f.theirs[END_CONSOLE], policy_mailbox_ask, &m, 60000, on_mailbox_answer, &is_allowed, NULL);
    wait_for_answer();
    return is_allowed;
}

static void on_op(void *arg, struct chan_message *m, int err)
{
    struct msg_admin_answer a;
    (void)arg;
    cr_assert_eq(err, MSA_OK);
    cr_assert_eq(msg_admin_answer_decode(m->payload, &a), MSA_OK);
    f.status = a.status;
    json_decref(f.json);
    f.json = json_loadb(a.json.p, a.json.n, 0, NULL);
    f.has_answer = true;
}

json_t *pf_op(const char *op, const char *args, unsigned *status_out)
{
    struct msg_admin_ask m = {
        .op = view_cstr(op), .actor = VIEW_LIT("desk"), .json = view_cstr(args)};
    BEGIN_ASK();
    CHAN_ASK(f.theirs[END_CONSOLE], admin_ask, &m, 60000, on_op, NULL, NULL);
    /* Some wait for the disk: the ledger's thread. */
    for (int i = 0; i < 2000 && !f.has_answer; i++)
        loop_run_once(f.loop, true);
    cr_assert(f.has_answer, "%s: no answer came", op);
    if (status_out)
        *status_out = f.status;
    return json_incref(f.json);
}

/* ---- taro ---- */

struct pf_answer pf_taro_signs_in(enum pf_worker w, uint64_t session, const char *ip)
{
    pf_connect(w, session, ip);
    return pf_login(w, session, ip, PF_TARO, PF_TARO_LOGIN, AUTH_OK, 0);
}

struct pf_answer pf_taro_mails(enum pf_worker w, uint64_t session, const char *ip)
{
    return pf_mail(w, session, ip, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN);
}

struct pf_answer pf_taro_sends(enum pf_worker w, uint64_t session, const char *ip, unsigned n)
{
    pf_taro_mails(w, session, ip);
    return pf_quota(w, session, ip, PF_TARO, PF_TARO_LOGIN, n);
}

bool pf_send_one(uint64_t session, const char *ip)
{
    struct pf_answer a = pf_taro_sends(PF_A, session, ip, 1);
    if (a.verdict == VERDICT_ALLOW)
        a = pf_route(PF_A, session, ip, PF_TARO, PF_TARO_LOGIN, PF_TARO_LOGIN, a.reservation, 0);
    pf_settle(PF_A, session, a.reservation, a.verdict == VERDICT_ALLOW);
    return a.verdict == VERDICT_ALLOW;
}

char *pf_standing_id(char out[32])
{
    json_t *o = pf_op("restriction.list", "{}", NULL);
    json_t *list = json_object_get(o, "restrictions");
    cr_assert_eq(json_array_size(list), 1);
    snprintf(out, 32, "%s", json_string_value(json_object_get(json_array_get(list, 0), "id")));
    json_decref(o);
    return out;
}

void pf_release(const char *id)
{
    char args[128];
    unsigned status;
    snprintf(args, sizeof args, "{\"id\":\"%s\",\"note\":\"called, password changed\"}", id);
    json_decref(pf_op("restriction.release", args, &status));
    cr_assert_eq(status, 200);
}
