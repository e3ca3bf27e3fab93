/* The operations that a role offers to console, as a table: decoding, dispatch and the form of answers
 * are the same for all of them.
 *
 * A result is a JSON object. What went wrong is said as {"detail": "…"} with a status of 400 or more;
 * console makes a problem document (RFC 9457) of it. An operation answers once, at once or later. */
#ifndef MSA_IPC_ADMIN_H
#define MSA_IPC_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "msa/base/view.h"
#include "msa/ipc/chan.h"

/* Views and `args` die when the operation returns. */
struct admin_call {
    struct chan *chan;
    uint64_t id; /* what to answer with */
    struct view op;
    struct view actor; /* who asks, for the log */
    json_t *args;      /* an object; borrowed */
};

typedef void admin_op_fn(void *state, const struct admin_call *call);

struct admin_op {
    const char *name; /* "queue.list" */
    admin_op_fn *fn;
    bool is_change;   /* leaves a line in the log: who asked for what */
};

/* To be called by the role's handler of IPC_admin_ask, whose result it is. */
int admin_dispatch(const struct admin_op *ops, size_t op_count, void *state, struct chan *c,
                   struct chan_message *m);

/* The same for a role whose operations stand in several tables. */
struct admin_table {
    const struct admin_op *ops;
    size_t op_count;
};
int admin_dispatch_tables(const struct admin_table *tables, size_t table_count, void *state,
                          struct chan *c, struct chan_message *m);

/* Answers. `result` is taken over; NULL (out of memory while it was built) is answered 503. */
void admin_reply(struct chan *c, uint64_t id, unsigned status, json_t *result);
void admin_refuse(struct chan *c, uint64_t id, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Members of an argument object: VIEW_EMPTY, `otherwise`, false where absent or of another type. */
struct view admin_text(const json_t *args, const char *key);
int64_t admin_number(const json_t *args, const char *key, int64_t otherwise);
bool admin_flag(const json_t *args, const char *key);

#endif
