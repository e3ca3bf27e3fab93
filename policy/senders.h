/* The addresses that an account may write from besides its own login: aliases, whole
 * domains, addresses delegated to it, third parties that it lawfully sends for.
 *
 * A list is text: patterns in canonical form (msa/mail/sender_pattern.h), each with a LF
 * behind it, no two of them the same. So it lies in an account's record as it is, costs
 * nothing where it is empty, and a view of it is all that a question needs.
 *
 * Pure, any thread, never blocks. */
#ifndef POLICY_SENDERS_H
#define POLICY_SENDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define SENDERS_MAX       100 /* patterns of one account */
#define SENDERS_BYTES_MAX 8192

/* Adds `pattern`, in whatever form it is written, to the end of `list` (a buffer of at
 * least SENDERS_BYTES_MAX). MSA_OK also when it is there already; MSA_EINVAL when it is
 * no pattern; MSA_EFULL beyond a maximum; MSA_ENOMEM. Nothing was added on failure. */
int senders_add(struct buf *list, struct view pattern);

/* Takes it out. MSA_ENOENT when it is not there, MSA_EINVAL, MSA_ENOMEM. */
int senders_remove(struct buf *list, struct view pattern);

/* Takes the first pattern off the front of `*list`; false at its end:
 *
 *     while (senders_next(&rest, &pattern)) … */
bool senders_next(struct view *list, struct view *pattern_out);

size_t senders_count(struct view list);

/* A list as senders_add makes it: for what comes back from a store. */
bool senders_are_sound(struct view list);

enum sender_claim {
    SENDER_NOT_ALLOWED = 0,
    SENDER_IS_DELEGATED, /* allowed on behalf of somebody else */
    SENDER_IS_OWN,
};

/* The best claim that the list has to `address`, a canonical mailbox. `separators` as in
 * sender_pattern_matches. */
enum sender_claim senders_claim(struct view list, struct view address,
                                struct view separators);

#endif
