/* Links: what is in a URL, and URLs and mail addresses written out in text. */
#ifndef POLICY_SCORE_CONTENT_URL_SCAN_H
#define POLICY_SCORE_CONTENT_URL_SCAN_H

#include "policy/score/content/reader.h"

#define URL_HOST_MAX 255

/* What a URL says, as a browser takes it (WHATWG URL: back slashes are slashes, white
 * space inside does not count). */
struct url_facts {
    char host[URL_HOST_MAX + 1]; /* lower case; cut to the end if longer */
    size_t host_bytes;
    unsigned flags; /* of enum document_link_flag */
};

void url_look(struct view url, struct url_facts *out);

/* If `text` begins with what people take for an address of a page, "https://x.example/",
 * "www.x.example" or "x.example/path": its host. */
void url_look_shown(struct view text, struct url_facts *out);

/* Keeps a link of the document; white space and control characters are taken out of
 * `url`. NULL at a limit. */
struct document_link *url_add(struct document_reader *r, size_t part,
                              enum document_link_source source, struct view url,
                              unsigned flags);

/* Adds the links that stand in [from, to) of r->text, with `flags`. */
void url_scan(struct document_reader *r, size_t part, size_t from, size_t to,
              unsigned flags);

#endif
