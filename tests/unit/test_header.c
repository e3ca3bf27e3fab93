#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/header.h"

TestSuite(header, .timeout = 20);

/* Feeds `text` in pieces of `piece` bytes, the first one of `first`; the last result. The
 * length of what is left of the piece that held the empty line goes to `*rest_out`. */
static int scan(struct header *h, struct view text, size_t first, size_t piece,
                struct header_limits limits, size_t *rest_out)
{
    header_init(h, limits);
    *rest_out = 0;
    for (size_t at = 0, n = first; at < text.n; at += n, n = piece) {
        struct view run = view_slice(text, at, at + n);
        size_t given = run.n;
        int step = header_feed(h, &run);
        if (step == HEADER_COMPLETE)
            *rest_out = text.n - at - given + run.n;
        if (step != HEADER_MORE)
            return step;
        cr_assert_eq(run.n, 0);
    }
    int err = header_finish(h);
    return err < 0 ? err : HEADER_COMPLETE;
}

struct expected {
    const char *what;
    struct view text;
    unsigned defects;
    size_t field_count;
    struct view last_name, last_body;
    size_t rest_n;
};

static const struct expected expectations[] = {
    {"plain", VIEW_LIT("From: a@b\r\nSubject: hi\r\n\r\nbody\r\n"), 0, 2, VIEW_LIT("Subject"),
     VIEW_LIT(" hi"), 6},
    {"no space behind the colon", VIEW_LIT("From:a\r\n\r\n"), 0, 1, VIEW_LIT("From"),
     VIEW_LIT("a"), 0},
    {"folded", VIEW_LIT("To: a,\r\n\tb,\r\n c\r\n\r\n"), 0, 1, VIEW_LIT("To"),
     VIEW_LIT(" a,\r\n\tb,\r\n c"), 0},
    {"no header at all", VIEW_LIT("\r\nbody"), 0, 0, VIEW_EMPTY, VIEW_EMPTY, 4},
    {"nothing", VIEW_LIT(""), HEADER_CUT_OFF, 0, VIEW_EMPTY, VIEW_EMPTY, 0},
    {"no body", VIEW_LIT("A: b\r\n"), HEADER_CUT_OFF, 1, VIEW_LIT("A"), VIEW_LIT(" b"), 0},
    {"cut off in a line", VIEW_LIT("A: b\r\nC: d"), HEADER_CUT_OFF, 2, VIEW_LIT("C"),
     VIEW_LIT(" d"), 0},
    {"cut off behind CR", VIEW_LIT("A: b\r"), HEADER_CUT_OFF | HEADER_BARE_CR, 1, VIEW_LIT("A"),
     VIEW_LIT(" b\r"), 0},
    {"space before the colon", VIEW_LIT("From \t: a\r\n\r\n"), HEADER_SPACE_BEFORE_COLON, 1,
     VIEW_LIT("From"), VIEW_LIT(" a"), 0},
    {"junk", VIEW_LIT("A: b\r\njunk\r\n more\r\nC: d\r\n\r\n"), HEADER_JUNK_LINE, 2, VIEW_LIT("C"),
     VIEW_LIT(" d"), 0},
    {"the fold of junk belongs to nothing", VIEW_LIT("A: b\r\njunk\r\n more\r\n\r\n"),
     HEADER_JUNK_LINE, 1, VIEW_LIT("A"), VIEW_LIT(" b"), 0},
    {"a blank in a name", VIEW_LIT("A: b\r\nFr om: c\r\n\r\n"), HEADER_JUNK_LINE, 1, VIEW_LIT("A"),
     VIEW_LIT(" b"), 0},
    {"empty name", VIEW_LIT(": b\r\n\r\n"), HEADER_EMPTY_NAME, 0, VIEW_EMPTY, VIEW_EMPTY, 0},
    {"fold first", VIEW_LIT(" A: b\r\nC: d\r\n\r\n"), HEADER_FOLD_FIRST, 1, VIEW_LIT("C"),
     VIEW_LIT(" d"), 0},
    {"blank fold", VIEW_LIT("A: b\r\n \t\r\n\r\n"), HEADER_BLANK_FOLD, 1, VIEW_LIT("A"),
     VIEW_LIT(" b\r\n \t"), 0},
    {"byte order mark", VIEW_LIT("\xef\xbb\xbf""A: b\r\nC: d\r\n\r\n"),
     HEADER_BOM | HEADER_8BIT_NAME | HEADER_8BIT, 2, VIEW_LIT("C"), VIEW_LIT(" d"), 0},
    {"mbox", VIEW_LIT("From a@b Mon Jun  1 09:00:00 2026\r\nA: b\r\n\r\n"), HEADER_MBOX_FROM, 1,
     VIEW_LIT("A"), VIEW_LIT(" b"), 0},
    {"quoted mbox", VIEW_LIT(">From a@b\r\nA: b\r\n\r\n"), HEADER_MBOX_FROM, 1, VIEW_LIT("A"),
     VIEW_LIT(" b"), 0},
    {"NUL", VIEW_LIT("A: b\0\r\n\r\n"), HEADER_NUL, 1, VIEW_LIT("A"), VIEW_LIT(" b\0"), 0},
    {"NUL in a name", VIEW_LIT("A\0: b\r\n\r\n"), HEADER_NUL | HEADER_8BIT_NAME, 1,
     VIEW_LIT("A\0"), VIEW_LIT(" b"), 0},
    {"bare CR", VIEW_LIT("A: b\rFrom: c\r\n\r\n"), HEADER_BARE_CR, 1, VIEW_LIT("A"),
     VIEW_LIT(" b\rFrom: c"), 0},
    {"bare LF", VIEW_LIT("A: b\nFrom: c\r\n\r\n"), HEADER_BARE_LF, 1, VIEW_LIT("A"),
     VIEW_LIT(" b\nFrom: c"), 0},
    {"an empty line of LF", VIEW_LIT("A: b\r\n\nC: d\r\n\r\n"),
     HEADER_BARE_LF | HEADER_8BIT_NAME, 2, VIEW_LIT("\nC"), VIEW_LIT(" d"), 0},
    {"CRCRLF", VIEW_LIT("A: b\r\r\n\r\n"), HEADER_BARE_CR, 1, VIEW_LIT("A"), VIEW_LIT(" b\r"), 0},
    {"8-bit name", VIEW_LIT("\xe3\x81\x82: b\r\n\r\n"), HEADER_8BIT_NAME | HEADER_8BIT, 1,
     VIEW_LIT("\xe3\x81\x82"), VIEW_LIT(" b"), 0},
    {"UTF-8", VIEW_LIT("A: \xe3\x81\x82\r\n\r\n"), HEADER_8BIT, 1, VIEW_LIT("A"),
     VIEW_LIT(" \xe3\x81\x82"), 0},
    {"not UTF-8", VIEW_LIT("A: \x8eR\r\n\r\n"), HEADER_8BIT | HEADER_BAD_UTF8, 1, VIEW_LIT("A"),
     VIEW_LIT(" \x8eR"), 0},
};

