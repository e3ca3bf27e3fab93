/* The loop over libev: turns, end-of-turn hooks, watches on descriptors, wake-ups from threads.
 *
 * libev brings epoll and nothing else: timers are ours (timer.c), because tests set the clock and because
 * a set of 100,000 moved at every command wants a compact heap. One ev_timer ends the wait. */
#include "msa/io/loop.h"

#include <signal.h>
#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/io/loop_private.h"

static void on_woken(struct ev_loop *ev, ev_check *w, int revents)
{
    (void)ev, (void)w, (void)revents;
    clock_update();
}

/* Its only use is that the wait is over. */
static void on_alarm(struct ev_loop *ev, ev_timer *w, int revents)
{
    (void)ev, (void)revents;
    struct loop *loop = w->data;
    loop->alarm_at_ms = INT64_MAX;
}

struct loop *loop_new(void)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    /* NOENV: LIBEV_FLAGS of whoever started us is not our configuration. */
    loop->ev = ev_loop_new(EVFLAG_NOENV | EVBACKEND_EPOLL);
    if (!loop->ev) {
        free(loop);
        return NULL;
    }
    signal(SIGPIPE, SIG_IGN); /* OpenSSL writes by write(2), which knows no MSG_NOSIGNAL */
    for (int stage = 0; stage < LOOP_STAGE_COUNT; stage++)
        list_init(&loop->hooks[stage]);
    list_init(&loop->signals);
    loop->stage_running = -1;
    ev_check_init(&loop->woken, on_woken);
    ev_set_priority(&loop->woken, EV_MAXPRI);
    ev_check_start(loop->ev, &loop->woken);
    ev_timer_init(&loop->alarm, on_alarm, 0., 0.);
    loop->alarm.data = loop;
    loop->alarm_at_ms = INT64_MAX;
    clock_update();
    return loop;
}

/* ---- turns ---- */

/* A hook may remove any other, so the list is worked off from its head instead of walked. */
static void run_stage(struct loop *loop, enum loop_stage stage)
{
    struct list todo;
    list_init(&todo);
    list_move_all(&todo, &loop->hooks[stage]);
    loop->stage_running = (int)stage;
    while (!list_is_empty(&todo)) {
        struct loop_hook *hook = CONTAINER_OF(todo.next, struct loop_hook, link);
        list_remove(&hook->link);
        list_append(&loop->hooks[stage], &hook->link);
        hook->fn(hook->arg);
    }
    loop->stage_running = -1;
}

static void run_hooks(struct loop *loop)
{
    for (int stage = 0; stage < LOOP_STAGE_END; stage++)
        run_stage(loop, (enum loop_stage)stage);
}

/* libev counts from when its last wait ended, and so does our clock; ours is cut to whole milliseconds, so
 * the alarm comes up to one too late and never too early. */
static void set_alarm(struct loop *loop, int64_t at_ms)
{
    if (at_ms == loop->alarm_at_ms)
        return;
    loop->alarm_at_ms = at_ms;
    ev_timer_stop(loop->ev, &loop->alarm);
    if (at_ms == INT64_MAX)
        return;
    ev_timer_set(&loop->alarm, (double)(at_ms - clock_mono_ms()) / 1000., 0.);
    ev_timer_start(loop->ev, &loop->alarm);
}

static void turn(struct loop *loop, bool may_wait)
{
    int64_t first_ms = timer_heap_first_ms(&loop->timers);
    if (loop->has_more || first_ms <= clock_mono_ms())
        may_wait = false;
    loop->has_more = false;
    if (may_wait)
        set_alarm(loop, first_ms);
    loop->is_in_turn = true;
    ev_run(loop->ev, may_wait ? EVRUN_ONCE : EVRUN_NOWAIT);
    timer_heap_run_due(&loop->timers, clock_mono_ms());
    run_hooks(loop);
    loop->is_in_turn = false;
}

/* Start from the true time: anything may have happened since the last turn. */
static void take_time(struct loop *loop)
{
    ev_now_update(loop->ev);
    clock_update();
}

