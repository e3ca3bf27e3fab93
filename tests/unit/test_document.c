#include <criterion/criterion.h>

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "policy/score/content/document.h"

TestSuite(document, .timeout = 60);

static struct view value_of(const struct document *d, const char *name)
{
    const struct document_field *f = document_field(d, view_cstr(name), NULL);
    return f ? f->value : VIEW_EMPTY;
}

#define PLAIN                                                                         \
    "From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <taro@example.jp>\r\nSubject: one\r\n " \
    "two\r\n"                                                                         \
    "X-Many: 1\r\nx-many : 2\r\n\r\nHello\r\n\r\nworld\r\n"

static void expect_plain(struct document_reader *r, const struct document *d)
{
    cr_assert_eq(d->field_count, 4);
    cr_expect(view_eq(d->fields[1].name, VIEW_LIT("Subject")));
    cr_expect(view_eq(value_of(d, "subject"), VIEW_LIT(" one\r\n two")));
    const struct document_field *many = document_field(d, VIEW_LIT("X-Many"), NULL);
    many = document_field(d, VIEW_LIT("X-Many"), many);
    cr_assert_not_null(many);
    cr_expect(view_eq(many->value, VIEW_LIT(" 2")));
    cr_expect_null(document_field(d, VIEW_LIT("X-Many"), many));
    struct buf shown;
    buf_init(&shown, 100);
    cr_assert_eq(document_decode(r, value_of(d, "From"), &shown), MSA_OK);
    cr_expect(view_eq(buf_view(&shown),
                      VIEW_LIT("\xe5\xb1\xb1\xe7\x94\xb0 <taro@example.jp>")));
    buf_fini(&shown);
    cr_assert_eq(d->part_count, 1);
    cr_expect_eq(d->parts[0].kind, DOCUMENT_PART_TEXT);
    cr_expect_eq(d->message_bytes, sizeof PLAIN - 1);
    cr_expect_eq(d->body_offset, d->message_bytes - 16);
    cr_expect(d->text.n >= 12 && memmem(d->text.p, d->text.n, "Hello", 5));
    cr_expect_eq(d->facts & (DOCUMENT_HEADER_BAD_LINE | DOCUMENT_HEADER_NO_END |
                             DOCUMENT_HEADER_8BIT | DOCUMENT_READ_FAILED),
                 0);
}

Test(document, reads_header_and_text_from_memory_and_from_a_descriptor)
{
    struct document_reader *r = document_reader_new();
    const struct document *d;
    cr_assert_not_null(r);
    cr_assert_eq(document_read(r, VIEW_LIT(PLAIN), &d), MSA_OK);
    expect_plain(r, d);

    int fd = memfd_create("message", MFD_CLOEXEC);
    cr_assert_eq(write(fd, PLAIN, sizeof PLAIN - 1), sizeof PLAIN - 1);
    cr_assert_eq(document_read_fd(r, fd, sizeof PLAIN - 1, &d), MSA_OK);
    expect_plain(r, d);

    cr_assert_eq(document_read_fd(r, fd, 1000, &d), MSA_OK);
    cr_expect(d->facts & DOCUMENT_READ_FAILED);
    cr_expect(memmem(d->text.p, d->text.n, "Hello", 5));
    close(fd);
    document_reader_free(r);
}

Test(document, takes_any_header)
{
    static const struct {
        struct view message;
        size_t field_count;
        unsigned facts;
    } cases[] = {
        {VIEW_LIT(""), 0, DOCUMENT_HEADER_NO_END},
        {VIEW_LIT("\n"), 0, 0},
        {VIEW_LIT("A: 1\nB:2\n\nbody"), 2, 0},
        {VIEW_LIT("A: 1\nB:2"), 2, DOCUMENT_HEADER_NO_END},
        {VIEW_LIT("From x Mon\nA: 1\n\n"), 1, DOCUMENT_HEADER_BAD_LINE},
        {VIEW_LIT(" fold\nA: 1\n\n"), 1, DOCUMENT_HEADER_BAD_LINE},
        {VIEW_LIT(": empty\nA: 1\n\n"), 1, DOCUMENT_HEADER_BAD_LINE},
        {VIEW_LIT("junk\n fold of it\nA: 1\n\n"), 1, DOCUMENT_HEADER_BAD_LINE},
        {VIEW_LIT("A: \xe6\x97\xa5\n\n"), 1, DOCUMENT_HEADER_8BIT},
        {VIEW_LIT("A: \xff\n\n"), 1, DOCUMENT_HEADER_8BIT | DOCUMENT_HEADER_8BIT_BAD},
    };
    const unsigned all = DOCUMENT_HEADER_NO_END | DOCUMENT_HEADER_BAD_LINE |
                         DOCUMENT_HEADER_8BIT | DOCUMENT_HEADER_8BIT_BAD |
                         DOCUMENT_HEADER_CUT_SHORT;
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct document *d;
        cr_assert_eq(document_read(r, cases[i].message, &d), MSA_OK);
        cr_expect_eq(d->field_count, cases[i].field_count, "case %zu", i);
        cr_expect_eq(d->facts & all, cases[i].facts, "case %zu: %x", i, d->facts);
    }
    document_reader_free(r);
}
