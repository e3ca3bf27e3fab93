/* Inside of document.c and its neighbours: what a reader holds from one message to the next. */
#ifndef POLICY_SCORE_CONTENT_READER_H
#define POLICY_SCORE_CONTENT_READER_H

#include "msa/base/arena.h"
#include "msa/base/buf.h"
#include "msa/mail/charset.h"
#include "policy/score/content/document.h"
#include "policy/score/content/source.h"

#define READER_ARENA_BYTES ((size_t)4 * 1024 * 1024)

struct document_reader {
    struct charsets *charsets;
    struct document doc;
    struct source source;
    struct document_field fields[DOCUMENT_FIELDS_MAX];
    struct document_part parts[DOCUMENT_PARTS_MAX];
    struct document_link links[DOCUMENT_LINKS_MAX];
    struct arena arena; /* strings of the document */
    struct buf header;  /* of the message; fields are views into it */
    struct buf text;    /* document.text */
    struct buf hidden;  /* document.hidden_text */
    char *window;       /* made at the first descriptor */
};

#endif
