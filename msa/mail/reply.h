/* Replies of SMTP servers (RFC 5321 section 4.2, RFC 2034), read as bytes arrive.
 *
 * A smarthost is not trusted more than a client (CVE-2020-8794 was a reply): lines and their
 * number are bounded, lines end in CRLF, the codes of a multi-line reply must agree. Text is
 * kept for log lines, bounces and for the client's own reply, so whatever is not printable
 * ASCII becomes "?".
 *
 * One thread at a time, never blocks. */
#ifndef MSA_MAIL_REPLY_H
#define MSA_MAIL_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define REPLY_LINE_MAX  4096 /* octets with CRLF */
#define REPLY_LINES_MAX 128
#define REPLY_TEXT_MAX  (64 * 1024)

/* Class, subject and detail of RFC 3463; class 0 if there was none. */
struct enhanced_code {
    uint8_t class;
    uint16_t subject;
    uint16_t detail;
};

struct reply {
    int code;                      /* 200 to 599, once a line was read */
    struct enhanced_code enhanced; /* of the first line; its class is that of the code */
    size_t line_count;
    struct buf text;               /* lines without codes, parted by LF */
    struct buf line;               /* the unfinished one */
    int error;
    bool is_complete;
};

enum reply_step { REPLY_MORE = 0, REPLY_COMPLETE = 1 };

void reply_init(struct reply *r);
void reply_reset(struct reply *r); /* for the next reply */
void reply_fini(struct reply *r);

/* Takes one reply off the front of `*in`, or all of `*in` if that holds less: REPLY_COMPLETE or
 * REPLY_MORE. MSA_EPROTO for what is no reply, MSA_ETOOBIG beyond a limit, MSA_ENOMEM: the
 * connection is of no use any more, and what was asked counts as not answered. Further calls
 * then fail alike. */
int reply_feed(struct reply *r, struct view *in);

/* The lines, parted by LF; printable ASCII, without the reply code and without `enhanced`.
 * Valid until the next call that changes `r`. */
struct view reply_text(const struct reply *r);

/* "5.7.1", or the class of the code and ".0.0" when the server gave none. */
#define ENHANCED_TEXT_SIZE 16
void reply_enhanced_text(const struct reply *r, char out[static ENHANCED_TEXT_SIZE]);

/* Reads "5.7.1" at the front of `*v`, which must be all of it or end in a space; takes both off. */
bool enhanced_code_take(struct view *v, struct enhanced_code *out);

#endif
