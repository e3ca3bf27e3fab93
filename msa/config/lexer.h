/* Within msa/config: text to tokens.
 *
 * A word is a run of bytes other than white space and any of { } ; " #. A string stands between
 * double quotes on one line, with \" \\ \t and \xNN (never NUL). '#' opens a comment up to the end
 * of the line. Control characters are mistakes wherever they stand; bytes from 0x80 up are taken
 * as they are. */
#ifndef MSA_CONFIG_LEXER_H
#define MSA_CONFIG_LEXER_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/base/view.h"
#include "msa/config/report.h"

enum token_kind {
    TOKEN_END = 0,
    TOKEN_WORD,
    TOKEN_STRING,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_SEMICOLON,
};

struct token {
    enum token_kind kind;
    struct view text; /* of a word or string; into the input or the arena */
    struct place at;
    bool is_bad; /* a mistake within was reported: say no more about it */
};

struct lexer {
    const char *p;
    const char *end;
    const char *line_start;
    struct place at; /* line in `line`; the column is computed */
    struct arena *arena; /* for strings with escapes */
    struct config_errors *errs;
    bool is_out_of_memory;
};

/* `text` and `file` must outlive the tokens. */
void lexer_init(struct lexer *lx, struct view text, const char *file, struct arena *arena,
                struct config_errors *errs);

/* The next token. Mistakes are reported and passed over; TOKEN_END comes again and again. */
struct token lexer_next(struct lexer *lx);

#endif
