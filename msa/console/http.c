#include "msa/console/http.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"

#define CONNECTION_MEMORY    (16 * 1024) /* request line and header; more is 431 */
#define IDLE_TIMEOUT_S       30
#define PEER_GROUPS_MAX      64

/* Mail servers keep a hundred connections each, and their questions are small. */
static const struct door_limits {
    unsigned connections;
    size_t body_bytes;
} limits[HTTP_DOOR_COUNT] = {
    [HTTP_DOOR_CONTROL] = {64, HTTP_BODY_MAX},
    [HTTP_DOOR_METRICS] = {64, 4096},
    [HTTP_DOOR_AUTH_POLICY] = {512, HTTP_SMALL_BODY_MAX},
};

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    enum http_door door;
    http_handler_fn *handler;
    void *arg;
    struct watch *watch; /* of libmicrohttpd's own epoll descriptor */
    struct timer timer;
    size_t waiting;
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    enum http_method method;
    char path[128];
    struct ipaddr ip;
    char actor[HTTP_ACTOR_MAX];
    struct buf body;
    bool is_too_long;
    bool is_in_handler;
    unsigned status; /* 0: not answered */
    const char *content_type;
    struct buf answer;
};

/* ---- requests ---- */

static enum http_method method_of(const char *name)
{
    if (strcmp(name, MHD_HTTP_METHOD_GET) == 0)
        return HTTP_GET;
    return strcmp(name, MHD_HTTP_METHOD_POST) == 0 ? HTTP_POST : HTTP_OTHER;
}

static struct http_request *request_new(struct http_server *s, struct MHD_Connection *connection,
                                        const char *url, const char *method)
{
    struct http_request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->server = s;
    r->connection = connection;
    r->method = method_of(method);
    /* passwords of new accounts come this way */
    buf_init_secret(&r->body, limits[s->door].body_bytes);
    buf_init(&r->answer, 4u << 20);
    if (!view_to_cstr(view_cstr(url), r->path, sizeof r->path))
        r->path[0] = '\0'; /* no route is that long */
    return r;
}

static void request_free(struct http_request *r)
{
    buf_fini(&r->body);
    buf_fini(&r->answer);
    free(r);
}

enum http_door http_request_door(const struct http_request *r)
{
    return r->server->door;
}

enum http_method http_request_method(const struct http_request *r)
{
    return r->method;
}

struct view http_request_path(const struct http_request *r)
{
    return view_cstr(r->path);
}

struct view http_request_body(const struct http_request *r)
{
    return buf_view(&r->body);
}

const struct ipaddr *http_request_ip(const struct http_request *r)
{
    return &r->ip;
}

struct view http_request_actor(const struct http_request *r)
{
    return view_cstr(r->actor);
}

static struct view lookup(const struct http_request *r, enum MHD_ValueKind kind,
                          const char *key)
{
    return view_cstr(MHD_lookup_connection_value(r->connection, kind, key));
}

struct view http_request_query(const struct http_request *r, const char *key)
{
    return lookup(r, MHD_GET_ARGUMENT_KIND, key);
}

struct view http_request_header(const struct http_request *r, const char *name)
{
    return lookup(r, MHD_HEADER_KIND, name);
}

/* ---- who is it ---- */

static bool is_in_our_group(int fd, gid_t primary)
{
    gid_t groups[PEER_GROUPS_MAX];
    socklen_t len = sizeof groups;
    gid_t ours = getegid();
    if (primary == ours)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == -1)
        return false;
    for (size_t i = 0; i < len / sizeof groups[0]; i++)
        if (groups[i] == ours)
            return true;
    return false;
}

static void name_by_address(struct http_request *r)
{
    uint16_t port;
    char text[IPADDR_TEXT_MAX];
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && info->client_addr)
        ipaddr_from_sockaddr(info->client_addr, &r->ip, &port);
    ipaddr_format(&r->ip, text);
    snprintf(r->actor, sizeof r->actor, "ip:%s", text);
}

/* The socket's mode lets in the same people; this is the second lock, and tells us the name. */
static bool identify(struct http_request *r)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    if (r->server->door != HTTP_DOOR_CONTROL) {
        name_by_address(r);
        return true;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
        return false;
    snprintf(r->actor, sizeof r->actor, "uid:%u", (unsigned)peer.uid);
    return peer.uid == 0 || peer.uid == geteuid() || is_in_our_group(info->connect_fd, peer.gid);
}

