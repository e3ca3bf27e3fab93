#include "msa/console/audit.h"

#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/log.h"
#include "msa/console/event_streams.h"

struct adding {
    audit_fn *fn;
    void *arg;
};

static void log_entry(const struct audit_entry *e)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_INFO, "audit");
    log_view(&l, "op", e->op);
    log_view(&l, "actor", e->actor);
    log_ip(&l, "ip", e->from);
    log_view(&l, "target", e->target);
    log_view(&l, "why", e->why);
    log_num(&l, "status", (int64_t)e->status);
    log_end(&l);
}

void audit_name_account(const json_t *answer, char *target, size_t target_size)
{
    struct view login = view_cstr(json_string_value(json_object_get(answer, "login")));
    if (login.n > 0 && login.n < target_size)
        (void)view_to_cstr(login, target, target_size);
}

static void log_lost(void)
{
    log_msg(LOG_LEVEL_ERROR, "audit-lost", "a change could not be recorded durably: its line in the log is all there is");
}

static void on_added(void *arg, unsigned status, struct view json)
{
    struct adding a = *(struct adding *)arg;
    free(arg);
    (void)json;
    if (status != 200)
        log_lost();
    a.fn(a.arg);
}

static json_t *args_of(const struct audit_entry *e)
{
    char ip[IPADDR_TEXT_MAX] = "";
    if (!ipaddr_is_none(e->from))
        ipaddr_format(e->from, ip);
    return json_pack("{s:s%, s:s, s:s%, s:s%, s:s%, s:i}", "actor", e->actor.n ? e->actor.p : "", e->actor.n,
                     "from", ip, "op", e->op.n ? e->op.p : "", e->op.n, "target",
                     e->target.n ? e->target.p : "", e->target.n, "why", e->why.n ? e->why.p : "", e->why.n,
                     "status", (int)e->status);
}

static json_t *event_of(json_t *args)
{
    json_t *o = json_copy(args);
    if (o)
        json_object_set_new(o, "at_ms", json_integer(clock_wall_ms()));
    return o;
}

void audit_add(struct console *c, const struct audit_entry *e, audit_fn *fn, void *arg)
{
    log_entry(e);
    struct adding *a = malloc(sizeof *a);
    json_t *args = args_of(e);
    event_streams_tell(c, NEWS_CHANGE, event_of(args));
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    json_decref(args);
    if (a && text) {
        *a = (struct adding){fn, arg};
        console_ask(c, console_op_find(VIEW_LIT("audit.add")), e->actor, view_cstr(text), on_added, a);
    } else {
        free(a);
        log_lost();
        fn(arg);
    }
    free(text);
}
