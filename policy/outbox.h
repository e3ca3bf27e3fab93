/* What is to leave this server on our own account, and has not yet: mails, and calls of
 * webhooks. Each is a record in the ledger until relay has said that it is done, so it
 * outlives a crash of either; what was under way then may go out twice, under the same
 * id.
 *
 * Nothing goes to relay before it is durable. What relay refuses is tried again after a
 * wait that doubles, up to an hour, and given up after three days (a webhook: one day),
 * with a line in the log. In the loop's thread; nothing blocks or calls back. */
#ifndef POLICY_OUTBOX_H
#define POLICY_OUTBOX_H

#include <jansson.h>

#include "msa/ipc/chan.h"
#include "policy/ledger.h"

#define OUTBOX_TEXT_MAX (128u << 10)

struct outbox;

enum outbox_kind { OUTBOX_MAIL = 0, OUTBOX_CALL, OUTBOX_KIND_COUNT };

struct outbox_item {
    enum outbox_kind kind;
    uint64_t id;      /* of msgid_next */
    struct view from; /* of a call: the event */
    struct view to;   /* of a call: the webhook */
    struct view text; /* the whole mail; or the body, at most 64 KiB */
};

/* `ledger` stays the caller's and outlives it. NULL: out of memory. Sends what an earlier
 * process left over. */
struct outbox *outbox_new(struct loop *loop, struct ledger *ledger);
void outbox_free(struct outbox **o); /* what is not sent stays in the ledger */

/* Copies it. MSA_OK, or the error of ledger_put: nothing is kept. What is put in one turn
 * of the loop, here and elsewhere in the ledger, becomes durable in one commit. */
int outbox_put(struct outbox *o, const struct outbox_item *item);

/* The channel to relay; it must not be freed before outbox_peer_down. */
void outbox_peer_up(struct outbox *o, struct chan *relay);
void outbox_peer_down(struct outbox *o);

json_t *outbox_status(const struct outbox *o); /* a new object, or NULL */

#endif
