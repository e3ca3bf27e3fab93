#include "msa/console/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/secret.h"
#include "msa/console/http_private.h"

#define CONNECTION_MEMORY    (16 * 1024) /* request line and header; more is 431 */
#define IDLE_TIMEOUT_S       30
#define PEER_GROUPS_MAX      64
#define TLS_PRIORITIES       "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* Mail servers keep a hundred connections each, and their questions are small. */
static const struct door_limits {
    unsigned connections;
    unsigned per_address; /* 0: no limit; a proxy on this host has one address for all */
    size_t body_bytes;
} limits[HTTP_DOOR_COUNT] = {
    [HTTP_DOOR_CONTROL] = {64, 0, HTTP_BODY_MAX},
    [HTTP_DOOR_METRICS] = {64, 0, 4096},
    [HTTP_DOOR_AUTH_POLICY] = {512, 0, HTTP_SMALL_BODY_MAX},
    [HTTP_DOOR_WEB] = {1024, 64, HTTP_BODY_MAX},
};

/* ---- requests ---- */

static const char *const method_names[HTTP_METHOD_COUNT] = {
    [HTTP_GET] = "GET",     [HTTP_POST] = "POST",     [HTTP_PUT] = "PUT",
    [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OTHER] = "OTHER",
};

const char *http_method_name(enum http_method method)
{
    return method_names[method];
}

static enum http_method method_of(const char *name)
{
    if (strcmp(name, "HEAD") == 0)
        return HTTP_GET;
    for (unsigned i = 0; i < HTTP_OTHER; i++)
        if (strcmp(name, method_names[i]) == 0)
            return (enum http_method)i;
    return HTTP_OTHER;
}

/* libmicrohttpd gives the target as it was sent here alone; later it has decoded it, and a %00 or %2f is one with what
 * it stands for. */
static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct http_server *s = cls;
    struct http_request *r = calloc(1, sizeof *r);
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (!r || !(r->target = strdup(target))) {
        free(r);
        return NULL;
    }
    r->server = s;
    r->connection = connection;
    r->socket = info ? info->socket_context : NULL;
    /* passwords of new accounts come this way */
    buf_init_secret(&r->body, limits[s->door].body_bytes);
    buf_init(&r->headers, HTTP_HEADERS_MAX);
    buf_init(&r->answer, 4u << 20);
    r->query = view_cstr(r->target);
    r->path = view_cut(&r->query, '?');
    r->is_too_long = r->path.n >= HTTP_PATH_MAX || r->query.n >= HTTP_QUERY_MAX;
    return r;
}

static void request_free(struct http_request *r)
{
    buf_fini(&r->body);
    buf_fini(&r->headers);
    buf_fini(&r->answer);
    free(r->target);
    free(r);
}

enum http_door http_request_door(const struct http_request *r)
{
    return r->server->door;
}

bool http_request_is_tls(const struct http_request *r)
{
    return r->server->is_tls;
}

enum http_method http_request_method(const struct http_request *r)
{
    return r->method;
}

struct view http_request_path(const struct http_request *r)
{
    return r->path;
}

struct view http_request_query_text(const struct http_request *r)
{
    return r->query;
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

struct named_values {
    const char *name;
    struct buf *out;
};

static enum MHD_Result add_value(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct named_values *v = cls;
    (void)kind;
    if (!view_eq_nocase(view_cstr(key), view_cstr(v->name)))
        return MHD_YES;
    if (buf_len(v->out) > 0)
        buf_add_cstr(v->out, ", ");
    buf_add_cstr(v->out, value ? value : "");
    return MHD_YES;
}

void http_request_header_all(const struct http_request *r, const char *name, struct buf *out)
{
    struct named_values v = {name, out};
    (void)MHD_get_connection_values(r->connection, MHD_HEADER_KIND, add_value, &v);
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

void http_request_come_from(struct http_request *r, const struct ipaddr *ip)
{
    char text[IPADDR_TEXT_MAX];
    r->ip = *ip;
    ipaddr_format(ip, text);
    snprintf(r->actor, sizeof r->actor, "ip:%s", text);
}

static void name_by_address(struct http_request *r)
{
    uint16_t port;
    struct ipaddr ip = {{0}};
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info && info->client_addr)
        ipaddr_from_sockaddr(info->client_addr, &ip, &port);
    http_request_come_from(r, &ip);
}

/* The socket's mode lets in the same people; this is the second lock, and tells us the name. */
static void name_by_credentials(struct http_request *r)
{
    struct ucred peer;
    socklen_t len = sizeof peer;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    r->uid = UINT32_MAX;
    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1)
        return;
    r->uid = peer.uid;
    r->is_ours = peer.uid == 0 || peer.uid == geteuid() || is_in_our_group(info->connect_fd, peer.gid);
    snprintf(r->actor, sizeof r->actor, "uid:%u", (unsigned)peer.uid);
}

static void identify(struct http_request *r)
{
    if (r->server->door == HTTP_DOOR_CONTROL)
        name_by_credentials(r);
    else
        name_by_address(r);
}

uint32_t http_request_uid(const struct http_request *r)
{
    return r->uid;
}

