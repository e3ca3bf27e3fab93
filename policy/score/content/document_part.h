/* The fields and the parts of a document: see document.h. */
#ifndef POLICY_SCORE_CONTENT_DOCUMENT_PART_H
#define POLICY_SCORE_CONTENT_DOCUMENT_PART_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

#define DOCUMENT_MAGIC_BYTES 16

/* ---- header ---- */

struct document_field {
    struct view name;  /* as written, without blanks before the colon */
    struct view value; /* as written behind the colon, folds inside, without the last line end */
};

/* ---- parts ---- */

enum document_encoding {
    DOCUMENT_ENCODING_NONE, /* 7bit, 8bit, binary, or no field */
    DOCUMENT_ENCODING_BASE64,
    DOCUMENT_ENCODING_QP,
    DOCUMENT_ENCODING_UU,     /* x-uuencode: not decoded */
    DOCUMENT_ENCODING_UNKNOWN /* taken as it stands */
};

enum document_disposition {
    DOCUMENT_DISPOSITION_NONE,
    DOCUMENT_DISPOSITION_INLINE,
    DOCUMENT_DISPOSITION_ATTACHMENT, /* and every other word (RFC 2183 section 2.8) */
};

enum document_part_kind {
    DOCUMENT_PART_TEXT,      /* text that is shown and not HTML */
    DOCUMENT_PART_HTML,      /* text/html and application/xhtml+xml that is shown */
    DOCUMENT_PART_MULTIPART,
    DOCUMENT_PART_MESSAGE,   /* message/rfc822 or message/global: its content is the next part, one deeper */
    DOCUMENT_PART_OTHER,     /* not decoded but for its first bytes; also text that is an attachment */
};

enum document_part_defect {
    DOCUMENT_PART_BAD_TYPE = 1 << 0,        /* Content-Type has no type/subtype; taken as text/plain */
    DOCUMENT_PART_NO_BOUNDARY = 1 << 1,     /* multipart without one; taken as text */
    DOCUMENT_PART_UNCLOSED = 1 << 2,        /* a multipart whose closing boundary is missing */
    DOCUMENT_PART_BAD_ENCODING = 1 << 3,    /* an encoding nobody knows, or one on a multipart */
    DOCUMENT_PART_BAD_BASE64 = 1 << 4,      /* foreign characters, or cut short */
    DOCUMENT_PART_BAD_QP = 1 << 5,          /* "=" before what is no hexadecimal number */
    DOCUMENT_PART_UNKNOWN_CHARSET = 1 << 6, /* read as UTF-8 where it is, else as windows-1252 */
    DOCUMENT_PART_BAD_CHARSET = 1 << 7,     /* bytes that the declared charset does not have */
    DOCUMENT_PART_8BIT_UNDECLARED = 1 << 8, /* octets above 127 without a charset, or in US-ASCII */
    DOCUMENT_PART_CUT_SHORT = 1 << 9,       /* not all of its text was kept */
    DOCUMENT_PART_NO_HEADER_END = 1 << 10,  /* its header runs into the boundary or the end */
    DOCUMENT_PART_DUPLICATE_FIELD = 1 << 11, /* two Content-Type or two Content-Transfer-Encoding; the first counts */
    DOCUMENT_PART_NUL = 1 << 12,            /* NUL octets in its text (given as spaces) */
    DOCUMENT_PART_BAD_HEADER_LINE = 1 << 13, /* a line in its header that is no field */
};

struct document_part {
    enum document_part_kind kind;
    unsigned defects;        /* of enum document_part_defect */
    uint16_t depth;          /* 0: the message itself */
    uint16_t parent;         /* index of the part around it; its own for part 0 */
    uint16_t child_count;
    struct view media_type;  /* "text/plain", lower case; the default where it says nothing */
    struct view charset;     /* lower case, as declared; empty: not declared */
    struct view file_name;   /* UTF-8, of Content-Disposition or else the name of Content-Type; empty: none */
    struct view content_id;  /* with its brackets; empty: none */
    enum document_encoding encoding;
    enum document_disposition disposition;
    uint64_t offset;         /* of its content in the message */
    uint64_t raw_bytes;      /* of its content, as encoded */
    unsigned char magic[DOCUMENT_MAGIC_BYTES]; /* the first bytes, decoded; not of a multipart */
    size_t magic_bytes;
    size_t text_offset;      /* its visible text in document.text */
    size_t text_bytes;
};

#endif
