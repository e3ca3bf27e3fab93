#include "msa/proc/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/console/console.h"
#include "msa/io/listener.h"

#define CONSOLE_BACKLOG     32
#define AUTH_POLICY_BACKLOG 511
#define WEB_BACKLOG         511

static struct socket_entry *add(struct sockets *s, enum role role, const char *name, int fd)
{
    if (fd == -1 || s->count == SOCKETS_MAX) {
        if (fd != -1)
            close(fd);
        return NULL;
    }
    struct socket_entry *e = &s->items[s->count++];
    *e = (struct socket_entry){.role = role, .fd = fd};
    snprintf(e->name, sizeof e->name, "%s", name);
    return e;
}

static int duplicate(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

static const struct socket_entry *find(const struct sockets *s, const char *name,
                                       const struct config_endpoint *at)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].name, name) == 0 && s->items[i].port == at->port &&
            ipaddr_eq(&s->items[i].ip, &at->addr))
            return &s->items[i];
    return NULL;
}

/* Whatever its name was: a port has one socket, which a listener that was renamed goes on with. */
static const struct socket_entry *find_address(const struct sockets *s, const struct config_endpoint *at)
{
    for (size_t i = 0; i < s->count; i++)
        if (at->port != 0 && s->items[i].port == at->port && ipaddr_eq(&s->items[i].ip, &at->addr))
            return &s->items[i];
    return NULL;
}

bool sockets_has(const struct sockets *s, const struct socket_entry *e)
{
    const struct config_endpoint at = {.addr = e->ip, .port = e->port};
    return find(s, e->name, &at) != NULL;
}

static void learn_address(struct socket_entry *e)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof ss;
    if (getsockname(e->fd, (struct sockaddr *)&ss, &len) == 0)
        ipaddr_from_sockaddr((struct sockaddr *)&ss, &e->ip, &e->port);
}

/* All of systemd's sockets with this name. How many, or negative. */
static int take_given(struct sockets *next, const struct systemd_sockets *given, enum role role,
                      const char *name, bool is_new)
{
    int taken = 0;
    for (size_t i = 0; i < given->count; i++) {
        if (strcmp(given->items[i].name, name) != 0)
            continue;
        struct socket_entry *e = add(next, role, name, duplicate(given->items[i].fd));
        if (!e)
            return MSA_EFULL;
        learn_address(e);
        e->is_new = is_new;
        taken++;
    }
    return taken;
}

/* What a set of sockets is made from, and what for. */
struct plan {
    const struct sockets *now;
    const struct systemd_sockets *given;
    struct sockets *next;
    char *error; /* SOCKETS_ERROR_MAX */
};

static int fail(const struct plan *plan, const char *name, const struct config_endpoint *at)
{
    char text[IPADDR_TEXT_MAX];
    ipaddr_format(&at->addr, text);
    snprintf(plan->error, SOCKETS_ERROR_MAX, "%.64s: cannot listen on %s port %u: %s", name,
             ipaddr_is_none(&at->addr) ? "[::]" : text, at->port, strerror(errno));
    return MSA_EIO;
}

static int open_one(const struct plan *plan, enum role role, const char *name,
                    const struct config_endpoint *at, uint32_t backlog)
{
    int fd = -1;
    const struct socket_entry *old = find_address(plan->now, at);
    int err = MSA_OK;
    if (find_address(plan->next, at)) {
        errno = EADDRINUSE;
        err = MSA_EIO;
    } else if (old) {
        fd = duplicate(old->fd);
    } else {
        err = listener_open(&at->addr, at->port, &fd);
    }
    struct socket_entry *e = err == MSA_OK ? add(plan->next, role, name, fd) : NULL;
    if (!e || listen(fd, (int)backlog) == -1) /* Linux: again changes the backlog */
        return fail(plan, name, at);
    e->ip = at->addr;
    e->port = at->port;
    e->is_new = !find(plan->now, name, at);
    return MSA_OK;
}

/* "*" is both families, each with a socket of its own; a host may have no IPv6. */
static int open_endpoint(const struct plan *plan, enum role role, const char *name,
                         const struct config_endpoint *at, uint32_t backlog)
{
    struct config_endpoint v4 = {.port = at->port};
    if (!ipaddr_is_none(&at->addr))
        return open_one(plan, role, name, at, backlog);
    ipaddr_parse(VIEW_LIT("0.0.0.0"), &v4.addr);
    int err = open_one(plan, role, name, &v4, backlog);
    if (err == MSA_OK) {
        err = open_one(plan, role, name, at, backlog);
        if (err < 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            err = MSA_OK;
    }
    return err;
}

static bool has_name(const struct sockets *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->items[i].name, name) == 0)
            return true;
    return false;
}

