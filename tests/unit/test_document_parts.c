#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/score/content/document.h"

TestSuite(document_parts, .timeout = 60);

/* A tree as text: "multipart/mixed(text/plain text/html)" with "!" behind an attachment.
 */
static void print_part(const struct document *d, size_t i, struct buf *out)
{
    static const char *const kinds[] = {"t:", "h:", "", "", "o:"};
    const struct document_part *p = &d->parts[i];
    buf_add_cstr(out, kinds[p->kind]);
    buf_add(out, p->media_type);
}

static void print_tree(const struct document *d, struct buf *out)
{
    size_t depth = 0;
    for (size_t i = 0; i < d->part_count; i++) {
        cr_assert(d->parts[i].depth <= depth + 1 || i == 0);
        for (; depth > d->parts[i].depth; depth--)
            buf_add_char(out, ')');
        if (i > 0)
            buf_add_char(out, d->parts[i].depth > depth ? '(' : ' ');
        depth = d->parts[i].depth;
        print_part(d, i, out);
    }
    for (; depth > 0; depth--)
        buf_add_char(out, ')');
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"

static const struct {
    const char *name;
    const char *message;
    const char *tree;
    const char *text;
    unsigned defects; /* of part 0 */
} cases[] = {
    {"two parts",
     MIXED "pre\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>two\n--b--\nepilogue\n",
     "multipart/mixed(t:text/plain h:text/html)", "one\ntwo\n", 0},
    {"CRLF",
     "Content-Type: multipart/mixed;\r\n "
     "boundary=\"b\"\r\n\r\n--b\r\n\r\none\r\n--b--\r\n",
     "multipart/mixed(t:text/plain)", "one\n", 0},
    {"blanks behind a boundary", MIXED "--b  \t\n\none\n--b-- \n",
     "multipart/mixed(t:text/plain)", "one\n", 0},
    {"longer lines are no boundary", MIXED "--b\n\none\n--bb\n--b b\n--b--\n",
     "multipart/mixed(t:text/plain)", "one\n--bb\n--b b\n", 0},
    {"unclosed", MIXED "--b\n\none\n", "multipart/mixed(t:text/plain)", "one\n",
     DOCUMENT_PART_UNCLOSED},
    {"no part", MIXED "nothing here\n", "multipart/mixed", "", DOCUMENT_PART_UNCLOSED},
    {"no boundary", "Content-Type: multipart/mixed\n\n--b\n\none\n", "t:multipart/mixed",
     "--b\n\none\n", DOCUMENT_PART_NO_BOUNDARY},
    {"nested",
     MIXED "--b\nContent-Type: multipart/alternative; "
           "boundary=c\n\n--c\n\none\n--c\nContent-Type: text/html\n\ntwo\n"
           "--c--\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: "
           "base64\n\niVBORw0KGgo=\n--b--\n",
     "multipart/mixed(multipart/alternative(t:text/plain h:text/html) o:image/png)",
     "one\ntwo\n", 0},
    {"inner unclosed",
     MIXED
     "--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--b\n\ntwo\n--b--\n",
     "multipart/mixed(multipart/mixed(t:text/plain) t:text/plain)", "one\ntwo\n", 0},
    {"inner boundary begins with the outer",
     MIXED
     "--b\nContent-Type: multipart/mixed; boundary=bb\n\n--bb\n\none\n--bb--\n--b--\n",
     "multipart/mixed(multipart/mixed(t:text/plain))", "one\n", 0},
    {"the same boundary twice",
     MIXED "--b\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n",
     "multipart/mixed(multipart/mixed(t:text/plain))", "one\n", DOCUMENT_PART_UNCLOSED},
    {"message",
     MIXED "--b\nContent-Type: message/rfc822\n\nSubject: x\nContent-Type: "
           "text/html\n\n<b>one\n--b--\n",
     "multipart/mixed(message/rfc822(h:text/html))", "one\n", 0},
    {"message behind an mbox line",
     MIXED "--b\nContent-Type: message/rfc822\n\nFrom x Mon\nSubject: x\n\none\n--b--\n",
     "multipart/mixed(message/rfc822(t:text/plain))", "one\n", 0},
    {"message without anything", MIXED "--b\nContent-Type: message/rfc822\n--b--\n",
     "multipart/mixed(message/rfc822(t:text/plain))", "", 0},
    {"message in base64 is opaque",
     "Content-Type: message/rfc822\nContent-Transfer-Encoding: "
     "base64\n\nU3ViamVjdDogeAoKb25lCg==\n",
     "o:message/rfc822", "", 0},
    {"digest",
     "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\none\n--b--\n",
     "multipart/digest(message/rfc822(t:text/plain))", "one\n", 0},
    {"body without an empty line",
     MIXED "--b\nContent-Type: text/plain\nthis is body\n--b--\n",
     "multipart/mixed(t:text/plain)", "this is body\n", 0},
    {"header to the boundary", MIXED "--b\nContent-Type: text/html\n--b--\n",
     "multipart/mixed(h:text/html)", "", 0},
    {"header to the end", MIXED "--b\nContent-Type: text/html",
     "multipart/mixed(h:text/html)", "", DOCUMENT_PART_UNCLOSED},
    {"no empty line before the first boundary",
     "Content-Type: multipart/mixed; boundary=b\nThis is no field\n--b\n\none\n--b--\n",
     "multipart/mixed(t:text/plain)", "one\n", 0},
    {"blanks in the empty line", "Content-Type: multipart/mixed; boundary=b\n \n--b\n\none\n--b--\n",
     "multipart/mixed(t:text/plain)", "one\n", 0},
    {"attachment", MIXED "--b\nContent-Disposition: attachment\n\nsecret\n--b--\n",
     "multipart/mixed(o:text/plain)", "", 0},
    {"bad type", "Content-Type: text\n\none\n", "t:text/plain", "one\n",
     DOCUMENT_PART_BAD_TYPE},
    {"encoded multipart",
     "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: "
     "base64\n\n--b\n\none\n--b--\n",
     "multipart/mixed(t:text/plain)", "one\n", DOCUMENT_PART_BAD_ENCODING},
    {"two types", "Content-Type: text/html\nContent-Type: text/plain\n\n<b>one\n",
     "h:text/html", "one\n", DOCUMENT_PART_DUPLICATE_FIELD},
    {"base64", "Content-Transfer-Encoding: BASE64\n\nb25l\n", "t:text/plain", "one\n", 0},
    {"bad base64", "Content-Transfer-Encoding: base64\n\nb25l*\n", "t:text/plain",
     "one\n", DOCUMENT_PART_BAD_BASE64},
    {"bad quoted-printable", "Content-Transfer-Encoding: quoted-printable\n\none=zz\n",
     "t:text/plain", "one=zz\n", DOCUMENT_PART_BAD_QP},
    {"unknown encoding", "Content-Transfer-Encoding: rot13\n\none\n", "t:text/plain",
     "one\n", DOCUMENT_PART_BAD_ENCODING},
    {"carriage returns", "\na\r\nb\rc\r\r\nd", "t:text/plain", "a\nb\nc\n\nd\n", 0},
    {"unknown charset", "Content-Type: text/plain; charset=x-nobody\n\n\xe9\n",
     "t:text/plain", "\xc3\xa9\n", DOCUMENT_PART_UNKNOWN_CHARSET},
    {"bad UTF-8", "Content-Type: text/plain; charset=UTF-8\n\na\xff\n", "t:text/plain",
     "a\xef\xbf\xbd\n", DOCUMENT_PART_BAD_CHARSET},
    {"undeclared UTF-8", "\n\xe5\xb1\xb1\n", "t:text/plain", "\xe5\xb1\xb1\n",
     DOCUMENT_PART_8BIT_UNDECLARED},
    {"undeclared Latin", "Content-Type: text/plain; charset=us-ascii\n\nM\xfcnchen\n",
     "t:text/plain", "M\xc3\xbcnchen\n", DOCUMENT_PART_8BIT_UNDECLARED},
    {"undeclared Shift_JIS", "\n\x8e\x52\x82\xcc\n", "t:text/plain",
     "\xe5\xb1\xb1\xe3\x81\xae\n", DOCUMENT_PART_8BIT_UNDECLARED},
    {"undeclared EUC-JP", "\n\xbb\xb3\xa4\xce\n", "t:text/plain",
     "\xe5\xb1\xb1\xe3\x81\xae\n", DOCUMENT_PART_8BIT_UNDECLARED},
    {"undeclared ISO-2022-JP", "\n\x1b$B;3ED\x1b(B\n", "t:text/plain",
     "\xe5\xb1\xb1\xe7\x94\xb0\n", 0},
    {"charset of the page",
     "Content-Type: text/html\n\n<meta charset='shift_jis'><p>\x8e\x52\n", "h:text/html",
     "\xe5\xb1\xb1\n", 0},
};
#define CASES (sizeof cases / sizeof cases[0])

static void expect(size_t i, const struct document *d)
{
    struct buf tree;
    buf_init(&tree, 10000);
    print_tree(d, &tree);
    cr_expect(view_eq(buf_view(&tree), view_cstr(cases[i].tree)), "%s: %.*s",
              cases[i].name, (int)buf_len(&tree), tree.data);
    cr_expect(view_eq(d->text, view_cstr(cases[i].text)), "%s: <%.*s>", cases[i].name,
              (int)d->text.n, d->text.p);
    cr_expect_eq(d->parts[0].defects, cases[i].defects, "%s: %x", cases[i].name,
                 d->parts[0].defects);
    buf_fini(&tree);
}

Test(document_parts, are_found_in_memory_and_through_a_descriptor)
{
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < CASES; i++) {
        const struct document *d;
        size_t n = strlen(cases[i].message);
        cr_assert_eq(document_read(r, view_of(cases[i].message, n), &d), MSA_OK);
        expect(i, d);
        int fd = memfd_create("message", MFD_CLOEXEC);
        cr_assert_eq(write(fd, cases[i].message, n), (ssize_t)n);
        cr_assert_eq(document_read_fd(r, fd, n, &d), MSA_OK);
        expect(i, d);
        close(fd);
    }
    document_reader_free(r);
}

