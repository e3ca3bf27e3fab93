/* Numbers: counts, sizes, times, rates, decimals.
 *
 * Every sum is bounded before it is made: digits saturate, units are multiplied only below the
 * quotient of the maximum, so no text is ever taken for a number that it does not say. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "msa/config/settings.h"
#include "msa/config/value.h"
#include "msa/mail/date.h"

struct unit {
    const char *text;
    uint64_t factor;
};

/* Largest first, as the formatter wants them. */
static const struct unit size_units[] = {{"G", 1u << 30}, {"M", 1u << 20}, {"K", 1u << 10}, {"", 1}};
static const struct unit time_units[] = {{"w", 7 * 86400000u}, {"d", 86400000}, {"h", 3600000},
                                         {"m", 60000},         {"s", 1000},     {"ms", 1}};
#define SIZE_UNITS (sizeof size_units / sizeof size_units[0])
#define TIME_UNITS (sizeof time_units / sizeof time_units[0])

/* Takes the digits at the front of `*v`; false if there are none. Saturates at UINT64_MAX. */
static bool take_digits(struct view *v, uint64_t *out)
{
    uint64_t n = 0;
    size_t i = 0;
    for (; i < v->n && ascii_is_digit(v->p[i]); i++) {
        uint64_t digit = (uint64_t)(v->p[i] - '0');
        n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
    }
    *v = view_slice(*v, i, v->n);
    *out = n;
    return i > 0;
}

/* Digits and a unit. A lone "0" needs none. False if it is neither; saturates at INT64_MAX. */
static bool parse_quantity(struct view text, const struct unit *units, size_t unit_count,
                           int64_t *out)
{
    uint64_t n;
    if (!take_digits(&text, &n))
        return false;
    if (n == 0 && text.n == 0) {
        *out = 0;
        return true;
    }
    for (size_t i = 0; i < unit_count; i++) {
        if (!view_eq(text, view_cstr(units[i].text)))
            continue;
        *out = n > INT64_MAX / units[i].factor ? INT64_MAX : (int64_t)(n * units[i].factor);
        return true;
    }
    return false;
}

static void format_quantity(uint64_t n, const struct unit *units, size_t unit_count,
                            struct buf *out)
{
    size_t i = 0;
    while (i + 1 < unit_count && (n == 0 || n % units[i].factor != 0))
        i++;
    buf_add_u64(out, n / units[i].factor);
    buf_add_cstr(out, units[i].text);
}

/* What the three kinds of plain numbers share: special words, then the bounds. */
static bool parse_bounded(struct value_site *site, const struct schema_key *key,
                          const struct tree_word *word, const struct unit *units,
                          size_t unit_count, int64_t *out)
{
    uint32_t special;
    if (value_find_word(key->words, word->text, &special)) {
        *out = special;
        return true;
    }
    if (!parse_quantity(word->text, units, unit_count, out))
        return value_fail(site, key, word);
    if (*out < key->min || *out > key->max)
        return value_fail_range(site, key, word);
    return true;
}

bool value_parse_count(struct value_site *site, const struct schema_key *key,
                       const struct tree_word *word, void *out)
{
    static const struct unit plain = {"", 1};
    int64_t n = 0;
    if (!parse_bounded(site, key, word, &plain, 1, &n))
        return false;
    *(uint32_t *)out = (uint32_t)n;
    return true;
}

bool value_parse_size(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word, void *out)
{
    int64_t n = 0;
    if (!parse_bounded(site, key, word, size_units, SIZE_UNITS, &n))
        return false;
    *(uint32_t *)out = (uint32_t)n;
    return true;
}

bool value_parse_size64(struct value_site *site, const struct schema_key *key,
                        const struct tree_word *word, void *out)
{
    int64_t n = 0;
    if (!parse_bounded(site, key, word, size_units, SIZE_UNITS, &n))
        return false;
    *(uint64_t *)out = (uint64_t)n;
    return true;
}

bool value_parse_time(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word, void *out)
{
    return parse_bounded(site, key, word, time_units, TIME_UNITS, out);
}

bool value_parse_date(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word, void *out)
{
    char text[DATE_SIZE];
    uint32_t special;
    int64_t unix_s;
    if (value_find_word(key->words, word->text, &special)) {
        *(int64_t *)out = special;
        return true;
    }
    snprintf(text, sizeof text, "%.*s%s", (int)(word->text.n < 30 ? word->text.n : 30),
             word->text.p, word->text.n == 10 ? "T00:00:00Z" : "");
    if (word->text.n > 30 || !date_parse_iso8601(view_cstr(text), &unix_s))
        return value_fail(site, key, word);
    *(int64_t *)out = unix_s * 1000;
    return unix_s * 1000 <= key->max || value_fail_range(site, key, word);
}

