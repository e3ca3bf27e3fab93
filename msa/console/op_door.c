/* Operations by their name over the control socket, as msactl asks for them: POST /api/v1/account.add with the
 * arguments as a JSON object. Who may connect there is an operator. What changes something is recorded as it is over
 * the routes; why is the argument "why", or "note" where the operation has one. */
#include <stdlib.h>
#include <string.h>

#include "msa/base/secret.h"
#include "msa/console/api.h"
#include "msa/console/audit.h"
#include "msa/console/event_streams.h"
#include "msa/console/problem.h"

struct op_request {
    struct console *console;
    struct http_request *request;
    const struct console_op *op;
    char why[501];
    char target[API_VALUE_MAX + 1];
    bool is_of_account; /* a login is among the arguments */
    unsigned status;
    char *answer;
};

static void send_answer(void *arg)
{
    struct op_request *q = arg;
    if (!q->answer)
        problem_answer(q->request, 503, "out of memory");
    else if (q->status >= 400)
        problem_answer_json(q->request, q->status, view_cstr(q->answer));
    else
        http_answer(q->request, q->status, "application/json", view_cstr(q->answer));
    if (q->answer)
        secret_wipe(q->answer, strlen(q->answer)); /* a new token stands in it, once */
    free(q->answer);
    free(q);
}

static void name_account(struct op_request *q, struct view json)
{
    json_t *o = q->is_of_account ? json_loadb(json.n ? json.p : "", json.n, 0, NULL) : NULL;
    audit_name_account(o, q->target, sizeof q->target);
    json_decref(o);
}

static void forget_what_ended(struct op_request *q)
{
    if (console_op_ends_sessions(q->op))
        (void)web_sessions_end_of(&q->console->sessions, view_cstr(q->target), NULL);
    if (strcmp(q->op->name, "token.remove") == 0)
        console_forget_tokens(q->console);
    event_streams_recheck(q->console);
}

static void on_answer(void *arg, unsigned status, struct view json)
{
    struct op_request *q = arg;
    q->status = status;
    q->answer = strndup(json.n ? json.p : "{}", json.n ? json.n : 2);
    if (!api_op_is_change(view_cstr(q->op->name))) {
        send_answer(q);
        return;
    }
    if (status < 400) {
        name_account(q, json);
        forget_what_ended(q);
    }
    const struct audit_entry e = {
        .actor = http_request_actor(q->request),
        .from = http_request_ip(q->request),
        .op = view_cstr(q->op->name),
        .target = view_cstr(q->target),
        .why = view_cstr(q->why),
        .status = status,
    };
    audit_add(q->console, &e, send_answer, q);
}

static void copy_text(const json_t *args, const char *key, char *out, size_t out_size)
{
    struct view text = view_cstr(json_string_value(json_object_get(args, key)));
    if (out[0] == '\0')
        (void)view_to_cstr(view_slice(text, 0, out_size - 1), out, out_size);
}

/* What stands in them for the record. "why" goes no further. */
static char *read_args(struct op_request *q, struct view body)
{
    json_t *args = json_loadb(body.n ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
    char *text = NULL;
    copy_text(args, "why", q->why, sizeof q->why);
    copy_text(args, "note", q->why, sizeof q->why);
    q->is_of_account = json_object_get(args, "login") != NULL;
    copy_text(args, "login", q->target, sizeof q->target);
    copy_text(args, "id", q->target, sizeof q->target);
    if (json_object_del(args, "why") == 0)
        text = json_dumps(args, JSON_COMPACT);
    json_decref(args);
    return text;
}

/* Auth keeps what it is given: which scopes there are is known here. */
static bool has_unknown_scope(const struct console_op *op, struct view body)
{
    size_t i;
    const json_t *one;
    bool is_unknown = false;
    if (strcmp(op->name, "token.add") != 0)
        return false;
    json_t *args = json_loadb(body.n ? body.p : "", body.n, 0, NULL);
    json_array_foreach(json_object_get(args, "scopes"), i, one) {
        is_unknown = is_unknown || api_scope_named(view_cstr(json_string_value(one))) == SCOPE_NONE;
    }
    json_decref(args);
    return is_unknown;
}

void console_op(struct console *c, struct http_request *r, const struct console_op *op)
{
    struct view body = http_request_body(r);
    struct op_request *q = body.n > op->body_max_bytes ? NULL : calloc(1, sizeof *q);
    if (!q) {
        problem_answer(r, body.n > op->body_max_bytes ? 413 : 503,
                       body.n > op->body_max_bytes ? "the arguments are longer than this operation takes"
                                                   : "out of memory");
        return;
    }
    if (has_unknown_scope(op, body)) {
        free(q);
        problem_answer(r, 422, "a scope is unknown: GET /api/v1/openapi.json names them all");
        return;
    }
    *q = (struct op_request){.console = c, .request = r, .op = op};
    char *changed = read_args(q, body);
    console_ask(c, op, http_request_actor(r), changed ? view_cstr(changed) : body, on_answer, q);
    if (changed)
        secret_wipe(changed, strlen(changed));
    free(changed);
}
