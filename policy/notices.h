/* Notices: what happened to an account, told to the customer and to the support desk, each matter once.
 *
 * A notice is put into the outbox (outbox.h), which gives it to relay, and the matter is marked as told in the same
 * commit: none is lost, and none is told again after a restart.
 *
 * Programs are told as people are: a JSON object to each webhook that wants this kind.
 *
 * Never a flood. A suspension is told once and so is its end; of the rest the first one of a UTC day, for the account,
 * the kind, and the rule where it is one that limits, holds or warns. The desk gets at most `desk_per_hour` in an hour,
 * then one mail that says how many more there were. In the loop's thread; nothing blocks or calls back. */
#ifndef POLICY_NOTICES_H
#define POLICY_NOTICES_H

#include <jansson.h>

#include "msa/ipc/chan.h"
#include "msa/ipc/messages.h"
#include "policy/ledger.h"
#include "policy/notice/matter.h"
#include "policy/notice/texts.h"

#define NOTICE_ADDRESS_SIZE 256 /* with NUL */
#define NOTICE_HOOKS_MAX    4

struct notices;

struct notices_hook {
    char name[IPC_NAME_MAX + 1];
    unsigned events; /* mask of 1 << enum matter_kind */
};

struct notices_config {
    char from[NOTICE_ADDRESS_SIZE]; /* empty: no mails */
    char desk[NOTICE_ADDRESS_SIZE]; /* empty: none to the desk */
    enum notice_language desk_language;
    unsigned events; /* of mails: mask of 1 << enum matter_kind */
    struct notices_hook hooks[NOTICE_HOOKS_MAX];
    size_t hook_count;
    /* In the place of those that are built in; NULL: that one. They stay the caller's, to the next configuration. */
    const char *templates[NOTICE_LANGUAGE_COUNT][NOTICE_READER_COUNT][MATTER_KIND_COUNT];
    bool is_to_customer;
    uint32_t desk_per_hour;
    int offset_min; /* of the dates in them, east of Greenwich */
};

/* `ledger` stays the caller's and outlives it. NULL: out of memory. Sends what an earlier process left over. */
struct notices *notices_new(struct loop *loop, struct ledger *ledger);
void notices_free(struct notices **n); /* what is not sent stays in the ledger */

void notices_take_config(struct notices *n, const struct notices_config *config); /* copied */

/* `customer` is where the account's notices go: empty for nowhere. Nothing of it is kept by reference. */
void notices_tell(struct notices *n, const struct matter *m, struct view customer,
                  enum notice_language language);

/* A sample by the same way, whatever was told before; not remembered. MSA_OK, or why it could not be kept. */
int notices_try(struct notices *n, const struct matter *m, struct view customer,
                enum notice_language language);

/* The channel to relay; it must not be freed before notices_peer_down. */
void notices_peer_up(struct notices *n, struct chan *relay);
void notices_peer_down(struct notices *n);

json_t *notices_status(const struct notices *n); /* a new object, or NULL */

#endif