/* 100/1h, 100/h, or "off". */
bool value_parse_rate(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word, void *out)
{
    struct config_rate *rate = out;
    if (view_eq(word->text, VIEW_LIT("off"))) {
        *rate = (struct config_rate){0};
        return true;
    }
    struct view window = word->text;
    struct view count = view_cut(&window, '/');
    uint64_t limit;
    int64_t window_ms = 0;
    if (!take_digits(&count, &limit) || count.n > 0)
        return value_fail(site, key, word);
    for (size_t i = 0; i < TIME_UNITS; i++)
        if (view_eq(window, view_cstr(time_units[i].text)))
            window_ms = (int64_t)time_units[i].factor;
    if (window_ms == 0 && !parse_quantity(window, time_units, TIME_UNITS, &window_ms))
        return value_fail(site, key, word);
    if (limit < 1 || limit > (uint64_t)key->max || window_ms < 1000 ||
        window_ms > 31 * INT64_C(86400000))
        return value_fail_range(site, key, word);
    *rate = (struct config_rate){.limit = (uint32_t)limit, .window_ms = window_ms};
    return true;
}

/* -12.345: at most three digits behind the point. */
bool value_parse_decimal(struct value_site *site, const struct schema_key *key,
                         const struct tree_word *word, void *out)
{
    struct view rest = word->text;
    bool is_negative = rest.n > 0 && rest.p[0] == '-';
    if (is_negative)
        rest = view_slice(rest, 1, rest.n);
    uint64_t whole, thousandths = 0;
    if (!take_digits(&rest, &whole))
        return value_fail(site, key, word);
    if (rest.n > 0) {
        struct view digits = view_slice(rest, 1, rest.n);
        size_t n = digits.n;
        if (rest.p[0] != '.' || n > 3 || !view_parse_u64(digits, 999, &thousandths))
            return value_fail(site, key, word);
        for (; n < 3; n++)
            thousandths *= 10;
    }
    if (whole > INT32_MAX / 1000 - 1)
        return value_fail_range(site, key, word);
    int64_t n = (int64_t)(whole * 1000 + thousandths);
    if (is_negative)
        n = -n;
    if (n < key->min || n > key->max)
        return value_fail_range(site, key, word);
    *(int32_t *)out = (int32_t)n;
    return true;
}

/* ---- back to text ---------------------------------------------------------------------------- */

static bool format_special(const struct schema_key *key, uint64_t n, struct buf *out)
{
    const char *word = n <= UINT32_MAX ? value_word(key->words, (uint32_t)n) : NULL;
    if (word)
        buf_add_cstr(out, word);
    return word != NULL;
}

void value_format_count(const struct schema_key *key, const void *field, struct buf *out)
{
    uint32_t n = *(const uint32_t *)field;
    if (!format_special(key, n, out))
        buf_add_u64(out, n);
}

void value_format_size(const struct schema_key *key, const void *field, struct buf *out)
{
    uint32_t n = *(const uint32_t *)field;
    if (!format_special(key, n, out))
        format_quantity(n, size_units, SIZE_UNITS, out);
}

void value_format_size64(const struct schema_key *key, const void *field, struct buf *out)
{
    uint64_t n = *(const uint64_t *)field;
    if (!format_special(key, n, out))
        format_quantity(n, size_units, SIZE_UNITS, out);
}

void value_format_time(const struct schema_key *key, const void *field, struct buf *out)
{
    uint64_t n = (uint64_t) * (const int64_t *)field;
    if (!format_special(key, n, out))
        format_quantity(n, time_units, n == 0 ? TIME_UNITS - 1 : TIME_UNITS, out);
}

void value_format_rate(const struct schema_key *key, const void *field, struct buf *out)
{
    const struct config_rate *rate = field;
    (void)key;
    if (rate->limit == 0) {
        buf_add_cstr(out, "off");
        return;
    }
    buf_addf(out, "%" PRIu32 "/", rate->limit);
    format_quantity((uint64_t)rate->window_ms, time_units, TIME_UNITS, out);
}

void value_format_decimal(const struct schema_key *key, const void *field, struct buf *out)
{
    int64_t n = *(const int32_t *)field;
    (void)key;
    int64_t magnitude = n < 0 ? -n : n;
    char text[24];
    int len = snprintf(text, sizeof text, "%s%" PRId64 ".%03" PRId64, n < 0 ? "-" : "",
                       magnitude / 1000, magnitude % 1000);
    while (len > 0 && text[len - 1] == '0' && text[len - 2] != '.')
        len--;
    buf_append(out, text, (size_t)len);
}

void value_format_date(const struct schema_key *key, const void *field, struct buf *out)
{
    int64_t ms = *(const int64_t *)field;
    const char *word = ms <= UINT32_MAX ? value_word(key->words, (uint32_t)ms) : NULL;
    char text[DATE_SIZE];
    if (!word)
        date_format_iso8601(ms / 1000, text);
    buf_add_cstr(out, word ? word : text);
}