static void check(const struct expected *e, size_t first, size_t piece)
{
    struct header h;
    size_t rest_n;
    cr_assert_eq(scan(&h, e->text, first, piece, HEADER_LIMITS_DEFAULT, &rest_n), HEADER_COMPLETE,
                 "%s", e->what);
    cr_assert_eq(h.defects, e->defects, "%s: %x", e->what, h.defects);
    cr_assert_eq(h.field_count, e->field_count, "%s: %zu", e->what, h.field_count);
    cr_assert_eq(rest_n, e->rest_n, "%s: %zu", e->what, rest_n);
    if (h.field_count > 0) {
        const struct header_field *last = &h.fields[h.field_count - 1];
        cr_assert(view_eq(header_field_name(&h, last), e->last_name), "%s", e->what);
        cr_assert(view_eq(header_field_body(&h, last), e->last_body), "%s", e->what);
    }
    header_fini(&h);
}

Test(header, reads_whole_split_and_bytewise)
{
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        size_t n = expectations[i].text.n;
        for (size_t cut = 1; cut <= n; cut++)
            check(&expectations[i], cut, n);
        check(&expectations[i], 1, 1);
    }
}

Test(header, finds_fields_without_case)
{
    struct header h;
    size_t rest_n;
    scan(&h, VIEW_LIT("FROM: a\r\nTo: b\r\nfrom : c\r\nFromage: d\r\n\r\n"), 99, 99,
         HEADER_LIMITS_DEFAULT, &rest_n);
    const struct view from = VIEW_LIT("From");
    cr_assert_eq(header_count(&h, from), 2);
    cr_assert_eq(header_count(&h, VIEW_LIT("Sender")), 0);
    const struct header_field *f = header_find(&h, from, NULL);
    cr_assert(view_eq(header_field_text(&h, f), VIEW_LIT("FROM: a\r\n")));
    f = header_find(&h, from, f);
    cr_assert(view_eq(header_field_body(&h, f), VIEW_LIT(" c")));
    cr_assert_null(header_find(&h, from, f));
    header_fini(&h);
}

