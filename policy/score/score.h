/* score: gives a message's body a score. For now the configured neutral one, so that mail flows and every
 * caller asks as it will ask a real engine. */
#ifndef POLICY_SCORE_SCORE_H
#define POLICY_SCORE_SCORE_H

#include "msa/ipc/role.h"

extern const struct role_ops score_role;

#endif
