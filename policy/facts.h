/* From the words of a message between roles to the facts of an event: the engine's input.
 *
 * Pure: what is known of address, account and settings comes in. Arrays and texts of the
 * event live in the caller's arena or in what was passed in. */
#ifndef POLICY_FACTS_H
#define POLICY_FACTS_H

#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/base/view.h"
#include "policy/engine/event.h"

/* The name of an account that does not exist, as an id of its own. */
uint64_t facts_unknown_account(const uint8_t hash_key[16], struct view login);
/* Of the part behind the last "@"; 0 where there is none. */
uint64_t facts_domain(const uint8_t hash_key[16], struct view login);
uint64_t facts_text_hash(const uint8_t hash_key[16], struct view text);
/* Of an address in whatever case; 0 for the null sender. */
uint64_t facts_sender(const uint8_t hash_key[16], struct view sender);

/* Items of msg_recipient (policy_quota_ask): their number, a hash of each, and how many
 * of them each of the largest domains has. MSA_OK, MSA_EPROTO when the list is malformed
 * or not `count` long, MSA_ENOMEM. */
int facts_recipients(const uint8_t hash_key[16], struct view items, uint32_t count,
                     struct arena *arena, struct event *e);

/* Items of msg_recipient_result (relay_outcome): the recipients that the smarthost
 * refused for good. */
int facts_rejected(const uint8_t hash_key[16], struct view items, struct arena *arena,
                   struct event *e);

/* Fingerprints of the content, 8 octets each; a rest is left out. */
void facts_fingerprints(struct view bytes, struct arena *arena, struct event *e);

#endif
