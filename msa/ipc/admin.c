#include "msa/ipc/admin.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/base/log.h"

#define DETAIL_MAX 512

static void send_text(struct chan *c, uint64_t id, unsigned status, struct view json)
{
    struct msg_admin_answer answer = {.status = (uint16_t)status, .json = json};
    if (CHAN_SEND(c, admin_answer, id, &answer) != MSA_ETOOBIG)
        return;
    answer = (struct msg_admin_answer){
        .status = 507, .json = VIEW_LIT("{\"detail\":\"the answer is too large; ask for less\"}")};
    CHAN_SEND(c, admin_answer, id, &answer);
}

void admin_reply(struct chan *c, uint64_t id, unsigned status, json_t *result)
{
    json_free_t release; /* a role may have given jansson an allocator of its own */
    json_get_alloc_funcs(NULL, &release);
    char *text = result ? json_dumps(result, JSON_COMPACT) : NULL;
    json_decref(result);
    if (text)
        send_text(c, id, status, view_cstr(text));
    else
        send_text(c, id, 503, VIEW_LIT("{\"detail\":\"out of memory\"}"));
    release(text);
}

void admin_refuse(struct chan *c, uint64_t id, unsigned status, const char *fmt, ...)
{
    char detail[DETAIL_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(detail, sizeof detail, fmt, ap);
    va_end(ap);
    admin_reply(c, id, status, json_pack("{s:s}", "detail", detail));
}

static const struct admin_op *find(const struct admin_table *tables, size_t table_count,
                                   struct view name)
{
    for (size_t t = 0; t < table_count; t++)
        for (size_t i = 0; i < tables[t].op_count; i++)
            if (view_eq(view_cstr(tables[t].ops[i].name), name))
                return &tables[t].ops[i];
    return NULL;
}

static void log_call(const struct admin_call *call)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_INFO, "admin-op");
    log_view(&l, "op", call->op);
    log_view(&l, "actor", call->actor);
    log_end(&l);
}

/* No arguments at all are an empty object. */
static json_t *parse_args(struct view json, json_error_t *error)
{
    return json.n == 0 ? json_object() : json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, error);
}

int admin_dispatch_tables(const struct admin_table *tables, size_t table_count, void *state,
                          struct chan *c, struct chan_message *m)
{
    struct msg_admin_ask ask;
    json_error_t error = {0};
    if (msg_admin_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    const struct admin_op *op = find(tables, table_count, ask.op);
    if (!op) {
        admin_refuse(c, m->id, 404, "there is no such operation");
        return MSA_OK;
    }
    struct admin_call call = {.chan = c, .id = m->id, .op = ask.op, .actor = ask.actor,
                              .args = parse_args(ask.json, &error)};
    if (!json_is_object(call.args)) {
        /* error.text would quote what stands there, which may be a password. */
        admin_refuse(c, m->id, 400, "arguments are to be one JSON object (line %d, column %d)",
                     error.line, error.column);
    } else {
        if (op->is_change)
            log_call(&call);
        op->fn(state, &call);
    }
    json_decref(call.args);
    return MSA_OK;
}

int admin_dispatch(const struct admin_op *ops, size_t op_count, void *state, struct chan *c,
                   struct chan_message *m)
{
    const struct admin_table table = {ops, op_count};
    return admin_dispatch_tables(&table, 1, state, c, m);
}

struct view admin_text(const json_t *args, const char *key)
{
    const json_t *value = json_object_get(args, key);
    return json_is_string(value) ? view_of(json_string_value(value), json_string_length(value))
                                 : VIEW_EMPTY;
}

int64_t admin_number(const json_t *args, const char *key, int64_t otherwise)
{
    const json_t *value = json_object_get(args, key);
    return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool admin_flag(const json_t *args, const char *key)
{
    return json_is_true(json_object_get(args, key));
}
