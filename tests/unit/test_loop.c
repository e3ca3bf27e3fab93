#include <criterion/criterion.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/io/loop.h"

static struct loop *loop;

static void set_up(void)
{
    clock_set_for_test(1000000, 1700000000000);
    loop = loop_new();
    cr_assert_not_null(loop);
}

static void tear_down(void)
{
    loop_free(&loop);
    cr_assert_null(loop);
}

TestSuite(loop, .timeout = 20, .init = set_up, .fini = tear_down);

static void advance(int64_t ms)
{
    clock_advance_for_test(ms);
    loop_run_once(loop, false);
}

/* ---- timers ---- */

struct probe {
    struct timer timer;
    int fired_count;
    int64_t fired_at_ms;
    struct probe *stops; /* stopped when this one fires */
    bool is_again;       /* starts itself with 0 ms */
};

static void on_probe(void *arg)
{
    struct probe *p = arg;
    p->fired_count++;
    p->fired_at_ms = clock_mono_ms();
    if (p->stops)
        timer_stop(&p->stops->timer);
    if (p->is_again)
        timer_start(&p->timer, loop, 0);
}

static void probe_start(struct probe *p, int64_t after_ms)
{
    if (!p->timer.fn)
        timer_init(&p->timer, on_probe, p);
    cr_assert_eq(timer_start(&p->timer, loop, after_ms), MSA_OK);
}

Test(loop, timer_fires_once_when_due_and_not_before)
{
    struct probe p = {0};
    probe_start(&p, 100);
    cr_assert(timer_is_on(&p.timer));
    advance(99);
    cr_assert_eq(p.fired_count, 0);
    advance(1);
    cr_assert_eq(p.fired_count, 1);
    cr_assert_not(timer_is_on(&p.timer));
    advance(1000);
    cr_assert_eq(p.fired_count, 1);
}

Test(loop, timer_started_again_is_moved)
{
    struct probe p = {0};
    probe_start(&p, 100);
    probe_start(&p, 300);
    advance(200);
    cr_assert_eq(p.fired_count, 0);
    probe_start(&p, 10);
    advance(10);
    cr_assert_eq(p.fired_count, 1);
}

Test(loop, timer_may_stop_another_that_is_due_in_the_same_turn)
{
    struct probe second = {0};
    struct probe first = {.stops = &second};
    probe_start(&second, 20);
    probe_start(&first, 10);
    advance(50);
    cr_assert_eq(first.fired_count, 1);
    cr_assert_eq(second.fired_count, 0);
}

Test(loop, timer_that_restarts_for_now_leaves_the_turn_to_others)
{
    struct probe p = {.is_again = true};
    probe_start(&p, 0);
    loop_run_once(loop, true); /* must not wait either: the clock stands still */
    cr_assert_eq(p.fired_count, 1);
    loop_run_once(loop, true);
    cr_assert_eq(p.fired_count, 2);
    timer_stop(&p.timer);
}

Test(loop, timer_takes_any_number)
{
    struct probe p = {0};
    probe_start(&p, -5);
    loop_run_once(loop, false);
    cr_assert_eq(p.fired_count, 1);
    probe_start(&p, INT64_MAX);
    advance(1000000);
    cr_assert_eq(p.fired_count, 1);
    timer_stop(&p.timer);
    timer_stop(&p.timer);
}

/* Random starts, moves and stops against a plain array of the times wanted. */
Test(loop, timers_agree_with_a_plain_model)
{
    enum { COUNT = 3000 };
    struct probe *probes = calloc(COUNT, sizeof *probes);
    int64_t *want_ms = calloc(COUNT, sizeof *want_ms);
    cr_assert(probes && want_ms);
    srandom(7);
    for (int round = 0; round < 4 * COUNT; round++) {
        int i = (int)(random() % COUNT);
        if (random() % 4 == 0) {
            timer_stop(&probes[i].timer);
            want_ms[i] = 0;
            continue;
        }
        int64_t after_ms = 1 + random() % 500;
        probe_start(&probes[i], after_ms);
        want_ms[i] = clock_mono_ms() + after_ms;
    }
    for (int ms = 0; ms < 600; ms++)
        advance(1);
    for (int i = 0; i < COUNT; i++) {
        cr_assert_eq(probes[i].fired_count, want_ms[i] ? 1 : 0, "timer %d", i);
        cr_assert_eq(probes[i].fired_at_ms, want_ms[i], "timer %d", i);
    }
    free(probes);
    free(want_ms);
}

