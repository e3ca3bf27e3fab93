#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/base64.h"
#include "msa/mail/rfc2047.h"
#include "policy/notice/letter.h"
#include "policy/notice/template.h"
#include "policy/notice/texts.h"

static struct buf subject, body, out;

static void setup(void)
{
    buf_init(&subject, 4096);
    buf_init(&body, 65536);
    buf_init(&out, 262144);
}

static void teardown(void)
{
    buf_fini(&subject);
    buf_fini(&body);
    buf_fini(&out);
}

TestSuite(notice_template, .timeout = 20, .init = setup, .fini = teardown);

static bool has(const struct buf *b, const char *part)
{
    struct view v = buf_view(b);
    return v.n > 0 && memmem(v.p, v.n, part, strlen(part)) != NULL;
}

static const struct matter sample = {
    .kind = MATTER_SUSPENDED,
    .at_ms = 1780272000000,
    .login = VIEW_LIT("taro@example.jp"),
    .rule = VIEW_LIT("four-countries"),
    .country = VIEW_LIT("BR"),
};

Test(notice_template, every_text_that_is_built_in_is_right)
{
    for (int l = 0; l < NOTICE_LANGUAGE_COUNT; l++) {
        for (int r = 0; r < NOTICE_READER_COUNT; r++) {
            for (int k = 0; k < MATTER_KIND_COUNT; k++) {
                struct template_error e;
                struct view text = notice_text(l, r, k);
                buf_reset(&subject);
                buf_reset(&body);
                cr_assert_eq(template_check(text, &e), MSA_OK, "%d %d %d", l, r, k);
                cr_assert_eq(template_fill(text, &sample, 540, &subject, &body), MSA_OK);
                cr_assert(has(&body, "taro@example.jp"));
                cr_assert(has(&body, "Mon, 01 Jun 2026 09:00:00 +0900"));
                cr_assert_not(has(&body, "{{"));
                cr_assert_eq(has(&body, "four-countries"), r == NOTICE_DESK);
            }
        }
    }
}

Test(notice_template, leaves_out_lines_whose_values_are_empty)
{
    struct view text = VIEW_LIT("Subject: s\n\nC: {{country}}\nA: {{address}}\nB: {{address}} "
                                "{{country}}\n\nend");
    cr_assert_eq(template_fill(text, &sample, 0, &subject, &body), MSA_OK);
    cr_assert(view_eq(buf_view(&body), VIEW_LIT("C: BR\r\nB:  BR\r\n\r\nend\r\n")));
}

Test(notice_template, lets_no_value_make_a_line_or_a_placeholder)
{
    struct matter m = sample;
    m.login = VIEW_LIT("a\r\nBcc: x@example.org\r\n\r\n\0\x1b[2J{{rule}}\xff");
    struct view text = VIEW_LIT("Subject: for {{login}}\n\n{{login}}\n");
    cr_assert_eq(template_fill(text, &m, 0, &subject, &body), MSA_OK);
    struct view want = VIEW_LIT("for a  Bcc: x@example.org      [2J{{rule}}\xef\xbf\xbd");
    cr_assert(view_eq(buf_view(&subject), want));
    cr_assert_eq(buf_len(&body), want.n - 4 + 2);
}

Test(notice_template, cuts_long_values_between_characters)
{
    static char longish[3 * TEMPLATE_VALUE_MAX];
    struct matter m = sample;
    for (size_t i = 0; i + 3 <= sizeof longish; i += 3)
        memcpy(longish + i, "\xe3\x81\x82", 3);
    m.login = view_of(longish, sizeof longish);
    cr_assert_eq(template_fill(VIEW_LIT("Subject: {{login}}\n\n"), &m, 0, &subject, &body), MSA_OK);
    cr_assert_eq(buf_len(&subject), TEMPLATE_VALUE_MAX / 3 * 3);
    cr_assert(utf8_is_valid(buf_view(&subject)));
    cr_assert_not(has(&subject, "\xef\xbf\xbd"));
}

