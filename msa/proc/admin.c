/* What console may ask of the supervisor: how the processes are, what configuration is in force, and to read it again. */
#include "msa/ipc/admin.h"

#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/proc/supervisor_private.h"

const char *supervisor_phase_name(enum supervisor_phase phase)
{
    static const char *const names[] = {
        [SUPERVISOR_STARTING] = "starting",
        [SUPERVISOR_SERVING] = "serving",
        [SUPERVISOR_DRAINING] = "draining",
        [SUPERVISOR_ENDING] = "ending",
    };
    return names[phase];
}

static json_t *worker_status(const struct worker *w, int64_t now_ms)
{
    return json_pack("{s:s, s:i, s:i, s:s, s:i, s:I, s:I}", "role", role_name(w->spec->role),
                     "index", (int)w->index, "pid", (int)w->pid, "state",
                     worker_state_name(w->state), "restarts",
                     w->start_count > 0 ? (int)w->start_count - 1 : 0, "uptime_s",
                     w->pid != 0 ? (json_int_t)((now_ms - w->started_at_ms) / 1000) : 0,
                     "generation", (json_int_t)w->generation);
}

static void op_status(void *state, const struct admin_call *call)
{
    const struct worker *console = state;
    const struct supervisor *sup = console->sup;
    int64_t now_ms = clock_mono_ms();
    json_t *processes = json_array();
    for (size_t i = 0; i < sup->worker_count; i++)
        json_array_append_new(processes, worker_status(&sup->workers[i], now_ms));
    admin_reply(call->chan, call->id, 200,
                json_pack("{s:s, s:i, s:s, s:s, s:I, s:I, s:o}", "version", MSA_VERSION, "pid",
                          (int)getpid(), "phase", supervisor_phase_name(sup->phase), "config",
                          sup->path, "generation", (json_int_t)sup->generation_number, "uptime_s",
                          (json_int_t)((now_ms - sup->started_at_ms) / 1000), "processes",
                          processes));
}

static void op_reload(void *state, const struct admin_call *call)
{
    struct worker *console = state;
    reload_begin(console->sup, call->chan, call->id);
}

/* ---- the configuration in force ---- */

struct listing {
    json_t *settings;
    bool is_set_only; /* no defaults */
};

static void list_setting(void *arg, const struct config_setting *s)
{
    struct listing *l = arg;
    if (l->is_set_only && !s->file)
        return;
    json_t *o = json_pack("{s:s%, s:s, s:s%}", "block", s->block.n ? s->block.p : "", s->block.n, "key", s->key,
                          "value", s->value.n ? s->value.p : "", s->value.n);
    if (o && s->file)
        json_object_update_new(o, json_pack("{s:s, s:i}", "file", s->file, "line", (int)s->line));
    json_array_append_new(l->settings, o);
}

/* What a key marks as secret is not there, as in msad -T: no question leads to it. */
static void op_config(void *state, const struct admin_call *call)
{
    const struct worker *console = state;
    const struct supervisor *sup = console->sup;
    struct listing l = {.settings = json_array(), .is_set_only = !admin_flag(call->args, "all")};
    int err = config_each(sup->generation->config, list_setting, &l);
    json_t *result = json_pack("{s:s, s:I, s:o}", "file", sup->path, "generation",
                               (json_int_t)sup->generation_number, "settings", l.settings);
    if (err < 0) {
        json_decref(result);
        result = NULL;
    }
    admin_reply(call->chan, call->id, 200, result);
}

static const struct admin_op ops[] = {
    {"supervisor.status", op_status, false},
    {"supervisor.config", op_config, false},
    {"supervisor.reload", op_reload, true},
};

static int on_admin(void *owner, struct chan *c, struct chan_message *m)
{
    return admin_dispatch(ops, sizeof ops / sizeof ops[0], owner, c, m);
}

chan_handler_fn *const admin_handlers[IPC_TYPE_COUNT] = {
    [IPC_admin_ask] = on_admin,
};
