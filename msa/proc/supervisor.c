/* Start, signals and end of the supervisor. The parts with a life of their own stand beside it: worker.c
 * (a process), links.c (channels), reload.c, drain.c, admin.c; supervisor_private.h shows what they share. */
#include "msa/proc/supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/secret.h"
#include "msa/proc/supervisor_private.h"

#define START_ERROR_MAX 512

/* Before the log is known to work, and beside it afterwards: who started us shall see why not. */
static int refuse(const char *text)
{
    fprintf(stderr, "msad: %s\n", text);
    return MSA_EINVAL;
}

bool supervisor_is_ending(const struct supervisor *sup)
{
    return sup->phase >= SUPERVISOR_DRAINING;
}

void supervisor_fail(struct supervisor *sup)
{
    if (supervisor_is_ending(sup))
        return;
    refuse("a role could not start; the log says why");
    sup->exit_status = 1;
    sup->phase = SUPERVISOR_ENDING;
    for (size_t i = 0; i < sup->worker_count; i++)
        worker_end(&sup->workers[i]);
    for (size_t i = 0; i < sup->worker_count; i++)
        if (sup->workers[i].pid != 0)
            return; /* the last one's end stops the loop */
    loop_stop(sup->loop);
}

/* ---- ready ---- */

static bool is_all_ready(const struct supervisor *sup)
{
    for (size_t i = 0; i < sup->worker_count; i++)
        if (sup->workers[i].state != WORKER_READY)
            return false;
    return true;
}

/* Doors open only when everybody is in place: no client shall meet a 4xx because msad is young. */
static void open_doors(struct supervisor *sup)
{
    struct log_line l;
    for (size_t i = 0; i < sup->worker_count; i++)
        worker_send_sockets(&sup->workers[i], &sup->sockets, false);
    sup->phase = SUPERVISOR_SERVING;
    log_begin(&l, LOG_LEVEL_INFO, "serving");
    log_str(&l, "version", MSA_VERSION);
    log_num(&l, "processes", (int64_t)sup->worker_count);
    log_num(&l, "after_ms", clock_mono_ms() - sup->started_at_ms);
    log_end(&l);
    systemd_notify(sup->notify_fd, "READY=1\nSTATUS=serving");
    reload_begin_if_due(sup);
}

static void on_late_config(void *arg, struct chan_message *m, int err)
{
    struct worker *w = arg;
    struct msg_boot_config_answer answer;
    (void)err;
    if (m && msg_boot_config_answer_decode(m->payload, &answer) == MSA_OK && answer.is_taken)
        w->generation = answer.generation;
}

void supervisor_on_ready(struct worker *w)
{
    struct supervisor *sup = w->sup;
    links_make_all(w);
    if (sup->phase == SUPERVISOR_STARTING) {
        if (is_all_ready(sup))
            open_doors(sup);
        return;
    }
    if (sup->phase == SUPERVISOR_DRAINING)
        drain_on_ready(w);
    if (sup->phase != SUPERVISOR_SERVING)
        return;
    worker_send_sockets(w, &sup->sockets, false);
    supervisor_catch_up(w);
}

void supervisor_catch_up(struct worker *w)
{
    struct supervisor *sup = w->sup;
    if (w->state == WORKER_READY && w->generation != sup->generation_number &&
        sup->phase == SUPERVISOR_SERVING && !sup->reload.is_on)
        worker_send_config(w, sup->generation, sup->generation_number, on_late_config);
}

/* ---- signals ---- */

void supervisor_reopen_log(struct supervisor *sup)
{
    struct logfile next;
    if (logfile_open(&sup->generation->config->log, &next) < 0) {
        log_msg(LOG_LEVEL_ERROR, "log-not-opened", "the log stays where it was: %s",
                strerror(errno));
        return;
    }
    log_set_target(next.target, next.fd);
    log_set_level(next.level);
    logfile_close(&sup->log);
    sup->log = next;
    for (size_t i = 0; i < sup->worker_count; i++)
        worker_send_log(&sup->workers[i]);
}

