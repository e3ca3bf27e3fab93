/* HTML cut into tags, text and comments, as a browser does it (HTML 13.2.5) for what
 * matters here: no tree, no error is an error. Views into the text that is read. Linear.
 */
#ifndef POLICY_SCORE_CONTENT_HTML_TOKEN_H
#define POLICY_SCORE_CONTENT_HTML_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/view.h"

#define HTML_NAME_MAX       15 /* longer names are cut: none that HTML knows is */
#define HTML_ATTRIBUTES_MAX 48 /* further ones of a tag are left out */

enum html_kind {
    HTML_END = 0, /* of the text */
    HTML_TEXT,    /* entities not yet resolved */
    HTML_OPEN,    /* <name attributes> */
    HTML_CLOSE,   /* </name> */
    HTML_COMMENT, /* <!-- -->, <!DOCTYPE>, <?…>, </…> without a name */
};

struct html_attribute {
    struct view name;  /* as written */
    struct view value; /* without quotes; entities not yet resolved */
};

struct html_token {
    enum html_kind kind;
    struct view text;             /* of text */
    char name[HTML_NAME_MAX + 1]; /* of tags, lower case */
    struct html_attribute attributes[HTML_ATTRIBUTES_MAX];
    size_t attribute_count;
};

struct html_lexer {
    struct view rest; /* what comes next */
};

/* False at the end. */
bool html_next(struct html_lexer *l, struct html_token *t);

/* Skips to the closing tag of an element whose inside is no HTML (script, style), or to
 * the end. */
void html_skip_raw(struct html_lexer *l, const char *name);

/* The value of attribute `name`; its `p` is NULL if the tag has none. */
struct view html_attribute(const struct html_token *t, const char *name);

#endif
