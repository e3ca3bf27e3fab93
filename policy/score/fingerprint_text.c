/* What of a text tells campaigns apart: words, not who is addressed, how much it costs, where it links to, or who signs.
 *
 * A word with a capital letter within a sentence is taken for a name, one with a digit for a number, one with "@" or
 * "://" for an address. In scripts without spaces each two neighbours are a unit. One pass, line by line. */
#include "policy/score/fingerprint_text.h"

#include <stdbool.h>

#include "msa/base/utf8.h"
#include "policy/score/fold.h"

#define SIGNATURE_LINES_MAX 14 /* a drawn line above more than these is part of the letter */
#define SIGNATURE_TAIL_MAX  1500
#define DRAWN_MIN           5
#define GREETING_MAX        60 /* bytes of a line that greets */

/* ---- lines ---- */

static bool is_drawing(uint32_t c)
{
    return c == '-' || c == '_' || c == '=' || c == '*' || c == '~' || c == '#' || c == '+' ||
           (c >= 0x2010 && c <= 0x2015) || (c >= 0x2500 && c <= 0x25FF) || /* dashes, ━ ◆ */
           c == 0x30FC || c == 0xFF0D || c == 0xFF1D || c == 0xFF0A || c == 0x2606 || c == 0x2605;
}

/* "-----", "━━━━━", also with spaces between. */
static bool is_drawn_line(struct view line)
{
    unsigned count = 0;
    uint32_t c;
    line = view_trim(line);
    while (line.n > 0) {
        size_t n = utf8_decode(line, &c);
        if (n == 0 || (c != ' ' && c != 0x3000 && !is_drawing(c)))
            return false;
        count += is_drawing(c);
        line = view_slice(line, n, line.n);
    }
    return count >= DRAWN_MIN;
}

static bool begins_signature(struct view line)
{
    struct view text = view_trim(line);
    if (view_eq(text, VIEW_LIT("--")))
        return true;
    return is_drawn_line(text) || view_has_prefix_nocase(text, VIEW_LIT("sent from my "));
}

static size_t last_line_begin(struct view text)
{
    size_t at = text.n;
    while (at > 0 && text.p[at - 1] != '\n')
        at--;
    return at;
}

struct view fingerprint_cut_signature(struct view text)
{
    struct view rest = text, best = text;
    unsigned lines = 0;
    while (rest.n > 0 && text.n - rest.n <= SIGNATURE_TAIL_MAX) {
        size_t at = last_line_begin(rest);
        struct view line = view_slice(rest, at, rest.n);
        lines += view_trim(line).n > 0;
        if (lines > SIGNATURE_LINES_MAX)
            break;
        if (begins_signature(line))
            best = view_slice(rest, 0, at);
        rest = view_slice(rest, 0, at > 0 ? at - 1 : 0);
    }
    return best;
}

/* "Dear Mr Tanaka,", "田中様": one short line that ends like a greeting. */
static bool is_greeting(struct view line)
{
    static const struct view ends[] = {VIEW_LIT("様"), VIEW_LIT("さん"), VIEW_LIT("殿"),
                                       VIEW_LIT("各位"), VIEW_LIT("様、"), VIEW_LIT("さま")};
    static const struct view begins[] = {VIEW_LIT("dear "), VIEW_LIT("hi "), VIEW_LIT("hello "),
                                         VIEW_LIT("hallo ")};
    if (line.n > GREETING_MAX)
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (view_has_suffix_nocase(line, ends[i]))
            return true;
    for (size_t i = 0; i < sizeof begins / sizeof begins[0]; i++)
        if (view_has_prefix_nocase(line, begins[i]) && line.n > 0 &&
            (line.p[line.n - 1] == ',' || line.p[line.n - 1] == '!'))
            return true;
    return false;
}

/* ---- words ---- */

#define HASH_BEGIN UINT64_C(0xcbf29ce484222325)

static uint64_t hash_add(uint64_t h, uint32_t code)
{
    return (h ^ code) * UINT64_C(0x100000001b3);
}

static uint32_t hash_end(uint64_t h)
{
    h = (h ^ h >> 32) * UINT64_C(0x9fb21c651e98df25);
    return (uint32_t)(h >> 32);
}

