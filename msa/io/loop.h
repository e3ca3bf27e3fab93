/* The event loop of a process, and timers. One loop per process, run by its main thread; every
 * callback of msa/io and msa/ipc runs there, never inside the call that started the operation.
 *
 * A turn: clock_update, ready descriptors and timers, then the end-of-turn hooks in the order of
 * their stage. Hooks send what was gathered in the turn, then free what died in it, then write the log. */
#ifndef MSA_IO_LOOP_H
#define MSA_IO_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/list.h"

struct loop;

struct loop *loop_new(void); /* NULL: out of memory or descriptors. SIGPIPE is ignored from now on */
void loop_free(struct loop **loop); /* after its users; what the stages END and FREE hold goes first */
void loop_run(struct loop *loop);  /* until loop_stop */
void loop_stop(struct loop *loop); /* from a callback: return after this turn */
/* Tests: one turn; waits at most until the next event when `may_wait`. */
void loop_run_once(struct loop *loop, bool may_wait);

/* ---- end of turn ---- */

enum loop_stage {
    LOOP_STAGE_WORK = 0, /* group work: commit, decide */
    LOOP_STAGE_SEND,     /* channels and connections write what was gathered */
    LOOP_STAGE_FREE,     /* free what was marked dead */
    LOOP_STAGE_LOG,      /* last */
    LOOP_STAGE_END,      /* not of a turn: in loop_free, for what nobody owns any more */
};

typedef void loop_hook_fn(void *arg);

/* Stays until it is removed. A hook may add and remove any hook, itself too; one that is added for a stage
 * that runs or is over, or between turns, makes the loop take the next turn without waiting. */

struct loop_hook {
    struct list link;
    loop_hook_fn *fn;
    void *arg;
};

void loop_hook_add(struct loop *loop, enum loop_stage stage, struct loop_hook *hook,
                   loop_hook_fn *fn, void *arg);
void loop_hook_remove(struct loop_hook *hook); /* fine when not added, if it was zeroed at first */
static inline bool loop_hook_is_on(const struct loop_hook *hook)
{
    return hook->link.next != 0 && !list_is_empty(&hook->link);
}

/* Connections and channels read into this block and lend it to their owner's input while they report
 * it, so that an idle one holds no memory. Nobody else's. */
#define LOOP_INPUT_BYTES 65536
char *loop_input_block(struct loop *loop);

/* ---- timers ---- */

typedef void timer_fn(void *arg);

/* Embedded in its owner, 40 bytes; a heap of the loop orders them, 100,000 are cheap. Timers run in the
 * order of their times, each at most once a turn or so: one that starts itself anew with 0 ms stops nobody. */
struct timer {
    timer_fn *fn;
    void *arg;
    struct loop *loop; /* NULL while stopped */
    int64_t at_ms;     /* clock_mono_ms */
    uint32_t heap_index;
};

void timer_init(struct timer *t, timer_fn *fn, void *arg);
int timer_start(struct timer *t, struct loop *loop, int64_t after_ms); /* again: moved. MSA_ENOMEM */
void timer_stop(struct timer *t); /* fine when stopped */
static inline bool timer_is_on(const struct timer *t) { return t->loop != 0; }

/* ---- raw descriptors, for libraries that bring their own (c-ares, curl, microhttpd, LMDB threads) ---- */

enum { IO_READ = 1, IO_WRITE = 2 };

typedef void watch_fn(void *arg, unsigned ready); /* mask of IO_READ, IO_WRITE */

struct watch; /* heap object */

struct watch *watch_new(struct loop *loop, int fd, unsigned interest, watch_fn *fn, void *arg);
void watch_set(struct watch *w, unsigned interest);
void watch_free(struct watch **w); /* the fd stays open */

/* ---- other threads and signals ---- */

/* Wakes the loop from any thread: fn runs once in the loop for one or more calls. Freed only when no
 * thread can send any more. */
struct wakeup;
typedef void wakeup_fn(void *arg);
struct wakeup *wakeup_new(struct loop *loop, wakeup_fn *fn, void *arg);
void wakeup_send(struct wakeup *w); /* any thread */
void wakeup_free(struct wakeup **w);

typedef void signal_fn(void *arg, int signo); /* an ordinary callback of the loop, not a signal handler */
int loop_on_signal(struct loop *loop, int signo, signal_fn *fn, void *arg);

typedef void child_fn(void *arg, int pid, int status);
int loop_on_child_exit(struct loop *loop, child_fn *fn, void *arg); /* any child; supervisor only */

#endif
