/* Whom an event is about: the keys of the records that the rules count in, and the
 * records themselves for one decision. Inside of the engine. */
#ifndef POLICY_ENGINE_SUBJECT_H
#define POLICY_ENGINE_SUBJECT_H

#include <stdint.h>

#include "policy/engine/event.h"
#include "policy/engine/record.h"
#include "policy/engine/rule.h"
#include "policy/engine/store.h"

#define FINGERPRINTS_MAX 8
#define DESTINATIONS_MAX 8
#define NTH_MAX          8 /* of either */

/* The records that one decision reads and may write. */
struct subjects {
    const struct rule_set *set;
    const struct event *event;
    struct arena *arena;
    unsigned count;
    int8_t at[PER_KIND_COUNT][NTH_MAX]; /* position in the arrays; -1: not needed yet */
    enum rule_subject kinds[STORE_MANY_MAX];
    struct store_record stored[STORE_MANY_MAX];
    struct record records[STORE_MANY_MAX];
    char encoded[4096]; /* room for what is written, most of the time */
};

void subjects_init(struct subjects *s, const struct rule_set *set, const struct event *e,
                   struct arena *arena);

/* Rules per fingerprint and per destination have several records in one event: how many
 * at most. 1 for all others. */
unsigned subject_nth_count(enum rule_subject per, const struct event *e);

/* Notes that the record will be needed. False if the event has no such subject. */
bool subjects_need(struct subjects *s, enum rule_subject per, unsigned nth);
/* The record, after subjects_read; NULL if there is none. */
struct record *subjects_find(struct subjects *s, enum rule_subject per, unsigned nth);

/* Reads and decodes all that are needed. 0 or MSA_EAGAIN. */
int subjects_read(struct subjects *s, struct store *store);
/* Writes those that changed. 0, MSA_EEXIST (read again, decide again) or MSA_EAGAIN. */
int subjects_write(struct subjects *s, struct store *store);

/* Short keyed hashes that stand for an address, its network and its block in cells. */
uint32_t subject_address_hash(const struct rule_set *set, const struct ipaddr *a);
uint32_t subject_network_hash(const struct rule_set *set, const struct ipaddr *a);
uint32_t subject_block_hash(const struct rule_set *set, const struct ipaddr *a);

/* First byte of the keys of accounts that exist; all other subjects may be forgotten
 * first. */
#define SUBJECT_KEY_ACCOUNT 'a'

#endif
