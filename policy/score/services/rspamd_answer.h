/* What rspamd says to /checkv2: JSON, read with bounds. Pure. */
#ifndef POLICY_SCORE_SERVICES_RSPAMD_ANSWER_H
#define POLICY_SCORE_SERVICES_RSPAMD_ANSWER_H

#include "policy/score/services/judgement.h"

#define RSPAMD_ANSWER_MAX_BYTES (512u << 10)

/* Fills `v` by `set`. MSA_OK, or MSA_EINVAL for what is no answer of rspamd's (`v` is as it was initialised, or
 * partly filled), or MSA_ETOOBIG for one that is too long. `*left_out` counts what it wanted and cannot be: fields
 * taken out, fields too long or malformed, the subject rewritten. */
int rspamd_answer_take(struct view json, const struct config_rspamd *set, struct judgement *v,
                       unsigned *left_out);

#endif
