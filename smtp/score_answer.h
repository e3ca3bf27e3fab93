/* Whether an answer of the score process can be one at all: see score_answer in messages.def. What it says decides where
 * a message goes and what its client reads, so that nonsense counts for nothing; the message gets the neutral score. */
#ifndef SMTP_SCORE_ANSWER_H
#define SMTP_SCORE_ANSWER_H

#include "msa/ipc/messages.h"

/* NULL if it is sound, else what is wrong with it, for the log. */
const char *score_answer_fault(const struct msg_score_answer *a);

#endif