Test(loop, timers_still_on_are_stopped_with_the_loop)
{
    struct probe p = {0};
    probe_start(&p, 10);
    loop_free(&loop);
    cr_assert_not(timer_is_on(&p.timer));
    loop = loop_new();
}

static void stop_loop(void *arg)
{
    loop_stop(arg);
}

Test(loop, real_timer_ends_the_wait)
{
    clock_use_real();
    struct timer t;
    timer_init(&t, stop_loop, loop);
    timer_start(&t, loop, 20);
    int64_t before_ms = clock_mono_ms();
    loop_run(loop);
    cr_assert_geq(clock_mono_ms() - before_ms, 20);
}

/* ---- hooks ---- */

static char trace[64];
static size_t trace_len;

struct mark {
    struct loop_hook hook;
    char letter;
    struct mark *adds;
    enum loop_stage adds_stage;
    struct mark *removes;
    bool is_once;
};

static void on_mark(void *arg)
{
    struct mark *m = arg;
    trace[trace_len++] = m->letter;
    if (m->adds)
        loop_hook_add(loop, m->adds_stage, &m->adds->hook, on_mark, m->adds);
    if (m->removes)
        loop_hook_remove(&m->removes->hook);
    if (m->is_once)
        loop_hook_remove(&m->hook);
}

static void mark_add(struct mark *m, enum loop_stage stage)
{
    loop_hook_add(loop, stage, &m->hook, on_mark, m);
}

Test(loop, hooks_run_every_turn_in_the_order_of_stages)
{
    struct mark log = {.letter = 'l'}, work = {.letter = 'w'}, send = {.letter = 's'};
    struct mark dead = {.letter = 'f'};
    mark_add(&log, LOOP_STAGE_LOG);
    mark_add(&send, LOOP_STAGE_SEND);
    mark_add(&dead, LOOP_STAGE_FREE);
    mark_add(&work, LOOP_STAGE_WORK);
    loop_run_once(loop, false);
    loop_run_once(loop, false);
    cr_assert_str_eq(trace, "wsflwsfl");
    cr_assert(loop_hook_is_on(&log.hook));
    loop_hook_remove(&log.hook);
    cr_assert_not(loop_hook_is_on(&log.hook));
    loop_hook_remove(&dead.hook);
}

Test(loop, hook_may_add_to_a_later_stage_and_remove_any)
{
    struct mark late = {.letter = 's', .is_once = true};
    struct mark victim = {.letter = 'v'};
    struct mark work = {.letter = 'w', .adds = &late, .adds_stage = LOOP_STAGE_SEND,
                        .removes = &victim, .is_once = true};
    mark_add(&work, LOOP_STAGE_WORK);
    mark_add(&victim, LOOP_STAGE_WORK);
    loop_run_once(loop, false);
    cr_assert_str_eq(trace, "ws");
    cr_assert_not(loop_hook_is_on(&victim.hook));
}

/* Without the second turn the loop would wait with work left: this would hang. */
Test(loop, hook_added_too_late_gets_a_turn_without_waiting)
{
    struct mark work = {.letter = 'w', .is_once = true};
    struct mark send = {.letter = 's', .adds = &work, .adds_stage = LOOP_STAGE_WORK, .is_once = true};
    mark_add(&send, LOOP_STAGE_SEND);
    loop_run_once(loop, false);
    cr_assert_str_eq(trace, "s");
    loop_run_once(loop, true);
    cr_assert_str_eq(trace, "sw");
}

Test(loop, freeing_the_loop_runs_the_free_stage)
{
    struct mark dead = {.letter = 'f', .is_once = true};
    mark_add(&dead, LOOP_STAGE_FREE);
    loop_free(&loop);
    cr_assert_str_eq(trace, "f");
    loop = loop_new();
}

/* ---- descriptors ---- */

static unsigned seen_ready;
static int seen_count;

static void on_ready(void *arg, unsigned ready)
{
    seen_ready = ready;
    seen_count++;
    if (arg)
        watch_free(arg);
}

Test(loop, watch_reports_what_it_was_asked_for)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    struct watch *w = watch_new(loop, fds[0], IO_READ, on_ready, NULL);
    loop_run_once(loop, false);
    cr_assert_eq(seen_count, 0);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    loop_run_once(loop, true);
    cr_assert_eq(seen_ready, IO_READ);
    watch_set(w, IO_READ | IO_WRITE);
    loop_run_once(loop, true);
    cr_assert_eq(seen_ready, IO_READ | IO_WRITE);
    watch_set(w, IO_WRITE);
    loop_run_once(loop, true);
    cr_assert_eq(seen_ready, IO_WRITE);
    watch_set(w, 0);
    loop_run_once(loop, false);
    cr_assert_eq(seen_count, 3);
    watch_free(&w);
    watch_free(&w);
    close(fds[0]);
    close(fds[1]);
}

