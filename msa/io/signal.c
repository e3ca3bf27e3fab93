/* Signals and ended children, as callbacks of the loop. */
#include <errno.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "msa/base/err.h"
#include "msa/io/loop_private.h"

struct signal_watch {
    struct list link;
    ev_signal ev;
    struct loop *loop;
    signal_fn *on_signal; /* one of the two */
    child_fn *on_child;
    void *arg;
};

/* One SIGCHLD may stand for many children. Not libev's own child watcher: that one wants the
 * default loop, of which there is one per process, and tests make several. */
static void reap(struct signal_watch *w)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0 || (pid == -1 && errno == EINTR))
        if (pid > 0)
            w->on_child(w->arg, pid, status);
}

static void on_ev_signal(struct ev_loop *ev, ev_signal *s, int revents)
{
    (void)ev, (void)revents;
    struct signal_watch *w = CONTAINER_OF(s, struct signal_watch, ev);
    if (w->on_child)
        reap(w);
    else
        w->on_signal(w->arg, s->signum);
}

static struct signal_watch *add(struct loop *loop, int signo, void *arg)
{
    struct signal_watch *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->loop = loop;
    w->arg = arg;
    ev_signal_init(&w->ev, on_ev_signal, signo);
    ev_signal_start(loop->ev, &w->ev);
    list_init(&w->link);
    list_append(&loop->signals, &w->link);
    return w;
}

int loop_on_signal(struct loop *loop, int signo, signal_fn *fn, void *arg)
{
    struct signal_watch *w = add(loop, signo, arg);
    if (!w)
        return MSA_ENOMEM;
    w->on_signal = fn;
    return MSA_OK;
}

int loop_on_child_exit(struct loop *loop, child_fn *fn, void *arg)
{
    struct signal_watch *w = add(loop, SIGCHLD, arg);
    if (!w)
        return MSA_ENOMEM;
    w->on_child = fn;
    return MSA_OK;
}

void loop_drop_signals(struct loop *loop)
{
    struct signal_watch *w, *next;
    LIST_FOREACH(w, next, &loop->signals, struct signal_watch, link) {
        list_remove(&w->link);
        ev_signal_stop(loop->ev, &w->ev);
        free(w);
    }
}
