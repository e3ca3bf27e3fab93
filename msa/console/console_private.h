/* What the parts of console share. One thread, the loop's. */
#ifndef MSA_CONSOLE_CONSOLE_PRIVATE_H
#define MSA_CONSOLE_CONSOLE_PRIVATE_H

#include <jansson.h>

#include "msa/console/bad_tokens.h"
#include "msa/console/events.h"
#include "msa/console/http.h"
#include "msa/console/ops.h"
#include "msa/console/web_session.h"
#include "msa/ipc/chan.h"
#include "msa/ipc/role.h"

#define CONSOLE_PEERS_MAX   256
#define CONSOLE_DOORS_MAX   32

/* One listening socket; its place is free when `server` is NULL. */
struct console_door {
    struct http_server *server;
    struct ipaddr ip;
    uint16_t port;
    bool is_closed; /* only its last connections go on */
};

/* What auth said of a bearer token, for a short time. */
#define CONSOLE_TOKENS_MAX     1024
#define CONSOLE_TOKEN_KEPT_MS  30000
#define CONSOLE_TOKEN_TEXT_MAX 128
struct console_token {
    uint8_t digest[SESSION_DIGEST_BYTES];
    char id[24];
    unsigned who;
    uint64_t scopes;
    int64_t until_ms; /* monotonic */
};

struct postfix_doors;

struct console {
    struct loop *loop;
    const struct config *config;
    struct chan *peers[CONSOLE_PEERS_MAX];
    size_t peer_count;
    struct console_door doors[CONSOLE_DOORS_MAX];
    struct postfix_doors *postfix;
    struct auth_policy_complaints {
        int64_t refused_ms; /* when the last line was written, monotonic; 0: never */
        int64_t unanswered_ms;
    } complaints;
    const struct tls_certificate *certificates; /* of the configuration in force */
    size_t certificate_count;
    struct web_sessions sessions;
    struct timer sessions_timer;
    struct console_token tokens[CONSOLE_TOKENS_MAX]; /* by digest */
    struct bad_tokens bad_tokens;
    unsigned sign_ins; /* passwords being checked now */
    unsigned verifies; /* those that POP and IMAP servers ask about */
    struct events events;
    struct list event_streams; /* of struct event_stream */
    unsigned event_stream_count;
    struct timer event_timer;
    struct timer drain_timer;
    role_drained_fn *drained; /* NULL: not draining */
    void *drained_arg;
};

/* The first process of the role that we have a channel to; NULL: none. */
struct chan *console_peer(const struct console *c, enum role role);

/* ---- routes.c ---- */

void console_route(void *console, struct http_request *r); /* an http_handler_fn */

/* ---- name.c ---- */

#define CONSOLE_DETAIL_MAX 512

/* Views die with the call. */
struct console_name {
    unsigned status; /* 200, or why not, as an HTTP status */
    const char *detail;
    struct view login; /* in its one form */
    uint64_t account;
    int64_t created_ms;
};

typedef void console_name_fn(void *arg, const struct console_name *name);

/* Room for the question, in whatever its asker keeps until it is answered. */
struct console_naming {
    console_name_fn *fn;
    void *arg;
};

/* Asks auth. `fn` is called once, perhaps before it returns. */
void console_find_name(struct console *c, struct console_naming *n, struct view typed, console_name_fn *fn, void *arg);
bool console_name_is_nobodys(const struct console_name *name); /* none has it, or none can have it */

/* ---- ask.c ---- */

/* An operation's answer: an HTTP status and an object, also where no role answered. `json` dies with the call. */
typedef void console_answer_fn(void *arg, unsigned status, struct view json);

/* Asks the role whose operation it is; its arguments get "account" and "created_ms" beside "login", and "login" in its
 * canonical form, where the operation is about an account. `fn` is called once, perhaps before it returns. */
void console_ask(struct console *c, const struct console_op *op, struct view actor,
                 struct view json, console_answer_fn *fn, void *arg);

/* ---- op_door.c: an operation by its name, for msactl ---- */

void console_op(struct console *c, struct http_request *r, const struct console_op *op);

/* ---- caller.c ---- */

void console_forget_tokens(struct console *c); /* one was taken back */

/* ---- pages.c ---- */

void console_page(struct console *c, struct http_request *r);

/* ---- auth_policy_door.c ---- */

void console_auth_policy(struct console *c, struct http_request *r);
/* Whether the request carries auth_policy_token; without one configured, whether it comes from our own host. */
bool auth_policy_may_ask(const struct console *c, const struct http_request *r);
void auth_policy_refuse_stranger(struct console *c, struct http_request *r);
/* Policy does not answer, and mail can be read meanwhile. */
void auth_policy_complain(struct console *c, const char *why);

/* ---- verify_door.c ---- */

void console_verify(struct console *c, struct http_request *r);

/* ---- fanout.c ---- */

/* Asks every process for its status and then calls `fn` with one object; it holds, by role, an array of
 * objects with "index" and what the process said, or "error". `fn` may be called before it returns. */
typedef void fanout_fn(struct http_request *r, json_t *statuses);
void fanout_start(struct console *c, struct http_request *r, fanout_fn *fn);

#endif
