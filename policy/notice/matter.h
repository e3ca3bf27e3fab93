/* What happened to an account and is worth a notice. Made by policy, read by the templates; its views are the maker's
 * and live as long as the call they are given to. `address` and `country` come in the form that the settings
 * for privacy allow; nothing here makes them shorter. */
#ifndef POLICY_NOTICE_MATTER_H
#define POLICY_NOTICE_MATTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

enum matter_kind {
    MATTER_SUSPENDED = 0,
    MATTER_HELD,
    MATTER_LOCKED,
    MATTER_OVERSEAS, /* a sign-in from abroad was refused by the customer's own setting */
    MATTER_RELEASED,
    MATTER_LIMITED, /* something was deferred or refused */
    MATTER_WARNED,  /* only told */
    MATTER_LOCKED_BY_OWNER, /* the customer said "that was not me" */
    MATTER_KIND_COUNT
};

struct matter {
    enum matter_kind kind;
    uint64_t account;
    uint64_t restriction; /* 0: none */
    int64_t at_ms;        /* since 1970 UTC */
    int64_t until_ms;     /* 0: until somebody ends it */
    struct view login;
    struct view rule;
    struct view because; /* the rule's own sentence */
    struct view grounds; /* what was counted */
    struct view country;
    struct view address;
    struct view actor; /* who did it, if a person did */
    struct view note;
};

/* "suspended", "held" …: in settings, in logs, in names of template files. */
const char *matter_kind_name(enum matter_kind kind);
bool matter_kind_find(struct view name, enum matter_kind *out);

/* For programs, with the names that restrictions have in the API: a new object, NULL when memory is out. */
json_t *matter_json(const struct matter *m);

#endif
