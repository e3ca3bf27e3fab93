/* The end in order: no new connections, sessions finish their transaction, relay finishes what it is
 * delivering, then the rest goes. Each stage is over when all of its roles have answered or are
 * gone; the whole has the time of `deadlines.drain`, and whoever is left then is simply closed (what was
 * acknowledged is in the queue, what was not is the client's still). */
#include "msa/proc/supervisor_private.h"

#include <inttypes.h>
#include <stdio.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"

/* Who answers stays until those are done who ask. */
static const unsigned stages[] = {
    ROLE_SMTP,
    ROLE_RELAY,
    ROLE_AUTH | ROLE_POLICY | ROLE_SCORE | ROLE_CONSOLE,
};

#define STAGE_COUNT (sizeof stages / sizeof stages[0])

#define LAST_STAGES_MS    2000  /* kept back for them, however long the sessions take */
#define LAST_PROCESSES_MS 10000 /* for those that must be killed */

static void end_all(struct supervisor *sup)
{
    bool is_any_left = false;
    timer_stop(&sup->drain.timer);
    sup->phase = SUPERVISOR_ENDING;
    for (size_t i = 0; i < sup->worker_count; i++) {
        worker_end(&sup->workers[i]);
        is_any_left = is_any_left || sup->workers[i].pid != 0;
    }
    if (!is_any_left)
        loop_stop(sup->loop);
}

static bool is_stage_done(const struct supervisor *sup)
{
    for (size_t i = 0; i < sup->worker_count; i++) {
        const struct worker *w = &sup->workers[i];
        if ((w->spec->role & stages[sup->drain.stage]) && w->state == WORKER_READY)
            return false;
    }
    return true;
}

static void begin_stage(struct supervisor *sup);

static void go_on_if_done(struct supervisor *sup)
{
    if (sup->phase != SUPERVISOR_DRAINING || !is_stage_done(sup))
        return;
    sup->drain.stage++;
    if (sup->drain.stage == STAGE_COUNT)
        end_all(sup);
    else
        begin_stage(sup);
}

static void on_drained(void *arg, struct chan_message *m, int err)
{
    struct worker *w = arg;
    struct msg_boot_drain_answer answer = {0};
    struct log_line l;
    bool is_done = m && msg_boot_drain_answer_decode(m->payload, &answer) == MSA_OK;
    log_begin(&l, is_done && answer.left_over == 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
              "role-drained");
    log_str(&l, "role", role_name(w->spec->role));
    log_num(&l, "index", w->index);
    log_num(&l, "left_over", answer.left_over);
    log_str(&l, "text", is_done ? NULL : msa_strerror(err));
    log_end(&l);
    if (w->state == WORKER_READY)
        w->state = WORKER_DRAINED;
    go_on_if_done(w->sup);
}

static uint32_t time_left_ms(const struct supervisor *sup)
{
    int64_t left = sup->drain.until_ms - clock_mono_ms();
    if (sup->drain.stage == 0)
        left -= LAST_STAGES_MS;
    return left > 0 ? (uint32_t)left : 1;
}

static void ask(struct worker *w)
{
    struct msg_boot_drain_ask m = {.within_ms = time_left_ms(w->sup)};
    if (w->state != WORKER_READY || !w->boot)
        return;
    if (CHAN_ASK(w->boot, boot_drain_ask, &m, m.within_ms, on_drained, w, NULL) < 0)
        w->state = WORKER_DRAINED;
}

static void begin_stage(struct supervisor *sup)
{
    for (size_t i = 0; i < sup->worker_count; i++)
        if (sup->workers[i].spec->role & stages[sup->drain.stage])
            ask(&sup->workers[i]);
    go_on_if_done(sup);
}

/* It was not there when its stage was asked. */
void drain_on_ready(struct worker *w)
{
    struct supervisor *sup = w->sup;
    for (unsigned i = 0; i <= sup->drain.stage; i++)
        if (w->spec->role & stages[i])
            ask(w);
    go_on_if_done(sup);
}

static void on_time_is_up(void *arg)
{
    struct supervisor *sup = arg;
    log_msg(LOG_LEVEL_WARN, "drain-timeout", "not everything was finished in time");
    end_all(sup);
}

/* TimeoutStopSec knows nothing of `drain`, which may be an hour. */
static void tell_systemd(const struct supervisor *sup, int64_t within_ms)
{
    char text[64];
    snprintf(text, sizeof text, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRId64, (within_ms + LAST_PROCESSES_MS) * 1000);
    systemd_notify(sup->notify_fd, text);
}

void drain_begin(struct supervisor *sup)
{
    if (supervisor_is_ending(sup)) { /* asked twice: somebody is in a hurry */
        if (sup->phase == SUPERVISOR_DRAINING)
            end_all(sup);
        return;
    }
    int64_t within_ms = sup->generation->config->deadlines.drain_ms + LAST_STAGES_MS;
    sup->phase = SUPERVISOR_DRAINING;
    reload_abort(sup);
    log_msg(LOG_LEVEL_INFO, "draining", "no new connections");
    tell_systemd(sup, within_ms);
    sockets_close(&sup->sockets);
    sup->drain.stage = 0;
    sup->drain.until_ms = clock_mono_ms() + within_ms;
    timer_init(&sup->drain.timer, on_time_is_up, sup);
    timer_start(&sup->drain.timer, sup->loop, within_ms);
    begin_stage(sup);
}

void drain_on_worker_gone(struct worker *w)
{
    struct supervisor *sup = w->sup;
    if (sup->phase == SUPERVISOR_DRAINING) {
        go_on_if_done(sup);
        return;
    }
    for (size_t i = 0; i < sup->worker_count; i++)
        if (sup->workers[i].pid != 0)
            return;
    loop_stop(sup->loop);
}
