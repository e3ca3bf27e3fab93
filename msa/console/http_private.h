/* Inside http*.c. */
#ifndef MSA_CONSOLE_HTTP_PRIVATE_H
#define MSA_CONSOLE_HTTP_PRIVATE_H

#include <microhttpd.h>

#include "msa/base/list.h"
#include "msa/console/http.h"

#define HTTP_HEADERS_MAX 4096

struct http_server {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    enum http_door door;
    bool is_tls;
    http_handler_fn *handler;
    void *arg;
    struct watch *watch; /* of libmicrohttpd's own epoll descriptor */
    struct timer timer;
    struct timer sweep_timer;
    struct list connections; /* of struct http_connection */
    struct list streams;     /* of struct http_stream */
    struct loop_hook turn; /* on: libmicrohttpd has something to do at the end of this turn */
    size_t waiting;
};

/* One accepted socket. */
struct http_connection {
    struct list link;
    int fd;
    int64_t deadline_ms; /* monotonic; 0: none, the request rests with its handler */
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_connection *socket;
    enum http_method method;
    char *target; /* as it was sent; owned */
    struct view path, query; /* within it */
    struct ipaddr ip;
    char actor[HTTP_ACTOR_MAX];
    uint32_t uid; /* of the control socket; UINT32_MAX: unknown */
    bool is_ours;
    struct buf body;
    bool has_header;
    bool is_too_long; /* the target or the body */
    bool is_in_handler;
    bool is_sent;
    unsigned status; /* 0: not answered */
    const char *content_type;
    struct buf headers; /* name NUL value NUL … */
    struct buf answer;
    struct view fixed;
    struct http_stream *stream;
};

struct http_stream {
    struct list link;
    struct http_server *server;
    struct MHD_Connection *connection;
    int fd; /* libmicrohttpd's; -1: unknown */
    struct buf bytes;
    http_stream_gone_fn *gone;
    void *arg;
    bool is_suspended;
    bool is_ending;
};

/* Lets libmicrohttpd work once at the end of the turn, however many have asked for it. */
void http_run_soon(struct http_server *s);

/* ---- http_check.c ---- */

/* 0: the header has one meaning. Else the status to refuse it with. */
unsigned http_check_header(struct MHD_Connection *connection, enum http_door door);

/* ---- http_clock.c ---- */

enum http_phase { HTTP_PHASE_HEADER, HTTP_PHASE_BODY, HTTP_PHASE_HANDLER, HTTP_PHASE_ANSWER, HTTP_PHASE_IDLE };

void http_on_connection(void *cls, struct MHD_Connection *connection, void **socket,
                        enum MHD_ConnectionNotificationCode code);
void http_enter_phase(struct http_connection *c, enum http_phase phase); /* NULL is fine */
void http_on_sweep(void *server);

/* ---- http_stream.c ---- */

struct MHD_Response *http_stream_response(struct http_stream *s);
/* Its request ends, and no response was ever made of it. */
void http_stream_discard(struct http_stream *s);

#endif
