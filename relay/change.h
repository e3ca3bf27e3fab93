/* struct change: what must reach the disk together. Up to four steps (a new message, the progress or the end of one)
 * become one transaction; large bodies get their names first. New messages enter the index when they are
 * durable, and not before. */
#ifndef RELAY_CHANGE_H
#define RELAY_CHANGE_H

#include "relay/message.h"
#include "relay/state.h"

struct change;

/* In the loop, once, never inside change_submit: MSA_OK when all is durable, else the first failure. */
typedef void change_done_fn(void *arg, int err);

struct change *change_new(struct relay *r, change_done_fn *done, void *arg); /* NULL: out of memory */
/* Before submit only: nothing happens, messages that were given are freed. */
void change_free(struct change **c);

enum change_kind {
    CHANGE_OURS = 0, /* waits for space if need be */
    CHANGE_FRESH,    /* a client's: fails with MSA_EFULL at once */
};

/* `m` is the change's from here on, also on failure. */
int change_insert(struct change *c, struct message *m, enum change_kind kind);
/* The same for a message that is being delivered meanwhile: it is put in the index as ACTIVE, stays the
 * caller's, and lives and keeps its content until `done`. */
int change_insert_active(struct change *c, struct message *m);
int change_update(struct change *c, const struct message *m); /* its record as it is now */
int change_delete(struct change *c, uint64_t id, bool is_large);

void change_submit(struct change *c); /* `c` is gone */

#endif
