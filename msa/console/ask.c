/* One operation from question to answer. The roles know accounts by id, people by name: where an operation is about
 * an account, auth is asked first whose name it is. */
#include "msa/console/console_private.h"

#include <stdio.h>
#include <stdlib.h>

#include "msa/base/err.h"

#define NAMING_MANY_OP   "account.resolve"
#define NAMING_WITHIN_MS 1000

struct console_asking {
    struct console *console;
    const struct console_op *op;
    char actor[HTTP_ACTOR_MAX];
    json_t *args; /* NULL: not looked into, or sent */
    struct console_naming naming;
    console_answer_fn *fn;
    void *arg;
};

static void finish(struct console_asking *a, unsigned status, struct view json)
{
    a->fn(a->arg, status, json);
    json_decref(a->args);
    free(a);
}

static void fail(struct console_asking *a, unsigned status, const char *detail)
{
    json_t *o = json_pack("{s:s}", "detail", detail);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    finish(a, status, text ? view_cstr(text) : VIEW_LIT("{}"));
    free(text);
    json_decref(o);
}

/* No answer at all. */
static void fail_away(struct console_asking *a, int err)
{
    if (err == MSA_ETIMEOUT)
        fail(a, 504, "the role that knows gives no answer");
    else
        fail(a, 503, "the role that knows is away");
}

/* False: what came was no answer, and the asking is over. */
static bool take_answer(struct console_asking *a, struct chan_message *m, int err,
                        struct msg_admin_answer *out)
{
    if (!m)
        fail_away(a, err);
    else if (msg_admin_answer_decode(m->payload, out) < 0 || out->status < 200)
        fail(a, 502, "the role's answer does not decode");
    else
        return true;
    return false;
}

/* ---- the question itself ---- */

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct console_asking *a = arg;
    struct msg_admin_answer answer;
    if (take_answer(a, m, err, &answer))
        finish(a, answer.status, answer.json);
}

static void ask(struct console_asking *a, struct view json)
{
    struct chan *peer = console_peer(a->console, a->op->role);
    struct msg_admin_ask m = {
        .op = view_cstr(a->op->name), .actor = view_cstr(a->actor), .json = json};
    if (!peer || CHAN_ASK(peer, admin_ask, &m, a->op->within_ms, on_answer, a, NULL) < 0)
        fail_away(a, MSA_ECLOSED);
}

static void ask_with_args(struct console_asking *a)
{
    char *text = json_dumps(a->args, JSON_COMPACT);
    if (text)
        ask(a, view_cstr(text));
    else
        fail(a, 503, "out of memory");
    free(text);
}

/* ---- whose name it is ---- */

/* The name in its one form, so that policy hashes and records the same whatever was typed. */
static bool add_account(struct console_asking *a, const struct console_name *name)
{
    return json_object_set_new(a->args, "account", json_integer((json_int_t)name->account)) == 0 &&
           json_object_set_new(a->args, "login", json_stringn(name->login.p, name->login.n)) == 0 &&
           json_object_set_new(a->args, "created_ms", json_integer(name->created_ms)) == 0;
}

static void on_name(void *arg, const struct console_name *name)
{
    struct console_asking *a = arg;
    if (name->status == 200 && !add_account(a, name))
        fail(a, 503, "out of memory");
    else if (name->status == 200 || (console_name_is_nobodys(name) && a->op->about == ABOUT_ANY_NAME))
        ask_with_args(a);
    else
        fail(a, name->status, name->detail);
}

static bool add_accounts(struct console_asking *a, struct view json)
{
    json_t *answer = json_loadb(json.p, json.n, 0, NULL);
    json_t *accounts = json_object_get(answer, "accounts");
    json_t *missing = json_object_get(answer, "missing");
    bool is_good = json_is_array(accounts) && json_is_array(missing) &&
                   json_object_set(a->args, "accounts", accounts) == 0 &&
                   json_object_set(a->args, "missing", missing) == 0 &&
                   json_object_del(a->args, "logins") == 0;
    json_decref(answer);
    return is_good;
}

static void on_names(void *arg, struct chan_message *m, int err)
{
    struct console_asking *a = arg;
    struct msg_admin_answer answer;
    if (!take_answer(a, m, err, &answer))
        return;
    if (answer.status != 200)
        finish(a, answer.status, answer.json);
    else if (add_accounts(a, answer.json))
        ask_with_args(a);
    else
        fail(a, 502, "the role's answer does not decode");
}

static void ask_for_names(struct console_asking *a, const json_t *names)
{
    struct chan *auth = console_peer(a->console, ROLE_AUTH);
    json_t *args = json_pack("{s:O}", "logins", names);
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    struct msg_admin_ask m = {
        .op = VIEW_LIT(NAMING_MANY_OP), .actor = view_cstr(a->actor), .json = view_cstr(text)};
    if (!text)
        fail(a, 503, "out of memory");
    else if (!auth || CHAN_ASK(auth, admin_ask, &m, NAMING_WITHIN_MS, on_names, a, NULL) < 0)
        fail_away(a, MSA_ECLOSED);
    free(text);
    json_decref(args);
}

static void ask_for_name(struct console_asking *a, const json_t *name)
{
    if (a->op->about == ABOUT_ACCOUNTS)
        ask_for_names(a, name);
    else
        console_find_name(a->console, &a->naming, view_of(json_string_value(name), json_string_length(name)),
                          on_name, a);
}

/* ---- */

/* What is looked up; NULL: nothing. Whoever asks cannot say the answer himself. */
static const json_t *name_of(struct console_asking *a, struct view json)
{
    static const char *const ours[] = {"account", "created_ms", "accounts", "missing"};
    a->args = json_loadb(json.n ? json.p : "", json.n, JSON_REJECT_DUPLICATES, NULL);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        (void)json_object_del(a->args, ours[i]);
    if (a->op->about == ABOUT_ACCOUNTS)
        return json_object_get(a->args, "logins");
    const json_t *login = json_object_get(a->args, "login");
    return json_is_string(login) ? login : NULL;
}

void console_ask(struct console *c, const struct console_op *op, struct view actor,
                 struct view json, console_answer_fn *fn, void *arg)
{
    struct console_asking *a = calloc(1, sizeof *a);
    if (!a) {
        fn(arg, 503, VIEW_LIT("{\"detail\":\"out of memory\"}"));
        return;
    }
    *a = (struct console_asking){.console = c, .op = op, .fn = fn, .arg = arg};
    (void)view_to_cstr(actor, a->actor, sizeof a->actor); /* never longer: it is our own */
    const json_t *name = op->about == ABOUT_NO_ACCOUNT ? NULL : name_of(a, json);
    if (name)
        ask_for_name(a, name);
    else if (json_is_object(a->args))
        ask_with_args(a);
    else
        ask(a, json);
}
