#include "msa/mail/address_lex.h"

#include <string.h>

#include "msa/mail/address.h"
#include "msa/mail/local_part.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Bytes of folding white space at `i`: 1 for a blank, 3 for CRLF and a blank, 0 for anything
 * else. */
static size_t fws_at(struct view in, size_t i)
{
    if (is_blank(in.p[i]))
        return 1;
    bool is_fold = i + 2 < in.n && in.p[i] == '\r' && in.p[i + 1] == '\n' && is_blank(in.p[i + 2]);
    return is_fold ? 3 : 0;
}

/* One character of a quoted string or comment, at `at`: passes a quoted pair and a fold as a
 * whole and notes controls. */
static void skip_quotable(struct lexer *lex)
{
    size_t fws = fws_at(lex->in, lex->at);
    if (fws == 0 && lex->in.p[lex->at] == '\\' && lex->at + 1 < lex->in.n) {
        lex->at++;
        fws = is_blank(lex->in.p[lex->at]) ? 1 : 0;
    }
    if (fws == 0 && is_control(lex->in.p[lex->at]))
        lex->findings |= ADDRESS_CONTROL;
    lex->at += fws ? fws : 1;
}

/* At "(". Comments nest, so depth is counted; nothing is put on a stack. */
static void skip_comment(struct lexer *lex)
{
    size_t depth = 0;
    lex->findings |= ADDRESS_COMMENT;
    while (lex->at < lex->in.n) {
        char c = lex->in.p[lex->at];
        skip_quotable(lex);
        if (c == '(')
            depth++;
        else if (c == ')' && --depth == 0)
            return;
    }
    lex->findings |= ADDRESS_UNCLOSED;
}

static void skip_cfws(struct lexer *lex, struct token *t)
{
    while (lex->at < lex->in.n) {
        size_t fws = fws_at(lex->in, lex->at);
        bool is_comment = lex->in.p[lex->at] == '(';
        if (fws == 0 && !is_comment)
            return;
        t->had_space = true;
        t->had_comment |= is_comment;
        lex->at += fws;
        if (is_comment)
            skip_comment(lex);
    }
}

static enum token_kind read_quoted(struct lexer *lex)
{
    lex->at++;
    while (lex->at < lex->in.n) {
        char c = lex->in.p[lex->at];
        skip_quotable(lex);
        if (c == '"')
            return TOKEN_QUOTED;
    }
    lex->findings |= ADDRESS_UNCLOSED;
    return TOKEN_BAD;
}

/* "[" dtext "]": no brackets and, unlike the obsolete syntax, no backslash within. */
static enum token_kind read_literal(struct lexer *lex)
{
    lex->at++;
    while (lex->at < lex->in.n) {
        char c = lex->in.p[lex->at];
        size_t fws = fws_at(lex->in, lex->at);
        lex->at += fws ? fws : 1;
        if (c == ']')
            return TOKEN_LITERAL;
        if (fws == 0 && (c == '[' || c == '\\' || is_control(c))) {
            lex->findings |= is_control(c) ? ADDRESS_CONTROL : ADDRESS_SYNTAX;
            return TOKEN_BAD;
        }
    }
    lex->findings |= ADDRESS_UNCLOSED;
    return TOKEN_BAD;
}

static enum token_kind read_token(struct lexer *lex)
{
    char c = lex->in.p[lex->at];
    if (c == '"')
        return read_quoted(lex);
    if (c == '[')
        return read_literal(lex);
    if (char_is_atext(c)) {
        while (lex->at < lex->in.n && char_is_atext(lex->in.p[lex->at]))
            lex->at++;
        return TOKEN_ATOM;
    }
    lex->at++;
    if (c != '\0' && strchr("<>@,;:.", c))
        return TOKEN_SPECIAL;
    lex->findings |= is_control(c) ? ADDRESS_CONTROL : ADDRESS_SYNTAX;
    return TOKEN_BAD;
}

struct token address_lex_next(struct lexer *lex)
{
    struct token t = {.kind = TOKEN_END};
    skip_cfws(lex, &t);
    size_t start = lex->at;
    if (lex->at < lex->in.n)
        t.kind = read_token(lex);
    t.text = view_slice(lex->in, start, lex->at);
    return t;
}

size_t token_unquote(struct view token, char *dst)
{
    size_t n = 0;
    for (size_t i = 1; i + 1 < token.n; i++) {
        if (fws_at(token, i) == 3)
            i += 2; /* the blank behind CRLF stays */
        else if (token.p[i] == '\\')
            i++;
        dst[n++] = token.p[i];
    }
    return n;
}

size_t token_squeeze(struct view token, char *dst)
{
    size_t n = 0;
    for (size_t i = 0; i < token.n;) {
        size_t fws = fws_at(token, i);
        if (fws == 0)
            dst[n++] = token.p[i];
        i += fws ? fws : 1;
    }
    return n;
}
