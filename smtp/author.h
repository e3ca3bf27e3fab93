/* Who a message says it is from: the mailboxes of From and Sender as policy judges them, and whether the
 * header can be read in one way only. The session finds facts; what they mean is policy's matter. */
#ifndef SMTP_AUTHOR_H
#define SMTP_AUTHOR_H

#include <stdbool.h>

#include "msa/mail/path.h"
#include "smtp/txn.h"

/* Reads the header of `t` into its authors, header_sender, resent, shown and header_findings; false when out of
 * memory. */
bool author_read(struct smtp_txn *t);

/* From holds exactly one mailbox, and it is `who`. */
bool author_is_alone(const struct smtp_txn *t, const struct path *who);

#endif
