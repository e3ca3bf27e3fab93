/* What an account may write from, as support staff and configurations say it:
 *
 *     taro@example.jp              this address
 *     @example.jp                  every address of this domain
 *     .example.jp                  every address of every domain below it, not of itself
 *     delegated:boss@example.jp    as before, but on behalf of somebody else: the message
 * shall name who sent it (Sender, RFC 6409 section 8.1)
 *
 * A pattern has one canonical form, made of path_canonical's and of lower case A-labels;
 * two patterns mean the same exactly when these are equal but for the case of ASCII
 * letters.
 *
 * Pure, any thread, never blocks. */
#ifndef MSA_MAIL_SENDER_PATTERN_H
#define MSA_MAIL_SENDER_PATTERN_H

#include <stdbool.h>

#include "msa/base/view.h"
#include "msa/mail/path.h"

#define SENDER_DELEGATED    "delegated:"
#define SENDER_PATTERN_SIZE (PATH_CANONICAL_SIZE + sizeof SENDER_DELEGATED)

/* Writes the canonical form and a NUL; its length, MSA_EINVAL for what is no pattern,
 * MSA_ETOOBIG. White space round it is let go. A domain below which every domain counts
 * has a dot itself:
 * ".jp" would be a country. */
int sender_pattern_parse(struct view text, char out[static SENDER_PATTERN_SIZE]);

/* `pattern` and `address` (a mailbox) are canonical. `separators` are characters of which
 * each may set off a detail behind a local part: with "+" the pattern taro@example.jp
 * matches taro+news@example.jp. ASCII case of local parts does not count: logins are
 * folded, so no two accounts differ by it alone. */
bool sender_pattern_matches(struct view pattern, struct view address,
                            struct view separators);
bool sender_pattern_is_delegated(struct view pattern);

/* Two mailboxes in canonical form, compared as patterns do. */
bool sender_address_matches(struct view own, struct view address, struct view separators);

#endif