/* ---- answers ---- */

static void run(struct http_server *s);

void http_answer(struct http_request *r, unsigned status, const char *content_type,
                 struct view body)
{
    r->status = status;
    r->content_type = content_type;
    if (buf_add(&r->answer, body) < 0) {
        r->status = MHD_HTTP_INSUFFICIENT_STORAGE;
        buf_reset(&r->answer);
    }
    if (r->is_in_handler)
        return;
    struct http_server *s = r->server;
    s->waiting--;
    MHD_resume_connection(r->connection);
    run(s);
}

static enum MHD_Result queue_answer(struct http_request *r)
{
    struct view body = buf_view(&r->answer);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        body.n, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->content_type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    enum MHD_Result result = MHD_queue_response(r->connection, r->status, response);
    MHD_destroy_response(response);
    return result;
}

static void refuse(struct http_request *r, unsigned status, const char *json)
{
    http_answer(r, status, "application/problem+json", view_cstr(json));
}

static void handle(struct http_request *r)
{
    struct http_server *s = r->server;
    r->is_in_handler = true;
    if (!identify(r))
        refuse(r, MHD_HTTP_FORBIDDEN, "{\"title\":\"Forbidden\",\"status\":403}");
    else if (r->is_too_long)
        refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, "{\"title\":\"Content Too Large\",\"status\":413}");
    else
        s->handler(s->arg, r);
    r->is_in_handler = false;
    if (r->status != 0)
        return;
    s->waiting++;
    MHD_suspend_connection(r->connection);
}

/* libmicrohttpd calls it first with the header, then with each piece of body, then once with none, and
 * again after a suspended connection was resumed. */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *data_size, void **request)
{
    struct http_request *r = *request;
    (void)version;
    if (!r) {
        *request = request_new(cls, connection, url, method);
        return *request ? MHD_YES : MHD_NO;
    }
    if (*data_size > 0) {
        r->is_too_long = buf_append(&r->body, data, *data_size) < 0 || r->is_too_long;
        *data_size = 0;
        return MHD_YES;
    }
    if (r->status == 0)
        handle(r);
    return r->status == 0 ? MHD_YES : queue_answer(r);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    (void)cls, (void)connection, (void)code;
    if (*request)
        request_free(*request);
    *request = NULL;
}

/* ---- the daemon in our loop ---- */

static void on_timer(void *arg)
{
    run(arg);
}

static void on_ready(void *arg, unsigned ready)
{
    (void)ready;
    run(arg);
}

static void run(struct http_server *s)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    MHD_run(s->daemon);
    if (MHD_get_timeout(s->daemon, &wait_ms) == MHD_YES)
        timer_start(&s->timer, s->loop, wait_ms > 60000 ? 60000 : (int64_t)wait_ms);
    else
        timer_stop(&s->timer);
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd)
{
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, s, MHD_OPTION_LISTEN_SOCKET,
                            (MHD_socket)fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                            MHD_OPTION_CONNECTION_LIMIT, limits[s->door].connections,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

struct http_server *http_server_new(struct loop *loop, int fd, enum http_door door,
                                    http_handler_fn *handler, void *arg)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s) {
        close(fd);
        return NULL;
    }
    *s = (struct http_server){.loop = loop, .door = door, .handler = handler, .arg = arg};
    timer_init(&s->timer, on_timer, s);
    s->daemon = start_daemon(s, fd);
    if (!s->daemon) {
        close(fd);
        free(s);
        return NULL;
    }
    int epoll_fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    s->watch = watch_new(loop, epoll_fd, IO_READ, on_ready, s);
    if (!s->watch)
        http_server_free(&s);
    return s;
}

size_t http_server_waiting(const struct http_server *s)
{
    return s->waiting;
}

void http_server_refuse_new(struct http_server *s)
{
    MHD_socket fd = MHD_quiesce_daemon(s->daemon);
    if (fd != MHD_INVALID_SOCKET)
        close(fd);
}

void http_server_free(struct http_server **s)
{
    struct http_server *dead = *s;
    if (!dead)
        return;
    *s = NULL;
    watch_free(&dead->watch);
    timer_stop(&dead->timer);
    MHD_stop_daemon(dead->daemon);
    free(dead);
}