/* Parts lie inside the message and their parents, and texts inside the text. */
static void expect_sound(const struct document *d, size_t message_bytes)
{
    cr_assert(d->part_count >= 1 && d->part_count <= DOCUMENT_PARTS_MAX);
    cr_expect(utf8_is_valid(d->text));
    for (size_t i = 0; i < d->part_count; i++) {
        const struct document_part *p = &d->parts[i], *parent = &d->parts[p->parent];
        cr_expect_leq(p->offset + p->raw_bytes, message_bytes);
        cr_expect(i == 0 || (p->parent < i && p->depth == parent->depth + 1));
        cr_expect(i == 0 ||
                  (p->offset >= parent->offset &&
                   p->offset + p->raw_bytes <= parent->offset + parent->raw_bytes));
        cr_expect_leq(p->text_offset + p->text_bytes, d->text.n);
        cr_expect(p->media_type.n > 2);
    }
}

Test(document_parts, are_sound_in_messages_cut_anywhere)
{
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < CASES; i++)
        for (size_t n = 0; n <= strlen(cases[i].message); n++) {
            const struct document *d;
            cr_assert_eq(document_read(r, view_of(cases[i].message, n), &d), MSA_OK);
            expect_sound(d, n);
        }
    document_reader_free(r);
}

Test(document_parts, have_names_and_first_bytes)
{
    static const char message[] =
        MIXED "--b\nContent-Type: application/pdf; "
              "name=other\nContent-Transfer-Encoding: base64\nContent-ID: <x@y>\n"
              "Content-Disposition: attachment; "
              "filename*=UTF-8''%E5%B1%B1.pdf\n\nJVBERi0xLjcKJeLjz9MKMSAwIG9iago8\n"
              "--b\nContent-Type: image/png\n\nshort\n--b\nContent-Type: text/plain; "
              "charset=ISO-8859-1; name=a.txt\n\n"
              "text\n--b--\n";
    struct document_reader *r = document_reader_new();
    const struct document *d;
    cr_assert_eq(document_read(r, view_cstr(message), &d), MSA_OK);
    cr_assert_eq(d->part_count, 4);
    const struct document_part *p = &d->parts[1];
    cr_expect(view_eq(p->file_name, VIEW_LIT("\xe5\xb1\xb1.pdf")));
    cr_expect(view_eq(p->content_id, VIEW_LIT("<x@y>")));
    cr_expect_eq(p->disposition, DOCUMENT_DISPOSITION_ATTACHMENT);
    cr_expect_eq(p->encoding, DOCUMENT_ENCODING_BASE64);
    cr_expect_eq(p->magic_bytes, DOCUMENT_MAGIC_BYTES);
    cr_expect_arr_eq(p->magic, "%PDF-1.7\n", 9);
    cr_expect_eq(d->parts[2].magic_bytes, 5);
    cr_expect(view_eq(d->parts[3].charset, VIEW_LIT("iso-8859-1")));
    cr_expect(view_eq(d->parts[3].file_name, VIEW_LIT("a.txt")));
    cr_expect(view_eq(document_part_text(d, &d->parts[3]), VIEW_LIT("text\n")));
    cr_expect_eq(d->attachment_count, 2);
    cr_expect_eq(d->facts,
                 DOCUMENT_HAS_TEXT | DOCUMENT_HAS_ATTACHMENT | DOCUMENT_NO_MIME_VERSION);
    document_reader_free(r);
}

