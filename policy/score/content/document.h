/* A message as its reader would see it: header fields, parts, text, links and facts of its structure. Input of
 * the classifier, the header rules and the fingerprints; nothing here is parsed again by anybody who decides who
 * a mail is from (that is msa/mail/address.h).
 *
 *     struct document_reader *r = document_reader_new();          once per thread, before the sandbox closes
 *     const struct document *d;
 *     int err = document_read_fd(r, fd, body_bytes, &d);
 *     … d->text, d->links …                                        valid until the reader's next read
 *     document_reader_free(r);
 *
 * Tolerant: there is no message that cannot be read. Lines end in LF or CRLF, what is malformed leaves a defect,
 * what is over a limit is left out and leaves a fact. Memory and time are bounded by the limits below whatever
 * the size of the message: all of it is looked over once for part boundaries, but only text is decoded.
 * No recursion. One thread at a time for each reader; blocks only for the pread of a local file. */
#ifndef POLICY_SCORE_CONTENT_DOCUMENT_H
#define POLICY_SCORE_CONTENT_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "policy/score/content/document_part.h"

#define DOCUMENT_HEADER_BYTES_MAX ((size_t)256 * 1024) /* of the message; a part has an eighth of it */
#define DOCUMENT_FIELDS_MAX       512
#define DOCUMENT_PARTS_MAX        200
#define DOCUMENT_DEPTH_MAX        16                   /* a message in a message counts like a multipart */
#define DOCUMENT_TEXT_HEAD_BYTES  ((size_t)256 * 1024) /* decoded, from the front of the text parts */
#define DOCUMENT_TEXT_BYTES_MAX   ((size_t)640 * 1024) /* in UTF-8, all together */
#define DOCUMENT_TEXT_TAIL_BYTES  ((size_t)32 * 1024)  /* from the end of each part that did not fit, twice at most */
#define DOCUMENT_HIDDEN_BYTES     ((size_t)32 * 1024)
#define DOCUMENT_LINKS_MAX        512
#define DOCUMENT_URL_BYTES_MAX    2048
#define DOCUMENT_SHOWN_BYTES_MAX  256

/* ---- links ---- */

enum document_link_source {
    DOCUMENT_LINK_TEXT,   /* written out in text that is shown */
    DOCUMENT_LINK_HREF,   /* <a>, <area> */
    DOCUMENT_LINK_FORM,   /* where a form is sent */
    DOCUMENT_LINK_IMAGE,  /* what is loaded when the mail is read: images, style sheets, frames, backgrounds */
    DOCUMENT_LINK_HEADER, /* reserved for the caller; the reader makes none */
};

enum document_link_flag {
    DOCUMENT_LINK_MAILTO = 1 << 0,        /* host is that of its first address */
    DOCUMENT_LINK_HTTPS = 1 << 1,
    DOCUMENT_LINK_OTHER_SCHEME = 1 << 2,  /* neither http(s) nor mailto: tel, ftp, data, javascript … */
    DOCUMENT_LINK_NO_SCHEME = 1 << 3,     /* "www.example.jp/…" in text */
    DOCUMENT_LINK_USERINFO = 1 << 4,      /* "http://bank.example@evil.example/" */
    DOCUMENT_LINK_PORT = 1 << 5,          /* one is given */
    DOCUMENT_LINK_IP_LITERAL = 1 << 6,    /* 192.0.2.1 or [2001:db8::1] */
    DOCUMENT_LINK_NUMBER_HOST = 1 << 7,   /* an address in disguise: 3232235777, 0xc0a80101, 0300.0250.1.1 */
    DOCUMENT_LINK_ESCAPED_HOST = 1 << 8,  /* percent signs in the host */
    DOCUMENT_LINK_8BIT_HOST = 1 << 9,     /* not ASCII, left as written */
    DOCUMENT_LINK_PUNYCODE = 1 << 10,     /* a label begins with xn-- */
    DOCUMENT_LINK_HOST_DIFFERS = 1 << 11, /* the text shown for it names another host */
    DOCUMENT_LINK_HIDDEN = 1 << 12,       /* stands in text that is not shown */
    DOCUMENT_LINK_CUT_SHORT = 1 << 13,    /* over DOCUMENT_URL_BYTES_MAX */
    DOCUMENT_LINK_RELATIVE = 1 << 14,     /* without a host: a path, an anchor, cid: */
    DOCUMENT_LINK_DATA_OR_SCRIPT = 1 << 15, /* data:, javascript:, vbscript: */
};

struct document_link {
    struct view url;        /* UTF-8, entities resolved, no white space or control characters */
    struct view host;       /* lower case, without user, port and trailing dot; may be empty */
    struct view shown;      /* of a href: the text shown for it, white space folded */
    struct view shown_host; /* if that text begins with something like a host or a URL: its host, lower case */
    enum document_link_source source;
    uint16_t part;
    unsigned flags;         /* of enum document_link_flag */
};

/* ---- facts ---- */

