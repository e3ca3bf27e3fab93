/* The last sign-ins of one account, for its owner: "was that me?"
 *
 * Bounded, so what would fill the list is counted in one entry: the same again within an hour (a program that signs in
 * every minute), for a day at most; and wrong passwords from networks that the account has not signed in from, one
 * entry per country and hour. What is shut out before its password is known counts with those. When there is no more
 * room, the three kinds of sign-ins (let in, not proven, proven and refused) each keep a share that the others cannot
 * take, and of one kind the country with the most entries gives up its oldest: neither a guesser nor the owner's
 * own devices push out the one sign-in of a stranger.
 *
 * Pure: the list and its form on disk. sign_ins.h keeps lists.
 *
 *      u8 RECORD_VERSION | u32 keep_until_s | u8 version | u8 count | entries: i64 first_ms | i64 last_ms | u32 times |
 *      u8 protocol | u8 result | u8 is_folded | u16 country | u32 network | address, network name, program */
#ifndef POLICY_SIGN_IN_LIST_H
#define POLICY_SIGN_IN_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define SIGN_INS_MAX             40
#define SIGN_IN_LET_IN_SHARE     16
#define SIGN_IN_UNPROVEN_SHARE   12 /* what is left is for those with a right password that were refused */
#define SIGN_IN_ADDRESS_MAX      63
#define SIGN_IN_NETWORK_NAME_MAX 48
#define SIGN_IN_PROGRAM_MAX      64
#define SIGN_IN_LIST_BYTES_MAX   16384

enum sign_in_protocol { SIGN_IN_SMTP = 0, SIGN_IN_POP, SIGN_IN_IMAP, SIGN_IN_PAGE, SIGN_IN_OTHER, SIGN_IN_PROTOCOL_COUNT };
enum sign_in_result {
    SIGN_IN_ALLOWED = 0,
    SIGN_IN_WRONG_PASSWORD,
    SIGN_IN_OVERSEAS,   /* blocked by the account's own setting */
    SIGN_IN_RESTRICTED, /* the account is suspended or locked */
    SIGN_IN_REFUSED,    /* by a rule */
    SIGN_IN_RESULT_COUNT
};

const char *sign_in_protocol_name(enum sign_in_protocol protocol);
const char *sign_in_result_name(enum sign_in_result result);

struct sign_in_entry {
    int64_t first_ms, last_ms;
    uint32_t times;
    enum sign_in_protocol protocol; /* of a folded one, as the two texts below: of the last */
    enum sign_in_result result;
    bool is_proven; /* the password was right: for what comes in; not kept */
    bool is_folded; /* of many, from one country within an hour: address, name and program only where all have the same */
    uint16_t country;
    uint32_t network; /* a short hash */
    char address[SIGN_IN_ADDRESS_MAX + 1];
    char network_name[SIGN_IN_NETWORK_NAME_MAX + 1];
    char program[SIGN_IN_PROGRAM_MAX + 1];
};

struct sign_in_list {
    unsigned count;
    struct sign_in_entry entries[SIGN_INS_MAX + 1]; /* in no order; one more than are kept, while one comes in */
};

/* Text of strangers as it may be shown and kept: on one line, cut between characters. */
void sign_in_clean(struct view text, char *out, size_t size);

/* Counts `e` (its last_ms is now; first_ms and times are of no interest). */
void sign_in_list_add(struct sign_in_list *list, const struct sign_in_entry *e);
/* Forgets what was last before `before_ms`. */
void sign_in_list_expire(struct sign_in_list *list, int64_t before_ms);
void sign_in_list_sort(struct sign_in_list *list); /* the newest first */

/* The same to whoever looks: protocol, result, network, program; what is the same again has the same. */
uint64_t sign_in_kind(const struct sign_in_entry *e);
/* The entry that one more of this kind at this time would be counted in; NULL: it would be one of its own. */
struct sign_in_entry *sign_in_list_find(struct sign_in_list *list, uint64_t kind, int64_t now_ms);

int sign_in_list_encode(const struct sign_in_list *list, uint32_t keep_until_s, struct buf *out);
/* MSA_OK; MSA_ECORRUPT with an empty list. */
int sign_in_list_decode(struct view bytes, struct sign_in_list *out);

#endif