/* ---- limits ---- */

static const struct document *read_buf(struct document_reader *r,
                                       const struct buf *message)
{
    const struct document *d;
    cr_assert_eq(document_read(r, buf_view(message), &d), MSA_OK);
    expect_sound(d, buf_len(message));
    return d;
}

Test(document_parts, are_bounded_in_depth_and_number)
{
    struct document_reader *r = document_reader_new();
    struct buf m;
    buf_init(&m, 10 << 20);
    for (int i = 0; i < 100; i++)
        buf_addf(&m, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
    const struct document *d = read_buf(r, &m);
    cr_expect_eq(d->part_count, DOCUMENT_DEPTH_MAX + 1);
    cr_expect(d->facts & DOCUMENT_TOO_DEEP);

    buf_reset(&m);
    for (int i = 0; i < 100; i++)
        buf_add_cstr(&m, "Content-Type: message/rfc822\n\n");
    d = read_buf(r, &m);
    cr_expect_eq(d->part_count, DOCUMENT_DEPTH_MAX + 1);
    cr_expect(d->facts & DOCUMENT_TOO_DEEP);

    buf_reset(&m);
    buf_add_cstr(&m, MIXED);
    for (int i = 0; i < 1000; i++)
        buf_add_cstr(&m, "--b\n\nx\n");
    d = read_buf(r, &m);
    cr_expect_eq(d->part_count, DOCUMENT_PARTS_MAX);
    cr_expect(d->facts & DOCUMENT_TOO_MANY_PARTS);

    buf_reset(&m);
    buf_add_cstr(&m, MIXED "--b\n\n");
    while (buf_len(&m) < 4 << 20)
        buf_add_cstr(&m, "--\n");
    d = read_buf(r, &m);
    cr_expect(d->facts & DOCUMENT_TOO_MANY_PARTS);

    buf_reset(&m);
    while (buf_len(&m) < 1 << 20)
        buf_add_cstr(&m, "A: b\n");
    d = read_buf(r, &m);
    cr_expect_eq(d->field_count, DOCUMENT_FIELDS_MAX);
    cr_expect(d->facts & DOCUMENT_HEADER_CUT_SHORT);
    cr_expect(d->facts & DOCUMENT_HEADER_NO_END);

    buf_reset(&m);
    buf_add_cstr(&m, "\n");
    for (int i = 0; i < 1000; i++)
        buf_add_cstr(&m, "http://x.example ");
    d = read_buf(r, &m);
    cr_expect_eq(d->link_count, DOCUMENT_LINKS_MAX);
    cr_expect(d->facts & DOCUMENT_TOO_MANY_LINKS);
    buf_fini(&m);
    document_reader_free(r);
}

/* Of a long text the front and the end are kept, whatever its encoding. */
Test(document_parts, keep_the_front_and_the_end_of_long_text)
{
    static const struct {
        const char *header;
        const char *line;  /* that says "lorem ipsum " */
        const char *first; /* that says "alpha", and "omega" below */
        const char *last;
    } texts[] = {
        {"\n", "lorem ipsum \n", "alpha\n", "omega\n"},
        {"Content-Transfer-Encoding: quoted-printable\n\n", "lorem=20ipsum =\n",
         "=61lpha\n", "omeg=61\n"},
        {"Content-Transfer-Encoding: base64\n\n", "bG9yZW0gaXBzdW0g\n", "YWxwaGEK\n",
         "b21lZ2EK\n"},
        {"Content-Type: text/html\n\n", "<b>lorem</b> ipsum<br>\n", "<p>alpha<br>\n",
         "<p>omega\n"},
    };
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf m;
        buf_init(&m, 4 << 20);
        buf_add_cstr(&m, texts[i].header);
        buf_add_cstr(&m, texts[i].first);
        while (buf_len(&m) < 3 << 20)
            buf_add_cstr(&m, texts[i].line);
        buf_add_cstr(&m, texts[i].last);
        const struct document *d = read_buf(r, &m);
        struct view text = d->text;
        cr_expect(view_has_prefix(text, VIEW_LIT("alpha\n")), "case %zu", i);
        cr_expect(text.n > 6 &&
                      view_eq(view_slice(text, text.n - 6, text.n), VIEW_LIT("omega\n")),
                  "case %zu: %.*s", i, 20, text.p + text.n - 20);
        cr_expect(text.n <= DOCUMENT_TEXT_BYTES_MAX &&
                      text.n > DOCUMENT_TEXT_HEAD_BYTES / 3,
                  "case %zu: %zu", i, text.n);
        cr_expect_null(memmem(text.p, text.n, "\xef\xbf\xbd", 3));
        cr_expect_eq(d->parts[0].defects, DOCUMENT_PART_CUT_SHORT, "case %zu: %x", i,
                     d->parts[0].defects);
        cr_expect(d->facts & DOCUMENT_TEXT_CUT_SHORT);
        buf_fini(&m);
    }
    document_reader_free(r);
}