static int prepare_listener(const struct plan *plan, enum role role, const char *name,
                            const struct config_endpoints *addresses, uint32_t backlog)
{
    int taken = take_given(plan->next, plan->given, role, name, !has_name(plan->now, name));
    if (taken != 0)
        return taken < 0 ? taken : MSA_OK;
    for (uint32_t i = 0; i < addresses->count; i++) {
        int err = open_endpoint(plan, role, name, &addresses->items[i], backlog);
        if (err < 0)
            return err;
    }
    return MSA_OK;
}

/* ---- control socket ---- */

static int bind_unix(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (!view_to_cstr(view_cstr(path), sun.sun_path, sizeof sun.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1)
        return -1;
    unlink(path); /* left over from a process that was killed; a live one holds the state lock */
    if (bind(fd, (struct sockaddr *)&sun, sizeof sun) == 0 && chmod(path, S_IRUSR | S_IWUSR) == 0 &&
        listen(fd, CONSOLE_BACKLOG) == 0)
        return fd;
    int saved_errno = errno;
    close(fd);
    errno = saved_errno;
    return -1;
}

static int prepare_console(const struct plan *plan, const struct config *cfg)
{
    const struct config_endpoint none = {0};
    int taken = take_given(plan->next, plan->given, ROLE_CONSOLE, SOCKETS_CONSOLE,
                           !has_name(plan->now, SOCKETS_CONSOLE));
    if (taken != 0)
        return taken < 0 ? taken : MSA_OK;
    const struct socket_entry *old = find(plan->now, SOCKETS_CONSOLE, &none);
    int fd = old ? duplicate(old->fd) : bind_unix(cfg->console.socket);
    struct socket_entry *e = add(plan->next, ROLE_CONSOLE, SOCKETS_CONSOLE, fd);
    if (!e) {
        snprintf(plan->error, SOCKETS_ERROR_MAX, "cannot listen on %.120s: %s", cfg->console.socket,
                 strerror(errno));
        return MSA_EIO;
    }
    e->is_new = !old;
    e->is_ours = true;
    return MSA_OK;
}

int sockets_own_console(const struct sockets *s, uid_t uid, gid_t gid)
{
    struct sockaddr_un sun;
    socklen_t len = sizeof sun;
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->items[i].name, SOCKETS_CONSOLE) != 0 || !s->items[i].is_ours)
            continue;
        if (getsockname(s->items[i].fd, (struct sockaddr *)&sun, &len) == -1 ||
            chown(sun.sun_path, uid, gid) == -1 ||
            chmod(sun.sun_path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) == -1)
            return MSA_EACCESS;
    }
    return MSA_OK;
}

int sockets_prepare(const struct sockets *now, const struct systemd_sockets *given,
                    const struct config *cfg, struct sockets *next, char error[SOCKETS_ERROR_MAX])
{
    const struct plan plan = {now, given, next, error};
    next->count = 0;
    snprintf(error, SOCKETS_ERROR_MAX, "too many listening sockets");
    int err = prepare_console(&plan, cfg);
    if (err == MSA_OK)
        err = prepare_listener(&plan, ROLE_CONSOLE, CONSOLE_METRICS,
                               &cfg->console.metrics, CONSOLE_BACKLOG);
    if (err == MSA_OK)
        err = prepare_listener(&plan, ROLE_CONSOLE, CONSOLE_AUTH_POLICY,
                               &cfg->console.auth_policy, AUTH_POLICY_BACKLOG);
    if (err == MSA_OK)
        err = prepare_listener(&plan, ROLE_CONSOLE, CONSOLE_POSTFIX, &cfg->console.postfix_policy,
                               AUTH_POLICY_BACKLOG);
    if (err == MSA_OK)
        err = prepare_listener(&plan, ROLE_CONSOLE, CONSOLE_HTTP, &cfg->console.http, WEB_BACKLOG);
    if (err == MSA_OK)
        err = prepare_listener(&plan, ROLE_CONSOLE, CONSOLE_HTTPS, &cfg->console.https, WEB_BACKLOG);
    for (uint32_t i = 0; i < cfg->listener_count && err == MSA_OK; i++)
        err = prepare_listener(&plan, ROLE_SMTP, cfg->listeners[i].name,
                               &cfg->listeners[i].addresses, cfg->listeners[i].backlog_count);
    if (err < 0)
        sockets_close(next);
    return err;
}

void sockets_close(struct sockets *s)
{
    for (size_t i = 0; i < s->count; i++)
        close(s->items[i].fd);
    s->count = 0;
}
