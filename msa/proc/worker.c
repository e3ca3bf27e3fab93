/* One place in the supervisor's list: starts a process in it, tells it what it needs, sees it die. */
#include "msa/proc/supervisor_private.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msa/base/assert.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/proc/options.h"

#define RELOAD_WITHIN_MS 60000
#define END_WITHIN_MS    5000 /* from the end of its boot channel to SIGKILL */

const char *worker_state_name(enum worker_state state)
{
    static const char *const names[] = {
        [WORKER_DOWN] = "down",
        [WORKER_STARTING] = "starting",
        [WORKER_READY] = "ready",
        [WORKER_DRAINED] = "drained",
    };
    return names[state];
}

static void log_worker(enum log_level level, const char *event, const struct worker *w,
                       const char *text)
{
    struct log_line l;
    log_begin(&l, level, event);
    log_str(&l, "role", role_name(w->spec->role));
    log_num(&l, "index", w->index);
    log_num(&l, "pid", w->pid);
    log_str(&l, "text", text);
    log_end(&l);
}

/* One timer for whatever is next; it may run for the last matter still, and must not be forgotten in the loop. */
static void set_timer(struct worker *w, timer_fn *fn, int64_t ms)
{
    timer_stop(&w->timer);
    timer_init(&w->timer, fn, w);
    timer_start(&w->timer, w->sup->loop, ms);
}

/* ---- a process that must go ---- */

static void on_kill_timer(void *arg)
{
    struct worker *w = arg;
    if (w->pid == 0)
        return;
    log_worker(LOG_LEVEL_ERROR, "role-killed", w,
               w->boot ? "it was not ready in time" : "it did not end by itself");
    kill(w->pid, SIGKILL);
}

static void kill_after(struct worker *w, int64_t ms)
{
    set_timer(w, on_kill_timer, ms);
}

/* Twice as long as until the next look, which asks again. */
static void ask_systemd_for_time(const struct supervisor *sup)
{
    char text[64];
    if (sup->phase != SUPERVISOR_STARTING)
        return;
    snprintf(text, sizeof text, "EXTEND_TIMEOUT_USEC=%d", 2 * RESTART_LOOK_MS * 1000);
    systemd_notify(sup->notify_fd, text);
}

static void on_start_look(void *arg)
{
    struct worker *w = arg;
    int64_t cpu_ms = spawn_cpu_ms(w->pid);
    if (!restart_start_goes_on(clock_mono_ms() - w->started_at_ms, cpu_ms - w->start_cpu_ms)) {
        on_kill_timer(w);
        return;
    }
    w->start_cpu_ms = cpu_ms;
    log_worker(LOG_LEVEL_WARN, "role-starts-slowly", w, "it is busy, and is waited for");
    ask_systemd_for_time(w->sup);
    set_timer(w, on_start_look, RESTART_LOOK_MS);
}

static void close_channels(struct worker *w)
{
    if (w->control) {
        reload_forget_asker(w->sup, w->control);
        news_peer_down(&w->sup->news, w->control);
        chan_free(&w->control);
    }
    struct chan *boot = w->boot;
    w->boot = NULL; /* chan_free answers what was asked of it, and nobody shall ask more */
    if (boot)
        chan_free(&boot);
}

void worker_end(struct worker *w)
{
    w->state = WORKER_DOWN;
    close_channels(w);
    if (w->pid != 0)
        kill_after(w, END_WITHIN_MS);
    else
        timer_stop(&w->timer);
}

static void on_boot_closed(void *owner, struct chan *chan)
{
    struct worker *w = owner;
    (void)chan;
    worker_end(w); /* mostly it is dead already, and its exit status is on the way */
}

/* ---- what it says ---- */

static int on_ready(void *owner, struct chan *chan, struct chan_message *m)
{
    struct worker *w = owner;
    struct msg_boot_ready ready;
    (void)chan;
    if (msg_boot_ready_decode(m->payload, &ready) < 0 || w->state != WORKER_STARTING)
        return MSA_EPROTO;
    timer_stop(&w->timer);
    w->state = WORKER_READY;
    w->was_ready = true;
    log_worker(LOG_LEVEL_INFO, "role-ready", w, NULL);
    news_tell(&w->sup->news, NEWS_PROCESS_UP,
               json_pack("{s:s, s:i}", "process", role_name(w->spec->role), "number", (int)w->index));
    supervisor_on_ready(w);
    return MSA_OK;
}

