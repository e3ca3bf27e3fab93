#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/mail/eod.h"

TestSuite(eod, .timeout = 60);

#define SHORT_MAX 8
#define OUT_MAX 64

struct seen {
    char body[OUT_MAX];
    size_t body_n;
    size_t rest_n; /* bytes behind the end */
    size_t longest;
    unsigned facts;
    bool ended;
};

/* ---- the reference: regards the whole input at once and shares no code with the machine
 * -------- */

static bool at_line_start(const char *s, size_t i)
{
    return i == 0 || (i >= 2 && s[i - 2] == '\r' && s[i - 1] == '\n');
}

static struct seen reference(const char *s, size_t n, bool normalize)
{
    struct seen r = {.ended = false};
    size_t line = 0;
    for (size_t i = 0; i < n; i++) {
        if (at_line_start(s, i) && n - i >= 3 && memcmp(s + i, ".\r\n", 3) == 0) {
            r.ended = true;
            r.rest_n = n - i - 3;
            return r;
        }
        if (at_line_start(s, i) && s[i] == '.')
            continue;
        bool paired_cr = s[i] == '\r' && i + 1 < n && s[i + 1] == '\n';
        bool paired_lf = s[i] == '\n' && i > 0 && s[i - 1] == '\r';
        bool bare_lf = s[i] == '\n' && !paired_lf;
        if (s[i] == '\r' && !paired_cr && i + 1 < n)
            r.facts |= EOD_BARE_CR;
        r.facts |= (bare_lf ? EOD_BARE_LF : 0) | (s[i] == '\0' ? EOD_NUL : 0);
        if (bare_lf && normalize)
            r.body[r.body_n++] = '\r';
        r.body[r.body_n++] = s[i];
        line += !paired_cr && !paired_lf && !(bare_lf && normalize);
        if (paired_lf || (bare_lf && normalize)) {
            r.longest = line > r.longest ? line : r.longest;
            line = 0;
        }
    }
    return r;
}

/* A message that is not over may have a CR behind a dot that the machine still holds back. */
static void settle(struct seen *r, const char *s, size_t n)
{
    if (!r->ended && n >= 2 && at_line_start(s, n - 2) && s[n - 2] == '.' && s[n - 1] == '\r')
        r->body_n--;
}

/* ---- the machine over pieces
 * ------------------------------------------------------------------- */

static void feed(struct eod *e, struct seen *r, struct view in)
{
    struct view run;
    enum eod_step step;
    while ((step = eod_next(e, &in, &run)) == EOD_RUN) {
        cr_assert(run.n > 0 && r->body_n + run.n <= OUT_MAX);
        memcpy(r->body + r->body_n, run.p, run.n);
        r->body_n += run.n;
    }
    r->ended = step == EOD_END;
    r->rest_n = r->ended ? r->rest_n + in.n : 0;
    if (!r->ended)
        cr_assert_eq(in.n, 0);
}

static struct seen run_split(const char *s, size_t n, unsigned cuts, bool normalize)
{
    struct eod e;
    struct seen r = {.ended = false};
    eod_init(&e, EOD_DATA, normalize);
    for (size_t from = 0; from < n;) {
        size_t to = from + 1;
        while (to < n && !(cuts & (1u << to)))
            to++;
        feed(&e, &r, view_of(s + from, to - from));
        from = to;
    }
    r.facts = eod_facts(&e);
    r.longest = eod_longest_line(&e);
    cr_assert_eq(e.body_bytes, r.body_n);
    return r;
}

static bool same(const struct seen *a, const struct seen *b)
{
    return a->body_n == b->body_n && memcmp(a->body, b->body, a->body_n) == 0 &&
           a->rest_n == b->rest_n && a->longest == b->longest && a->facts == b->facts &&
           a->ended == b->ended;
}

static void check(const char *s, size_t n, unsigned cuts, bool normalize, const struct seen *want)
{
    struct seen got = run_split(s, n, cuts, normalize);
    if (same(&got, want))
        return;
    char hex[3 * SHORT_MAX + 1] = "";
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 3 * i, 4, "%02x ", (unsigned char)s[i]);
    cr_assert_fail("[%s] cuts %x normalize %d: body %zu/%zu rest %zu/%zu longest %zu/%zu "
                   "facts %x/%x ended %d/%d", hex, cuts, normalize, got.body_n, want->body_n,
                   got.rest_n, want->rest_n, got.longest, want->longest, got.facts,
                   want->facts, got.ended, want->ended);
}

static void check_all_splits(const char *s, size_t n, bool normalize)
{
    struct seen want = reference(s, n, normalize);
    settle(&want, s, n);
    unsigned whole = 0, bytewise = ~0u;
    check(s, n, whole, normalize, &want);
    check(s, n, bytewise, normalize, &want);
    for (size_t cut = 1; cut < n; cut++)
        check(s, n, 1u << cut, normalize, &want);
}

static void check_all_strings(bool normalize)
{
    static const char alphabet[5] = {'\r', '\n', '.', '\0', 'a'};
    size_t strings = 0;
    for (size_t n = 1; n <= SHORT_MAX; n++) {
        size_t count = 1;
        for (size_t i = 0; i < n; i++)
            count *= sizeof alphabet;
        for (size_t number = 0; number < count; number++, strings++) {
            char s[SHORT_MAX];
            for (size_t i = 0, rest = number; i < n; i++, rest /= sizeof alphabet)
                s[i] = alphabet[rest % sizeof alphabet];
            check_all_splits(s, n, normalize);
        }
    }
    cr_assert_eq(strings, 488280);
}