void loop_run(struct loop *loop)
{
    take_time(loop);
    while (!loop->is_stopping)
        turn(loop, true);
    loop->is_stopping = false;
}

void loop_stop(struct loop *loop)
{
    loop->is_stopping = true;
}

void loop_run_once(struct loop *loop, bool may_wait)
{
    take_time(loop);
    turn(loop, may_wait);
}

void loop_free(struct loop **loop)
{
    struct loop *l = *loop;
    if (!l)
        return;
    *loop = NULL;
    run_stage(l, LOOP_STAGE_END);
    run_stage(l, LOOP_STAGE_FREE);
    loop_drop_signals(l);
    timer_heap_fini(&l->timers);
    ev_loop_destroy(l->ev);
    free(l);
}

char *loop_input_block(struct loop *loop)
{
    return loop->input_block;
}

/* ---- hooks ---- */

void loop_hook_add(struct loop *loop, enum loop_stage stage, struct loop_hook *hook,
                   loop_hook_fn *fn, void *arg)
{
    loop_hook_remove(hook);
    hook->fn = fn;
    hook->arg = arg;
    list_init(&hook->link);
    list_append(&loop->hooks[stage], &hook->link);
    if (!loop->is_in_turn || loop->stage_running >= (int)stage)
        loop->has_more = true;
}

void loop_hook_remove(struct loop_hook *hook)
{
    if (hook->link.next)
        list_remove(&hook->link);
}

/* ---- descriptors ---- */

struct watch {
    ev_io io;
    struct loop *loop;
    watch_fn *fn;
    void *arg;
};

static void on_io(struct ev_loop *ev, ev_io *io, int revents)
{
    (void)ev;
    struct watch *w = CONTAINER_OF(io, struct watch, io);
    unsigned ready = 0;
    if (revents & (EV_READ | EV_ERROR))
        ready |= IO_READ;
    if (revents & (EV_WRITE | EV_ERROR))
        ready |= IO_WRITE;
    w->fn(w->arg, ready);
}

struct watch *watch_new(struct loop *loop, int fd, unsigned interest, watch_fn *fn, void *arg)
{
    struct watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->loop = loop;
    w->fn = fn;
    w->arg = arg;
    ev_io_init(&w->io, on_io, fd, 0);
    watch_set(w, interest);
    return w;
}

void watch_set(struct watch *w, unsigned interest)
{
    int events = (interest & IO_READ ? EV_READ : 0) | (interest & IO_WRITE ? EV_WRITE : 0);
    if (ev_is_active(&w->io) ? (w->io.events & (EV_READ | EV_WRITE)) == events : events == 0)
        return;
    ev_io_stop(w->loop->ev, &w->io);
    ev_io_modify(&w->io, events);
    if (events)
        ev_io_start(w->loop->ev, &w->io);
}

void watch_free(struct watch **w)
{
    if (!*w)
        return;
    ev_io_stop((*w)->loop->ev, &(*w)->io);
    free(*w);
    *w = NULL;
}

size_t watch_memory_bytes(void)
{
    return sizeof(struct watch);
}

/* ---- other threads ---- */

struct wakeup {
    ev_async async;
    struct loop *loop;
    wakeup_fn *fn;
    void *arg;
};

static void on_async(struct ev_loop *ev, ev_async *async, int revents)
{
    (void)ev, (void)revents;
    struct wakeup *w = CONTAINER_OF(async, struct wakeup, async);
    w->fn(w->arg);
}

struct wakeup *wakeup_new(struct loop *loop, wakeup_fn *fn, void *arg)
{
    struct wakeup *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->loop = loop;
    w->fn = fn;
    w->arg = arg;
    ev_async_init(&w->async, on_async);
    ev_async_start(loop->ev, &w->async);
    return w;
}

void wakeup_send(struct wakeup *w)
{
    ev_async_send(w->loop->ev, &w->async);
}

void wakeup_free(struct wakeup **w)
{
    if (!*w)
        return;
    ev_async_stop((*w)->loop->ev, &(*w)->async);
    free(*w);
    *w = NULL;
}
