/* HTML to the text that its reader sees, with its links and what is hidden in it. A
 * tolerant reading, no browser: style sheets and scripts are not run. */
#ifndef POLICY_SCORE_CONTENT_HTML_H
#define POLICY_SCORE_CONTENT_HTML_H

#include "policy/score/content/reader.h"

/* Appends the visible text of `html` (UTF-8) to r->text, what is not visible to
 * r->hidden, and its links, counts and facts to the document, as part `index`. Full
 * buffers leave the rest out. */
void html_read(struct document_reader *r, size_t index, struct view html);

#endif
