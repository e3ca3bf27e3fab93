/* Finds the parts of a message (RFC 2046 section 5.1): where each begins and ends, and
 * what its header says. One pass over the message, a stack of fixed depth, nothing
 * decoded. */
#ifndef POLICY_SCORE_CONTENT_WALK_H
#define POLICY_SCORE_CONTENT_WALK_H

#include "policy/score/content/fields.h"
#include "policy/score/content/reader.h"

/* The header of the message has been read: fills r->parts, doc.part_count and the facts
 * of the structure. 0 or MSA_ENOMEM. */
int walk_parts(struct document_reader *r);

/* What the fields of a part say of it; `is_in_digest`: its default is a message (RFC 2046
 * section 5.1.5).
 * `*boundary` is in the reader's arena, empty for what is no multipart. 0 or MSA_ENOMEM.
 * (part.c) */
int part_describe(struct document_reader *r, struct document_part *p,
                  const struct fields *f, bool is_in_digest, struct view *boundary);

#endif
