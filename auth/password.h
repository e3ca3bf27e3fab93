/* Passwords as people type them, turned into what is stored. Prepared by SASLprep (login.h), so
 * that the same password from two keyboards is the same bytes. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/account.h"
#include "msa/base/view.h"

#define PASSWORD_MAX          511                 /* bytes as sent; crypt(3) takes no more */
#define PASSWORD_PREPARED_MAX (11 * PASSWORD_MAX) /* NFKC makes some characters longer */

/* Fills kind, secret and CRAM state of `a` for a new password. MSA_OK, or negative with the reason
 * in `why`. One key derivation. Any thread. */
int password_store(struct view raw, uint32_t iteration_count, bool with_cram, struct account *a,
                   char *why, size_t why_size);
/* The same for a password prepared before. MSA_OK or negative. */
int password_store_prepared(struct view prepared, uint32_t iteration_count, bool with_cram,
                            struct account *a);

#endif
