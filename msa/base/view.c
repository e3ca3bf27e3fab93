#include "msa/base/view.h"

#include <string.h>

struct view view_of(const char *p, size_t n)
{
    return (struct view){p, n};
}

struct view view_cstr(const char *s)
{
    return s ? (struct view){s, strlen(s)} : VIEW_EMPTY;
}

struct view view_slice(struct view v, size_t from, size_t to)
{
    if (to > v.n)
        to = v.n;
    if (from > to)
        from = to;
    return (struct view){from > 0 ? v.p + from : v.p, to - from}; /* NULL + 0 is undefined */
}

bool view_eq(struct view a, struct view b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool view_eq_nocase(struct view a, struct view b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

bool view_has_prefix(struct view v, struct view prefix)
{
    return v.n >= prefix.n && view_eq(view_slice(v, 0, prefix.n), prefix);
}

bool view_has_prefix_nocase(struct view v, struct view prefix)
{
    return v.n >= prefix.n && view_eq_nocase(view_slice(v, 0, prefix.n), prefix);
}

bool view_has_suffix_nocase(struct view v, struct view suffix)
{
    return v.n >= suffix.n && view_eq_nocase(view_slice(v, v.n - suffix.n, v.n), suffix);
}

int view_cmp(struct view a, struct view b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;
    if (order != 0)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

size_t view_find(struct view v, char c)
{
    const char *hit = v.n > 0 ? memchr(v.p, c, v.n) : NULL;
    return hit ? (size_t)(hit - v.p) : v.n;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct view view_trim(struct view v)
{
    while (v.n > 0 && is_blank(v.p[0]))
        v = view_slice(v, 1, v.n);
    while (v.n > 0 && is_blank(v.p[v.n - 1]))
        v.n--;
    return v;
}

struct view view_cut(struct view *v, char c)
{
    size_t at = view_find(*v, c);
    struct view head = view_slice(*v, 0, at);
    *v = view_slice(*v, at + 1, v->n);
    return head;
}

bool view_take_char(struct view *v, char c)
{
    if (v->n == 0 || v->p[0] != c)
        return false;
    *v = view_slice(*v, 1, v->n);
    return true;
}

bool view_parse_u64(struct view v, uint64_t max, uint64_t *out)
{
    uint64_t n = 0;
    if (v.n == 0)
        return false;
    for (size_t i = 0; i < v.n; i++) {
        if (!ascii_is_digit(v.p[i]))
            return false;
        uint64_t digit = (uint64_t)(v.p[i] - '0');
        if (digit > max || n > (max - digit) / 10)
            return false;
        n = n * 10 + digit;
    }
    *out = n;
    return true;
}

bool view_to_cstr(struct view v, char *dst, size_t dst_size)
{
    if (dst_size == 0)
        return false;
    dst[0] = '\0';
    if (v.n >= dst_size || (v.n > 0 && memchr(v.p, '\0', v.n)))
        return false;
    if (v.n > 0)
        memcpy(dst, v.p, v.n);
    dst[v.n] = '\0';
    return true;
}
