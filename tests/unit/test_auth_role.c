/* The auth process as its frame sees it: real channels, a real store, real threads. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth/auth.h"
#include "auth_fixture.h"
#include "msa/base/err.h"
#include "msa/config/config.h"

TestSuite(auth_role, .timeout = 30);

#define CONFIG                                                                                     \
    "auth { mechanisms PLAIN LOGIN SCRAM-SHA-256; default_domain example.jp; threads 2; }\n"
#define CONFIG_PLAIN_ONLY "auth { mechanisms PLAIN; }\n"

static struct {
    char dir[64];
    struct loop *loop;
    void *state;
    struct config *config;
    struct chan *auth_for_smtp, *auth_for_console, *smtp, *console;
    int closed_count, drained_count, done_count, challenge_count, answer_count;
    uint32_t left_over;
    struct msg_auth_done done;
    struct msg_auth_revoked revoked;
    int revoked_count;
    char login[64];
    char challenge[1024];
    char final_challenge[64];
    unsigned status;
    char json[4096];
} r;

static int on_challenge(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_auth_challenge challenge;
    (void)owner, (void)c;
    cr_assert(eq(int, msg_auth_challenge_decode(m->payload, &challenge), MSA_OK));
    view_to_cstr(challenge.challenge, r.challenge, sizeof r.challenge);
    r.challenge_count++;
    return MSA_OK;
}

static int on_done(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c;
    cr_assert(eq(int, msg_auth_done_decode(m->payload, &r.done), MSA_OK));
    view_to_cstr(r.done.login, r.login, sizeof r.login);
    view_to_cstr(r.done.final_challenge, r.final_challenge, sizeof r.final_challenge);
    r.done_count++;
    return MSA_OK;
}

static int on_revoked(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c;
    cr_assert(eq(int, msg_auth_revoked_decode(m->payload, &r.revoked), MSA_OK));
    r.revoked_count++;
    return MSA_OK;
}

static void on_closed(void *owner, struct chan *c)
{
    (void)owner;
    if (c == r.auth_for_smtp)
        auth_role.peer_down(r.state, c);
    r.closed_count++;
}

static chan_handlers smtp_handlers = {
    [IPC_auth_challenge] = on_challenge,
    [IPC_auth_done] = on_done,
    [IPC_auth_revoked] = on_revoked,
};
static chan_handlers console_handlers = {0};

static struct chan *end(int fd, enum role self, enum role peer, chan_handler_fn *const *handlers,
                        void *owner)
{
    struct chan *c = chan_new(fd, &(struct chan_settings){.loop = r.loop,
                                                          .self = self,
                                                          .peer = peer,
                                                          .handlers = handlers,
                                                          .on_closed = on_closed,
                                                          .owner = owner});
    cr_assert(c != NULL);
    return c;
}

static void link_roles(enum role peer, chan_handler_fn *const *handlers, struct chan **auth_out,
                       struct chan **peer_out)
{
    int fds[2];
    cr_assert(eq(int, socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0));
    *auth_out = end(fds[0], ROLE_AUTH, peer, auth_role.handlers, r.state);
    *peer_out = end(fds[1], peer, ROLE_AUTH, handlers, NULL);
    auth_role.peer_up(r.state, *auth_out);
}

static void take_config(const char *text)
{
    char why[256] = "";
    struct config_errors errs;
    struct config *next = NULL;
    config_errors_init(&errs);
    cr_assert(eq(int, config_parse_snapshot(view_cstr(text), CONFIG_ROLE_AUTH, &next, &errs), MSA_OK),
              "%s", errs.count > 0 ? errs.items[0].text : "");
    config_errors_fini(&errs);
    struct role_config rc = {.config = next};
    cr_assert(eq(int, auth_role.take_config(r.state, &rc, why, sizeof why), MSA_OK), "%s", why);
    config_free(&r.config);
    r.config = next;
}

static void begin(void)
{
    struct role_env env = {.loop = r.loop, .state_dir = r.dir};
    cr_assert(eq(int, auth_role.open(&env, &r.state), MSA_OK));
    take_config(CONFIG);
    cr_assert(eq(int, auth_role.serve(r.state), MSA_OK));
    link_roles(ROLE_SMTP, smtp_handlers, &r.auth_for_smtp, &r.smtp);
    link_roles(ROLE_CONSOLE, console_handlers, &r.auth_for_console, &r.console);
}

static void end_role(void)
{
    chan_free(&r.smtp);
    chan_free(&r.console);
    if (r.auth_for_smtp)
        auth_role.peer_down(r.state, r.auth_for_smtp);
    chan_free(&r.auth_for_smtp);
    if (r.auth_for_console)
        auth_role.peer_down(r.state, r.auth_for_console);
    chan_free(&r.auth_for_console);
    auth_role.close(&r.state);
    loop_run_once(r.loop, false);
}

static void setup(void)
{
    snprintf(r.dir, sizeof r.dir, "/tmp/msad-auth-XXXXXX");
    cr_assert(mkdtemp(r.dir) != NULL);
    r.loop = loop_new();
    begin();
}

static void teardown(void)
{
    char path[128];
    if (r.state)
        end_role();
    loop_free(&r.loop);
    config_free(&r.config);
    snprintf(path, sizeof path, "%s/accounts.mdb", r.dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/accounts.mdb-lock", r.dir);
    unlink(path);
    rmdir(r.dir);
}

static void run_until(const int *count, int want)
{
    while (*count < want)
        loop_run_once(r.loop, true);
}

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct msg_admin_answer answer;
    (void)arg;
    cr_assert(eq(int, err, MSA_OK));
    cr_assert(eq(int, msg_admin_answer_decode(m->payload, &answer), MSA_OK));
    r.status = answer.status;
    cr_assert(view_to_cstr(answer.json, r.json, sizeof r.json));
    r.answer_count++;
}

static unsigned ask(const char *op, const char *json)
{
    struct msg_admin_ask m = {
        .op = view_cstr(op), .actor = VIEW_LIT("root"), .json = view_cstr(json)};
    int want = r.answer_count + 1;
    cr_assert(eq(int, CHAN_ASK(r.console, admin_ask, &m, 10000, on_answer, NULL, NULL), MSA_OK));
    run_until(&r.answer_count, want);
    return r.status;
}

/* The account's id where there is one; r.login is its name. */
static enum name_result found;
static uint64_t found_account;

