/* A password that was typed at a page, and the code of an authenticator: auth says whether they are right, policy what
 * follows. */
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/secret.h"
#include "msa/console/api_call.h"
#include "msa/console/user_agent.h"

#define CHECKS_AT_ONCE_MAX 32 /* each costs auth a key derivation, which mail waits for, too */
#define DELAY_MAX_MS       30000

struct check {
    struct api_call *call;
    password_checked_fn *fn;
    struct password_outcome outcome;
    json_t *verified; /* what auth said of the password, while the code is looked at */
    int64_t began_ms;
    bool proves;
};

static json_t *code_of(const struct check *k)
{
    return json_object_get(k->call->args, "code");
}

static void finish(struct check *k)
{
    struct check done = *k;
    json_decref(k->verified);
    free(k);
    done.fn(done.call, &done.outcome);
}

static void on_waited(void *arg)
{
    finish(arg);
}

static void finish_after(struct check *k, int64_t delay_ms)
{
    k->call->console->sign_ins--; /* who waits costs nobody anything */
    int64_t since_ms = clock_mono_ms() - k->began_ms;
    /* Who is asked for a code has been told that the password is right: there is nothing to hide in time. */
    bool is_told = k->outcome.is_allowed || (k->outcome.is_code_asked && !code_of(k));
    int64_t least_ms = is_told ? 0 : k->call->console->config->auth.failure_delay_ms - since_ms;
    delay_ms = delay_ms > least_ms ? delay_ms : least_ms;
    delay_ms = delay_ms < DELAY_MAX_MS ? delay_ms : DELAY_MAX_MS;
    timer_init(&k->call->timer, on_waited, k);
    if (delay_ms <= 0 || timer_start(&k->call->timer, k->call->console->loop, delay_ms) < 0)
        finish(k);
}

static void on_judged(void *arg, unsigned status, struct view json)
{
    struct check *k = arg;
    json_t *o = json_loadb(json.n ? json.p : "", json.n, 0, NULL);
    k->outcome.is_allowed = status == 200 && json_is_true(json_object_get(o, "allow"));
    k->outcome.is_code_asked = status == 200 && json_is_true(json_object_get(o, "ask_code"));
    k->outcome.status = status == 200 && !json_is_true(json_object_get(o, "defer")) ? 0 : 503;
    int64_t delay_ms = json_integer_value(json_object_get(o, "delay_ms"));
    json_decref(o);
    finish_after(k, delay_ms);
}

static void ask(struct check *k, const char *op, json_t *args, console_answer_fn *fn)
{
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    json_decref(args);
    if (text) {
        console_ask(k->call->console, console_op_find(view_cstr(op)), VIEW_LIT("console"), view_cstr(text), fn, k);
        secret_wipe(text, strlen(text));
    } else {
        k->outcome.status = 503;
        finish_after(k, 0);
    }
    free(text);
}

/* Policy hears of every outcome: it counts failures, and has the last word on success. `o` is taken over. */
static void judge(struct check *k, json_t *o)
{
    char ip[IPADDR_TEXT_MAX], agent[USER_AGENT_SHORT_MAX];
    ipaddr_format(http_request_ip(k->call->request), ip);
    json_object_set_new(o, "ip", json_string(ip));
    user_agent_short(http_request_header(k->call->request, "User-Agent"), agent);
    json_t *program = json_string(agent); /* NULL: no UTF-8 */
    json_object_set_new(o, "program", program ? program : json_string(""));
    if (k->proves)
        json_object_set_new(o, "proves", json_true());
    ask(k, "sign_in.judge", o, on_judged);
}

/* A missing or wrong code is a failure, as a wrong password is. */
static void judge_without_code(struct check *k, json_t *o)
{
    json_object_set_new(o, "is_good", json_false());
    json_object_set_new(o, "is_code_missing", json_true());
    judge(k, o);
}

static void on_code(void *arg, unsigned status, struct view json)
{
    struct check *k = arg;
    json_t *answer = json_loadb(json.n ? json.p : "", json.n, 0, NULL), *o = k->verified;
    bool is_good = status == 200 && json_is_true(json_object_get(answer, "is_good"));
    k->verified = NULL;
    if (status == 200)
        json_object_set(o, "wrong_password", json_object_get(answer, "wrong_code"));
    json_decref(answer);
    if (status != 200) {
        json_decref(o);
        k->outcome.status = 503;
        finish_after(k, 0);
    } else if (is_good) {
        judge(k, o);
    } else {
        judge_without_code(k, o);
    }
}

static void check_code(struct check *k, json_t *o)
{
    k->verified = o;
    ask(k, "totp.check", json_pack("{s:O, s:O}", "login", json_object_get(o, "login"), "code", code_of(k)), on_code);
}

static void on_verified(void *arg, unsigned status, struct view json)
{
    struct check *k = arg;
    json_t *o = json_loadb(json.n ? json.p : "", json.n, 0, NULL);
    const char *login = json_string_value(json_object_get(o, "login"));
    if (status != 200 || !login) {
        json_decref(o);
        k->outcome.status = 503;
        finish_after(k, 0);
        return;
    }
    (void)view_to_cstr(view_cstr(login), k->outcome.login, sizeof k->outcome.login);
    /* A session that proves its password again has given its code. */
    bool is_code_needed = !k->proves && json_is_true(json_object_get(o, "is_code_needed"));
    if (!is_code_needed)
        judge(k, o);
    else if (code_of(k))
        check_code(k, o);
    else
        judge_without_code(k, o);
}

void password_check(struct api_call *call, const char *login, const char *password, bool proves,
                    password_checked_fn *fn)
{
    struct console *c = call->console;
    struct check *k = c->sign_ins < CHECKS_AT_ONCE_MAX ? calloc(1, sizeof *k) : NULL;
    if (!k) {
        http_add_header(call->request, "Retry-After", VIEW_LIT("5"));
        api_fail(call, 429, NULL, "too many sign in at this moment: try again in some seconds");
        return;
    }
    c->sign_ins++;
    *k = (struct check){.call = call, .fn = fn, .began_ms = clock_mono_ms(), .proves = proves};
    ask(k, "sign_in.verify", json_pack("{s:s, s:s}", "login", login, "password", password), on_verified);
}