enum document_fact {
    DOCUMENT_HEADER_CUT_SHORT = 1 << 0,     /* a limit for header fields was hit */
    DOCUMENT_HEADER_NO_END = 1 << 1,        /* no empty line: nothing but a header, or a boundary ends it */
    DOCUMENT_HEADER_BAD_LINE = 1 << 2,      /* a line in it is no field */
    DOCUMENT_HEADER_8BIT = 1 << 3,          /* octets above 127 in it */
    DOCUMENT_HEADER_8BIT_BAD = 1 << 4,      /* and they are not UTF-8 */
    DOCUMENT_NO_MIME_VERSION = 1 << 5,      /* MIME fields without it */
    DOCUMENT_HAS_TEXT = 1 << 6,             /* a plain text part with visible characters */
    DOCUMENT_HAS_HTML = 1 << 7,
    DOCUMENT_HTML_ONLY = 1 << 8,            /* HTML and no plain text part */
    DOCUMENT_HAS_ATTACHMENT = 1 << 9,
    DOCUMENT_HAS_MESSAGE = 1 << 10,         /* a message inside */
    DOCUMENT_HAS_HIDDEN_TEXT = 1 << 11,
    DOCUMENT_IMAGE_ONLY = 1 << 12,          /* HTML that shows images and under 40 bytes of text */
    DOCUMENT_TOO_DEEP = 1 << 13,            /* deeper parts were not looked into */
    DOCUMENT_TOO_MANY_PARTS = 1 << 14,
    DOCUMENT_TOO_MANY_LINKS = 1 << 15,
    DOCUMENT_TEXT_CUT_SHORT = 1 << 16,      /* some text was not kept */
    DOCUMENT_8BIT_UNDECLARED = 1 << 17,     /* some part has this defect; so the next two */
    DOCUMENT_BAD_CHARSET = 1 << 18,
    DOCUMENT_BAD_ENCODING = 1 << 19,        /* base64, quoted-printable or an unknown encoding */
    DOCUMENT_UNCLOSED = 1 << 20,            /* a multipart without its end */
    DOCUMENT_HAS_FORM = 1 << 21,
    DOCUMENT_HAS_SCRIPT = 1 << 22,
    DOCUMENT_READ_FAILED = 1 << 23,         /* the descriptor gave less than was said */
    DOCUMENT_ENCRYPTED = 1 << 24,           /* multipart/encrypted or pkcs7-mime: nothing to see */
    DOCUMENT_SIGNED = 1 << 25,              /* multipart/signed */
    DOCUMENT_ALTERNATIVE = 1 << 26,         /* multipart/alternative */
};

/* What HTML is made of, over all parts. */
struct document_html {
    uint32_t tag_count;
    uint32_t unknown_tag_count;  /* names that HTML never had */
    uint32_t image_count;
    uint32_t link_count;         /* <a href> */
    uint32_t form_count;
    uint32_t script_count;
    uint32_t comment_count;
    uint32_t split_word_count;   /* comments, and tags that HTML does not know, in the middle of a word */
    uint32_t numeric_letter_count; /* ASCII letters and digits written as &#97; */
    uint32_t zero_width_count;   /* characters without a width between letters */
    uint32_t visible_bytes;
    uint32_t hidden_bytes;
};

struct document {
    uint64_t message_bytes;
    uint64_t body_offset;    /* behind the empty line */
    const struct document_field *fields;
    size_t field_count;
    const struct document_part *parts; /* in the order of the message; part 0 is the message */
    size_t part_count;
    const struct document_link *links; /* in the order of the message, doubles included */
    size_t link_count;
    struct view text;        /* visible text of all text and HTML parts, UTF-8, LF line ends, NUL as space */
    struct view hidden_text; /* text in HTML that no reader sees; also in UTF-8 */
    struct document_html html;
    unsigned attachment_count;
    unsigned facts;          /* of enum document_fact */
};

/* ---- reading ---- */

struct document_reader;

/* Opens the converters, which loads files: before the sandbox closes. NULL without memory. */
struct document_reader *document_reader_new(void);
void document_reader_free(struct document_reader *r); /* NULL is fine */

/* Reads a message, header and body. `*out` belongs to the reader. 0, or MSA_ENOMEM and `*out` is NULL. A
 * descriptor that cannot be read gives what could be, with DOCUMENT_READ_FAILED. */
int document_read(struct document_reader *r, struct view message, const struct document **out);
int document_read_fd(struct document_reader *r, int fd, uint64_t message_bytes,
                     const struct document **out);

/* ---- looking ---- */

/* The first field called `name` (any case) behind `after`, or from the start if that is NULL. */
const struct document_field *document_field(const struct document *d, struct view name,
                                            const struct document_field *after);

/* Appends the value of a field as a person sees it: unfolded, encoded words decoded, UTF-8 in one line; raw octets
 * above 127 are taken as UTF-8 where they are, else as windows-1252. 0, MSA_ENOMEM, or the buffer's error with
 * what fitted appended. */
int document_decode(struct document_reader *r, struct view value, struct buf *out);

/* The visible text of one part. */
struct view document_part_text(const struct document *d, const struct document_part *p);

#endif
