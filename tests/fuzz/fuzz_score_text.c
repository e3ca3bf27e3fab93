/* What the rules of the score and the fingerprints do with text. The first line is a pattern, the second a phrase, the
 * rest the text: a text matches itself, a phrase is found in itself, folding twice is folding once, and copies have
 * the same fingerprints. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/score/fingerprint.h"
#include "policy/score/fingerprint_text.h"
#include "policy/score/fold.h"
#include "policy/score/pattern.h"
#include "policy/score/phrases.h"
#include "tests/fuzz/fuzz.h"

static void check_fold(struct view text, struct buf *folded)
{
    struct buf again;
    buf_init(folded, text.n + 1);
    must(fold_add(folded, text) == MSA_OK && buf_len(folded) <= text.n);
    must(utf8_is_valid(buf_view(folded)));
    buf_init(&again, text.n + 1);
    must(fold_add(&again, buf_view(folded)) == MSA_OK);
    must(view_eq(buf_view(&again), buf_view(folded)));
    buf_fini(&again);
}

static void check_pattern(struct view pattern, struct view folded)
{
    (void)pattern_matches(pattern, folded);
    must(pattern_matches(VIEW_LIT("*"), folded));
    bool has_operator = false;
    for (size_t i = 0; i < folded.n; i++)
        has_operator |= folded.p[i] == '#';
    must(has_operator || pattern_matches(folded, folded));
}

static void check_phrase(struct view phrase, struct view folded)
{
    struct phrase_hits hits = {{0}};
    struct phrases *p = phrases_new();
    if (!p)
        return;
    int number = phrases_add(p, phrase);
    if (number == 0 && phrases_build(p) == MSA_OK) {
        struct buf alone;
        phrases_find(p, folded, &hits);
        buf_init(&alone, phrase.n + 1);
        must(fold_add(&alone, phrase) == MSA_OK);
        phrases_find(p, buf_view(&alone), &hits);
        must(phrase_is_hit(&hits, 0));
        buf_fini(&alone);
    }
    phrases_free(&p);
}

static void check_fingerprints(struct view text)
{
    struct fingerprints a = {0}, b = {0};
    struct view body = fingerprint_cut_signature(text);
    must(body.n <= text.n && (body.n == 0 || body.p == text.p));
    fingerprint_add_link(&a, text, NULL, 0, VIEW_EMPTY);
    must(a.count == a.link_count);
    a = (struct fingerprints){0};
    fingerprint_add_body(&a, text);
    fingerprint_add_body(&b, text);
    must(a.count == b.count && (a.count == 0 || a.count == FINGERPRINTS_MAX));
    must(memcmp(a.numbers, b.numbers, sizeof a.numbers) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = fuzz_view(data, size);
    struct view pattern = view_cut(&text, '\n'), phrase = view_cut(&text, '\n');
    struct buf folded;
    check_fold(text, &folded);
    check_pattern(pattern, buf_view(&folded));
    check_phrase(phrase, buf_view(&folded));
    check_fingerprints(text);
    buf_fini(&folded);
    return 0;
}