static void on_signal(void *arg, int signo)
{
    struct supervisor *sup = arg;
    if (signo == SIGHUP)
        reload_begin(sup, NULL, 0);
    else if (signo == SIGUSR1)
        supervisor_reopen_log(sup);
    else
        drain_begin(sup);
}

static void on_child_exit(void *arg, int pid, int status)
{
    struct supervisor *sup = arg;
    for (size_t i = 0; i < sup->worker_count; i++)
        if (sup->workers[i].pid == pid) {
            worker_on_exit(&sup->workers[i], status);
            return;
        }
}

static int watch_signals(struct supervisor *sup)
{
    static const int signals[] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        int err = loop_on_signal(sup->loop, signals[i], on_signal, sup);
        if (err < 0)
            return err;
    }
    return loop_on_child_exit(sup->loop, on_child_exit, sup);
}

/* ---- start ---- */

static int load_config(struct supervisor *sup)
{
    struct buf report;
    buf_init(&report, GENERATION_REPORT_MAX);
    int err = generation_load(sup->path, &sup->generation, &report);
    if (err < 0)
        fwrite(buf_view(&report).p, 1, buf_view(&report).n, stderr);
    buf_fini(&report);
    sup->generation_number = 1;
    return err;
}

static int open_log(struct supervisor *sup)
{
    const struct config_log *settings = &sup->generation->config->log;
    char error[START_ERROR_MAX];
    if (logfile_open(settings, &sup->log) < 0) {
        snprintf(error, sizeof error, "cannot open the log %.200s: %s", settings->file,
                 strerror(errno));
        return refuse(error);
    }
    log_setup("supervisor", 0, sup->log.level);
    log_set_target(sup->log.target, sup->log.fd);
    return MSA_OK;
}

/* As many descriptors as the kernel lets us have; roles inherit it. */
static void raise_limits(void)
{
    struct rlimit files;
    const struct rlimit no_core = {0, 0}; /* a core of ours holds keys and mail */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    setrlimit(RLIMIT_CORE, &no_core);
}

static int open_sockets(struct supervisor *sup)
{
    const struct sockets none = {.count = 0};
    char error[SOCKETS_ERROR_MAX];
    int err = sockets_prepare(&none, &sup->given, sup->generation->config, &sup->sockets, error);
    return err < 0 ? refuse(error) : MSA_OK;
}

static int make_ticket_keys(struct supervisor *sup)
{
    char *at = buf_reserve(&sup->ticket_keys, TICKET_KEYS_BYTES);
    if (!at)
        return MSA_ENOMEM;
    secret_random(at, TICKET_KEYS_BYTES);
    buf_commit(&sup->ticket_keys, TICKET_KEYS_BYTES);
    return MSA_OK;
}

static int prepare_worker(struct worker *w)
{
    const struct config *cfg = w->sup->generation->config;
    char error[START_ERROR_MAX];
    int err = spawn_user_find(role_user(w->spec, cfg), &w->user, error);
    if (err == MSA_OK && w->spec->has_state_dir)
        err = dirs_make_state(cfg, role_name(w->spec->role), &w->user, w->state_dir, error);
    if (err == MSA_OK && w->spec->role == ROLE_CONSOLE && w->user.is_changed) {
        err = sockets_own_console(&w->sup->sockets, w->user.uid, w->user.gid);
        if (err < 0)
            snprintf(error, sizeof error, "cannot own %.200s", cfg->console.socket);
    }
    return err < 0 ? refuse(error) : MSA_OK;
}

static int make_workers(struct supervisor *sup)
{
    const struct config *cfg = sup->generation->config;
    size_t most = 0;
    for (size_t i = 0; i < role_spec_count; i++)
        most += role_process_count(&role_specs[i], cfg);
    sup->workers = calloc(most, sizeof *sup->workers);
    if (!sup->workers)
        return MSA_ENOMEM;
    for (size_t i = 0; i < role_spec_count; i++) {
        unsigned count = role_process_count(&role_specs[i], cfg);
        for (unsigned k = 0; k < count; k++)
            worker_init(&sup->workers[sup->worker_count++], sup, &role_specs[i], k);
    }
    for (size_t i = 0; i < sup->worker_count; i++) {
        int err = prepare_worker(&sup->workers[i]);
        if (err < 0)
            return err;
    }
    return links_init(sup);
}

