/* Inside of document.c and its neighbours: what a reader holds from one message to the
 * next. */
#ifndef POLICY_SCORE_CONTENT_READER_H
#define POLICY_SCORE_CONTENT_READER_H

#include "msa/base/arena.h"
#include "msa/base/buf.h"
#include "msa/mail/charset.h"
#include "policy/score/content/document.h"
#include "policy/score/content/source.h"

#define READER_ARENA_BYTES       ((size_t)4 * 1024 * 1024)
#define READER_PART_HEADER_BYTES (DOCUMENT_HEADER_BYTES_MAX / 8)
#define READER_TAILS_MAX         2
#define READER_RAW_BYTES         (DOCUMENT_TEXT_HEAD_BYTES + 64)
#define READER_UTF8_BYTES        (3 * READER_RAW_BYTES + 64) /* an octet becomes three at most \
                                                              */
#define READER_WORD_BYTES 4096

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
    struct buf part_header;
    struct buf word;     /* a parameter of a header field */
    struct buf raw;      /* a part's text, out of its transfer encoding */
    struct buf utf8;     /* the same as UTF-8 */
    size_t head_bytes;   /* decoded so far, of DOCUMENT_TEXT_HEAD_BYTES */
    unsigned tail_count; /* ends of long parts looked at */
    char *window;        /* made at the first descriptor */
    bool is_starved;     /* memory ran out in this message */
};

#endif
