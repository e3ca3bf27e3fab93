/* struct http_server: HTTP/1.1 on one listening socket, through libmicrohttpd in our own loop.
 *
 * A handler gets a whole request (its body bounded) and answers it once, at once or later; until then
 * the connection rests. libmicrohttpd parses what came from outside; only this file sees its header. */
#ifndef MSA_CONSOLE_HTTP_H
#define MSA_CONSOLE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/buf.h"
#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/io/loop.h"

#define HTTP_BODY_MAX  (900u * 1024) /* fits one message to a role, with what goes round it */
#define HTTP_SMALL_BODY_MAX 8192
#define HTTP_ACTOR_MAX 64

enum http_door {
    HTTP_DOOR_CONTROL = 0, /* UNIX socket: peers are checked by their credentials */
    HTTP_DOOR_METRICS,     /* TCP: figures only */
    HTTP_DOOR_AUTH_POLICY, /* TCP: POP and IMAP servers ask and tell */
    HTTP_DOOR_COUNT
};

enum http_method { HTTP_GET = 0, HTTP_POST, HTTP_OTHER };

struct http_server;
struct http_request;

typedef void http_handler_fn(void *arg, struct http_request *r);

/* Takes `fd` (listening, non-blocking) over. NULL: out of memory or descriptors, fd closed. */
struct http_server *http_server_new(struct loop *loop, int fd, enum http_door door,
                                    http_handler_fn *handler, void *arg);
/* Every request that was not answered must be before; the handler is not called again. */
void http_server_free(struct http_server **s);
size_t http_server_waiting(const struct http_server *s); /* requests in the handler's hands */
void http_server_refuse_new(struct http_server *s);      /* stop listening */

/* ---- a request, valid until it is answered ---- */

enum http_door http_request_door(const struct http_request *r);
enum http_method http_request_method(const struct http_request *r);
struct view http_request_path(const struct http_request *r); /* without a query */
struct view http_request_body(const struct http_request *r);
struct view http_request_actor(const struct http_request *r); /* who: "uid:0", "ip:192.0.2.1" */
const struct ipaddr *http_request_ip(const struct http_request *r); /* none: the control socket */

/* One value of the query, or of the header, its name in any case; empty where there is none. Only in
 * the handler. */
struct view http_request_query(const struct http_request *r, const char *key);
struct view http_request_header(const struct http_request *r, const char *name);

/* `body` is copied; the request is gone afterwards. */
void http_answer(struct http_request *r, unsigned status, const char *content_type,
                 struct view body);

#endif