static int on_peer_lost(void *owner, struct chan *chan, struct chan_message *m)
{
    struct worker *w = owner;
    struct msg_boot_peer_lost lost;
    (void)chan;
    if (msg_boot_peer_lost_decode(m->payload, &lost) < 0)
        return MSA_EPROTO;
    links_note_break(w, lost.link);
    return MSA_OK;
}

static chan_handler_fn *const boot_handlers[IPC_TYPE_COUNT] = {
    [IPC_boot_ready] = on_ready,
    [IPC_boot_peer_lost] = on_peer_lost,
};

/* ---- what it is told ---- */

static void send_hello(struct worker *w)
{
    const struct logfile *log = &w->sup->log;
    struct msg_boot_hello hello = {
        .version = IPC_VERSION,
        .role = (uint8_t)w->spec->role,
        .index = (uint16_t)w->index,
        .log_target = (uint8_t)log->target,
        .log_level = (uint8_t)log->level,
    };
    msg_boot_hello_encode(&hello, chan_begin(w->boot, IPC_boot_hello, 0));
    chan_attach_fd(w->boot, log->fd);
    chan_end(w->boot);
}

void worker_send_log(struct worker *w)
{
    const struct logfile *log = &w->sup->log;
    struct msg_boot_log next = {.log_target = (uint8_t)log->target,
                                .log_level = (uint8_t)log->level};
    if (!w->boot)
        return;
    msg_boot_log_encode(&next, chan_begin(w->boot, IPC_boot_log, 0));
    chan_attach_fd(w->boot, log->fd);
    chan_end(w->boot);
}

static void send_certificates(struct worker *w, const struct generation *g, uint64_t number)
{
    for (size_t i = 0; i < g->certificate_count; i++) {
        struct msg_boot_certificate m = {
            .generation = number,
            .position = (uint16_t)i,
            .chain_pem = buf_view(&g->certificates[i].chain),
            .key_pem = buf_view(&g->certificates[i].key),
        };
        CHAN_SEND(w->boot, boot_certificate, 0, &m);
    }
}

int worker_send_config(struct worker *w, const struct generation *g, uint64_t number,
                       chan_answer_fn *fn)
{
    struct buf text;
    struct msg_boot_config_ask ask = {.generation = number};
    if (!w->boot)
        return MSA_ECLOSED;
    if (w->spec->has_certificates &&
        (w->spec->role != ROLE_CONSOLE || g->config->console.https.count > 0))
        send_certificates(w, g, number);
    buf_init_secret(&text, CONFIG_TEXT_MAX_BYTES);
    int err = config_serialize(g->config, w->spec->config_role, &text);
    ask.text = buf_view(&text);
    if (err == MSA_OK)
        err = CHAN_ASK(w->boot, boot_config_ask, &ask,
                       w->state == WORKER_STARTING ? RESTART_START_MAX_MS : RELOAD_WITHIN_MS, fn, w, NULL);
    buf_fini(&text);
    return err;
}

void worker_send_sockets(struct worker *w, const struct sockets *sockets, bool only_new)
{
    if (!w->boot)
        return;
    for (size_t i = 0; i < sockets->count; i++) {
        const struct socket_entry *e = &sockets->items[i];
        struct msg_boot_listener m = {
            .listener = view_cstr(e->name), .ip = e->ip, .port = e->port};
        if (e->role != w->spec->role || (only_new && !e->is_new))
            continue;
        msg_boot_listener_encode(&m, chan_begin(w->boot, IPC_boot_listener, 0));
        chan_attach_fd(w->boot, e->fd);
        chan_end(w->boot);
    }
}

void worker_drop_sockets(struct worker *w, const struct sockets *now, const struct sockets *next)
{
    if (!w->boot)
        return;
    for (size_t i = 0; i < now->count; i++) {
        const struct socket_entry *e = &now->items[i];
        struct msg_boot_listener_gone m = {
            .listener = view_cstr(e->name), .ip = e->ip, .port = e->port};
        if (e->role == w->spec->role && !sockets_has(next, e))
            CHAN_SEND(w->boot, boot_listener_gone, 0, &m);
    }
}

/* ---- birth ---- */

static void on_first_config(void *arg, struct chan_message *m, int err)
{
    struct worker *w = arg;
    struct msg_boot_config_answer answer;
    (void)err;
    if (!m || msg_boot_config_answer_decode(m->payload, &answer) < 0)
        return; /* it dies of it, or is killed */
    w->generation = answer.generation;
    if (!answer.is_taken) {
        char text[512];
        view_to_cstr(view_slice(answer.why_not, 0, sizeof text - 1), text, sizeof text);
        log_worker(LOG_LEVEL_ERROR, "role-refused-config", w, text);
    }
}

