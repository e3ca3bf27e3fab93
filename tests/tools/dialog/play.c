#include "tests/tools/dialog/play.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"

void play_init(struct play *p, const char *path, bool bytewise)
{
    *p = (struct play){.path = path, .is_bytewise = bytewise, .ip = "192.0.2.7"};
    buf_init(&p->settings, 1 << 16);
    buf_init(&p->held, 8 << 20);
    buf_init(&p->message, 64 << 20);
}

void play_fini(struct play *p)
{
    if (p->is_begun)
        fake_fini(&p->fake);
    config_free(&p->config);
    buf_fini(&p->settings);
    buf_fini(&p->held);
    buf_fini(&p->message);
}

void play_fail(struct play *p, const char *fmt, ...)
{
    va_list ap;
    if (p->error[0])
        return;
    va_start(ap, fmt);
    vsnprintf(p->error, sizeof p->error, fmt, ap);
    va_end(ap);
}

bool play_file(struct play *p)
{
    FILE *f = fopen(p->path, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    if (!f) {
        play_fail(p, "cannot be opened");
        return false;
    }
    clock_set_for_test(1000000, 1780000000000);
    while (!p->error[0] && !p->is_skipped && (n = getline(&line, &size, f)) > 0) {
        struct view rest = view_of(line, (size_t)n - (line[n - 1] == '\n'));
        p->line_number++;
        if (rest.n == 0 || rest.p[0] == '#')
            continue;
        struct view word = view_cut(&rest, ':');
        if (rest.n > 0 && rest.p[0] == ' ')
            rest = view_slice(rest, 1, rest.n);
        play_line(p, word, rest);
    }
    if (!p->error[0] && !p->is_skipped)
        play_end(p);
    free(line);
    fclose(f);
    return !p->error[0] && !p->is_skipped;
}

/* ---- text ---------------------------------------------------------------------------------------- */

static int hex_of(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, ascii_lower(c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The index of the ")" that belongs to the "(" at the front, inner "\\(" counted; in.n: none. */
static size_t find_close(struct view in, size_t *star_out)
{
    unsigned depth = 1;
    *star_out = in.n;
    for (size_t i = 1; i < in.n; i++) {
        if (in.p[i] == '(' && in.p[i - 1] == '\\')
            depth++;
        else if (in.p[i] == ')' && --depth == 0)
            return i;
        else if (in.p[i] == '*' && depth == 1)
            *star_out = i;
    }
    return in.n;
}

/* "(TEXT*N)" at the front of `*in`. */
static bool unescape_repeat(struct view *in, struct buf *out)
{
    size_t star, close = find_close(*in, &star);
    uint64_t n;
    if (star >= close || close >= in->n ||
        !view_parse_u64(view_slice(*in, star + 1, close), 10000000, &n))
        return false;
    while (n-- > 0)
        if (!play_unescape(view_slice(*in, 1, star), out))
            return false;
    *in = view_slice(*in, close + 1, in->n);
    return true;
}

static bool unescape_one(struct view *in, struct buf *out)
{
    static const char names[] = "rnt0\\", bytes[] = "\r\n\t\0\\";
    if (in->n >= 3 && in->p[0] == 'x') {
        int high = hex_of(in->p[1]), low = hex_of(in->p[2]);
        buf_add_char(out, (char)(high << 4 | low));
        *in = view_slice(*in, 3, in->n);
        return high >= 0 && low >= 0;
    }
    if (in->n > 0 && in->p[0] == '(')
        return unescape_repeat(in, out);
    const char *at = in->n > 0 ? strchr(names, in->p[0]) : NULL;
    if (!at || !*at)
        return false;
    buf_add_char(out, bytes[at - names]);
    *in = view_slice(*in, 1, in->n);
    return true;
}

bool play_unescape(struct view text, struct buf *out)
{
    while (text.n > 0) {
        size_t plain = view_find(text, '\\');
        buf_add(out, view_slice(text, 0, plain));
        if (plain == text.n)
            return true;
        text = view_slice(text, plain + 1, text.n);
        if (!unescape_one(&text, out))
            return false;
    }
    return true;
}

bool play_matches(struct view pattern, struct view text)
{
    size_t p = 0, t = 0, star = pattern.n, mark = 0;
    while (t < text.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == text.p[t])) {
            p++, t++;
        } else if (star < pattern.n) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}