/* A text of one line, which grows in UTF-8 beyond what is kept. */
Test(document_parts, keep_what_fits_of_a_long_line)
{
    struct document_reader *r = document_reader_new();
    struct buf m;
    buf_init(&m, 1 << 20);
    buf_add_cstr(&m, "Content-Type: text/plain; charset=shift_jis\n\n");
    while (buf_len(&m) < 250 * 1024)
        buf_add_char(&m, (char)0xb1); /* a kana, three octets in UTF-8 */
    const struct document *d = read_buf(r, &m);
    cr_expect(d->text.n > DOCUMENT_TEXT_BYTES_MAX - 4 && d->text.n <= DOCUMENT_TEXT_BYTES_MAX, "%zu", d->text.n);
    cr_expect(d->facts & DOCUMENT_TEXT_CUT_SHORT);
    buf_fini(&m);
    document_reader_free(r);
}

/* Boundaries that lie across the window of a descriptor, at every offset there. */
Test(document_parts, are_found_across_the_window)
{
    struct document_reader *r = document_reader_new();
    for (size_t shift = 0; shift < 80; shift++) {
        struct buf m;
        const struct document *d;
        buf_init(&m, 1 << 20);
        buf_add_cstr(&m, MIXED "--b\nContent-Type: application/x\n\n");
        while (buf_len(&m) < 128 * 1024 - 40)
            buf_add_cstr(&m, "QUJD\n");
        for (size_t i = 0; i < shift; i++)
            buf_add_char(&m, i % 7 ? '-' : '\n');
        buf_add_cstr(&m, "\n--b\nX: y\n\nalpha\n--b--\n");
        int fd = memfd_create("message", MFD_CLOEXEC);
        cr_assert_eq(write(fd, m.data, buf_len(&m)), (ssize_t)buf_len(&m));
        cr_assert_eq(document_read_fd(r, fd, buf_len(&m), &d), MSA_OK);
        cr_expect_eq(d->part_count, 3, "shift %zu: %zu", shift, d->part_count);
        cr_expect(view_eq(d->text, VIEW_LIT("alpha\n")), "shift %zu", shift);
        struct document_part middle = d->parts[1];
        cr_assert_eq(document_read(r, buf_view(&m), &d), MSA_OK);
        cr_expect_eq(d->parts[1].raw_bytes, middle.raw_bytes, "shift %zu", shift);
        close(fd);
        buf_fini(&m);
    }
    document_reader_free(r);
}
