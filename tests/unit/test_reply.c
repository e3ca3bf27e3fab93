#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/reply.h"

TestSuite(reply, .timeout = 20);

/* Feeds `text` cut at `cut`, or bytewise if that is 0; the last step. */
static int feed(struct reply *r, struct view text, size_t cut, size_t *rest_out)
{
    int step = REPLY_MORE;
    size_t at = 0, n = cut ? cut : 1;
    reply_init(r);
    *rest_out = 0;
    while (at < text.n && step == REPLY_MORE) {
        struct view piece = view_slice(text, at, at + n);
        at += piece.n;
        step = reply_feed(r, &piece);
        *rest_out = text.n - at + piece.n;
        n = cut ? text.n : 1;
    }
    return step;
}

struct expected {
    struct view in;
    int step, code;
    const char *enhanced, *text;
    size_t rest_n;
};

static const struct expected expectations[] = {
    {VIEW_LIT("250 ok\r\n"), REPLY_COMPLETE, 250, "2.0.0", "ok", 0},
    {VIEW_LIT("250\r\n"), REPLY_COMPLETE, 250, "2.0.0", "", 0},
    {VIEW_LIT("250 \r\n"), REPLY_COMPLETE, 250, "2.0.0", "", 0},
    {VIEW_LIT("354 go\r\nX"), REPLY_COMPLETE, 354, "3.0.0", "go", 1},
    {VIEW_LIT("550 5.7.1 no\r\n"), REPLY_COMPLETE, 550, "5.7.1", "no", 0},
    {VIEW_LIT("550 5.7.1\r\n"), REPLY_COMPLETE, 550, "5.7.1", "", 0},
    {VIEW_LIT("550 5.7.123 no\r\n"), REPLY_COMPLETE, 550, "5.7.123", "no", 0},
    {VIEW_LIT("550 5.7.1234 no\r\n"), REPLY_COMPLETE, 550, "5.0.0", "5.7.1234 no", 0},
    {VIEW_LIT("550 5.07.1 no\r\n"), REPLY_COMPLETE, 550, "5.0.0", "5.07.1 no", 0},
    {VIEW_LIT("550 4.7.1 no\r\n"), REPLY_COMPLETE, 550, "5.0.0", "4.7.1 no", 0},
    {VIEW_LIT("550 5.7.1no\r\n"), REPLY_COMPLETE, 550, "5.0.0", "5.7.1no", 0},
    {VIEW_LIT("550-5.7.1 a\r\n550-5.7.1 b\r\n550 c\r\n250 next"), REPLY_COMPLETE, 550, "5.7.1",
     "a\nb\nc", 8},
    {VIEW_LIT("250-a\r\n250-\r\n250 b\r\n"), REPLY_COMPLETE, 250, "2.0.0", "a\n\nb", 0},
    {VIEW_LIT("250 a\0b\x1b\x80\rc\r\n"), REPLY_COMPLETE, 250, "2.0.0", "a?b???c", 0},
    {VIEW_LIT("250-a\r\n"), REPLY_MORE, 250, "2.0.0", "a", 0},
    {VIEW_LIT("25"), REPLY_MORE, 0, "0.0.0", "", 0},
    {VIEW_LIT("250-a\r\n251 b\r\n"), MSA_EPROTO, 250, NULL, NULL, 0},
    {VIEW_LIT("250 a\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("250-a\n250 b\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("25\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("2500 a\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("250_a\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("199 a\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("650 a\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("260 a\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT(" 250 a\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("-50 a\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
    {VIEW_LIT("HTTP/1.1 200 OK\r\n"), MSA_EPROTO, 0, NULL, NULL, 0},
};

static void check(const struct expected *e, size_t cut)
{
    struct reply r;
    size_t rest_n;
    char enhanced[ENHANCED_TEXT_SIZE];
    int step = feed(&r, e->in, cut, &rest_n);
    cr_assert_eq(step, e->step, "[%.*s] cut %zu: %d", (int)e->in.n, e->in.p, cut, step);
    if (step >= 0) {
        cr_assert_eq(r.code, e->code);
        reply_enhanced_text(&r, enhanced);
        cr_assert_str_eq(enhanced, e->enhanced);
        cr_assert(view_eq(reply_text(&r), view_cstr(e->text)), "[%.*s]", (int)e->in.n, e->in.p);
        cr_assert_eq(rest_n, e->rest_n);
    } else {
        struct view good = VIEW_LIT("250 ok\r\n");
        cr_assert_eq(reply_feed(&r, &good), step, "an error stays");
    }
    reply_fini(&r);
}

Test(reply, reads_whole_split_and_bytewise)
{
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++)
        for (size_t cut = 0; cut <= expectations[i].in.n; cut++)
            check(&expectations[i], cut);
}

Test(reply, can_be_used_again)
{
    struct reply r;
    size_t rest_n;
    cr_assert_eq(feed(&r, VIEW_LIT("550-5.1.1 a\r\n550 b\r\n"), 3, &rest_n), REPLY_COMPLETE);
    reply_reset(&r);
    struct view next = VIEW_LIT("250 c\r\n");
    cr_assert_eq(reply_feed(&r, &next), REPLY_COMPLETE);
    cr_assert(r.code == 250 && r.enhanced.class == 0 && r.line_count == 1);
    cr_assert(view_eq(reply_text(&r), VIEW_LIT("c")));
    reply_fini(&r);
}

Test(reply, is_bounded)
{
    static char text[REPLY_LINES_MAX * 600];
    struct reply r;
    size_t rest_n, n = 0;
    memset(text, 'x', sizeof text);
    memcpy(text, "250 ", 4);
    memcpy(text + REPLY_LINE_MAX - 2, "\r\n", 2);
    cr_assert_eq(feed(&r, view_of(text, REPLY_LINE_MAX), 100, &rest_n), REPLY_COMPLETE);
    reply_fini(&r);
    memcpy(text + REPLY_LINE_MAX - 2, "x\r\n", 3);
    cr_assert_eq(feed(&r, view_of(text, REPLY_LINE_MAX + 1), 100, &rest_n), MSA_ETOOBIG);
    reply_fini(&r);

    for (size_t i = 0; i <= REPLY_LINES_MAX; i++, n += 6)
        memcpy(text + n, "250-\r\n", 6);
    memcpy(text + n - 9, " ", 1); /* the last but one */
    cr_assert_eq(feed(&r, view_of(text, n), 0, &rest_n), REPLY_COMPLETE);
    reply_fini(&r);
    memcpy(text + n - 9, "-", 1);
    cr_assert_eq(feed(&r, view_of(text, n), 0, &rest_n), MSA_ETOOBIG);
    reply_fini(&r);

    for (n = 0; n + 600 <= sizeof text; n += 600) { /* few lines, much text */
        memset(text + n, 'x', 600);
        memcpy(text + n, "250-", 4);
        memcpy(text + n + 598, "\r\n", 2);
    }
    cr_assert_eq(feed(&r, view_of(text, n), n, &rest_n), MSA_ETOOBIG);
    cr_assert_leq(buf_len(&r.text), REPLY_TEXT_MAX);
    reply_fini(&r);
}
