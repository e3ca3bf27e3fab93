/* One pass, no look-ahead beyond a byte. After a mistake the lexer goes on behind it, so that the
 * parser finds the next one too. */
#include "msa/config/lexer.h"

#include <string.h>

void lexer_init(struct lexer *lx, struct view text, const char *file, struct arena *arena,
                struct config_errors *errs)
{
    *lx = (struct lexer){
        .p = text.p,
        .end = text.n > 0 ? text.p + text.n : text.p,
        .line_start = text.p,
        .at = {.file = file, .line = 1, .column = 1},
        .arena = arena,
        .errs = errs,
    };
}

static struct place place_of(const struct lexer *lx, const char *p)
{
    struct place at = lx->at;
    at.column = (uint32_t)(p - lx->line_start) + 1;
    return at;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

/* CR only as half of a CRLF line end: files edited on other systems have it. */
static bool is_crlf(const struct lexer *lx)
{
    return *lx->p == '\r' && lx->end - lx->p > 1 && lx->p[1] == '\n';
}

static void skip_newline(struct lexer *lx)
{
    lx->p++;
    lx->at.line++;
    lx->line_start = lx->p;
}

static void skip_comment(struct lexer *lx)
{
    const char *newline = memchr(lx->p, '\n', (size_t)(lx->end - lx->p));
    lx->p = newline ? newline : lx->end;
}

/* Up to the next byte that belongs to a token. */
static void skip_white(struct lexer *lx)
{
    while (lx->p < lx->end) {
        if (*lx->p == '\n') {
            skip_newline(lx);
        } else if (*lx->p == '#') {
            skip_comment(lx);
        } else if (*lx->p == ' ' || *lx->p == '\t' || is_crlf(lx)) {
            lx->p++;
        } else if (is_control(*lx->p)) {
            struct place at = place_of(lx, lx->p);
            report_add(lx->errs, &at, "stray control character 0x%02x, remove it",
                       (unsigned char)*lx->p);
            lx->p++;
        } else {
            return;
        }
    }
}

static bool ends_word(char c)
{
    return is_white(c) || is_control(c) || strchr("{};\"#", c) != NULL;
}

static struct token take_word(struct lexer *lx)
{
    struct token t = {.kind = TOKEN_WORD, .at = place_of(lx, lx->p)};
    const char *start = lx->p;
    while (lx->p < lx->end && !ends_word(*lx->p))
        lx->p++;
    t.text = view_of(start, (size_t)(lx->p - start));
    return t;
}

/* The byte for the escape whose backslash is at `*p`; moves `*p` to its last byte. -1 if bad. */
static int take_escape(const char **p, const char *end)
{
    const char *at = *p + 1;
    if (at == end)
        return -1;
    *p = at;
    switch (*at) {
    case '"':
    case '\\':
        return *at;
    case 't':
        return '\t';
    case 'x':
        break;
    default:
        return -1;
    }
    if (end - at < 3 || ascii_hex_value(at[1]) < 0 || ascii_hex_value(at[2]) < 0)
        return -1;
    *p = at + 2;
    int byte = ascii_hex_value(at[1]) * 16 + ascii_hex_value(at[2]);
    return byte > 0 ? byte : -1;
}

/* Undoes the escapes of `raw`, which holds at least one. A bad one is reported and left out. */
static struct view unescape(struct lexer *lx, struct view raw, bool *is_bad_out)
{
    char *out = arena_alloc(lx->arena, raw.n);
    if (!out) {
        lx->is_out_of_memory = true;
        return VIEW_EMPTY;
    }
    size_t n = 0;
    const char *end = raw.p + raw.n;
    for (const char *p = raw.p; p < end; p++) {
        int byte = (unsigned char)*p;
        if (*p == '\\') {
            struct place at = place_of(lx, p);
            byte = take_escape(&p, end);
            if (byte < 0) {
                report_add(lx->errs, &at,
                           "unknown escape, known are \\\" \\\\ \\t and \\x01 to \\xff");
                *is_bad_out = true;
            }
        }
        if (byte >= 0)
            out[n++] = (char)byte;
    }
    return view_of(out, n);
}

/* At the opening quote. A string that is not closed on its line ends there. */
static struct token take_string(struct lexer *lx)
{
    struct token t = {.kind = TOKEN_STRING, .at = place_of(lx, lx->p)};
    const char *start = ++lx->p;
    bool has_escape = false;
    while (lx->p < lx->end && *lx->p != '"' && *lx->p != '\n') {
        if (*lx->p == '\\') {
            has_escape = true;
            if (lx->end - lx->p > 1 && lx->p[1] != '\n')
                lx->p++;
        } else if (is_control(*lx->p) && *lx->p != '\t' && !is_crlf(lx)) {
            struct place at = place_of(lx, lx->p);
            report_add(lx->errs, &at, "control character 0x%02x in a string, write \\x%02x",
                       (unsigned char)*lx->p, (unsigned char)*lx->p);
            t.is_bad = true;
        }
        lx->p++;
    }
    struct view raw = view_of(start, (size_t)(lx->p - start));
    t.text = has_escape ? unescape(lx, raw, &t.is_bad) : raw;
    if (lx->p < lx->end && *lx->p == '"') {
        lx->p++;
        return t;
    }
    report_add(lx->errs, &t.at, "this string is not closed on its line, add a '\"'");
    t.is_bad = true;
    return t;
}

struct token lexer_next(struct lexer *lx)
{
    skip_white(lx);
    struct token t = {.kind = TOKEN_END, .at = place_of(lx, lx->p)};
    if (lx->p == lx->end)
        return t;
    switch (*lx->p) {
    case '{':
        t.kind = TOKEN_OPEN;
        break;
    case '}':
        t.kind = TOKEN_CLOSE;
        break;
    case ';':
        t.kind = TOKEN_SEMICOLON;
        break;
    case '"':
        return take_string(lx);
    default:
        return take_word(lx);
    }
    lx->p++;
    return t;
}
