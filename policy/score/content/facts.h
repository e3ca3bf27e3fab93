/* What the parts and the text say together: document.facts and its counts. */
#ifndef POLICY_SCORE_CONTENT_FACTS_H
#define POLICY_SCORE_CONTENT_FACTS_H

#include "policy/score/content/reader.h"

/* All has been read. */
void facts_gather(struct document_reader *r);

#endif
