#include "policy/score/content/mime_params.h"

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/rfc2047.h"
#include "policy/score/content/hex.h"

#define PIECES_MAX 64  /* of RFC 2231 */
#define PARAMS_MAX 100 /* looked at in one field */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* White space and comments off the front. */
static void skip_blank(struct view *v)
{
    unsigned depth = 0;
    size_t i = 0;
    for (; i < v->n; i++) {
        if (v->p[i] == '(')
            depth++;
        else if (depth > 0 && v->p[i] == ')')
            depth--;
        else if (depth > 0 && v->p[i] == '\\')
            i++;
        else if (depth == 0 && !is_space(v->p[i]))
            break;
    }
    *v = view_slice(*v, i, v->n);
}

/* White space ends the word, unless a slash stands beside it. */
struct view mime_word(struct view value, char *dst, size_t dst_size)
{
    size_t n = 0;
    skip_blank(&value);
    while (value.n > 0 && value.p[0] != ';' && n < dst_size) {
        dst[n++] = ascii_lower(value.p[0]);
        value = view_slice(value, 1, value.n);
        size_t before = value.n;
        skip_blank(&value);
        bool is_beside_slash = dst[n - 1] == '/' || (value.n > 0 && value.p[0] == '/');
        if (value.n < before && !is_beside_slash)
            break;
    }
    return view_of(dst, n);
}

struct param {
    struct view name;
    struct view value; /* without quotes, backslashes still in */
    bool is_quoted;
};

static size_t quoted_length(struct view v)
{
    size_t i = 0;
    while (i < v.n && v.p[i] != '"')
        i += v.p[i] == '\\' && i + 1 < v.n ? 2 : 1;
    return i;
}

/* A value without quotes ends at ";", although blanks ought to end it: programs write
 * file names so. */
static void take_value(struct view *rest, struct param *p)
{
    skip_blank(rest);
    p->is_quoted = view_take_char(rest, '"');
    size_t n = p->is_quoted ? quoted_length(*rest) : view_find(*rest, ';');
    p->value = view_slice(*rest, 0, n);
    *rest = view_slice(*rest, n, rest->n);
    if (p->is_quoted)
        view_cut(rest, ';');
    else
        *rest = view_slice(*rest, 1, rest->n);
    while (!p->is_quoted && p->value.n > 0 && is_space(p->value.p[p->value.n - 1]))
        p->value.n--;
}

/* The next parameter; `*rest` stands behind a ";". */
static bool next_param(struct view *rest, struct param *p)
{
    while (rest->n > 0) {
        skip_blank(rest);
        size_t n = 0;
        while (n < rest->n && rest->p[n] != '=' && rest->p[n] != ';')
            n++;
        p->name = view_slice(*rest, 0, n);
        while (p->name.n > 0 && is_space(p->name.p[p->name.n - 1]))
            p->name.n--;
        bool has_value = n < rest->n && rest->p[n] == '=';
        *rest = view_slice(*rest, n + 1, rest->n);
        if (!has_value)
            continue;
        take_value(rest, p);
        return true;
    }
    return false;
}

static bool find_param(struct view value, struct view name, struct param *p)
{
    view_cut(&value, ';');
    for (unsigned i = 0; i < PARAMS_MAX && next_param(&value, p); i++)
        if (view_eq_nocase(p->name, name))
            return true;
    return false;
}

static int add_unquoted(const struct param *p, struct buf *out)
{
    for (size_t i = 0; i < p->value.n; i++) {
        char c = p->value.p[i];
        if (p->is_quoted && c == '\\' && i + 1 < p->value.n)
            c = p->value.p[++i];
        if (c != '\r' && c != '\n' && buf_add_char(out, c) < 0)
            return MSA_ENOMEM;
    }
    return MSA_FOUND;
}

/* ---- RFC 2231 ---- */

static int add_percent(struct view v, struct buf *out)
{
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (hex_octet(view_slice(v, i, v.n), '%', &c))
            i += 2;
        if (buf_add_char(out, c) < 0)
            return MSA_ENOMEM;
    }
    return MSA_FOUND;
}

/* Piece `number` of "name*0*", "name*1" …; -1: the only one, "name*". */
static int add_piece(struct view value, struct view name, int number,
                     struct view *charset, struct buf *out)
{
    char key[80];
    struct param p;
    int n = number < 0
                ? snprintf(key, sizeof key, "%.*s*", (int)name.n, name.p)
                : snprintf(key, sizeof key, "%.*s*%d*", (int)name.n, name.p, number);
    bool is_extended = find_param(value, view_of(key, (size_t)n), &p);
    if (!is_extended &&
        (number < 0 || !find_param(value, view_of(key, (size_t)n - 1), &p)))
        return MSA_NOT_FOUND;
    if (!is_extended)
        return add_unquoted(&p, out);
    if (number <= 0 && memchr(p.value.p, '\'', p.value.n)) {
        *charset = view_cut(&p.value, '\'');
        view_cut(&p.value, '\''); /* the language */
    }
    return add_percent(p.value, out);
}

static int add_extended(struct view value, struct view name, struct view *charset,
                        struct buf *out)
{
    if (name.n > 60 || !memchr(value.p, '*', value.n))
        return MSA_NOT_FOUND;
    int found = add_piece(value, name, -1, charset, out);
    if (found != MSA_NOT_FOUND)
        return found;
    for (int number = 0; number < PIECES_MAX; number++) {
        int piece = add_piece(value, name, number, charset, out);
        if (piece != MSA_FOUND)
            return piece == MSA_NOT_FOUND && number > 0 ? MSA_FOUND : piece;
    }
    return MSA_FOUND;
}

/* ---- */

static int get(struct view value, struct view name, struct view *charset, struct buf *out)
{
    struct param p;
    if (value.n == 0)
        return MSA_NOT_FOUND;
    int found = add_extended(value, name, charset, out);
    if (found == MSA_NOT_FOUND && find_param(value, name, &p))
        found = add_unquoted(&p, out);
    return found;
}

int mime_param(struct view value, struct view name, struct buf *out)
{
    struct view charset = VIEW_EMPTY;
    return get(value, name, &charset, out);
}

/* Full and out of memory are the same to callers: the name is cut. */
static int add_shown(struct charsets *cs, struct view charset, struct view raw,
                     struct buf *out)
{
    struct buf utf8;
    bool is_utf8 = charset.n == 0 && utf8_is_valid(raw);
    buf_init(&utf8, CHARSET_GROWTH * raw.n + 16);
    int err = is_utf8 ? buf_add(&utf8, raw) : charset_to_utf8(cs, charset, raw, &utf8);
    if (err == MSA_ENOENT)
        err = charset_to_utf8(cs, VIEW_LIT("windows-1252"), raw, &utf8);
    if (err == MSA_OK)
        err = charset.n == 0 ? rfc2047_decode(cs, buf_view(&utf8), out)
                             : utf8_add_clean(out, buf_view(&utf8));
    buf_fini(&utf8);
    return err < 0 ? MSA_ENOMEM : MSA_FOUND;
}

int mime_param_text(struct charsets *cs, struct view value, struct view name,
                    struct buf *out)
{
    struct buf raw;
    struct view charset = VIEW_EMPTY;
    buf_init(&raw, MIME_VALUE_BYTES_MAX);
    int found = get(value, name, &charset, &raw);
    bool has_nothing = found == MSA_ENOMEM && buf_len(&raw) == 0;
    if (found != MSA_NOT_FOUND && !has_nothing) /* what fitted of a long one, too */
        found = add_shown(cs, charset, buf_view(&raw), out);
    buf_fini(&raw);
    return found;
}