Test(eod, agrees_with_the_reference_on_all_short_strings)
{
    check_all_strings(false);
}

Test(eod, agrees_with_the_reference_when_it_normalizes)
{
    check_all_strings(true);
}

/* ---- single facts
 * ------------------------------------------------------------------------------ */

Test(eod, leaves_what_follows_the_end_to_the_caller)
{
    struct eod e;
    struct view in = VIEW_LIT("hello\r\n..dot\r\n.\r\nQUIT\r\n");
    struct view run;
    eod_init(&e, EOD_DATA, false);
    cr_assert_eq(eod_next(&e, &in, &run), EOD_RUN);
    cr_assert(view_eq(run, VIEW_LIT("hello\r\n")));
    cr_assert_eq(eod_next(&e, &in, &run), EOD_RUN);
    cr_assert(view_eq(run, VIEW_LIT(".dot\r\n")));
    cr_assert_eq(eod_next(&e, &in, &run), EOD_END);
    cr_assert(view_eq(in, VIEW_LIT("QUIT\r\n")));
    cr_assert_eq(eod_next(&e, &in, &run), EOD_END);
    cr_assert(view_eq(in, VIEW_LIT("QUIT\r\n")), "nothing is taken behind the end");
    cr_assert_eq(eod_facts(&e), 0);
    cr_assert(eod_is_at_line_start(&e) == false);
}

Test(eod, ends_an_empty_message_at_once)
{
    struct eod e;
    struct view in = VIEW_LIT(".\r\n"), run;
    eod_init(&e, EOD_DATA, false);
    cr_assert_eq(eod_next(&e, &in, &run), EOD_END);
    cr_assert_eq(e.body_bytes, 0);
}

/* A stuffed end at every place round the usual sizes of read buffers. */
Test(eod, finds_the_end_at_any_edge_of_a_buffer)
{
    static char text[70000];
    static const size_t edges[] = {512, 1024, 4096, 16384, 65536};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++)
        for (size_t n = edges[i] - 6; n <= edges[i] + 6; n++) {
            memset(text, 'x', n);
            memcpy(text + n, "\r\n..\r\n.\r\nRSET", 13);
            struct eod e;
            struct view run, first = view_of(text, edges[i]);
            struct view rest = view_of(text + edges[i], n + 13 - edges[i]);
            eod_init(&e, EOD_DATA, false);
            enum eod_step step;
            while ((step = eod_next(&e, &first, &run)) == EOD_RUN)
                ;
            while (step != EOD_END && (step = eod_next(&e, &rest, &run)) == EOD_RUN)
                ;
            cr_assert_eq(step, EOD_END, "n %zu", n);
            cr_assert_eq(first.n + rest.n, 4);
            cr_assert_eq(e.body_bytes, n + 2 + 3);
            cr_assert_eq(eod_longest_line(&e), n);
        }
}

Test(eod, sees_octets_above_127)
{
    for (size_t at = 0; at < 20; at++) {
        char text[20];
        memset(text, 'a', sizeof text);
        text[at] = (char)0x80;
        struct eod e;
        struct view in = view_of(text, sizeof text), run;
        eod_init(&e, EOD_DATA, false);
        cr_assert_eq(eod_next(&e, &in, &run), EOD_RUN);
        cr_assert_eq(eod_facts(&e), EOD_8BIT);
    }
}

Test(eod, takes_dots_in_chunks_for_what_they_are)
{
    struct eod e;
    struct view first = VIEW_LIT(".\r\n..\r\n.\r"), second = VIEW_LIT("\n.."), run;
    eod_init(&e, EOD_CHUNKS, false);
    cr_assert_eq(eod_next(&e, &first, &run), EOD_RUN);
    cr_assert_eq(run.n, 9);
    cr_assert_eq(eod_next(&e, &first, &run), EOD_MORE);
    cr_assert_eq(eod_next(&e, &second, &run), EOD_RUN);
    eod_finish_chunks(&e);
    cr_assert_eq(eod_facts(&e), 0);
    cr_assert_eq(eod_longest_line(&e), 2);
    cr_assert_eq(e.body_bytes, 12);
}

Test(eod, holds_chunks_to_the_same_rules)
{
    static const struct {
        struct view text;
        unsigned want;
    } cases[] = {
        {VIEW_LIT("a\rb\r\n"), EOD_BARE_CR},
        {VIEW_LIT("a\nb\r\n"), EOD_BARE_LF},
        {VIEW_LIT("a\0b\r\n"), EOD_NUL},
        {VIEW_LIT("a\r\nb\r"), EOD_BARE_CR},
        {VIEW_LIT("a\r\nb"), 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct eod e;
        struct view run;
        eod_init(&e, EOD_CHUNKS, false);
        for (size_t at = 0; at < cases[i].text.n; at++) {
            struct view byte = view_slice(cases[i].text, at, at + 1);
            cr_assert_eq(eod_next(&e, &byte, &run), EOD_RUN);
        }
        eod_finish_chunks(&e);
        cr_assert_eq(eod_facts(&e), cases[i].want, "case %zu", i);
    }
}
