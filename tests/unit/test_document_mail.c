/* Real mail of the shared corpora as documents: what must hold for every message, and
 * what the Japanese ones say. */
#include <criterion/criterion.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/score/content/document.h"
#include "tests/unit/shared_data.h"

TestSuite(document_mail, .timeout = 120);

struct tally {
    size_t messages;
    size_t with_text;
    size_t with_links;
    size_t multipart;
    size_t undecoded; /* texts with U+FFFD although nothing says that they are broken */
};

static uint64_t sum_of(const struct document *d)
{
    uint64_t sum = d->facts + d->attachment_count + 31 * d->part_count +
                   37 * d->link_count + 41 * d->field_count;
    for (size_t i = 0; i < d->text.n; i++)
        sum = sum * 131 + (unsigned char)d->text.p[i];
    for (size_t i = 0; i < d->link_count; i++)
        sum = sum * 131 + d->links[i].flags + d->links[i].url.n;
    return sum;
}

static void expect_sound(const struct document *d, const char *path)
{
    cr_assert(utf8_is_valid(d->text) && utf8_is_valid(d->hidden_text), "%s", path);
    cr_assert(!d->text.n || !memchr(d->text.p, '\0', d->text.n), "%s", path);
    cr_assert(!d->text.n || !memchr(d->text.p, '\r', d->text.n), "%s", path);
    for (size_t i = 0; i < d->link_count; i++) {
        const struct document_link *l = &d->links[i];
        cr_assert(l->url.n > 0 && l->url.n <= DOCUMENT_URL_BYTES_MAX &&
                      l->part < d->part_count,
                  "%s", path);
        for (size_t k = 0; k < l->host.n; k++)
            cr_assert(!(l->host.p[k] >= 'A' && l->host.p[k] <= 'Z'), "%s: %.*s", path,
                      (int)l->host.n, l->host.p);
    }
    for (size_t i = 0; i < d->part_count; i++)
        cr_assert_leq(d->parts[i].offset + d->parts[i].raw_bytes, d->message_bytes, "%s",
                      path);
}

static void count(const struct document *d, struct tally *t)
{
    bool has_text = false;
    for (size_t i = 0; i < d->text.n; i++)
        has_text |= (unsigned char)d->text.p[i] > ' ';
    bool is_broken = d->facts & (DOCUMENT_BAD_CHARSET | DOCUMENT_BAD_ENCODING |
                                 DOCUMENT_8BIT_UNDECLARED);
    t->messages++;
    t->with_text += has_text;
    t->with_links += d->link_count > 0;
    t->multipart += d->parts[0].kind == DOCUMENT_PART_MULTIPART;
    t->undecoded +=
        !is_broken && d->text.n && memmem(d->text.p, d->text.n, "\xef\xbf\xbd", 3);
}

/* LF line ends made CRLF, as the message comes from a client: the same document. */
static char *with_crlf(const char *data, size_t n, size_t *n_out)
{
    char *out = malloc(2 * n + 1);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\n' && (i == 0 || data[i - 1] != '\r'))
            out[k++] = '\r';
        out[k++] = data[i];
    }
    *n_out = k;
    return out;
}

static void check_message(struct document_reader *r, const char *path, struct tally *t)
{
    size_t n, crlf_n;
    const struct document *d;
    char *data = shared_data_slurp(path, &n);
    cr_assert_not_null(data);
    cr_assert_eq(document_read(r, view_of(data, n), &d), MSA_OK);
    expect_sound(d, path);
    count(d, t);
    uint64_t sum = sum_of(d);

    int fd = memfd_create("message", MFD_CLOEXEC);
    cr_assert_eq(write(fd, data, n), (ssize_t)n);
    cr_assert_eq(document_read_fd(r, fd, n, &d), MSA_OK);
    cr_expect_eq(sum_of(d), sum, "%s: another document from a descriptor", path);
    close(fd);

    char *crlf = with_crlf(data, n, &crlf_n);
    size_t parts = d->part_count, links = d->link_count, fields = d->field_count;
    cr_assert_eq(document_read(r, view_of(crlf, crlf_n), &d), MSA_OK);
    expect_sound(d, path);
    cr_expect_eq(d->part_count, parts, "%s: other parts with CRLF", path);
    cr_expect_eq(d->field_count, fields, "%s: other fields with CRLF", path);
    cr_expect_eq(d->link_count, links, "%s: other links with CRLF", path);
    free(crlf);
    free(data);
}

