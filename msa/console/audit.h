/* The record of a change: who did what to whom, from where, why, and how it came out. A line in the log at once, and a
 * durable record with policy before the one who asked is answered. Nothing that was changed is taken back where it
 * cannot be recorded; the log then says audit-lost. */
#ifndef MSA_CONSOLE_AUDIT_H
#define MSA_CONSOLE_AUDIT_H

#include <stddef.h>

#include <jansson.h>

#include "msa/console/console_private.h"

struct audit_entry {
    struct view actor;
    const struct ipaddr *from; /* none: the control socket */
    struct view op;
    struct view target; /* a login, the id of a restriction or message; may be empty */
    struct view why;    /* may be empty: a customer's own change */
    unsigned status;    /* as answered */
};

/* Sessions and the record know an account by the one form of its name, which answers to changes of it hold as "login",
 * whatever was typed. `target` stays as it is where `answer` (may be NULL) holds none. */
void audit_name_account(const json_t *answer, char *target, size_t target_size);

/* `fn` is called once, perhaps before it returns. Views are copied. */
typedef void audit_fn(void *arg);
void audit_add(struct console *c, const struct audit_entry *e, audit_fn *fn, void *arg);

#endif