bool http_request_is_ours(const struct http_request *r)
{
    return r->is_ours;
}

/* ---- answers ---- */

void http_add_header(struct http_request *r, const char *name, struct view value)
{
    for (size_t i = 0; i < value.n; i++)
        r->headers.failed = r->headers.failed || (unsigned char)value.p[i] < ' ';
    buf_add_cstr(&r->headers, name);
    buf_add_char(&r->headers, '\0');
    buf_add(&r->headers, value);
    buf_add_char(&r->headers, '\0');
}

/* The status is known: the connection goes on. */
static void answered(struct http_request *r)
{
    struct http_server *s = r->server;
    if (r->is_in_handler)
        return;
    s->waiting--;
    MHD_resume_connection(r->connection);
    http_run_soon(s);
}

void http_answer(struct http_request *r, unsigned status, const char *content_type,
                 struct view body)
{
    r->status = status;
    r->content_type = content_type;
    if (buf_add(&r->answer, body) < 0) {
        r->status = MHD_HTTP_INSUFFICIENT_STORAGE;
        buf_reset(&r->answer);
    }
    answered(r);
}

void http_answer_fixed(struct http_request *r, unsigned status, const char *content_type, struct view body)
{
    r->status = status;
    r->content_type = content_type;
    r->fixed = body;
    answered(r);
}

struct http_stream *http_answer_stream(struct http_request *r, const char *content_type, size_t max_bytes,
                                       http_stream_gone_fn *gone, void *arg)
{
    static const int sent_max = 64 * 1024;
    struct http_stream *s = calloc(1, sizeof *s);
    if (!s) {
        http_answer(r, 503, content_type, VIEW_EMPTY);
        return NULL;
    }
    *s = (struct http_stream){.server = r->server, .connection = r->connection, .gone = gone, .arg = arg};
    s->fd = r->socket ? r->socket->fd : -1;
    (void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &sent_max, sizeof sent_max); /* else the kernel keeps megabytes */
    buf_init(&s->bytes, max_bytes);
    list_append(&r->server->streams, &s->link);
    r->stream = s;
    r->status = 200;
    r->content_type = content_type;
    answered(r);
    return s;
}