static void on_name(void *arg, struct chan_message *m, int err)
{
    struct msg_auth_name_answer answer;
    (void)arg;
    cr_assert(eq(int, err, MSA_OK));
    cr_assert(eq(int, msg_auth_name_answer_decode(m->payload, &answer), MSA_OK));
    found = (enum name_result)answer.result;
    found_account = answer.account;
    view_to_cstr(answer.login, r.login, sizeof r.login);
    r.answer_count++;
}

static enum name_result find(const char *typed)
{
    struct msg_auth_name_ask m = {.typed = view_cstr(typed)};
    int want = r.answer_count + 1;
    cr_assert(eq(int, CHAN_ASK(r.console, auth_name_ask, &m, 10000, on_name, NULL, NULL), MSA_OK));
    run_until(&r.answer_count, want);
    return found;
}

static void start(uint64_t session, const char *mechanism, struct view initial)
{
    struct msg_auth_start m = {.session = session,
                               .mechanism = view_cstr(mechanism),
                               .has_initial = initial.n > 0,
                               .initial = initial,
                               .is_tls = true};
    cr_assert(ipaddr_parse(VIEW_LIT("192.0.2.1"), &m.client_ip));
    cr_assert(eq(int, CHAN_SEND(r.smtp, auth_start, 0, &m), MSA_OK));
}

static enum auth_result plain(struct view message)
{
    int want = r.done_count + 1;
    start(1, "PLAIN", message);
    run_until(&r.done_count, want);
    return (enum auth_result)r.done.result;
}

#define TARO_PENCIL view_of("\0taro\0pencil", 12)

