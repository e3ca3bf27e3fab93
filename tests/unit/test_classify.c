/* The classifier: what it takes from a message, that it learns, and that a model survives being stored. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/classify/model.h"
#include "policy/score/classify/prior.h"

TestSuite(classify, .timeout = 120);

struct bench {
    struct document_reader *reader;
    struct features *f;
};

static struct bench bench_open(void)
{
    struct bench b = {document_reader_new(), features_new()};
    cr_assert(b.reader && b.f);
    return b;
}

static void bench_close(struct bench *b)
{
    document_reader_free(b->reader);
    features_free(&b->f);
}

static void read_features(struct bench *b, const char *message)
{
    const struct document *d;
    cr_assert_eq(document_read(b->reader, view_cstr(message), &d), MSA_OK);
    cr_assert_eq(features_read(b->f, d, b->reader), MSA_OK);
}

static bool has_label(const struct features *f, enum feature_family family, const char *label)
{
    char text[FEATURE_LABEL_BYTES];
    for (uint32_t i = 0; i < f->count[family]; i++) {
        features_label(f, family, i, text);
        if (strcmp(text, label) == 0)
            return true;
    }
    return false;
}

Test(classify, takes_words_and_folds_them)
{
    static const struct {
        const char *text, *label;
    } cases[] = {
        {"Buy VIAGRA now", "word:viagra"},
        {"vi\xe2\x80\x8b" "agra", "word:viagra"},                      /* zero width space */
        {"\xef\xbc\xb6\xef\xbc\xa9\xef\xbc\xa1 x", "word:via"},     /* fullwidth */
        {"I can't", "word:can't"},
        {"win $$$!", "word:$$$!"},
        {"call 0120-444", "word:0000"},
        {"\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", "word:\xd0\xbf\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82"},
        {"\xe7\x84\xa1\xe6\x96\x99\xe3\x81\xa7", "word:\xe7\x84\xa1\xe6\x96\x99"}, /* a pair of characters */
        {"\xe7\x84\xa1\xe6\x96\x99\xe3\x81\xa7", "word:\xe6\x96\x99\xe3\x81\xa7"},
    };
    struct bench b = bench_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char message[256];
        snprintf(message, sizeof message, "Content-Type: text/plain; charset=utf-8\n\n%s\n", cases[i].text);
        read_features(&b, message);
        cr_expect(has_label(b.f, FEATURE_WORD, cases[i].label), "%s", cases[i].label);
    }
    bench_close(&b);
}

Test(classify, leaves_out_what_tells_sources_apart)
{
    struct bench b = bench_open();
    read_features(&b, "From: a@b.example\nSubject: Re: [somelist] hello\n\n"
                      "see http://host.example/page and taro@mail.example or www.other.example/x then\n");
    cr_expect(has_label(b.f, FEATURE_WORD, "word:hello"));
    cr_expect(has_label(b.f, FEATURE_WORD, "word:then"));
    static const char *const absent[] = {"word:somelist", "word:host", "word:page", "word:taro",
                                         "word:mail",     "word:other", "word:example"};
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        cr_expect_not(has_label(b.f, FEATURE_WORD, absent[i]), "%s", absent[i]);
    bench_close(&b);
}

Test(classify, sees_how_a_message_is_made)
{
    static const struct {
        const char *message, *label;
    } cases[] = {
        {"Content-Type: text/html\n\n<p>hello</p>", "shape:html-only"},
        {"Content-Type: text/html\n\n<a href=\"http://evil.example/\">http://bank.example/</a>", "shape:link-differs"},
        {"Content-Type: text/html\n\n<a href=\"http://192.0.2.1/\">hello</a>", "shape:link-ip"},
        {"From: a@corp.example\nReply-To: b@gmail.com\n\nx", "shape:reply-to-free-mail"},
        {"From: a@mail.corp.example\nReply-To: b@corp.example\n\nx", "shape:reply-to-same"},
        {"From: a@b.example\nTo: <a@b.example>\n\nx", "shape:to-self"},
        {"Subject: WIN BIG TODAY\n\nx", "shape:subject-capitals=5"},
        {"Subject: Re: hello\n\nx", "shape:subject-re"},
        {"MIME-Version: 1.0\nIn-Reply-To: <a@b.example>\n\nx", "shape:in-reply-to"},
        {"Date: Tue, 1 Jul 2025 09:00:00\n\nx", "shape:date-no-zone"},
        {"", "shape:no-message-id"},
    };
    struct bench b = bench_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        read_features(&b, cases[i].message);
        cr_expect(has_label(b.f, FEATURE_SHAPE, cases[i].label), "%s", cases[i].label);
    }
    bench_close(&b);
}