Test(loop, watch_may_be_freed_by_its_own_callback)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    static struct watch *w;
    w = watch_new(loop, fds[0], IO_WRITE, on_ready, &w);
    loop_run_once(loop, true);
    loop_run_once(loop, false);
    cr_assert_eq(seen_count, 1);
    cr_assert_null(w);
    close(fds[0]);
    close(fds[1]);
}

Test(loop, input_block_is_whole)
{
    char *p = loop_input_block(loop);
    p[0] = p[LOOP_INPUT_BYTES - 1] = 1;
    cr_assert_eq(loop_input_block(loop), p);
}

/* ---- threads, signals, children ---- */

static void on_woken(void *arg)
{
    ++*(int *)arg;
    loop_stop(loop);
}

static void *send_three(void *arg)
{
    for (int i = 0; i < 3; i++)
        wakeup_send(arg);
    return NULL;
}

Test(loop, wakeup_comes_from_another_thread)
{
    int woken_count = 0;
    struct wakeup *w = wakeup_new(loop, on_woken, &woken_count);
    pthread_t thread;
    cr_assert_eq(pthread_create(&thread, NULL, send_three, w), 0);
    loop_run(loop);
    pthread_join(thread, NULL);
    cr_assert_geq(woken_count, 1);
    loop_run_once(loop, false);
    cr_assert_leq(woken_count, 3);
    wakeup_free(&w);
    wakeup_free(&w);
}

static void on_signal(void *arg, int signo)
{
    *(int *)arg = signo;
    loop_stop(loop);
}

Test(loop, signals_are_callbacks)
{
    int seen = 0;
    cr_assert_eq(loop_on_signal(loop, SIGHUP, on_signal, &seen), MSA_OK);
    raise(SIGHUP);
    loop_run(loop);
    cr_assert_eq(seen, SIGHUP);
}

Test(loop, sigpipe_is_ignored)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    close(fds[0]);
    cr_assert_eq(write(fds[1], "x", 1), -1);
    close(fds[1]);
}

struct child {
    int pid;
    int status;
};

static struct child ended[4];
static int ended_count;

static void on_child(void *arg, int pid, int status)
{
    (void)arg;
    ended[ended_count++] = (struct child){pid, status};
}

Test(loop, every_ended_child_is_reported)
{
    cr_assert_eq(loop_on_child_exit(loop, on_child, NULL), MSA_OK);
    int pids[3];
    for (int i = 0; i < 3; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            _exit(10 + i);
    }
    while (ended_count < 3)
        loop_run_once(loop, true);
    for (int i = 0; i < 3; i++) {
        int k = 0;
        while (k < 3 && ended[k].pid != pids[i])
            k++;
        cr_assert_lt(k, 3);
        cr_assert_eq(WEXITSTATUS(ended[k].status), 10 + i);
    }
}

/* What is queued before the loop runs (the first messages of a process) leaves in its first turn, not
 * when some event happens to come. */

static void on_stop_hook(void *arg)
{
    struct loop_hook *hook = arg;
    loop_hook_remove(hook);
    loop_stop(loop);
}

static void on_too_late(void *arg)
{
    (void)arg;
    cr_assert_fail("the loop waited for an event");
}

Test(loop, hooks_added_between_turns_run_without_an_event)
{
    struct loop_hook hook = {0};
    struct timer late;
    clock_use_real();
    timer_init(&late, on_too_late, NULL);
    timer_start(&late, loop, 10000);
    loop_hook_add(loop, LOOP_STAGE_SEND, &hook, on_stop_hook, &hook);
    int64_t before = clock_mono_ms();
    loop_run(loop);
    clock_update();
    cr_assert_lt(clock_mono_ms() - before, 5000);
    timer_stop(&late);
}

static void on_end(void *arg)
{
    int *count = arg;
    (*count)++;
}

Test(loop, hooks_of_the_end_run_when_the_loop_is_freed_and_not_before)
{
    struct loop_hook hook = {0};
    int count = 0;
    loop_hook_add(loop, LOOP_STAGE_END, &hook, on_end, &count);
    for (int i = 0; i < 3; i++)
        loop_run_once(loop, false);
    cr_assert_eq(count, 0);
    loop_free(&loop);
    cr_assert_eq(count, 1);
}