Test(notice_template, says_where_the_mistake_is)
{
    static const struct {
        struct view text;
        unsigned line;
        struct view name;
    } bad[] = {
        {VIEW_LIT(""), 1, VIEW_LIT("")},
        {VIEW_LIT("Hello\n\n"), 1, VIEW_LIT("")},
        {VIEW_LIT("Subject:  \n\n"), 1, VIEW_LIT("")},
        {VIEW_LIT("Subject: a\nb"), 2, VIEW_LIT("")},
        {VIEW_LIT("Subject: a\n\nok\n{{ pasword }}"), 4, VIEW_LIT("pasword")},
        {VIEW_LIT("Subject: a\n\n{{login\n}}"), 3, VIEW_LIT("")},
        {VIEW_LIT("Subject: a\n\n\xff"), 3, VIEW_LIT("")},
        {VIEW_LIT("Subject: a\rX: y\n\n"), 1, VIEW_LIT("")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct template_error e = {0};
        cr_assert_eq(template_check(bad[i].text, &e), MSA_EINVAL, "case %zu", i);
        cr_assert_eq(e.line, bad[i].line, "case %zu: line %u", i, e.line);
        cr_assert(view_eq(e.name, bad[i].name), "case %zu", i);
    }
}

static struct letter letter_of(const char *to)
{
    return (struct letter){.id = 77, .at_ms = sample.at_ms, .offset_min = 540,
                           .from = VIEW_LIT("abuse@example.jp"), .to = view_cstr(to),
                           .subject = buf_view(&subject), .language = VIEW_LIT("ja"),
                           .body = buf_view(&body)};
}

/* What a reader's program makes of it is what the template said. */
Test(notice_template, becomes_a_mail_that_decodes_to_the_text)
{
    struct view text = notice_text(NOTICE_JAPANESE, NOTICE_CUSTOMER, MATTER_SUSPENDED);
    cr_assert_eq(template_fill(text, &sample, 540, &subject, &body), MSA_OK);
    struct letter l = letter_of("taro@example.jp");
    cr_assert_eq(letter_write(&l, &out), MSA_OK);
    struct view mail = buf_view(&out);
    cr_assert(utf8_is_ascii(mail));
    const char *end = memmem(mail.p, mail.n, "\r\n\r\n", 4);
    const char *field = memmem(mail.p, mail.n, "\r\nSubject: ", 11);
    const char *behind = memmem(mail.p, mail.n, "\r\nContent-Language", 18);
    struct buf plain, joined;
    buf_init(&plain, 65536);
    buf_init(&joined, 65536);
    cr_assert_eq(rfc2047_decode(NULL, view_of(field + 11, (size_t)(behind - field - 11)), &plain),
                 MSA_OK);
    cr_assert(view_eq(buf_view(&plain), buf_view(&subject)));
    struct view rest = view_of(end + 4, (size_t)(mail.p + mail.n - end - 4));
    while (rest.n > 0) {
        struct view line = view_cut(&rest, '\n');
        cr_assert(line.n <= 77 && line.p[line.n - 1] == '\r');
        buf_add(&joined, view_slice(line, 0, line.n - 1));
    }
    buf_reset(&plain);
    cr_assert_eq(base64_decode(buf_view(&joined), &plain), MSA_OK);
    cr_assert(view_eq(buf_view(&plain), buf_view(&body)));
    buf_fini(&plain);
    buf_fini(&joined);
}

Test(notice_template, refuses_addresses_that_could_be_more_than_one)
{
    static const char *const bad[] = {"", "taro", "@example.jp", "a@", "a@b@c", "a@b,c", "<a@b>",
                                      "a@b\r\nBcc: c", "a b@c", "\xe3\x81\x82@example.jp",
                                      "\"a\"@b", "(c)a@b"};
    cr_assert_eq(buf_add_cstr(&subject, "s"), MSA_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct letter l = letter_of(bad[i]);
        cr_assert_eq(letter_write(&l, &out), MSA_EINVAL, "case %zu", i);
        cr_assert_eq(buf_len(&out), 0);
    }
}