static void check_folder(struct document_reader *r, const char *name, struct tally *t)
{
    char path[4096], file[4500];
    if (!shared_data_path(name, path, sizeof path)) {
        fprintf(stderr, "NOT TESTED: no shared data %s (set MSA_SHARED)\n", name);
        cr_skip_test("no shared data %s", name);
    }
    DIR *dir = opendir(path);
    cr_assert_not_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        size_t n = strlen(e->d_name);
        if (n < 4 || strcmp(e->d_name + n - 4, ".eml") != 0)
            continue;
        snprintf(file, sizeof file, "%s/%s", path, e->d_name);
        check_message(r, file, t);
    }
    closedir(dir);
}

Test(document_mail, ham_and_spam_are_read)
{
    static const char *const folders[] = {"mail/ham", "mail/spam"};
    struct document_reader *r = document_reader_new();
    struct tally t = {0};
    for (size_t i = 0; i < 2; i++)
        check_folder(r, folders[i], &t);
    cr_expect_eq(t.messages, 2000);
    cr_expect_geq(t.with_text, 1985, "%zu", t.with_text);
    cr_expect_geq(t.with_links, 1700, "%zu", t.with_links);
    cr_expect_eq(t.undecoded, 0, "%zu", t.undecoded);
    document_reader_free(r);
}

Test(document_mail, odd_mail_is_read)
{
    struct document_reader *r = document_reader_new();
    struct tally t = {0};
    check_folder(r, "mail-odd", &t);
    cr_expect_geq(t.messages, 370);
    cr_expect_geq(t.multipart, 80, "%zu", t.multipart);
    document_reader_free(r);
}

/* Japanese mail: what its reader sees in the subject and in the text. */
Test(document_mail, japanese_is_understood)
{
    static const struct {
        const char *file;
        const char *subject; /* a part of it */
        const char *text;
    } cases[] = {
        {"jpmobile-au-decomail.eml", "テスト", "テストです"},
        {"jpmobile-au-decomail2.eml", "Fwd: 【NurseryMail】日日", "iPhoneから送信"},
        {"jpmobile-au-email.eml", "※本文はこのままで送信してね", "本文"},
        {"jpmobile-au-emoji.eml", "題名", "For au"},
        {"jpmobile-au-emoji5.eml", "OKよー", "テスト本文"},
        {"jpmobile-au-kigou.eml", "test", "〈〉《》「」『』【】"},
        {"jpmobile-pc-mail-multi.eml",
         "タイトルの長いメールの場合の対処を実装するためのテストケースとしてのメールに含"
         "まれている件名",
         "本文です"},
        {"jpmobile-pc-mail-single.eml", "タイトルの長いメール", "本文です"},
        {"mikel-example14.eml", "テストテスト", "Hello"},
        {"mikel-japanese_iso_2022.eml", "まみむめも", "すみません。"},
        {"mikel-japanese_shift_jis.eml", "test", "今後ともよろしくお願い申し上げます！"},
        {"sisimai-lhost-domino-02.eml", "ユーザー Neko", "Your message"},
        {"sisimai-lhost-office365-13.eml", "にゃーん", "Office365"},
    };
    struct document_reader *r = document_reader_new();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[200], path[4096];
        size_t n;
        const struct document *d;
        struct buf subject;
        snprintf(name, sizeof name, "mail-odd/%s", cases[i].file);
        if (!shared_data_path(name, path, sizeof path)) {
            fprintf(stderr, "NOT TESTED: no shared data %s (set MSA_SHARED)\n", name);
            cr_skip_test("no shared data %s", name);
        }
        char *data = shared_data_slurp(path, &n);
        cr_assert_eq(document_read(r, view_of(data, n), &d), MSA_OK);
        const struct document_field *f = document_field(d, VIEW_LIT("Subject"), NULL);
        buf_init(&subject, 4000);
        if (f)
            cr_assert_eq(document_decode(r, f->value, &subject), MSA_OK);
        cr_expect(memmem(subject.data, buf_len(&subject), cases[i].subject,
                         strlen(cases[i].subject)),
                  "%s: %.*s", name, (int)buf_len(&subject),
                  buf_len(&subject) ? subject.data : "");
        cr_expect(memmem(d->text.p, d->text.n, cases[i].text, strlen(cases[i].text)),
                  "%s: %.*s", name, (int)d->text.n, d->text.p);
        buf_fini(&subject);
        free(data);
    }
    document_reader_free(r);
}
