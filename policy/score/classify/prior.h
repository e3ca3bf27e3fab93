/* What is known before the operator has trained anything: short texts as spam and as honest mail of the years
 * after most collections were made, in English and Japanese, each in several frames that mail of its kind has today.
 * Honest mail has HTML alone, too, with pictures and links, and spam comes as plain text out of webmail: that
 * HTML is no sign of spam is the most that old collections cannot tell. They are learnt from like sorted mail, at a lower
 * cost, and never count when the scale is measured.
 *
 * With 92 texts in one frame each, of the spam of senders and months that were not learnt from 90 % was found where half a
 * percent of the ham lay above, and 47 % where half of all lists were strangers; with these 93 % and 69 %. Written for this purpose; no mail of anybody. */
#ifndef POLICY_SCORE_CLASSIFY_PRIOR_H
#define POLICY_SCORE_CLASSIFY_PRIOR_H

#include "policy/score/classify/learn.h"

#define PRIOR_COST 0.3f /* of a sorted message's 1 */

struct prior_text {
    bool is_spam;
    const char *subject;
    const char *text;
};

extern const struct prior_text prior_texts[];
extern const size_t prior_text_count;

/* Adds all of them to `c`. `f` and `r` are used for it. MSA_OK or MSA_ENOMEM. */
int prior_add(struct corpus *c, struct features *f, struct document_reader *r);

#endif