static pid_t spawn(struct worker *w, int boot_fd)
{
    struct options_argv args;
    options_argv_make(w->spec->role, w->index, w->state_dir[0] ? w->state_dir : NULL, &args);
    struct spawn_settings settings = {
        .exe_fd = w->sup->exe_fd,
        .argv = args.argv,
        .user = &w->user,
        .boot_fd = boot_fd,
        .lock_fd = w->sup->roles_lock_fd,
    };
    return spawn_role(&settings);
}

static int launch(struct worker *w)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == -1)
        return MSA_EIO;
    w->pid = spawn(w, fds[1]);
    int saved_errno = errno;
    close(fds[1]);
    errno = saved_errno;
    if (w->pid == -1) {
        w->pid = 0;
        close(fds[0]);
        return MSA_EIO;
    }
    struct chan_settings settings = {
        .loop = w->sup->loop,
        .self = ROLE_SUPERVISOR,
        .peer = w->spec->role,
        .peer_index = w->index,
        .handlers = boot_handlers,
        .on_closed = on_boot_closed,
        .owner = w,
    };
    w->boot = chan_new(fds[0], &settings);
    return w->boot ? MSA_OK : MSA_ENOMEM;
}

static void on_start_timer(void *arg)
{
    worker_start(arg);
}

static void start_after(struct worker *w, int64_t ms)
{
    set_timer(w, on_start_timer, ms);
}

void worker_init(struct worker *w, struct supervisor *sup, const struct role_spec *spec,
                 unsigned index)
{
    *w = (struct worker){.sup = sup, .spec = spec, .index = index};
    timer_init(&w->timer, on_start_timer, w);
}

void worker_start(struct worker *w)
{
    MSA_ASSERT(w->pid == 0);
    w->started_at_ms = clock_mono_ms();
    w->start_count++;
    int err = launch(w);
    if (err < 0) {
        log_worker(LOG_LEVEL_ERROR, "role-not-started", w, strerror(errno));
        if (w->pid != 0)
            worker_end(w);
        else
            start_after(w, restart_after_ms(&w->restart, 0));
        return;
    }
    w->state = WORKER_STARTING;
    w->start_cpu_ms = 0;
    w->was_ready = false;
    set_timer(w, on_start_look, RESTART_LOOK_MS);
    send_hello(w);
    if (w->spec->role == ROLE_SMTP) {
        struct msg_boot_ticket_keys keys = {.keys = buf_view(&w->sup->ticket_keys)};
        CHAN_SEND(w->boot, boot_ticket_keys, 0, &keys);
    }
    if (worker_send_config(w, w->sup->generation, w->sup->generation_number, on_first_config) < 0)
        worker_end(w);
}

/* ---- death ---- */

static void log_exit(const struct worker *w, int status, int64_t wait_ms)
{
    struct log_line l;
    bool is_expected = supervisor_is_ending(w->sup);
    log_begin(&l, is_expected ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "role-ended");
    log_str(&l, "role", role_name(w->spec->role));
    log_num(&l, "index", w->index);
    log_num(&l, "pid", w->pid);
    if (WIFSIGNALED(status))
        log_num(&l, "signal", WTERMSIG(status));
    else
        log_num(&l, "status", WEXITSTATUS(status));
    log_num(&l, "lived_ms", clock_mono_ms() - w->started_at_ms);
    if (!is_expected)
        log_num(&l, "again_in_ms", wait_ms);
    log_end(&l);
}

void worker_on_exit(struct worker *w, int status)
{
    int64_t lived_ms = w->was_ready ? clock_mono_ms() - w->started_at_ms : 0;
    int64_t wait_ms = restart_after_ms(&w->restart, lived_ms);
    log_exit(w, status, wait_ms);
    w->pid = 0;
    worker_end(w);
    w->generation = 0;
    if (supervisor_is_ending(w->sup)) {
        drain_on_worker_gone(w);
    } else if (w->sup->phase == SUPERVISOR_STARTING) {
        supervisor_fail(w->sup);
    } else {
        news_tell(&w->sup->news, NEWS_PROCESS_DOWN,
                   json_pack("{s:s, s:i, s:I}", "process", role_name(w->spec->role), "number", (int)w->index,
                             "again_in_ms", (json_int_t)wait_ms));
        if (restart_is_loop(&w->restart))
            log_worker(LOG_LEVEL_ERROR, "role-crash-loop", w, "it keeps dying early");
        start_after(w, wait_ms);
    }
}

void worker_fini(struct worker *w)
{
    close_channels(w);
    timer_stop(&w->timer);
}
