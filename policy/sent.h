/* Whose message that was: what was acknowledged lately, by its id here and by its Message-ID. A bounce that comes back days
 * later often carries nothing else.
 *
 * In a file of its own beside the counters, which is bounded, forgets by itself and may be lost as they may: what is
 * no longer known there has to be reported by login. The ledger would sync for each message. Message-IDs are kept as keyed hashes. A
 * customer chooses his, so one that two accounts have used is nobody's.
 *
 *      key:   'i' | u64 id    or    'm' | u64 hash of the Message-ID
 *      value: u8 RECORD_VERSION | u32 keep_until_s | u8 version | u64 account, 0: several | login
 *
 * One thread. */
#ifndef POLICY_SENT_H
#define POLICY_SENT_H

#include <stdint.h>

#include "msa/ipc/messages.h"
#include "policy/engine/store.h"

struct sent {
    struct store *store;  /* NULL: nothing is kept */
    uint8_t hash_key[16]; /* as old as the store */
};

struct sent_message {
    uint64_t id;
    struct view message_id; /* "": none; of any length */
    uint64_t account;
    struct view login;
};

/* What is lost (no room, no memory) is lost. */
void sent_note(const struct sent *s, const struct sent_message *m, int64_t now_ms, int64_t keep_ms);

struct sent_owner {
    uint64_t account;
    char login[IPC_LOGIN_MAX + 1];
};

/* By its id here, else by its Message-ID; 0 and "" for what is not told. MSA_OK; MSA_ENOENT: not known, or no more;
 * MSA_EEXIST: several have sent such a one. */
int sent_find(const struct sent *s, uint64_t id, struct view message_id, int64_t now_ms, struct sent_owner *out);

#endif