static struct MHD_Response *response_of(struct http_request *r)
{
    struct view body = r->fixed.n > 0 ? r->fixed : buf_view(&r->answer);
    if (r->stream)
        return http_stream_response(r->stream);
    return MHD_create_response_from_buffer(body.n, (void *)(uintptr_t)body.p,
                                           r->fixed.n > 0 ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
}

static void add_headers(struct http_request *r, struct MHD_Response *response)
{
    struct view rest = buf_view(&r->headers);
    while (rest.n > 0) {
        struct view name = view_cut(&rest, '\0'), value = view_cut(&rest, '\0');
        MHD_add_response_header(response, name.p, value.p); /* both end in NUL where they are cut */
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->content_type);
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (!MHD_get_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL))
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

static enum MHD_Result queue_answer(struct http_request *r)
{
    if (buf_failed(&r->headers)) {
        buf_reset(&r->headers);
        r->fixed = VIEW_EMPTY;
        buf_reset(&r->answer);
        r->status = 500;
    }
    struct MHD_Response *response = response_of(r);
    if (!response)
        return MHD_NO;
    add_headers(r, response);
    http_enter_phase(r->socket, r->stream ? HTTP_PHASE_HANDLER : HTTP_PHASE_ANSWER);
    r->is_sent = true;
    enum MHD_Result result = MHD_queue_response(r->connection, r->status, response);
    MHD_destroy_response(response);
    return result;
}

static void refuse(struct http_request *r, unsigned status)
{
    char json[64];
    snprintf(json, sizeof json, "{\"type\":\"urn:msad:problem:http\",\"status\":%u}", status);
    r->is_in_handler = true; /* nothing rests */
    http_answer(r, status, "application/problem+json", view_cstr(json));
    r->is_in_handler = false;
}

static void handle(struct http_request *r)
{
    struct http_server *s = r->server;
    identify(r);
    if (r->is_too_long) {
        refuse(r, MHD_HTTP_CONTENT_TOO_LARGE);
        return;
    }
    http_enter_phase(r->socket, HTTP_PHASE_HANDLER);
    r->is_in_handler = true;
    s->handler(s->arg, r);
    r->is_in_handler = false;
    if (r->status != 0)
        return;
    s->waiting++;
    MHD_suspend_connection(r->connection);
}

static bool is_announced_too_long(const struct http_request *r)
{
    uint64_t n;
    struct view length = http_request_header(r, "Content-Length");
    return length.n > 0 && !view_parse_u64(length, limits[r->server->door].body_bytes, &n);
}

/* Refused before its body is read: libmicrohttpd then closes the connection, so that nothing behind it is taken
 * for another request. */
static enum MHD_Result on_header(struct http_request *r, const char *method)
{
    r->has_header = true;
    r->method = method_of(method);
    unsigned status = http_check_header(r->connection, r->server->door);
    if (status == 0 && r->is_too_long)
        status = MHD_HTTP_URI_TOO_LONG;
    if (status == 0 && is_announced_too_long(r))
        status = MHD_HTTP_CONTENT_TOO_LARGE;
    http_enter_phase(r->socket, HTTP_PHASE_BODY);
    if (status == 0)
        return MHD_YES;
    http_add_header(r, MHD_HTTP_HEADER_CONNECTION, VIEW_LIT("close"));
    refuse(r, status);
    return queue_answer(r);
}

/* libmicrohttpd calls it first with the header, then with each piece of body, then once with none, and
 * again after a suspended connection was resumed. */
static enum MHD_Result on_access(void *cls, struct MHD_Connection *connection, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *data_size, void **request)
{
    struct http_request *r = *request;
    (void)cls, (void)connection, (void)url, (void)version;
    if (!r)
        return MHD_NO;
    if (!r->has_header)
        return on_header(r, method);
    if (*data_size > 0) {
        r->is_too_long = buf_append(&r->body, data, *data_size) < 0 || r->is_too_long;
        *data_size = 0;
        return MHD_YES;
    }
    if (r->status == 0)
        handle(r);
    return r->status == 0 || r->is_sent ? MHD_YES : queue_answer(r);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode code)
{
    struct http_request *r = *request;
    (void)cls, (void)connection, (void)code;
    *request = NULL;
    if (!r)
        return;
    http_enter_phase(r->socket, HTTP_PHASE_IDLE);
    if (r->stream && !r->is_sent)
        http_stream_discard(r->stream);
    request_free(r);
}

/* ---- the daemon in our loop ---- */

/* In the stage of work, so that the questions of all requests that have come leave together. */
static void run(void *arg)
{
    struct http_server *s = arg;
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    loop_hook_remove(&s->turn); /* before: what is resumed meanwhile is for the next turn */
    MHD_run(s->daemon);
    if (MHD_get_timeout(s->daemon, &wait_ms) == MHD_YES)
        timer_start(&s->timer, s->loop, wait_ms > 60000 ? 60000 : (int64_t)wait_ms);
    else
        timer_stop(&s->timer);
}

void http_run_soon(struct http_server *s)
{
    if (!loop_hook_is_on(&s->turn))
        loop_hook_add(s->loop, LOOP_STAGE_WORK, &s->turn, run, s);
}

static void on_timer(void *arg)
{
    http_run_soon(arg);
}

static void on_ready(void *arg, unsigned ready)
{
    (void)ready;
    http_run_soon(arg);
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int fd, const char *chain, const char *key)
{
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)chain},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct door_limits *l = &limits[s->door];
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (chain ? MHD_USE_TLS : 0u);
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, s, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd,
                            MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
                            MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, s,
                            MHD_OPTION_URI_LOG_CALLBACK, on_target, s,
                            MHD_OPTION_CONNECTION_LIMIT, l->connections,
                            MHD_OPTION_PER_IP_CONNECTION_LIMIT, s->is_tls ? l->per_address : 0u,
                            MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S,
                            MHD_OPTION_STRICT_FOR_CLIENT, 1,
                            MHD_OPTION_ARRAY, chain ? tls : tls + 3, MHD_OPTION_END);
}

static struct MHD_Daemon *start_tls_daemon(struct http_server *s, int fd, const struct tls_certificate *c)
{
    char *chain = strndup(c->chain_pem.p, c->chain_pem.n), *key = strndup(c->key_pem.p, c->key_pem.n);
    struct MHD_Daemon *daemon = chain && key ? start_daemon(s, fd, chain, key) : NULL;
    if (key)
        secret_wipe(key, c->key_pem.n);
    free(key);
    free(chain);
    return daemon;
}

struct http_server *http_server_new(struct loop *loop, int fd, enum http_door door,
                                    const struct tls_certificate *certificate,
                                    http_handler_fn *handler, void *arg)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s) {
        close(fd);
        return NULL;
    }
    *s = (struct http_server){
        .loop = loop, .door = door, .is_tls = certificate != NULL, .handler = handler, .arg = arg};
    timer_init(&s->timer, on_timer, s);
    timer_init(&s->sweep_timer, http_on_sweep, s);
    list_init(&s->connections);
    list_init(&s->streams);
    s->daemon = certificate ? start_tls_daemon(s, fd, certificate) : start_daemon(s, fd, NULL, NULL);
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

bool http_server_is_tls(const struct http_server *s)
{
    return s->is_tls;
}

int http_server_take_listener(struct http_server *s)
{
    MHD_socket fd = MHD_quiesce_daemon(s->daemon);
    return fd == MHD_INVALID_SOCKET ? -1 : fd;
}

void http_server_refuse_new(struct http_server *s)
{
    int fd = http_server_take_listener(s);
    if (fd != -1)
        close(fd);
}

void http_server_free(struct http_server **s)
{
    struct http_server *dead = *s;
    if (!dead)
        return;
    *s = NULL;
    http_server_end_streams(dead);
    watch_free(&dead->watch);
    MHD_stop_daemon(dead->daemon);
    loop_hook_remove(&dead->turn);
    timer_stop(&dead->timer);
    timer_stop(&dead->sweep_timer);
    free(dead);
}
