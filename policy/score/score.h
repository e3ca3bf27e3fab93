/* score: gives a message's content a score, with findings that say why, and fingerprints by which policy knows one
 * campaign. Reads the body by a descriptor, sees neither the queue nor a password, and keeps nothing of a message.
 *
 * Reading order: scan.h (what is done with a message), jobs.h (how long, and how many at once), rules.h and
 * conf/score.conf (what adds to the score), fingerprint.h. */
#ifndef POLICY_SCORE_SCORE_H
#define POLICY_SCORE_SCORE_H

#include "msa/ipc/role.h"

extern const struct role_ops score_role;

#endif
