/* The part of shapes.c that looks at the header. */
#ifndef POLICY_SCORE_CLASSIFY_SHAPE_HEADER_H
#define POLICY_SCORE_CLASSIFY_SHAPE_HEADER_H

#include "policy/score/classify/features.h"

void shape_header_subject(struct features *f, struct view subject);

/* Uses f->field, in which the subject stood. MSA_OK or MSA_ENOMEM. */
int shape_header_take(struct features *f, const struct document *d, struct document_reader *r);

#endif
