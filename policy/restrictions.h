/* The restrictions of this server: which account is shut out now, and the durable records
 * of all that was done.
 *
 * Standing suspensions are in memory, so that every question about an account costs one
 * look into a table, and with them the ids of standing locks, so that the desk's list
 * costs no walk over millions of records; all records are in the ledger. What comes up
 * again and again (a phone that keeps knocking) is one record that counts. One thread. */
#ifndef POLICY_RESTRICTIONS_H
#define POLICY_RESTRICTIONS_H

#include "msa/base/table.h"
#include "policy/ledger.h"
#include "policy/restriction.h"

/* A suspension in force; of an account that has two, the one that its owner cannot lift. */
struct standing {
    struct table_entry entry; /* by account */
    uint64_t account;
    uint64_t id;
    enum restriction_kind kind;
    int64_t at_ms;
    int64_t until_ms;  /* 0: until it is released */
    bool is_mail_held; /* relay has said so */
};

struct restrictions;

/* Reads what stands from the ledger. NULL: out of memory. */
struct restrictions *restrictions_new(struct ledger *ledger);
void restrictions_free(struct restrictions **rs);

/* NULL: the account is free. One that has run out stands until restrictions_each_due has
 * taken it. */
struct standing *restrictions_standing(const struct restrictions *rs, uint64_t account);
size_t restrictions_standing_count(const struct restrictions *rs);
typedef void restrictions_each_fn(void *arg, struct standing *s);
void restrictions_each_standing(struct restrictions *rs, restrictions_each_fn *fn,
                                void *arg);

/* Writes a record: a new one, or the same again within the hour (kind, account, rule) where
 * that was not lifted meanwhile, which is counted and stands as long as the later one. `r->id`
 * and `times` are chosen here. The id; *is_new_out (may be NULL) says which. */
uint64_t restrictions_add(struct restrictions *rs, const struct restriction *r,
                          bool *is_new_out);

/* Reads one; views point into `bytes`. False: there is none, or it is damaged. */
bool restrictions_read(struct restrictions *rs, uint64_t id, struct buf *bytes,
                       struct restriction *out);

/* Deletes the record for good, as it was found in the ledger. Not for one that stands,
 * nor one of the last hours: it may come up again and is counted in memory. */
void restrictions_forget(struct ledger *ledger, uint64_t account, uint64_t id);

struct restrictions_filter {
    uint64_t account; /* 0: of all */
    uint64_t after;   /* only younger ones than this id; 0: all */
    bool is_standing_only;
};

/* Calls `fn` for each that the filter lets through, the oldest first, until it says false
 * or many were looked at. The id to go on behind, 0 when that was all. Views are valid in
 * the call only. */
typedef bool restrictions_record_fn(void *arg, const struct restriction *r);
uint64_t restrictions_each(struct restrictions *rs,
                           const struct restrictions_filter *filter, int64_t now_ms,
                           restrictions_record_fn *fn, void *arg);

/* The owner's own lock of an account that is shut out, also one that waits behind a suspension. 0: there is none. */
uint64_t restrictions_owner_lock(struct restrictions *rs, uint64_t account, int64_t now_ms);

/* Lifts it; an owner's lock that waited behind it stands then. MSA_OK, MSA_ENOENT, or MSA_EEXIST: it was lifted
 * before. */
int restrictions_release(struct restrictions *rs, uint64_t id, struct view by,
                         struct view note, int64_t now_ms);

#endif
