/* The auth role: passwords and nothing else. It sees no mail and no client's socket; session
 * workers bring it the bytes of AUTH exchanges, the console operations on accounts
 * (messages.def). */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

#include "msa/ipc/role.h"

extern const struct role_ops auth_role;

#endif
