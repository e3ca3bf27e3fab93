/* The header block of a message, scanned while the body arrives (RFC 5322 sections 2.2, 3.6,
 * 4.5).
 *
 * It does not repair: every line that two parsers might read in two ways leaves a defect, and
 * the policy for who may write what in From: rests on that. The block is kept in one piece;
 * fields are offsets into it, so they stay valid while it grows. Lines end in CRLF; a bare CR
 * or LF stays inside its line.
 *
 * Memory is bounded by the limits. Linear time. One thread at a time, never blocks. */
#ifndef MSA_MAIL_HEADER_H
#define MSA_MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

struct header_limits {
    size_t block_bytes; /* all fields together */
    size_t field_bytes; /* one field with its folding lines */
    size_t field_count;
};
#define HEADER_LIMITS_DEFAULT                                                                      \
    ((struct header_limits){                                                                       \
        .block_bytes = 256 * 1024, .field_bytes = 64 * 1024, .field_count = 1000})

#define HEADER_LINE_MAX 998 /* RFC 5322 section 2.1.1, without CRLF */

enum header_defect {
    HEADER_JUNK_LINE = 1 << 0,          /* neither field nor folded line */
    HEADER_FOLD_FIRST = 1 << 1,         /* the first line begins with white space */
    HEADER_BOM = 1 << 2,                /* a UTF-8 byte order mark before the first field */
    HEADER_MBOX_FROM = 1 << 3,          /* "From " or ">From " without a colon behind the word */
    HEADER_SPACE_BEFORE_COLON = 1 << 4, /* "From :", obsolete syntax */
    HEADER_NUL = 1 << 5,
    HEADER_BARE_CR = 1 << 6,
    HEADER_BARE_LF = 1 << 7,
    HEADER_8BIT_NAME = 1 << 8,          /* an octet outside 33..126 in a field name */
    HEADER_LONG_LINE = 1 << 9,          /* over HEADER_LINE_MAX */
    HEADER_BLANK_FOLD = 1 << 10,        /* a folding line of nothing but white space */
    HEADER_EMPTY_NAME = 1 << 11,        /* a line that begins with a colon */
    HEADER_BAD_UTF8 = 1 << 12,          /* octets above 127 that are no UTF-8 (RFC 6532) */
    HEADER_CUT_OFF = 1 << 13,           /* the message ended before an empty line */
    HEADER_TOO_BIG = 1 << 14,           /* a limit was hit; nothing behind it was looked at */
    HEADER_8BIT = 1 << 15,              /* no defect under SMTPUTF8: octets above 127 in a body */
};

/* Those that make it doubtful what the fields are. Long lines, 8-bit bodies, a missing body and
 * the space before the colon are matters of taste. */
#define HEADER_AMBIGUOUS                                                                           \
    (HEADER_JUNK_LINE | HEADER_FOLD_FIRST | HEADER_BOM | HEADER_MBOX_FROM | HEADER_NUL |           \
     HEADER_BARE_CR | HEADER_BARE_LF | HEADER_8BIT_NAME | HEADER_BLANK_FOLD | HEADER_EMPTY_NAME |  \
     HEADER_TOO_BIG)

struct header_field {
    uint32_t offset;      /* of the name in the block */
    uint32_t length;      /* name to the last CRLF, folding lines included */
    uint32_t name_length; /* without white space before the colon */
    uint32_t body_offset; /* behind the colon, counted from the block's start */
};

struct header {
    struct buf block;            /* every line before the empty one, CRLF included */
    struct header_field *fields; /* field_count of them, owned */
    size_t field_count;
    size_t field_cap;
    size_t scanned_bytes; /* of the block: complete lines already looked at */
    struct header_limits limits;
    unsigned defects;     /* of enum header_defect */
    int error;            /* what every further call returns, or 0 */
    bool is_complete;     /* the empty line was read, or header_finish called */
    bool is_after_junk;   /* the last line belongs to no field, and its folding lines neither */
};

enum header_step { HEADER_MORE = 0, HEADER_COMPLETE = 1 };

void header_init(struct header *h, struct header_limits limits);
void header_fini(struct header *h);  /* frees; may be initialised again */

/* Takes bytes off the front of `*run` up to the empty line, which it swallows; what is left
 * then is the body's beginning. HEADER_MORE with `*run` empty, HEADER_COMPLETE, or MSA_ETOOBIG
 * (HEADER_TOO_BIG is set) or MSA_ENOMEM; after either failure every further call fails alike. */
int header_feed(struct header *h, struct view *run);

/* The message is over. Without an empty line the last, unfinished line counts as a line. */
int header_finish(struct header *h);

/* Views into the block; valid until the next header_feed or header_fini. */
struct view header_block(const struct header *h);
struct view header_field_text(const struct header *h, const struct header_field *f);
struct view header_field_name(const struct header *h, const struct header_field *f);
struct view header_field_body(const struct header *h,
                              const struct header_field *f); /* without its last CRLF */

/* The first field called `name` (any case) behind `after`, or from the start if that is NULL:
 *
 *     for (f = header_find(h, name, NULL); f; f = header_find(h, name, f))
 */
const struct header_field *header_find(const struct header *h, struct view name,
                                       const struct header_field *after);
size_t header_count(const struct header *h, struct view name);

/* What stands between the brackets of a Message-ID; all of it where there are none. */
struct view header_message_id(struct view body);

/* Appends `body` with each CRLF before white space taken out and outer white space off. 0 or
 * the buffer's error. */
int header_unfold(struct view body, struct buf *out);

#endif
