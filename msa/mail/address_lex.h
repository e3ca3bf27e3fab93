/* Tokens of structured header fields (RFC 5322 section 3.2), for address.c alone. Comments and
 * white space are skipped before each token and noted in it. */
#ifndef MSA_MAIL_ADDRESS_LEX_H
#define MSA_MAIL_ADDRESS_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/view.h"

enum token_kind {
    TOKEN_END = 0,
    TOKEN_ATOM,
    TOKEN_QUOTED,  /* text holds the quotes */
    TOKEN_LITERAL, /* text holds the brackets */
    TOKEN_SPECIAL, /* one of < > @ , ; : . */
    TOKEN_BAD,     /* nothing behind it can be trusted; the lexer's findings say why */
};

struct token {
    enum token_kind kind;
    struct view text;
    bool had_space;   /* white space or a comment before it */
    bool had_comment;
};

struct lexer {
    struct view in;
    size_t at;
    unsigned findings; /* of enum address_finding; grows */
};

struct token address_lex_next(struct lexer *lex);

/* Writes what a quoted string or a literal means: outer quotes, backslashes and the CRLF of
 * folds off (in a literal all white space). `dst` holds token.n bytes; the length. */
size_t token_unquote(struct view token, char *dst);
size_t token_squeeze(struct view token, char *dst);

#endif
