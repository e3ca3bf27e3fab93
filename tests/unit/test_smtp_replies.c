#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "smtp/replies.h"

TestSuite(smtp_replies, .timeout = 20);

static const char *format(enum smtp_reply id, const char *detail)
{
    static char line[REPLY_LINE_MAX + 1];
    size_t len;
    reply_format(id, view_cstr(detail), line, &len);
    line[len] = '\0';
    return line;
}

Test(smtp_replies, every_entry_is_sound)
{
    for (int id = REPLY_NONE + 1; id < REPLY_COUNT; id++) {
        const struct reply_entry *e = reply_entry((enum smtp_reply)id);
        const char *percent = strchr(e->text, '%');
        cr_assert(e->code >= 200 && e->code <= 555, "%s", e->name);
        cr_assert(!percent || !strchr(percent + 1, '%'), "%s: one detail at most", e->name);
        if (e->enhanced[0])
            cr_assert_eq(e->enhanced[0] - '0', e->code / 100, "%s: class differs", e->name);
        for (const char *c = e->text; *c; c++)
            cr_assert(*c >= 0x20 && *c <= 0x7e, "%s", e->name);
        cr_assert(strlen(e->text) < 120, "%s: too long for one line", e->name);
    }
}

Test(smtp_replies, errors_carry_an_enhanced_code)
{
    for (int id = REPLY_NONE + 1; id < REPLY_COUNT; id++)
        if (reply_entry((enum smtp_reply)id)->code >= 400)
            cr_assert_neq(reply_entry((enum smtp_reply)id)->enhanced[0], '\0');
}

Test(smtp_replies, detail_takes_its_place)
{
    cr_assert_str_eq(format(REPLY_GREETING, "mx.example.jp"), "220 mx.example.jp ESMTP msad\r\n");
    cr_assert_str_eq(format(REPLY_QUEUED, "abc"), "250 2.0.0 Ok: queued as abc\r\n");
    cr_assert_str_eq(format(REPLY_SENDER_REFUSED, "not yours"),
                     "550 5.7.1 You may not send with this sender address: not yours\r\n");
    cr_assert_str_eq(format(REPLY_SENDER_REFUSED, ""),
                     "550 5.7.1 You may not send with this sender address\r\n");
}

Test(smtp_replies, detail_cannot_forge_a_line)
{
    cr_assert_str_eq(format(REPLY_PARAM_UNKNOWN, "A\r\n250 ok\x1b[2J\xff"),
                     "555 5.5.4 Parameter is not known or not offered: A??250 ok?[2J?\r\n");
}

Test(smtp_replies, line_keeps_to_its_length)
{
    char detail[2000];
    memset(detail, 'x', sizeof detail - 1);
    detail[sizeof detail - 1] = '\0';
    const char *line = format(REPLY_SENDER_REFUSED, detail);
    cr_assert_eq(strlen(line), REPLY_LINE_MAX);
    cr_assert_str_eq(line + REPLY_LINE_MAX - 3, "x\r\n");
}

static const struct {
    enum smtp_reply id;
    unsigned code;
    const char *enhanced, *text, *want;
} foreign[] = {
    {REPLY_NEXT_HOP_REFUSED, 550, "5.1.1", "no such user", "550 5.1.1 no such user\r\n"},
    {REPLY_NEXT_HOP_DEFERRED, 452, "4.2.2", "full", "452 4.2.2 full\r\n"},
    {REPLY_NEXT_HOP_REFUSED, 550, "4.1.1", "classes differ", "550 5.0.0 classes differ\r\n"},
    {REPLY_NEXT_HOP_REFUSED, 250, "2.0.0", "a lie", "554 5.0.0 a lie\r\n"},
    {REPLY_NEXT_HOP_DEFERRED, 550, "5.1.1", "not final", "451 4.0.0 not final\r\n"},
    {REPLY_NEXT_HOP_REFUSED, 599, "5.1.1", "no code", "554 5.1.1 no code\r\n"},
    {REPLY_NEXT_HOP_REFUSED, 0, "", "", "554 5.0.0 \r\n"},
    {REPLY_NEXT_HOP_REFUSED, 550, "5.1", "short", "550 5.0.0 short\r\n"},
    {REPLY_NEXT_HOP_REFUSED, 550, "5.1.1.1", "long", "550 5.0.0 long\r\n"},
    {REPLY_NEXT_HOP_REFUSED, 550, "5.1234.1", "big", "550 5.0.0 big\r\n"},
    {REPLY_NEXT_HOP_REFUSED, 550, "5.1.1", "a\r\n250 b", "550 5.1.1 a??250 b\r\n"},
};

Test(smtp_replies, next_hop_words_come_through_where_they_are_sound)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        char line[REPLY_LINE_MAX + 1];
        size_t len;
        reply_format_foreign(foreign[i].id, foreign[i].code, view_cstr(foreign[i].enhanced),
                             view_cstr(foreign[i].text), line, &len);
        line[len] = '\0';
        cr_assert_str_eq(line, foreign[i].want);
    }
}

Test(smtp_replies, document_is_up_to_date)
{
    struct buf out;
    char file[32768];
    buf_init(&out, sizeof file);
    cr_assert_eq(reply_document(&out), 0);
    FILE *f = fopen("conf/REPLIES.md", "r");
    cr_assert_not_null(f, "make it with build/tests/replies_md > conf/REPLIES.md");
    size_t n = fread(file, 1, sizeof file, f);
    fclose(f);
    cr_assert(view_eq(buf_view(&out), view_of(file, n)),
              "conf/REPLIES.md is old: build/tests/replies_md > conf/REPLIES.md");
    buf_fini(&out);
}