struct units {
    uint32_t *items;
    size_t count;
    size_t max;
    uint64_t word;
    uint32_t last_wide;    /* 0: none stands directly before */
    unsigned letter_count; /* of the word under way */
    bool is_name, has_digit, is_after_stop;
};

static void units_add(struct units *u, uint64_t h)
{
    if (u->count < u->max)
        u->items[u->count++] = hash_end(h);
}

static void end_word(struct units *u)
{
    if (u->letter_count > 0 && !u->is_name && !u->has_digit)
        units_add(u, u->word);
    if (u->letter_count > 0)
        u->is_after_stop = false;
    u->word = HASH_BEGIN;
    u->letter_count = 0;
    u->is_name = u->has_digit = false;
}

static bool is_letter(uint32_t c)
{
    if (c < 0x80)
        return c >= 'a' && c <= 'z';
    return (c >= 0xC0 && c < 0x2000 && c != 0xD7 && c != 0xF7) ||
           (c >= 0xAC00 && c < 0xD7B0);
}

static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }

static bool is_capital(uint32_t c, uint32_t folded)
{
    return folded == c + 32 || (c >= 0xFF21 && c < 0xFF3B);
}

static void add_wide(struct units *u, uint32_t c)
{
    end_word(u);
    if (u->last_wide)
        units_add(u, hash_add(hash_add(HASH_BEGIN, u->last_wide), c));
    u->last_wide = c;
}

static void add_letter(struct units *u, uint32_t folded, bool is_big)
{
    if (u->letter_count == 0)
        u->is_name = is_big && !u->is_after_stop;
    else if (is_big && u->letter_count == 1)
        u->is_name = false; /* ALL CAPITALS are no name */
    u->word = hash_add(u->word, folded);
    u->letter_count++;
}

static void add_code(struct units *u, uint32_t c)
{
    uint32_t folded = c < 0x80 ? (unsigned char)ascii_lower((char)c) : fold_code(c);
    if (folded == 0)
        return;
    if (folded >= 0x80 && fold_is_wide(folded)) {
        add_wide(u, folded);
        return;
    }
    u->last_wide = 0;
    if (is_letter(folded)) {
        add_letter(u, folded, is_capital(c, folded));
    } else if (is_digit(folded)) {
        u->letter_count += u->letter_count == 0;
        u->has_digit = true;
    } else if (folded != '\'' && folded != 0x2019 && folded != '-') {
        end_word(u);
        if (folded == '.' || folded == '!' || folded == '?' || folded == ':' || folded == '"')
            u->is_after_stop = true;
    }
}

/* "taro@example.jp", "http://…", "www.…": as far as the next space. */
static bool is_address(struct view word)
{
    struct view rest = word;
    if (view_find(word, '@') < word.n || view_has_prefix_nocase(word, VIEW_LIT("www.")))
        return true;
    while (rest.n > 0) {
        view_cut(&rest, ':');
        if (view_has_prefix(rest, VIEW_LIT("//")))
            return true;
    }
    return false;
}

static struct view cut_word(struct view *rest)
{
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t' && rest->p[n] != '\r')
        n++;
    struct view word = view_slice(*rest, 0, n);
    *rest = view_slice(*rest, n < rest->n ? n + 1 : n, rest->n);
    return word;
}

static void add_line(struct units *u, struct view line)
{
    while (line.n > 0 && u->count < u->max) {
        struct view word = cut_word(&line);
        uint32_t c;
        if (is_address(word))
            continue;
        for (size_t i = 0; i < word.n;) {
            size_t n = 1;
            c = (unsigned char)word.p[i];
            if (c >= 0x80 && !(n = utf8_decode(view_slice(word, i, word.n), &c))) {
                n = 1;
                c = ' ';
            }
            add_code(u, c);
            i += n;
        }
        end_word(u);
    }
}

size_t fingerprint_units(struct view text, uint32_t *units, size_t max)
{
    struct units u = {.items = units, .max = max, .word = HASH_BEGIN, .is_after_stop = true};
    while (text.n > 0 && u.count < max) {
        struct view line = view_trim(view_cut(&text, '\n'));
        if (line.n == 0)
            u.is_after_stop = true;
        if (line.n == 0 || line.p[0] == '>' || is_greeting(line))
            continue;
        add_line(&u, line);
        u.last_wide = 0;
    }
    return u.count;
}
