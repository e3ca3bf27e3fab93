#include "msa/io/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"

#define ACCEPTS_PER_TURN 64
#define REST_MS          1000
#define BACKLOG          4096 /* the kernel cuts it to net.core.somaxconn */

struct listener {
    struct loop *loop;
    int fd;
    int reserve_fd; /* given up to take a connection when no other is left; -1 then */
    struct watch *watch;
    struct timer rest;
    listener_accept_fn *fn;
    void *arg;
    bool is_paused;
    bool is_freed; /* in its own callback; the memory goes when accepting is over */
    bool is_accepting;
};

static int open_reserve(void)
{
    return eventfd(0, EFD_CLOEXEC); /* needs no path: the roles that listen may open none */
}

static void update(struct listener *l)
{
    watch_set(l->watch, l->is_paused || timer_is_on(&l->rest) ? 0 : IO_READ);
}

static void on_rested(void *arg)
{
    struct listener *l = arg;
    if (l->reserve_fd == -1)
        l->reserve_fd = open_reserve();
    update(l);
}

/* Out of descriptors. One client is told by a close instead of waiting for nothing, and then all rests: the
 * socket stays readable, and the loop would spin. */
static void shed(struct listener *l)
{
    log_msg(LOG_LEVEL_ERROR, "accept-failed", "%s", "no descriptor is left; accepting rests for 1 s");
    if (l->reserve_fd != -1) {
        close(l->reserve_fd);
        int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd != -1)
            close(fd);
        l->reserve_fd = open_reserve();
    }
    if (timer_start(&l->rest, l->loop, REST_MS) < 0)
        return;
    update(l);
}

static bool accept_one(struct listener *l)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof ss;
    struct ipaddr remote = {0};
    uint16_t port = 0;
    int fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd == -1) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            shed(l);
        /* Errors of the connection itself (ECONNABORTED, EPROTO …) concern only that one. */
        return errno == ECONNABORTED || errno == EINTR || errno == EPROTO;
    }
    ipaddr_from_sockaddr((struct sockaddr *)&ss, &remote, &port);
    l->fn(l->arg, fd, &remote, port);
    return true;
}

static void destroy(struct listener *l)
{
    watch_free(&l->watch);
    timer_stop(&l->rest);
    close(l->fd);
    if (l->reserve_fd != -1)
        close(l->reserve_fd);
    free(l);
}

static void on_ready(void *arg, unsigned ready)
{
    (void)ready;
    struct listener *l = arg;
    l->is_accepting = true;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++)
        if (l->is_paused || !accept_one(l))
            break;
    l->is_accepting = false;
    if (l->is_freed)
        destroy(l);
}

struct listener *listener_new(struct loop *loop, int fd, listener_accept_fn *fn, void *arg)
{
    struct listener *l = calloc(1, sizeof *l);
    struct watch *watch = l ? watch_new(loop, fd, IO_READ, on_ready, l) : NULL;
    if (!watch) {
        free(l);
        close(fd);
        return NULL;
    }
    int flags = fcntl(fd, F_GETFL);
    if (flags != -1)
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    l->loop = loop;
    l->fd = fd;
    l->reserve_fd = open_reserve();
    l->watch = watch;
    timer_init(&l->rest, on_rested, l);
    l->fn = fn;
    l->arg = arg;
    return l;
}

void listener_pause(struct listener *l)
{
    l->is_paused = true;
    update(l);
}

void listener_resume(struct listener *l)
{
    l->is_paused = false;
    update(l);
}

void listener_free(struct listener **l)
{
    struct listener *old = *l;
    *l = NULL;
    if (!old)
        return;
    old->is_paused = true;
    old->is_freed = true;
    if (!old->is_accepting)
        destroy(old);
}

int listener_open(const struct ipaddr *addr, uint16_t port, int *fd_out)
{
    struct sockaddr_storage ss;
    socklen_t len = ipaddr_to_sockaddr(addr, port, &ss);
    int family = ((struct sockaddr *)&ss)->sa_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *fd_out = -1;
    if (fd == -1)
        return MSA_EIO;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (family == AF_INET6) /* v4 has listeners of its own, and [::] must not take their port */
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
    if (bind(fd, (struct sockaddr *)&ss, len) == -1 || listen(fd, BACKLOG) == -1) {
        int error = errno;
        close(fd);
        errno = error;
        return error == EACCES ? MSA_EACCESS : MSA_EIO;
    }
    *fd_out = fd;
    return MSA_OK;
}