Test(classify, sees_the_words_of_links_and_not_their_hosts)
{
    static const char *const links[] = {"http://a.example/x/unsubscribe.cgi?id=1", "https://b.example/Unsubscribe/99.cgi",
                                        "http://a.example/account/verify.php?id=1"};
    uint32_t words[3][8], count[3] = {0};
    struct bench b = bench_open();
    for (int i = 0; i < 3; i++) {
        char message[512], label[FEATURE_LABEL_BYTES];
        snprintf(message, sizeof message, "From: a@example.org\n\nsee %s\n", links[i]);
        read_features(&b, message);
        for (uint32_t k = 0; k < b.f->count[FEATURE_SHAPE]; k++) {
            features_label(b.f, FEATURE_SHAPE, k, label);
            if (strncmp(label, "shape:link-word=", 16) == 0 && count[i] < 8)
                words[i][count[i]++] = b.f->ids[FEATURE_SHAPE][k];
        }
    }
    cr_assert(count[0] == 2 && count[1] == 2 && count[2] == 3, "%u %u %u", count[0], count[1], count[2]);
    cr_expect_eq(memcmp(words[0], words[1], 2 * sizeof words[0][0]), 0);
    cr_expect_neq(words[0][0], words[2][0]);
    bench_close(&b);
}

Test(classify, features_are_bounded_and_different)
{
    static char message[400000];
    size_t n = (size_t)snprintf(message, sizeof message, "\n");
    for (unsigned i = 0; n < sizeof message - 40; i++)
        n += (size_t)snprintf(message + n, sizeof message - n, "%c%c%c%u \xe7\x84%c ", 'a' + i % 26,
                              'a' + i / 26 % 26, 'a' + i / 676 % 26, i, 0x80 + i % 64);
    struct bench b = bench_open();
    for (int round = 0; round < 2; round++) { /* the second finds nothing left of the first */
        read_features(&b, message);
        cr_expect_leq(b.f->count[FEATURE_GRAM], FEATURE_GRAMS_MAX);
        cr_expect_geq(b.f->count[FEATURE_GRAM], 1000);
        cr_expect_leq(b.f->count[FEATURE_WORD], FEATURE_WORDS_MAX);
    }
    read_features(&b, "\n\n");
    cr_expect_eq(b.f->count[FEATURE_GRAM], 0);
    uint64_t seen = 0;
    for (size_t i = 0; i < FEATURE_COUNT / 64; i++)
        seen += (uint64_t)__builtin_popcountll(b.f->seen[i]);
    cr_expect_eq(seen, b.f->count[FEATURE_WORD] + b.f->count[FEATURE_SHAPE]);
    bench_close(&b);
}

Test(classify, every_cut_of_a_message_is_read)
{
    static const char message[] =
        "From: =?utf-8?B?5aSq6YOO?= <taro@example.jp>\nTo: a@b\nSubject: =?iso-2022-jp?B?GyRCTDVOQRsoQg==?=\n"
        "Content-Type: multipart/alternative; boundary=b\n\n--b\n\n\xe7\x84\xa1\xe6\x96\x99 $9!\n--b\n"
        "Content-Type: text/html\n\n<a href=\"http://u@h.example:8/%00?x=@\">www.x.example</a><img src=//i/>\n--b--\n";
    struct bench b = bench_open();
    for (size_t n = 0; n < sizeof message; n++) {
        const struct document *d;
        cr_assert_eq(document_read(b.reader, view_of(message, n), &d), MSA_OK);
        cr_assert_eq(features_read(b.f, d, b.reader), MSA_OK);
    }
    bench_close(&b);
}

/* Letters to learn from: spam and ham share some words and differ in others. */
static void add_letters(struct bench *b, struct corpus *c, unsigned count)
{
    static const char *const bad[] = {"free pills online", "win money now", "cheap offer click", "claim your prize"};
    static const char *const good[] = {"meeting on monday", "patch for the parser", "lunch with anna",
                                       "minutes attached"};
    for (unsigned i = 0; i < 2 * count; i++) {
        char message[512];
        bool is_spam = i % 2;
        const char *const *words = is_spam ? bad : good;
        snprintf(message, sizeof message, "From: a%u@b.example\nSubject: s\n\nhello %s and %s number %u\n", i,
                 words[i / 2 % 4], words[i / 8 % 4], i * 7919 % 1000);
        read_features(b, message);
        cr_assert_eq(corpus_add_features(c, b->f, is_spam, 1, false), MSA_OK);
    }
}

static struct model *train(struct bench *b, unsigned count)
{
    struct corpus c;
    struct model *m;
    corpus_init(&c);
    add_letters(b, &c, count);
    cr_assert_eq(model_train(&c, NULL, &m), MSA_OK);
    corpus_fini(&c);
    return m;
}

Test(classify, learns_and_says_why)
{
    struct bench b = bench_open();
    struct model *m = train(&b, 60);
    struct model_result r;
    read_features(&b, "From: x@y.example\nSubject: s\n\nhello win money and cheap pills\n");
    model_score(m, b.f, MODEL_WHY_WORDS, &r);
    cr_expect_geq(r.score_milli, MODEL_THRESHOLD_MILLI);
    cr_assert_geq(r.reason_count, 3);
    bool has_word = false;
    for (unsigned i = 0; i < r.reason_count; i++) {
        has_word = has_word || strcmp(r.reasons[i].label, "word:money") == 0;
        cr_expect(i == 0 || abs(r.reasons[i - 1].milli) >= abs(r.reasons[i].milli));
    }
    cr_expect(has_word);
    model_score(m, b.f, MODEL_WHY_SHAPES, &r); /* for logs: nothing of the text */
    for (unsigned i = 0; i < r.reason_count; i++)
        cr_expect_null(strstr(r.reasons[i].label, "word:"));
    read_features(&b, "From: x@y.example\nSubject: s\n\nhello the meeting and lunch with anna\n");
    model_score(m, b.f, MODEL_WHY_WORDS, &r);
    cr_expect_lt(r.score_milli, MODEL_THRESHOLD_MILLI);
    model_free(&m);
    bench_close(&b);
}

