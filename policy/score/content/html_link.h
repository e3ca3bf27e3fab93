/* The links in HTML: what tags refer to, what is shown for it, and URLs written out
 * between them. */
#ifndef POLICY_SCORE_CONTENT_HTML_LINK_H
#define POLICY_SCORE_CONTENT_HTML_LINK_H

#include "policy/score/content/html_token.h"
#include "policy/score/content/reader.h"

struct html_links {
    struct document_reader *r;
    size_t part;
    struct document_link *anchor; /* <a> that is open; NULL: none */
    bool is_in_anchor;
    size_t from; /* in r->text: where the anchor's text, or the text not yet scanned,
                    begins */
};

void html_links_begin(struct html_links *l, struct document_reader *r, size_t part);
void html_links_open(struct html_links *l, const struct html_token *t, bool is_visible);
void html_links_close(struct html_links *l, const struct html_token *t);
void html_links_end(struct html_links *l);

#endif
