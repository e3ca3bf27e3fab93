/* Character references of HTML: "&amp;", "&#38;", "&#x26;". */
#ifndef POLICY_SCORE_CONTENT_HTML_ENTITY_H
#define POLICY_SCORE_CONTENT_HTML_ENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

/* The reference at the front of `v`: its length, and the code point in `*code`; 0 if none
 * is there. Numbers that are no character give U+FFFD. Of the names those of HTML 4 and
 * some newer ones. */
size_t html_entity(struct view v, uint32_t *code);

#endif
