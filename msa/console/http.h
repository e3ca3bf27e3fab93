/* struct http_server: HTTP/1.1 on one listening socket, through libmicrohttpd in our own loop.
 *
 * A handler gets a whole request (its body bounded) and answers it once, at once or later; until then
 * the connection rests. libmicrohttpd parses what came from outside; only http*.c sees its header.
 *
 * What a proxy could understand otherwise than we do never reaches a handler: two lengths, a length beside a
 * transfer encoding, two Host fields, a name that is no token (RFC 9112, 11.2). Each of header, body and answer has
 * a time in all, which a trickle does not lengthen. */
#ifndef MSA_CONSOLE_HTTP_H
#define MSA_CONSOLE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/buf.h"
#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/io/loop.h"
#include "msa/io/tls.h"

#define HTTP_BODY_MAX  (900u * 1024) /* fits one message to a role, with what goes round it */
#define HTTP_SMALL_BODY_MAX 8192
#define HTTP_ACTOR_MAX 129
#define HTTP_PATH_MAX  768 /* a login of 320 octets may come percent-encoded */
#define HTTP_QUERY_MAX 2048

enum http_door {
    HTTP_DOOR_CONTROL = 0, /* UNIX socket: peers are known by their credentials */
    HTTP_DOOR_METRICS,     /* TCP: figures only */
    HTTP_DOOR_AUTH_POLICY, /* TCP: POP and IMAP servers ask and tell */
    HTTP_DOOR_WEB,         /* TCP: API and pages, in clear on loopback, else behind TLS */
    HTTP_DOOR_COUNT
};

enum http_method {
    HTTP_GET = 0, /* HEAD, too: the answer's body is left out by the library */
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OTHER,
    HTTP_METHOD_COUNT
};

const char *http_method_name(enum http_method method);

struct http_server;
struct http_request;

typedef void http_handler_fn(void *arg, struct http_request *r);

/* Takes `fd` (listening, non-blocking) over. With `certificate` it speaks TLS, and keeps no view of it. NULL: out of
 * memory or descriptors, or the certificate does not serve; fd closed. */
struct http_server *http_server_new(struct loop *loop, int fd, enum http_door door,
                                    const struct tls_certificate *certificate,
                                    http_handler_fn *handler, void *arg);
/* Every request that was not answered must be before; the handler is not called again. Streams end. */
void http_server_free(struct http_server **s);
size_t http_server_waiting(const struct http_server *s); /* requests in the handler's hands */
void http_server_refuse_new(struct http_server *s);      /* stop listening */
/* The same, and the listening socket is the caller's; -1: it was given away before. */
int http_server_take_listener(struct http_server *s);
void http_server_end_streams(struct http_server *s);
bool http_server_is_tls(const struct http_server *s);

/* ---- a request, valid until it is answered ---- */

enum http_door http_request_door(const struct http_request *r);
bool http_request_is_tls(const struct http_request *r);
enum http_method http_request_method(const struct http_request *r);
struct view http_request_path(const struct http_request *r);       /* as it was sent: nothing is decoded */
struct view http_request_query_text(const struct http_request *r); /* behind the '?', likewise */
struct view http_request_body(const struct http_request *r);
struct view http_request_actor(const struct http_request *r); /* who: "uid:0", "ip:192.0.2.1" */
const struct ipaddr *http_request_ip(const struct http_request *r); /* none: the control socket */
/* It comes from there: a proxy said so. */
void http_request_come_from(struct http_request *r, const struct ipaddr *ip);
/* Of the control socket: the peer's user id, and whether that is root's, ours, or one of a member of our group. */
uint32_t http_request_uid(const struct http_request *r);
bool http_request_is_ours(const struct http_request *r);

/* One value of the query, or of the header, its name in any case; empty where there is none. */
struct view http_request_query(const struct http_request *r, const char *key);
struct view http_request_header(const struct http_request *r, const char *name);

/* All values of a field, one behind the other, parted by ", ". */
void http_request_header_all(const struct http_request *r, const char *name, struct buf *out);

/* Goes out with the answer. `name` is a literal; a value that does not fit or holds a control byte makes the
 * answer a 500. */
void http_add_header(struct http_request *r, const char *name, struct view value);

/* `body` is copied; the request is gone afterwards. */
void http_answer(struct http_request *r, unsigned status, const char *content_type,
                 struct view body);
/* The same for bytes that live as long as the program. */
void http_answer_fixed(struct http_request *r, unsigned status, const char *content_type, struct view body);

/* ---- an answer that goes on (server-sent events) ---- */

struct http_stream;

/* Called once, when the client is gone or the stream was ended by the server's end; `s` is dead after it. */
typedef void http_stream_gone_fn(void *arg, struct http_stream *s);

/* Answers 200 with an open end. At most `max_bytes` wait for a client that reads slowly. NULL: out of memory, and
 * the request is answered 503. */
struct http_stream *http_answer_stream(struct http_request *r, const char *content_type, size_t max_bytes,
                                       http_stream_gone_fn *gone, void *arg);
int http_stream_write(struct http_stream *s, struct view bytes); /* MSA_ETOOBIG: too slow, nothing was added */
void http_stream_end(struct http_stream *s);                     /* after what waits; `gone` comes later */
void http_stream_cut(struct http_stream *s);                     /* without what waits; likewise */

#endif
