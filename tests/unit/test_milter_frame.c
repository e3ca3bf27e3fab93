/* Frames and replies of the milter protocol. */
#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "policy/score/services/milter_frame.h"

TestSuite(milter_frame, .timeout = 20);

#define V(text) {text, sizeof(text) - 1}

struct bytes {
    const char *p;
    size_t n;
};

static int frame_of(struct bytes b, struct milter_frame *f)
{
    return milter_frame_parse(view_of(b.p, b.n), f);
}

Test(milter_frame, a_frame_is_there_when_it_is_whole)
{
    static const struct bytes two = V("\0\0\0\1c\0\0\0\6yabcdeX");
    struct milter_frame f;
    for (size_t n = 0; n < 5; n++)
        cr_assert_eq(frame_of((struct bytes){two.p, n}, &f), 0);
    for (size_t n = 5; n <= two.n; n++)
        cr_assert_eq(frame_of((struct bytes){two.p, n}, &f), 5);
    cr_assert(f.command == 'c' && f.data.n == 0);
    for (size_t n = 0; n < 10; n++)
        cr_assert_eq(frame_of((struct bytes){two.p + 5, n}, &f), 0);
    cr_assert_eq(frame_of((struct bytes){two.p + 5, 11}, &f), 10);
    cr_assert(f.command == 'y' && view_eq(f.data, VIEW_LIT("abcde")));
}

Test(milter_frame, lengths_that_nobody_sends_are_errors)
{
    static const struct bytes bad[] = {V("\0\0\0\0c"), V("\xff\xff\xff\xff"), V("\0\1\1\0"), V("\x80\0\0\0"),
                                       V("HTTP/1.1 400")};
    struct milter_frame f;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(frame_of(bad[i], &f), MSA_EPROTO, "%zu", i);
}

Test(milter_frame, what_is_written_is_read)
{
    struct buf b;
    struct milter_frame f;
    buf_init(&b, 100);
    milter_frame_add(&b, 'L', view_of("a\0b\0", 4));
    cr_assert_eq(milter_frame_parse(buf_view(&b), &f), 9);
    cr_assert(f.command == 'L' && view_eq(f.data, view_of("a\0b\0", 4)));
    buf_fini(&b);
}

static const struct {
    char command;
    struct bytes data;
    int want;
    uint32_t index;
    const char *name, *value;
    unsigned code;
    const char *text;
} replies[] = {
    {'c', V(""), MSA_OK, 0, "", "", 0, ""},
    {'a', V(""), MSA_OK, 0, "", "", 0, ""},
    {'p', V(""), MSA_OK, 0, "", "", 0, ""},
    {'s', V(""), MSA_OK, 0, "", "", 0, ""},
    {'c', V("x"), MSA_EPROTO, 0, "", "", 0, ""},
    {'?', V(""), MSA_EPROTO, 0, "", "", 0, ""},
    {'\0', V(""), MSA_EPROTO, 0, "", "", 0, ""},
    {'h', V("X-A\0 one\0"), MSA_OK, 0, "X-A", " one", 0, ""},
    {'h', V("X-A\0one"), MSA_EPROTO, 0, "X-A", "", 0, ""},
    {'h', V("X-A\0"), MSA_EPROTO, 0, "X-A", "", 0, ""},
    {'h', V("X-A\0one\0two\0"), MSA_EPROTO, 0, "X-A", "one", 0, ""},
    {'i', V("\0\0\1\2X-A\0one\0"), MSA_OK, 258, "X-A", "one", 0, ""},
    {'i', V("\0\0\1"), MSA_EPROTO, 0, "", "", 0, ""},
    {'m', V("\0\0\0\1Subject\0\0"), MSA_OK, 1, "Subject", "", 0, ""},
    {'q', V("odd\0"), MSA_OK, 0, "", "odd", 0, ""},
    {'q', V("odd"), MSA_EPROTO, 0, "", "", 0, ""},
    {'+', V("<a@b>\0"), MSA_OK, 0, "<a@b>", "", 0, ""},
    {'2', V("<a@b>\0NOTIFY=NEVER\0"), MSA_OK, 0, "<a@b>", "", 0, ""},
    {'e', V("<a@b>"), MSA_EPROTO, 0, "", "", 0, ""},
    {'b', V("any\0thing"), MSA_OK, 0, "", "", 0, ""},
    {'y', V("550 5.7.1 no way\0"), MSA_OK, 0, "", "", 550, "no way"},
    {'y', V("451 later\0"), MSA_OK, 0, "", "", 451, "later"},
    {'y', V("550-5.7.1 one\r\n550 5.7.1 two\0"), MSA_OK, 0, "", "", 550, "one"},
    {'y', V("550\0"), MSA_OK, 0, "", "", 550, ""},
    {'y', V("550 5.7.1\0"), MSA_OK, 0, "", "", 550, "5.7.1"},
    {'y', V("250 fine\0"), MSA_EPROTO, 0, "", "", 0, ""},
    {'y', V("600 fine\0"), MSA_EPROTO, 0, "", "", 0, ""},
    {'y', V("55\0"), MSA_EPROTO, 0, "", "", 0, ""},
    {'y', V("550x\0"), MSA_EPROTO, 0, "", "", 0, ""},
    {'y', V("550 no end"), MSA_EPROTO, 0, "", "", 0, ""},
};

Test(milter_frame, replies)
{
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        const struct milter_frame f = {replies[i].command, view_of(replies[i].data.p, replies[i].data.n)};
        struct milter_reply r;
        cr_assert_eq(milter_reply_parse(&f, &r), replies[i].want, "row %zu", i);
        if (replies[i].want < 0)
            continue;
        cr_assert_eq(r.index, replies[i].index, "row %zu", i);
        cr_assert(view_eq(r.name, view_cstr(replies[i].name)), "row %zu", i);
        cr_assert(view_eq(r.value, view_cstr(replies[i].value)), "row %zu", i);
        cr_assert_eq(r.code, replies[i].code, "row %zu", i);
        cr_assert(view_eq(r.text, view_cstr(replies[i].text)), "row %zu", i);
    }
}

/* Cut off anywhere, those with data are none. */
Test(milter_frame, half_a_reply_is_none)
{
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
        if (replies[i].want < 0 || replies[i].data.n == 0 || strchr("b2", replies[i].command))
            continue;
        for (size_t n = 0; n < replies[i].data.n; n++) {
            const struct milter_frame f = {replies[i].command, view_of(replies[i].data.p, n)};
            struct milter_reply r;
            cr_assert_eq(milter_reply_parse(&f, &r), MSA_EPROTO, "row %zu, %zu bytes", i, n);
        }
    }
}

Test(milter_frame, options)
{
    struct milter_frame f = {'O', view_of("\0\0\0\6\0\0\0\1\0\1\2\3\0\0\0\1i j\0", 20)};
    struct milter_reply r;
    cr_assert_eq(milter_reply_parse(&f, &r), MSA_OK);
    cr_assert(r.version == 6 && r.actions == 1 && r.protocol == 0x10203);
    f.data = view_of("\0\0\0\6\0\0\0\1\0\0\0", 11);
    cr_assert_eq(milter_reply_parse(&f, &r), MSA_EPROTO);
}