Test(header, counts_long_lines)
{
    char text[1100] = "A: ";
    struct header h;
    size_t rest_n;
    memset(text + 3, 'x', sizeof text - 3);
    memcpy(text + HEADER_LINE_MAX, "\r\n\r\n", 4);
    scan(&h, view_of(text, HEADER_LINE_MAX + 4), 500, 500, HEADER_LIMITS_DEFAULT, &rest_n);
    cr_assert_eq(h.defects, 0);
    header_fini(&h);
    memcpy(text + HEADER_LINE_MAX, "x\r\n\r\n", 5);
    scan(&h, view_of(text, HEADER_LINE_MAX + 5), 500, 500, HEADER_LIMITS_DEFAULT, &rest_n);
    cr_assert_eq(h.defects, HEADER_LONG_LINE);
    header_fini(&h);
}

static int scan_small(const char *text, struct header_limits limits)
{
    struct header h;
    size_t rest_n;
    int step = scan(&h, view_cstr(text), 1, 1, limits, &rest_n);
    cr_assert_eq((h.defects & HEADER_TOO_BIG) != 0, step == MSA_ETOOBIG, "%s", text);
    if (step < 0) { /* stays failed, whatever comes */
        struct view more = VIEW_LIT("\r\n\r\n");
        cr_assert_eq(header_feed(&h, &more), MSA_ETOOBIG);
        cr_assert_eq(header_finish(&h), MSA_ETOOBIG);
    }
    header_fini(&h);
    return step;
}

Test(header, stops_at_its_limits)
{
    const struct header_limits limits = {.block_bytes = 20, .field_bytes = 12, .field_count = 3};
    cr_assert_eq(scan_small("A: 345678\r\nB: 45\r\n\r\n", limits), HEADER_COMPLETE);
    cr_assert_eq(scan_small("A: 345678\r\nB: 4567\r\n\r\n", limits), HEADER_COMPLETE); /* 20 */
    cr_assert_eq(scan_small("A: 345678\r\nB: 45678\r\n\r\n", limits), MSA_ETOOBIG);
    cr_assert_eq(scan_small("A: 3456789\r\n\r\n", limits), HEADER_COMPLETE); /* 12 */
    cr_assert_eq(scan_small("A: 34567890\r\n\r\n", limits), MSA_ETOOBIG);
    cr_assert_eq(scan_small("A: 34\r\n 23\r\n\r\n", limits), HEADER_COMPLETE); /* 12 in two lines */
    cr_assert_eq(scan_small("A: 34\r\n 234\r\n\r\n", limits), MSA_ETOOBIG);
    cr_assert_eq(scan_small("A:\r\nB:\r\nC:\r\n\r\n", limits), HEADER_COMPLETE);
    cr_assert_eq(scan_small("A:\r\nB:\r\nC:\r\nD:\r\n\r\n", limits), MSA_ETOOBIG);
    cr_assert_eq(scan_small("no end in sight", limits), MSA_ETOOBIG);
    cr_assert_eq(scan_small("A: 345678\r\nB: 4567\r\n\r", limits), MSA_ETOOBIG); /* no end yet */
}

Test(header, unfolds)
{
    static const struct {
        struct view body, want;
    } cases[] = {
        {VIEW_LIT(" a"), VIEW_LIT("a")},
        {VIEW_LIT("\ta,\r\n b \r\n\tc "), VIEW_LIT("a, b \tc")},
        {VIEW_LIT("\r\n a"), VIEW_LIT(" a")},
        {VIEW_LIT("a\r\nb"), VIEW_LIT("a\r\nb")},
        {VIEW_LIT("a\r"), VIEW_LIT("a\r")},
        {VIEW_LIT(""), VIEW_LIT("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, 100);
        cr_assert_eq(header_unfold(cases[i].body, &out), MSA_OK);
        cr_assert(view_eq(buf_view(&out), cases[i].want), "case %zu", i);
        buf_fini(&out);
    }
}
