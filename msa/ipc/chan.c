/* A channel's life: made, broken, freed. See chan.h; sending, receiving and asking have their own files.
 *
 *   open ──chan_break──→ broken ──(WORK hook: pending questions fail, on_closed)──→ silent
 *   any  ──chan_free───→ freed  ──(FREE hook: last write, pending questions fail)──→ gone
 *
 * The hook is one at a time of sending, closing and freeing: each later state replaces the former. */
#include "msa/ipc/chan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/ipc/chan_private.h"

static void on_ready(void *arg, unsigned ready)
{
    struct chan *c = arg;
    if (ready & IO_WRITE)
        chan_flush(c);
    if ((ready & IO_READ) && c->is_open)
        chan_receive(c);
}

static int set_flags(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
        return MSA_EIO;
    return fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ? MSA_EIO : MSA_OK;
}

struct chan *chan_new(int fd, const struct chan_settings *settings)
{
    struct chan *c = calloc(1, sizeof *c);
    struct watch *watch = c ? watch_new(settings->loop, fd, IO_READ, on_ready, c) : NULL;
    if (!watch || set_flags(fd) < 0) {
        watch_free(&watch);
        free(c);
        close(fd);
        return NULL;
    }
    c->set = *settings;
    c->fd = fd;
    c->is_open = true;
    c->watch = watch;
    buf_init_secret(&c->in, FRAME_MAX_BYTES);
    chan_send_init(c);
    questions_init(&c->questions);
    return c;
}

static void shut(struct chan *c)
{
    c->is_open = false;
    watch_free(&c->watch);
    if (c->fd != -1)
        close(c->fd);
    c->fd = -1;
    timer_stop(&c->retry);
}

static void on_broken(void *arg)
{
    struct chan *c = arg;
    loop_hook_remove(&c->hook);
    questions_fail_all(&c->questions);
    if (!c->is_freed && c->set.on_closed)
        c->set.on_closed(c->set.owner, c);
}

static void log_broken(const struct chan *c, const char *why)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_WARN, "chan-broken");
    log_str(&l, "peer", role_name(c->set.peer));
    log_num(&l, "peer_index", c->set.peer_index);
    log_str(&l, "text", why);
    log_end(&l);
}

void chan_break(struct chan *c, const char *why)
{
    if (!c->is_open)
        return;
    if (why)
        log_broken(c, why);
    shut(c);
    if (!c->is_freed)
        loop_hook_add(c->set.loop, LOOP_STAGE_WORK, &c->hook, on_broken, c);
}

void chan_reject(struct chan *c, const char *why)
{
    chan_break(c, why);
}

static void on_free(void *arg)
{
    struct chan *c = arg;
    if (c->is_open)
        chan_flush(c);
    shut(c);
    questions_fail_all(&c->questions);
    loop_hook_remove(&c->hook);
    chan_send_fini(c);
    chan_receive_fini(c);
    questions_fini(&c->questions);
    free(c);
}

void chan_free(struct chan **c)
{
    struct chan *dead = *c;
    *c = NULL;
    if (!dead || dead->is_freed)
        return;
    dead->is_freed = true;
    if (dead->watch)
        watch_set(dead->watch, 0);
    loop_hook_add(dead->set.loop, LOOP_STAGE_FREE, &dead->hook, on_free, dead);
}

enum role chan_peer(const struct chan *c)
{
    return c->set.peer;
}

unsigned chan_peer_index(const struct chan *c)
{
    return c->set.peer_index;
}

bool chan_is_open(const struct chan *c)
{
    return c->is_open && !c->is_freed;
}

uint64_t chan_late_answers(const struct chan *c)
{
    return c->late_answer_count;
}
