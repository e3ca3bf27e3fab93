/* What the classifier's word adds to the score of a message: the finding BAYES.
 *
 *     its score     0     5     10        0: the middle of the ham; 5: spam begins; 10: the middle of the spam
 *     points     -2.5    +5   +7.5        straight lines between, times the weight
 *
 * So at its own threshold it reaches, alone, the 5.0 that the rules mean by "suspect"; what it takes for
 * plain ham can outweigh a small sign or two, and nothing that is grave; and it alone holds no mail back where a
 * route wants more than 7.5. The name is the one that people know from other filters. */
#ifndef POLICY_SCORE_BAYES_H
#define POLICY_SCORE_BAYES_H

#include "policy/score/classify/model.h"
#include "policy/score/findings.h"

#define BAYES_NAME            "BAYES"
#define BAYES_HAM_MILLI       (-2500)
#define BAYES_THRESHOLD_MILLI 5000
#define BAYES_MAX_MILLI       7500

/* `score_milli` is that of model.h. Within FINDING_POINTS_MAX. */
int32_t bayes_points_milli(int32_t score_milli, int32_t weight_milli);

/* With the reasons of `r` in the text, if it has any. */
void bayes_add(const struct model_result *r, int32_t weight_milli, struct findings *out);

#endif
