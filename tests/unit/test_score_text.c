/* How the rules of the score read text: folding, patterns, phrases. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/fold.h"
#include "policy/score/pattern.h"
#include "policy/score/phrases.h"

TestSuite(score_fold, .timeout = 20);
TestSuite(score_pattern, .timeout = 20);
TestSuite(score_phrases, .timeout = 20);

/* ---- folding ---- */

static const struct fold_vector {
    const char *text;
    const char *folded;
} fold_vectors[] = {
    {"", ""},
    {"Buy  NOW\r\n\there", "buy now here"},
    {" outer ", "outer"},
    {"ＦＲＥＥ　ｍｏｎｅｙ！", "free money!"},
    {"V\u200bi\u00ada\u2060gra", "viagra"},
    {"無 料\nで す", "無料です"},
    {"無料 FREE 無料", "無料 free 無料"},
    {"ПРИВЕТ ΚΑΛΗ", "привет καλη"},
    {"ÀÉ×Ö", "àé×ö"},
    {"a\xff""b", "a b"},
    {"\xe7\x84", ""}, /* cut off */
};

Test(score_fold, text_is_folded)
{
    for (size_t i = 0; i < sizeof fold_vectors / sizeof fold_vectors[0]; i++) {
        struct buf out;
        buf_init(&out, 1000);
        cr_expect_eq(fold_add(&out, view_cstr(fold_vectors[i].text)), MSA_OK);
        cr_expect(view_eq(buf_view(&out), view_cstr(fold_vectors[i].folded)), "%zu: %.*s", i,
                  (int)buf_len(&out), buf_view(&out).p);
        buf_fini(&out);
    }
}

Test(score_fold, it_never_grows_and_stops_at_the_maximum)
{
    struct buf out;
    char text[512];
    srandom(4);
    for (int round = 0; round < 2000; round++) {
        size_t n = (size_t)random() % sizeof text;
        for (size_t i = 0; i < n; i++)
            text[i] = (char)(random() % 4 ? random() : "aA \xe3\x80\x80"[random() % 6]);
        buf_init(&out, n);
        cr_assert_eq(fold_add(&out, view_of(text, n)), MSA_OK);
        buf_fini(&out);
    }
    buf_init(&out, 4);
    cr_expect_eq(fold_add(&out, VIEW_LIT("abc def")), MSA_ETOOBIG);
    buf_fini(&out);
}

/* ---- patterns ---- */

static const struct pattern_vector {
    const char *pattern;
    const char *text;
    bool is_match;
} pattern_vectors[] = {
    {"", "", true},
    {"", "a", false},
    {"*", "", true},
    {"*", "anything", true},
    {"abc", "abc", true},
    {"abc", "abcd", false},
    {"abc", "ab", false},
    {"abc*", "abcd", true},
    {"*abc", "zabc", true},
    {"*abc", "abcabc", true},
    {"*abc", "abcabd", false},
    {"a*c", "abc", true},
    {"a*c", "a", false},
    {"a*a", "a", false},
    {"*a*b*c*", "xxaxxbxxcxx", true},
    {"*a*b*c*", "xxcxxbxxaxx", false},
    {"a?c", "abc", true},
    {"a?c", "a無c", true},
    {"a?c", "ac", false},
    {"*?", "", false},
    {"*#*", "abc", false},
    {"*#*", "abc7", true},
    {"v#.##", "v1.23", true},
    {"v#.##", "v1.2x", false},
    {"*無料*", "完全無料です", true},
    {"**", "x", true},
};

Test(score_pattern, patterns_match_whole_values)
{
    for (size_t i = 0; i < sizeof pattern_vectors / sizeof pattern_vectors[0]; i++) {
        const struct pattern_vector *v = &pattern_vectors[i];
        cr_expect_eq(pattern_matches(view_cstr(v->pattern), view_cstr(v->text)), v->is_match,
                     "%s against %s", v->pattern, v->text);
    }
}

