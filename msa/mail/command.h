/* One command line of SMTP (RFC 5321 section 4.1.1) taken apart into verb and argument.
 *
 * Pure, any thread, never blocks. Views point into the line. */
#ifndef MSA_MAIL_COMMAND_H
#define MSA_MAIL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

enum command_verb {
    COMMAND_UNKNOWN = 0, /* well-formed, but no verb of ours */
    COMMAND_EHLO,
    COMMAND_HELO,
    COMMAND_STARTTLS,
    COMMAND_AUTH,
    COMMAND_MAIL,
    COMMAND_RCPT,
    COMMAND_DATA,
    COMMAND_BDAT,
    COMMAND_RSET,
    COMMAND_NOOP,
    COMMAND_VRFY,
    COMMAND_EXPN,
    COMMAND_HELP,
    COMMAND_QUIT,
    COMMAND_ETRN,
    COMMAND_BURL,
    COMMAND_XCLIENT, /* and XFORWARD: never ours to believe */
    COMMAND_HTTP,    /* GET, POST, CONNECT ...: another protocol is talking, cut it (ALPACA) */
    COMMAND_VERB_COUNT,
};

struct command {
    enum command_verb verb;
    struct view word; /* the verb as sent */
    struct view args; /* behind the verb, trimmed; may be empty */
};

/* `line` has no CRLF. Verbs are compared without case, white space at the end is tolerated.
 * MSA_EINVAL when the line holds a control byte (bare CR and LF, NUL, HTAB within) or is empty:
 * then nothing of it may be believed. Octets above 127 pass; whoever reads the argument checks
 * UTF-8. */
int command_parse(struct view line, struct command *out);

/* Takes `keyword` ("FROM:" or "TO:") in any case off the front of `*args`, with spaces behind it,
 * which RFC 5321 forbids but many devices send. False leaves `*args` alone. */
bool command_take_keyword(struct view *args, struct view keyword);

/* "EHLO" ...; never NULL. */
const char *command_verb_name(enum command_verb verb);

/* The argument of BDAT (RFC 3030): octets, and LAST. MSA_EINVAL for a sign, hexadecimal,
 * overflow or anything else behind it: the position in the stream is then unknown and the
 * session must end. */
int command_parse_bdat(struct view args, uint64_t *octets_out, bool *is_last_out);

#endif
