/* One request of the API, from its caller to its answer. In the loop's thread; a call frees itself once it has
 * answered, and answers once. */
#ifndef MSA_CONSOLE_API_CALL_H
#define MSA_CONSOLE_API_CALL_H

#include <jansson.h>

#include "msa/console/api.h"
#include "msa/console/console_private.h"
#include "msa/console/web_session.h"

#define API_WHY_MAX 501

/* Who asks: one bit of enum api_who, or 0. */
struct caller {
    unsigned who;
    uint64_t scopes;
    char actor[HTTP_ACTOR_MAX]; /* "uid:0", "token:…", "customer:taro@example.jp" */
    char name[SESSION_LOGIN_MAX + 1]; /* a customer's login, a token's id */
    bool is_by_cookie;
    char csrf[SESSION_SECRET_MAX]; /* by cookie: what changes have to carry */
};

struct api_call {
    struct console *console;
    struct http_request *request;
    struct api_match match;
    struct caller caller;
    json_t *args;                  /* as the operation calls them */
    char why[API_WHY_MAX];
    char target[API_VALUE_MAX + 1]; /* what it is about, for the record */
    unsigned status;               /* of the answer that waits for its record */
    json_t *answer;
    struct timer timer;
    void (*then)(struct api_call *call, json_t *answer); /* takes over a good answer of the operation; NULL: it is
                                                            the answer */
};

/* An http_handler_fn's part: whatever begins with /api/v1/. */
void api_handle(struct console *c, struct http_request *r);

/* The answer. `o` is taken over; NULL is out of memory. What was changed is recorded before it goes out. */
void api_answer(struct api_call *call, unsigned status, json_t *o);
/* A problem document of `kind` (problem.h), NULL: that of the status. */
void api_fail(struct api_call *call, unsigned status, const char *kind, const char *detail);
/* The call's request is answered already (a stream): only the call ends. */
void api_end(struct api_call *call);

/* Asks the role; its answer is the answer. */
void api_ask_op(struct api_call *call, const char *op);

/* ---- caller.c ---- */

/* Who asks? `fn` is called once, perhaps before it returns; with who 0 and *status_out the problem's status where a
 * token does not hold. */
typedef void caller_fn(void *arg, const struct caller *caller, unsigned status);
void caller_identify(struct console *c, struct http_request *r, caller_fn *fn, void *arg);
/* The same for the text of a token, without a request's headers. `ip`: whose it is, if it should be none; 429: that
 * address has brought too many (see bad_tokens.h). */
void caller_check_token(struct console *c, struct view token, const struct ipaddr *ip, caller_fn *fn, void *arg);
void caller_say_wait(struct console *c, struct http_request *r); /* Retry-After, with that 429 */
/* Who comes through the control socket, by its user id: a bit of enum api_who, or 0. */
unsigned caller_by_socket(const struct console *c, const struct http_request *r);

/* The token that the request brings, for who has to ask for it again; "": none, or no token. */
void caller_copy_token(const struct http_request *r, char out[CONSOLE_TOKEN_TEXT_MAX + 1]);

#define CALLER_COOKIE "__Host-msad"
/* The session of the request's cookie; NULL: none. */
struct web_session *caller_session(struct console *c, struct http_request *r);

/* ---- password_check.c ---- */

/* What auth and policy say to a login and its password, as of an AUTH over SMTP: the same counters, lockouts and
 * delays. `login` is the name in its one form; status 0, or that of a role that is away. `fn` is called once, after
 * as much time as policy and auth.failure_delay ask for. */
struct password_outcome {
    bool is_allowed;
    bool is_code_asked; /* the password was right, nothing else speaks against it, and a right code ("code" among the
                           arguments) is missing */
    unsigned status;
    char login[SESSION_LOGIN_MAX + 1];
};
typedef void password_checked_fn(struct api_call *call, const struct password_outcome *outcome);

/* Both texts live as long as the call's arguments. `proves`: a session is there already and only its owner is to be
 * sure of; no sign-in. */
void password_check(struct api_call *call, const char *login, const char *password, bool proves,
                    password_checked_fn *fn);

/* ---- guard.c: is the request what a browser of ours would send? ---- */

/* NULL: it is. Else why not. */
const char *guard_host(const struct console *c, const struct http_request *r);
const char *guard_origin(const struct http_request *r);
const char *guard_csrf(const struct http_request *r, const struct caller *caller);

/* ---- the routes that are not one operation ---- */

api_route_fn api_session_begin, api_session_show, api_session_end; /* sign_in.c */
api_route_fn api_status, api_openapi;
api_route_fn api_usage; /* api_call.c */
api_route_fn api_password_change; /* password_change.c */
api_route_fn api_events;          /* event_streams.c */

/* ---- openapi.c: pure ---- */

json_t *openapi_document(void); /* a new object; NULL: out of memory */

#endif
