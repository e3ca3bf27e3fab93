/* struct view: bytes somebody else owns. Never NUL-terminated, may hold any byte. A view is passed
 * by value and is valid only as long as its owner says. */
#ifndef MSA_BASE_VIEW_H
#define MSA_BASE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
    const char *p; /* may be NULL when n is 0 */
    size_t n;
};

#define VIEW_EMPTY ((struct view){NULL, 0})
#define VIEW_LIT(literal) ((struct view){"" literal, sizeof(literal) - 1})

struct view view_of(const char *p, size_t n);
struct view view_cstr(const char *s); /* NULL gives the empty view */

/* Bytes [from, to) of `v`, both cut to its length. */
struct view view_slice(struct view v, size_t from, size_t to);

bool view_eq(struct view a, struct view b);
bool view_eq_nocase(struct view a, struct view b); /* ASCII case only */
bool view_has_prefix(struct view v, struct view prefix);
bool view_has_prefix_nocase(struct view v, struct view prefix);
bool view_has_suffix_nocase(struct view v, struct view suffix);
int view_cmp(struct view a, struct view b); /* by bytes, shorter first on a tie: <0, 0, >0 */

/* Index of the first `c`, or v.n if there is none. */
size_t view_find(struct view v, char c);

/* Without SP and HTAB at both ends. */
struct view view_trim(struct view v);

/* Cuts `*v` at the first `c`: returns what stood before it and leaves what follows in `*v`.
 * Without a `c` all is returned and `*v` becomes empty. */
struct view view_cut(struct view *v, char c);

/* Takes `c` off the front of `*v`. False, and nothing taken, when something else stands there. */
bool view_take_char(struct view *v, char c);

/* Whole of `v` as an unsigned decimal, only digits, at most `max`. False leaves `*out` alone. */
bool view_parse_u64(struct view v, uint64_t max, uint64_t *out);

/* Copies `v` into `dst` with a NUL behind it. False, and an empty string, when it does not fit or
 * holds a NUL itself. */
bool view_to_cstr(struct view v, char *dst, size_t dst_size);

static inline char ascii_lower(char c) { return (c >= 'A' && c <= 'Z') ? (char)(c + 32) : c; }
static inline bool ascii_is_digit(char c) { return c >= '0' && c <= '9'; }
static inline bool ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/* Of a hexadecimal digit, 0 to 15; -1: it is none. */
static inline int ascii_hex_value(char c)
{
    char lower = ascii_lower(c);
    if (ascii_is_digit(c))
        return c - '0';
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

#endif
