/* The text of the parts: out of its transfer encoding and its charset, made visible. */
#ifndef POLICY_SCORE_CONTENT_TEXT_H
#define POLICY_SCORE_CONTENT_TEXT_H

#include "policy/score/content/reader.h"

/* Appends of `v` what fits, in whole characters; no memory for it leaves r->is_starved. */
void text_add(struct document_reader *r, struct buf *out, struct view v);

/* A copy that lives as long as the document; no memory for it leaves r->is_starved. */
struct view text_keep(struct document_reader *r, struct view v);

/* Appends the text of part `index`, of kind TEXT or HTML, to r->text, with its links and
 * facts. 0 or MSA_ENOMEM. */
int text_read_part(struct document_reader *r, size_t index);

/* Appends `raw` as UTF-8 to `out`: by the charset that the part declares; where there is
 * none or nobody knows it, as what it looks like. 0 or MSA_ENOMEM. (text_charset.c) */
int text_to_utf8(struct document_reader *r, struct document_part *p, struct view raw,
                 struct buf *out);

#endif
