/* The operations that the control socket takes, and whose they are. A new one is a line in ops.c, and
 * one in its role's own table. */
#ifndef MSA_CONSOLE_OPS_H
#define MSA_CONSOLE_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"
#include "msa/ipc/messages.h"

/* Whose account the member "login" names, or each of "logins"; without one nothing is looked up. The role gets
 * "account", "login" and "created_ms", or "accounts", a list of such objects, and the "missing" names. */
enum console_about {
    ABOUT_NO_ACCOUNT = 0,
    ABOUT_ACCOUNT,  /* 404 where it is nobody's */
    ABOUT_ANY_NAME, /* one that is nobody's goes without "account" */
    ABOUT_ACCOUNTS,
};

struct console_op {
    const char *name;
    enum role role;
    uint32_t body_max_bytes;
    int64_t within_ms;
    enum console_about about;
};

extern const struct console_op console_ops[];
extern const size_t console_op_count;

const struct console_op *console_op_find(struct view name); /* NULL: there is none */

/* One that console asks for itself, in the course of another: nobody calls it by name. */
bool console_op_is_internal(const struct console_op *op);

/* What was signed in to its target before is shut. */
bool console_op_ends_sessions(const struct console_op *op);

/* What the status page gathers: one question to each process of these roles. */
struct console_status {
    enum role role;
    const char *op;
};

extern const struct console_status console_statuses[];
extern const size_t console_status_count;

#endif
