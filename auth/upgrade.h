/* Better secrets for accounts that proved their password in plain: written behind the client's
 * back, by the one thread that writes. */
#ifndef AUTH_UPGRADE_H
#define AUTH_UPGRADE_H

#include "auth/account.h"
#include "auth/store.h"
#include "msa/io/threads.h"

/* Stores kind, secret and CRAM state of `account`, if the record still is the one that was read:
 * same id and generation. Loop's thread; copies. Where the writer has no room the upgrade is left
 * to the next sign-in. */
void upgrade_submit(struct threads *writer, struct store *store, const char *login,
                    const struct account *account);

#endif