/* With backtracking this takes longer than the universe is old. */
Test(score_pattern, a_hostile_value_costs_no_more_than_its_length)
{
    char pattern[201], text[1001];
    for (int i = 0; i < 200; i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[199] = 'b';
    pattern[200] = '\0';
    memset(text, 'a', 1000);
    text[1000] = '\0';
    for (int i = 0; i < 1000; i++)
        cr_assert_not(pattern_matches(view_cstr(pattern), view_cstr(text)));
}

/* ---- phrases ---- */

static struct phrases *made_of(const char *const *list, size_t count)
{
    struct phrases *p = phrases_new();
    for (size_t i = 0; i < count; i++)
        cr_assert_eq(phrases_add(p, view_cstr(list[i])), (int)i);
    cr_assert_eq(phrases_build(p), MSA_OK);
    return p;
}

/* Finds them one by one, in the slow and plain way. */
static bool stands_in(struct view phrase, struct view text)
{
    for (size_t i = 0; i + phrase.n <= text.n; i++) {
        if (!view_eq(view_slice(text, i, i + phrase.n), phrase))
            continue;
        bool is_cut = (i > 0 && ascii_is_alpha(text.p[i - 1]) && ascii_is_alpha(phrase.p[0])) ||
                      (i + phrase.n < text.n && ascii_is_alpha(text.p[i + phrase.n]) &&
                       ascii_is_alpha(phrase.p[phrase.n - 1]));
        if (!is_cut)
            return true;
    }
    return false;
}

static void check_text(const struct phrases *p, const char *const *list, size_t count,
                       struct view text)
{
    struct phrase_hits hits = {0};
    phrases_find(p, text, &hits);
    for (unsigned i = 0; i < count; i++)
        cr_assert_eq(phrase_is_hit(&hits, i), (int)stands_in(view_cstr(list[i]), text),
                     "'%s' in '%.*s'", list[i], (int)text.n, text.p);
}

Test(score_phrases, whole_words_are_found_and_parts_of_words_are_not)
{
    static const char *const list[] = {"sex", "buy now", "now", "無料", "ow", "100% free", "free"};
    static const char *const texts[] = {"essex",        "sex.",          "buy now",
                                        "buy nowhere",  "完全無料です",  "100% free!",
                                        "100% freedom", "now buy now",   ""};
    struct phrases *p = made_of(list, 7);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_text(p, list, 7, view_cstr(texts[i]));
    phrases_free(&p);
}

Test(score_phrases, the_same_as_one_by_one_in_any_text)
{
    static const char *const list[] = {"a", "ab", "aba", "b a", "ab ab", "c", "bc", "abc abc", "-", "-a"};
    struct phrases *p = made_of(list, 10);
    char text[64];
    srandom(5);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)random() % sizeof text;
        for (size_t i = 0; i < n; i++)
            text[i] = "abc -"[random() % 5];
        check_text(p, list, 10, view_of(text, n));
    }
    phrases_free(&p);
}

Test(score_phrases, the_same_phrase_twice_is_one_and_an_empty_one_none)
{
    struct phrases *p = phrases_new();
    char big[PHRASES_BYTES_MAX];
    memset(big, 'x', sizeof big);
    cr_expect_eq(phrases_add(p, VIEW_LIT("Buy  Now")), 0);
    cr_expect_eq(phrases_add(p, VIEW_LIT("free")), 1);
    cr_expect_eq(phrases_add(p, VIEW_LIT("ＢＵＹ now")), 0);
    cr_expect_eq(phrases_add(p, VIEW_LIT(" \u200b")), MSA_EINVAL);
    cr_expect_eq(phrases_add(p, view_of(big, sizeof big)), MSA_EFULL);
    cr_expect_eq(phrases_add(p, VIEW_LIT("more")), 2);
    phrases_free(&p);
}

Test(score_phrases, without_phrases_nothing_is_found)
{
    struct phrases *p = phrases_new();
    struct phrase_hits hits = {0};
    cr_assert_eq(phrases_build(p), MSA_OK);
    phrases_find(p, VIEW_LIT("whatever"), &hits);
    for (unsigned i = 0; i < PHRASES_MAX; i++)
        cr_assert_not(phrase_is_hit(&hits, i));
    phrases_free(&p);
}
