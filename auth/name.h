/* Whose name is it: what console asks before every operation about an account, and at every sign-in at a mail server. */
#ifndef AUTH_NAME_H
#define AUTH_NAME_H

#include "auth/store.h"
#include "auth/verify.h"
#include "msa/ipc/messages.h"

/* `answer->login` points into `login`. Two look-ups in pages that the kernel keeps for us, as policy does for every
 * sign-in: fit for the loop's thread. */
void name_find(struct store *store, const struct verify_rules *rules, struct view typed,
               char login[STORE_LOGIN_MAX + 1], struct msg_auth_name_answer *answer);

#endif