Test(auth_role, an_account_is_made_and_signs_in, .init = setup, .fini = teardown)
{
    cr_assert(eq(uint, ask("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}"), 201));
    cr_assert(strstr(r.json, "taro@example.jp") != NULL);
    cr_assert(eq(int, (int)plain(TARO_PENCIL), (int)AUTH_OK));
    cr_assert(eq(str, r.login, "taro@example.jp"));
    cr_assert(eq(u64, r.done.account, 1));
    cr_assert(eq(int, (int)plain(view_of("\0taro\0pencix", 12)), (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(uint, ask("account.disable", "{\"login\":\"taro\"}"), 200));
    cr_assert(eq(int, (int)plain(TARO_PENCIL), (int)AUTH_DISABLED));
    cr_assert(eq(uint, ask("account.show", "{\"login\":\"nobody\"}"), 404));
    cr_assert(strstr(r.json, "\"detail\"") != NULL);
    cr_assert(eq(uint, ask("auth.status", ""), 200));
    cr_assert(eq(uint, ask("queue.list", ""), 404));
    cr_assert(eq(uint, ask("account.add", "{\"login\":\"x\",\"password\":\"hunter2"), 400));
    cr_assert(strstr(r.json, "hunter2") == NULL);
}

Test(auth_role, a_name_is_found_in_its_one_form, .init = setup, .fini = teardown)
{
    ask("account.add", "{\"login\":\"hana\",\"password\":\"x\"}");
    ask("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}");
    cr_assert(eq(int, (int)find("TARO@Example.JP"), (int)NAME_FOUND));
    cr_assert(eq(u64, found_account, 2));
    cr_assert(eq(str, r.login, "taro@example.jp"));
    cr_assert(eq(int, (int)find("jiro"), (int)NAME_NOBODY));
    cr_assert(eq(u64, found_account, 0));
    cr_assert(eq(str, r.login, "jiro@example.jp"));
    cr_assert(eq(int, (int)find("a b@"), (int)NAME_INVALID));
    cr_assert(eq(str, r.login, ""));
    ask("account.remove", "{\"login\":\"taro\"}");
    cr_assert(eq(int, (int)find("taro"), (int)NAME_NOBODY));
}

static void begin_scram(struct scram_client *c)
{
    scram_client_first(c, "n,,", "taro");
    start(5, "SCRAM-SHA-256", view_cstr(c->message));
    run_until(&r.challenge_count, 1);
}

static void end_scram(struct scram_client *c)
{
    scram_client_final(c, view_cstr(r.challenge), "pencil", VIEW_EMPTY);
    const struct msg_auth_step step = {.session = 5, .response = view_cstr(c->message)};
    cr_assert(eq(int, CHAN_SEND(r.smtp, auth_step, 0, &step), MSA_OK));
    run_until(&r.done_count, 1);
}

Test(auth_role, scram_over_the_channel, .init = setup, .fini = teardown)
{
    struct scram_client c;
    ask("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}");
    begin_scram(&c);
    end_scram(&c);
    cr_assert(eq(int, (int)r.done.result, (int)AUTH_OK));
    cr_assert(scram_client_trusts(&c, view_cstr(r.final_challenge)));
}

/* Every session is told, and behind its own sign-in. */
Test(auth_role, a_password_that_ends_is_told_to_the_sessions, .init = setup, .fini = teardown)
{
    static const struct {
        const char *op, *args;
        bool is_all;
    } cases[] = {
        {"account.sign-in-rules", "{\"login\":\"taro\",\"app_passwords_only\":true}", false},
        {"account.passwd", "{\"login\":\"taro\",\"password\":\"another\"}", true},
        {"account.disable", "{\"login\":\"taro\"}", true},
        {"account.remove", "{\"login\":\"taro\"}", true},
    };
    ask("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}");
    ask("account.sign-in-rules", "{\"login\":\"taro\",\"app_passwords_only\":false}");
    cr_assert(eq(int, r.revoked_count, 0));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cr_assert(eq(uint, ask(cases[i].op, cases[i].args), 200));
        run_until(&r.revoked_count, (int)i + 1);
        cr_assert(eq(u64, r.revoked.account, 1));
        cr_assert(eq(u64, r.revoked.credential, 0));
        cr_assert(eq(int, r.revoked.is_all, cases[i].is_all), "%s", cases[i].op);
    }
    ask("account.remove", "{\"login\":\"nobody\"}");
    ask("auth.status", "");
    cr_assert(eq(int, r.revoked_count, 4));
}

Test(auth_role, an_import_that_replaces_ends_sessions_where_something_changes, .init = setup, .fini = teardown)
{
#define OLD "$2b$05$CCCCCCCCCCCCCCCCCCCCC.ThbqWIWsyNQG40LT5B7LrnncmuqVy8C"
    ask("account.add", "{\"login\":\"hana\",\"password\":\"x\"}");
    cr_assert(eq(uint, ask("account.add", "{\"login\":\"taro\",\"hash\":\"" OLD "\"}"), 201));
    cr_assert(eq(uint, ask("account.import", "{\"lines\":[\"taro:{PLAIN}new\",\"jiro:{PLAIN}new\"]}"), 200));
    cr_assert(eq(uint, ask("account.import", "{\"replace\":true,\"lines\":[\"taro:" OLD "\",\"new:{PLAIN}x\"]}"), 200));
    ask("auth.status", "");
    cr_assert(eq(int, r.revoked_count, 0));
    cr_assert(eq(uint, ask("account.import", "{\"replace\":true,\"lines\":[\"taro:!" OLD "\"]}"), 200));
    run_until(&r.revoked_count, 1);
    cr_assert(eq(u64, r.revoked.account, 2));
    cr_assert(eq(uint, ask("account.import", "{\"replace\":true,\"lines\":[\"taro:{PLAIN}a\",\"hana:{PLAIN}b\"]}"), 200));
    run_until(&r.revoked_count, 3);
    cr_assert(eq(u64, r.revoked.account, 1));
    cr_assert(eq(int, r.revoked.is_all, 1));
}

/* No password of the account was shown, so none that ends takes it along by its number. */
Test(auth_role, a_certificate_is_no_password_of_the_account, .init = setup, .fini = teardown)
{
    struct msg_auth_start m = {.session = 1, .mechanism = VIEW_LIT("EXTERNAL"), .has_initial = true, .is_tls = true,
                               .certificate = VIEW_LIT("taro@example.jp")};
    take_config("auth { mechanisms PLAIN EXTERNAL; default_domain example.jp; threads 2; }\n");
    ask("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}");
    ask("account.sign-in-rules", "{\"login\":\"taro\",\"app_passwords_only\":true}");
    cr_assert(ipaddr_parse(VIEW_LIT("192.0.2.1"), &m.client_ip));
    cr_assert(eq(int, CHAN_SEND(r.smtp, auth_start, 0, &m), MSA_OK));
    run_until(&r.done_count, 1);
    cr_assert(eq(int, (int)r.done.result, (int)AUTH_OK));
    cr_assert(r.done.credential == IPC_CREDENTIAL_ELSEWHERE);
    cr_assert(eq(int, (int)plain(TARO_PENCIL), (int)AUTH_NOT_THIS_PASSWORD));
}

/* The verifier was read when the exchange began: the proof is right, and is of a password that holds no longer. */
Test(auth_role, a_password_that_ends_in_the_middle_of_an_exchange_opens_nothing, .init = setup, .fini = teardown)
{
    struct scram_client c;
    ask("account.add", "{\"login\":\"taro\",\"password\":\"pencil\"}");
    begin_scram(&c);
    ask("account.passwd", "{\"login\":\"taro\",\"password\":\"another\"}");
    end_scram(&c);
    cr_assert(eq(int, (int)r.done.result, (int)AUTH_UNAVAILABLE));
    cr_assert(eq(str, r.final_challenge, ""));
}

/* $2b$ today, SCRAM from the next good sign-in on, also after a restart. */
Test(auth_role, an_imported_hash_becomes_a_verifier, .init = setup, .fini = teardown)
{
    cr_assert(eq(uint,
                 ask("account.import",
                     "{\"lines\":[\"taro:$2b$05$CCCCCCCCCCCCCCCCCCCCC."
                     "ThbqWIWsyNQG40LT5B7LrnncmuqVy8C\"]}"),
                 200));
    ask("account.show", "{\"login\":\"taro\"}");
    cr_assert(strstr(r.json, "\"secret\":\"bcrypt\"") != NULL);
    cr_assert(eq(int, (int)plain(TARO_PENCIL), (int)AUTH_OK));
    ask("account.enable", "{\"login\":\"taro\"}"); /* behind the upgrade in the writer's queue */
    ask("account.show", "{\"login\":\"taro\"}");
    cr_assert(strstr(r.json, "\"secret\":\"scram-sha-256\"") != NULL, "%s", r.json);
    end_role();
    begin();
    ask("account.show", "{\"login\":\"taro\"}");
    cr_assert(strstr(r.json, "\"secret\":\"scram-sha-256\"") != NULL);
    cr_assert(eq(int, (int)plain(TARO_PENCIL), (int)AUTH_OK));
}

Test(auth_role, a_new_configuration_is_in_force_at_once, .init = setup, .fini = teardown)
{
    start(1, "LOGIN", VIEW_EMPTY);
    run_until(&r.challenge_count, 1);
    take_config(CONFIG_PLAIN_ONLY);
    start(2, "LOGIN", VIEW_EMPTY);
    run_until(&r.done_count, 1);
    cr_assert(eq(int, (int)r.done.result, (int)AUTH_NO_MECHANISM));
    cr_assert(eq(u64, r.done.session, 2));
}

Test(auth_role, a_worker_that_breaks_the_rules_loses_its_channel, .init = setup, .fini = teardown)
{
    start(1, "LOGIN", VIEW_EMPTY);
    start(1, "LOGIN", VIEW_EMPTY); /* a session signs in once at a time */
    run_until(&r.closed_count, 1);
    cr_assert(not(chan_is_open(r.auth_for_smtp)));
    cr_assert(eq(uint, ask("auth.status", "{}"), 200)); /* the others are served */
    cr_assert(strstr(r.json, "\"running\":0") != NULL, "%s", r.json);
}

static void on_drained(void *arg, uint32_t left_over)
{
    (void)arg;
    r.left_over = left_over;
    r.drained_count++;
}

Test(auth_role, drain_waits_for_exchanges_but_not_for_ever, .init = setup, .fini = teardown)
{
    struct msg_auth_abort abort_message = {.session = 1};
    start(1, "LOGIN", VIEW_EMPTY);
    run_until(&r.challenge_count, 1);
    auth_role.drain(r.state, 60000, on_drained, NULL);
    start(2, "LOGIN", VIEW_EMPTY);
    run_until(&r.done_count, 1);
    cr_assert(eq(int, (int)r.done.result, (int)AUTH_UNAVAILABLE));
    cr_assert(eq(int, r.drained_count, 0));
    cr_assert(eq(int, CHAN_SEND(r.smtp, auth_abort, 0, &abort_message), MSA_OK));
    run_until(&r.drained_count, 1);
    cr_assert(eq(uint, r.left_over, 0));
}

Test(auth_role, drain_ends_at_its_time, .init = setup, .fini = teardown)
{
    start(1, "LOGIN", VIEW_EMPTY);
    run_until(&r.challenge_count, 1);
    auth_role.drain(r.state, 1, on_drained, NULL);
    run_until(&r.drained_count, 1);
    cr_assert(eq(uint, r.left_over, 1));
}

Test(auth_role, close_with_everything_under_way, .init = setup, .fini = teardown)
{
    struct msg_admin_ask m = {.op = VIEW_LIT("auth.status"), .json = VIEW_LIT("{}")};
    for (uint64_t i = 0; i < 20; i++)
        start(i, "PLAIN", TARO_PENCIL);
    cr_assert(eq(int, CHAN_SEND(r.console, admin_ask, 7, &m), MSA_OK));
    loop_run_once(r.loop, true);
    end_role();
    cr_assert(r.state == NULL);
}

Test(auth_role, a_store_that_cannot_be_opened_is_an_error)
{
    void *state = NULL;
    struct loop *loop = loop_new();
    struct role_env env = {.loop = loop, .state_dir = "/nonexistent/msad"};
    cr_assert(lt(int, auth_role.open(&env, &state), 0));
    cr_assert(state == NULL);
    loop_free(&loop);
}
