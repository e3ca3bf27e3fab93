/* Postfix's smtpd_sender_login_maps as text (texthash, the source of hash and lmdb): `sender login, login …` on
 * each line, "#" for comments, white space at the front to go on with the line before.
 *
 * Pure, any thread, never blocks. */
#ifndef MSA_CTL_SENDER_MAPS_H
#define MSA_CTL_SENDER_MAPS_H

#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define SENDER_MAPS_LINE_MAX 65536 /* with its continuation lines */

/* One login that may use one sender: a pattern in the form of msa/mail/sender_pattern.h. */
typedef void sender_maps_pair_fn(void *arg, struct view login, struct view sender);

struct sender_maps_result {
    uint32_t pair_count;
    uint32_t error_count;
};

/* Reads all of `text`, a file called `name`. Each mistake is a line "name:line: what" in `errors` (as far as it has
 * room) and costs its line alone. */
struct sender_maps_result sender_maps_read(struct view text, const char *name,
                                           sender_maps_pair_fn *pair, void *arg,
                                           struct buf *errors);

#endif
