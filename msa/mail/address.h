/* Address lists in From, Sender, Reply-To and Resent-*: RFC 5322 section 3.4 with its obsolete
 * syntax, RFC 6532 (UTF-8) and RFC 6854 (groups in From).
 *
 * It reads strictly and says what it met. A list is an answer to "who is the author" only when
 * no finding of ADDRESS_INVALID is set: such text other readers take apart in other ways. What
 * is lawful and still a favourite of those who pass as somebody else is in ADDRESS_SUSPICIOUS;
 * the policy decides.
 *
 * No recursion; time and memory are linear in the text. Pure, any thread, never blocks. */
#ifndef MSA_MAIL_ADDRESS_H
#define MSA_MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/arena.h"
#include "msa/base/view.h"
#include "msa/mail/path.h"

enum address_finding {
    ADDRESS_SYNTAX = 1 << 0,          /* not RFC 5322, not even its obsolete syntax */
    ADDRESS_NO_DOMAIN = 1 << 1,       /* a member without "@" */
    ADDRESS_CONTROL = 1 << 2,         /* a control character, even where obsolete syntax has it */
    ADDRESS_UNCLOSED = 1 << 3,        /* a quote, comment, bracket or group without its end */
    ADDRESS_BAD_UTF8 = 1 << 4,
    ADDRESS_EMPTY = 1 << 5,           /* neither a mailbox nor a group */
    ADDRESS_TOO_MANY = 1 << 6,        /* over the caller's maximum; the rest was not read */
    ADDRESS_BAD_DOMAIN = 1 << 7,      /* no name of DNS and IDNA, no IP address literal */
    ADDRESS_ENCODED_WORD = 1 << 8,    /* "=?...?=" within local part or domain */
    ADDRESS_ROUTE = 1 << 9,           /* <@a,@b:c@d> */
    ADDRESS_GROUP = 1 << 10,
    ADDRESS_EMPTY_MEMBER = 1 << 11,   /* stray commas */
    ADDRESS_LITERAL = 1 << 12,        /* user@[192.0.2.1] */
    ADDRESS_COMMENT_IN_ADDR = 1 << 13, /* between local part and end of the address */
    ADDRESS_SPACE_IN_ADDR = 1 << 14,  /* white space round "@" or a dot */
    ADDRESS_COMMENT = 1 << 15,        /* a comment anywhere */
    ADDRESS_NAME_HAS_AT = 1 << 16,    /* "@" in a display name, which may show another address */
    ADDRESS_DOT_IN_NAME = 1 << 17,    /* outside quotes in a name: obsolete, harmless, common */
};

#define ADDRESS_INVALID                                                                            \
    (ADDRESS_SYNTAX | ADDRESS_NO_DOMAIN | ADDRESS_CONTROL | ADDRESS_UNCLOSED | ADDRESS_BAD_UTF8 |  \
     ADDRESS_EMPTY | ADDRESS_TOO_MANY)
#define ADDRESS_SUSPICIOUS                                                                         \
    (ADDRESS_BAD_DOMAIN | ADDRESS_ENCODED_WORD | ADDRESS_ROUTE | ADDRESS_GROUP |                   \
     ADDRESS_EMPTY_MEMBER | ADDRESS_LITERAL | ADDRESS_COMMENT_IN_ADDR | ADDRESS_SPACE_IN_ADDR)

/* All views are in the arena. */
struct mailbox {
    struct mailbox *next;
    struct view name;    /* display name: quotes and comments out, encoded words as they are */
    struct view local;   /* without quotes */
    struct view domain;  /* as written, white space and comments out */
    struct view address; /* local@domain, quoted only where it must be */
};

struct address_list {
    struct mailbox *first;
    size_t count;
    unsigned findings; /* of enum address_finding */
};

/* Reads a field's body, folded or not. Reading ends at the first syntax error; mailboxes before
 * it are kept. 0, or MSA_ENOMEM when the arena has no room: ADDRESS_ARENA_BYTES are always
 * enough. */
#define ADDRESS_ARENA_BYTES(text_bytes, max_count) (8 * (text_bytes) + 256 * ((max_count) + 1))
int address_parse(struct view body, size_t max_count, struct arena *arena,
                  struct address_list *out);

/* The form of path_canonical: its length, MSA_EINVAL or MSA_ETOOBIG when there is none. */
int mailbox_canonical(const struct mailbox *m, char dst[static PATH_CANONICAL_SIZE]);

#endif