Test(classify, next_to_nothing_is_no_spam)
{
    static const char *const messages[] = {"", "\n\n", "\n\nok\n", "From: a@b.example\n\n!\n", "Subject: money\n\n"};
    struct bench b = bench_open();
    struct model *m = train(&b, 60);
    struct model_result r;
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        read_features(&b, messages[i]);
        model_score(m, b.f, MODEL_WHY_NONE, &r);
        cr_expect_lt(r.score_milli, MODEL_THRESHOLD_MILLI, "%zu", i);
    }
    model_free(&m);
    bench_close(&b);
}

Test(classify, the_same_mail_gives_the_same_model)
{
    struct bench b = bench_open();
    struct model *one = train(&b, 40), *two = train(&b, 40);
    cr_expect(memcmp(one, two, sizeof *one) == 0);
    model_free(&one);
    model_free(&two);
    bench_close(&b);
}

Test(classify, refuses_to_learn_from_too_little)
{
    struct bench b = bench_open();
    struct corpus c;
    struct model *m;
    corpus_init(&c);
    cr_expect_eq(model_train(&c, NULL, &m), MSA_EINVAL);
    add_letters(&b, &c, MODEL_EXAMPLES_MIN - 1);
    cr_expect_eq(prior_add(&c, b.f, b.reader), MSA_OK); /* what is known by hand is no mail */
    cr_expect_eq(model_train(&c, NULL, &m), MSA_EINVAL);
    cr_expect_null(m);
    struct learn_progress progress = {.is_cancelled = true};
    add_letters(&b, &c, 1);
    cr_expect_eq(model_train(&c, &progress, &m), MSA_ECLOSED);
    cr_expect_null(m);
    corpus_fini(&c);
    bench_close(&b);
}

Test(classify, examples_from_disk_are_checked)
{
    struct corpus c;
    corpus_init(&c);
    uint32_t ids[] = {1, FEATURE_COUNT};
    uint32_t fine[FEATURE_FAMILIES] = {1, 0, 0}, foreign[FEATURE_FAMILIES] = {1, 1, 0};
    uint32_t many[FEATURE_FAMILIES] = {0, 0, FEATURE_SHAPES_MAX + 1};
    cr_expect_eq(corpus_add(&c, ids, fine, true, 1, false), MSA_OK);
    cr_expect_eq(corpus_add(&c, ids, foreign, true, 1, false), MSA_EINVAL);
    cr_expect_eq(corpus_add(&c, ids, many, true, 1, false), MSA_EINVAL);
    cr_expect_eq(c.count, 1);
    corpus_fini(&c);
}

Test(classify, the_scale_is_in_pieces)
{
    struct model_scale s = {.ham_middle = -1, .threshold = 0, .spam_middle = 2};
    static const struct {
        float margin;
        int32_t milli;
    } cases[] = {{-5, 0}, {-1, 0}, {-0.5f, 2500}, {0, 5000}, {1, 7500}, {2, 10000}, {9, 10000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(model_scale_milli(&s, cases[i].margin), cases[i].milli, "%f", (double)cases[i].margin);
}

Test(classify, a_model_is_stored_and_read_again)
{
    struct bench b = bench_open();
    struct model *m = train(&b, 30), *again;
    struct buf bytes;
    const char *why = NULL;
    buf_init(&bytes, MODEL_BYTES_MAX);
    cr_assert_eq(model_encode(m, &bytes), MSA_OK);
    cr_assert_eq(model_decode(buf_view(&bytes), &again, &why), MSA_OK);
    cr_expect(memcmp(m, again, sizeof *m) == 0);
    model_free(&again);

    char *p = bytes.data + bytes.start;
    p[70] ^= 1;
    cr_expect_eq(model_decode(buf_view(&bytes), &again, &why), MSA_ECORRUPT);
    cr_expect_not_null(strstr(why, "damaged"));
    p[70] ^= 1;
    p[12] ^= 1;
    cr_expect_eq(model_decode(buf_view(&bytes), &again, &why), MSA_EINVAL);
    cr_expect_not_null(strstr(why, "version"));
    p[12] ^= 1;
    for (size_t n = 0; n < 100; n++)
        cr_expect_lt(model_decode(view_slice(buf_view(&bytes), 0, n), &again, &why), 0);
    cr_expect_lt(model_decode(view_slice(buf_view(&bytes), 0, buf_len(&bytes) - 1), &again, &why), 0);
    cr_expect_null(again);
    buf_fini(&bytes);
    model_free(&m);
    bench_close(&b);
}
