/* The API as data: which request may be made by whom, with what, and which operation of which role it asks. The same
 * table dispatches (api_call.c) and is the OpenAPI document (openapi.c), so that neither knows a route that the other
 * does not.
 *
 * Fields of GET and DELETE stand in the query, those of POST, PUT and PATCH in a JSON object; what the table does
 * not name is refused by name. A part of the path in braces is a field of that name. */
#ifndef MSA_CONSOLE_API_H
#define MSA_CONSOLE_API_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"
#include "msa/console/http.h"

/* Who asks, bits. */
enum api_who {
    WHO_OPERATOR = 1 << 0,
    WHO_SUPPORT = 1 << 1,
    WHO_PORTAL = 1 << 2,   /* another system of the provider */
    WHO_CUSTOMER = 1 << 3, /* own account only */
    WHO_ANYBODY = 1 << 4,  /* also who has not signed in */
};
#define WHO_DESK (WHO_OPERATOR | WHO_SUPPORT)

const char *api_who_name(unsigned who); /* of one bit; "anybody" */
unsigned api_who_named(struct view name); /* operator, support, portal; 0: none of them */

/* What a token may be allowed; a session has what its role has. */
#define API_SCOPES(X)                                                                              \
    X(ACCOUNTS_READ, "accounts.read") X(ACCOUNTS_WRITE, "accounts.write")                          \
    X(SETTINGS_WRITE, "settings.write") X(RESTRICTIONS_READ, "restrictions.read")                  \
    X(RESTRICTIONS_WRITE, "restrictions.write") X(QUEUE_READ, "queue.read")                        \
    X(QUEUE_WRITE, "queue.write") X(CONTENT_READ, "content.read") X(STATUS_READ, "status.read")    \
    X(RULES_READ, "rules.read") X(SCORE_READ, "score.read") X(SCORE_WRITE, "score.write")          \
    X(GEO_READ, "geo.read") X(OUTCOME_WRITE, "outcome.write") X(NOTICES_WRITE, "notices.write")    \
    X(EVENTS_READ, "events.read") X(AUDIT_READ, "audit.read") X(CONFIG_READ, "config.read")        \
    X(CONFIG_WRITE, "config.write") X(TOKENS_WRITE, "tokens.write")

#define API_SCOPE_WORD(name, text) text "|"
#define API_SCOPE_WORDS API_SCOPES(API_SCOPE_WORD)

enum api_scope {
    SCOPE_NONE = 0, /* none is needed */
#define X(name, text) SCOPE_##name,
    API_SCOPES(X)
#undef X
    SCOPE_COUNT
};

const char *api_scope_name(enum api_scope scope);
enum api_scope api_scope_named(struct view name); /* SCOPE_NONE: there is none */
static inline uint64_t api_scope_bit(enum api_scope scope) { return (uint64_t)1 << scope; }

enum api_type {
    API_TEXT = 0, /* min and max count octets; `words`: one of these, "a|b" */
    API_NUMBER,   /* min and max are values */
    API_FLAG,
    API_TEXTS,    /* a list; max counts items */
    API_OBJECT,   /* as its operation says */
    API_OBJECTS,  /* a list of objects; max counts items */
    API_ANY,      /* a text, a number or null: as its operation says */
};

enum api_field_flag {
    API_REQUIRED = 1 << 0,
    API_NOT_CUSTOMER = 1 << 1, /* a customer may not give it */
    API_SECRET = 1 << 2,       /* never in a log or record */
};

struct api_field {
    const char *name; /* NULL behind the last */
    enum api_type type;
    int64_t min, max;
    const char *words;
    unsigned flags;
    const char *arg; /* what the operation calls it; NULL: the same; "": it does not hear of it */
    const char *doc;
};

struct api_call;
typedef void api_route_fn(struct api_call *call);

struct api_route {
    enum http_method method;
    const char *path;
    unsigned who;
    enum api_scope scope;
    const char *op;   /* of ops.c; NULL: `fn` does it */
    api_route_fn *way; /* what is to be done before `op` is asked, by api_ask_op; NULL: nothing */
    api_route_fn *fn;
    const struct api_field *fields; /* NULL: none */
    const char *tag;
    const char *summary;
    const char *sets;  /* a flag of the operation that this route sets; NULL: none */
    const char *picks; /* the one member of the answer that is the answer here; NULL: all */
    const char *shown; /* to a customer: members at the first two levels, "a b c"; NULL: all */
    bool is_open;      /* no CSRF token is asked for: there is no session yet */
};

extern const struct api_route api_routes[];
extern const size_t api_route_count;

/* Whether a route that changes something asks for this operation. */
bool api_op_is_change(struct view op);

#define API_PREFIX "/api/v1"
#define API_WHY    "why"

/* ---- api_match.c: pure ---- */

#define API_VALUE_MAX  320
#define API_PARAMS_MAX 2

struct api_match {
    const struct api_route *route; /* NULL: no such path, or not with this method */
    bool is_path;                  /* the path is there, with some method */
    unsigned methods;              /* bits of enum http_method: which */
    size_t param_count;
    struct {
        struct view name;
        char value[API_VALUE_MAX + 1];
        size_t value_bytes;
    } params[API_PARAMS_MAX];
};

/* `path` as it was sent. A value is decoded once; control bytes, what is no UTF-8 and what is too long match nothing. */
void api_match(enum http_method method, struct view path, struct api_match *out);

/* Undoes %XX, and '+' where `is_query`. False: malformed, a control byte, no UTF-8, or too long. */
bool api_decode(struct view text, bool is_query, char *out, size_t out_size, size_t *n_out);

/* ---- api_args.c: pure ---- */

#define API_DETAIL_MAX 200

struct api_fault {
    unsigned status;    /* 0: none */
    char member[64];    /* which one */
    char detail[API_DETAIL_MAX];
};

/* The operation's arguments from path, query and body; a new object, NULL with *fault filled. */
json_t *api_args(const struct api_match *match, unsigned who, struct view query, struct view body,
                 struct api_fault *fault);

#define API_JSON_DEPTH_MAX 8

/* Does any bracket of `text` stand deeper than that? Strings are passed over. */
bool api_json_is_deep(struct view text, unsigned depth_max);

#endif