static void write_log(void *arg)
{
    (void)arg;
    log_flush();
}

static int make_dirs(struct supervisor *sup)
{
    char error[START_ERROR_MAX];
    int err = dirs_make_roots(sup->generation->config, error);
    if (err < 0)
        return refuse(error);
    sup->lock_fd = dirs_lock(sup->generation->config, error);
    if (sup->lock_fd >= 0)
        sup->roles_lock_fd = dirs_lock_roles(sup->generation->config, error);
    return sup->lock_fd < 0 || sup->roles_lock_fd < 0 ? refuse(error) : MSA_OK;
}

static int start(struct supervisor *sup)
{
    int err;
    sup->exe_fd = spawn_open_self();
    sup->notify_fd = systemd_notify_open();
    sup->loop = loop_new();
    if (sup->exe_fd == -1 || !sup->loop)
        return refuse("cannot open /proc/self/exe or make an event loop");
    if (systemd_take_sockets(&sup->given) < 0)
        return refuse("LISTEN_FDS does not make sense");
    raise_limits();
    if ((err = load_config(sup)) < 0 || (err = open_log(sup)) < 0 || (err = make_dirs(sup)) < 0 ||
        (err = open_sockets(sup)) < 0 || (err = make_ticket_keys(sup)) < 0 ||
        (err = make_workers(sup)) < 0 || (err = watch_signals(sup)) < 0)
        return err;
    loop_hook_add(sup->loop, LOOP_STAGE_LOG, &sup->log_hook, write_log, NULL);
    generation_log_expiry(sup->generation);
    generation_log_warnings(sup->generation);
    for (size_t i = 0; i < sup->worker_count; i++)
        worker_start(&sup->workers[i]);
    return MSA_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* systemd goes on listening there, and would not make the name again for the next msad. */
static bool is_console_given(const struct supervisor *sup)
{
    for (size_t i = 0; i < sup->given.count; i++)
        if (strcmp(sup->given.items[i].name, SOCKETS_CONSOLE) == 0)
            return true;
    return false;
}

static void fini(struct supervisor *sup)
{
    reload_abort(sup);
    for (size_t i = 0; i < sup->worker_count; i++)
        worker_fini(&sup->workers[i]);
    links_fini(sup);
    loop_hook_remove(&sup->log_hook);
    loop_free(&sup->loop); /* what was asked of workers is answered while they are there */
    free(sup->workers);
    sockets_close(&sup->sockets);
    buf_fini(&sup->ticket_keys);
    if (sup->generation && sup->lock_fd >= 0 && !is_console_given(sup))
        unlink(sup->generation->config->console.socket);
    generation_free(&sup->generation);
    log_flush();
    log_set_target(LOG_TO_FD, STDERR_FILENO);
    logfile_close(&sup->log);
    close_fd(sup->lock_fd);
    close_fd(sup->roles_lock_fd);
    close_fd(sup->exe_fd);
    close_fd(sup->notify_fd);
}

int supervisor_main(const char *path)
{
    struct supervisor sup = {
        .path = path,
        .exe_fd = -1,
        .lock_fd = -1,
        .roles_lock_fd = -1,
        .notify_fd = -1,
        .started_at_ms = clock_mono_ms(),
        .log = {.fd = -1},
    };
    umask(S_IRWXG | S_IRWXO);
    log_setup("supervisor", 0, LOG_LEVEL_INFO);
    buf_init_secret(&sup.ticket_keys, TICKET_KEYS_BYTES);
    int err = start(&sup);
    if (err < 0)
        sup.exit_status = 1;
    else
        loop_run(sup.loop);
    if (err == MSA_OK)
        log_msg(LOG_LEVEL_INFO, "ended", "status %d", sup.exit_status);
    fini(&sup);
    return sup.exit_status;
}
