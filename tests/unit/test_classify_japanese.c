/* The classifier on Japanese: a text is the same in each charset, one of which nothing was learnt is not spam, and a few
 * dozen messages are enough to learn from. */
#include <criterion/criterion.h>

#include <iconv.h>
#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/score/classify/model.h"
#include "policy/score/classify/prior.h"

TestSuite(classify_japanese, .timeout = 120);

#define MESSAGE_BYTES 8192

static const char *const charsets[] = {"UTF-8", "ISO-2022-JP", "Shift_JIS", "EUC-JP"};
#define CHARSETS (sizeof charsets / sizeof charsets[0])

static const char letter[] =
    "営業部　鈴木様\n\nいつもお世話になっております。サンプル工業の高橋です。\n先日ご依頼いただきました図面の件、修正版を添付にて"
    "お送りいたします。\nお手数ですが、来週水曜日までにご返信いただけますと幸いです。\n";
static const char offer[] =
    "お客様のアカウントに異常なログインがありました。24時間以内に下記のリンクから本人確認とクレジットカード情報の更新を行ってください。"
    "確認がない場合、アカウントは永久に停止されます。今すぐログインしてください。\n";

struct bench {
    struct document_reader *reader;
    struct features *f;
    struct corpus corpus;
};

static struct bench bench_open(void)
{
    struct bench b = {.reader = document_reader_new(), .f = features_new()};
    cr_assert(b.reader && b.f);
    corpus_init(&b.corpus);
    return b;
}

static void bench_close(struct bench *b)
{
    corpus_fini(&b->corpus);
    document_reader_free(b->reader);
    features_free(&b->f);
}

static void read_features(struct bench *b, const char *text, const char *charset)
{
    char message[MESSAGE_BYTES], *in = (char *)(uintptr_t)text, *out;
    int head = snprintf(message, sizeof message,
                        "From: a@example.jp\nTo: b@example.jp\nSubject: test\nMIME-Version: 1.0\n"
                        "Content-Type: text/plain; charset=%s\n\n", charset);
    size_t in_left = strlen(text), out_left = sizeof message - (size_t)head;
    const struct document *d;
    iconv_t converter = iconv_open(charset, "UTF-8");
    cr_assert_neq(converter, (iconv_t)-1);
    out = message + head;
    cr_assert_neq(iconv(converter, &in, &in_left, &out, &out_left), (size_t)-1, "%s", charset);
    cr_assert_neq(iconv(converter, NULL, NULL, &out, &out_left), (size_t)-1);
    iconv_close(converter);
    cr_assert_eq(document_read(b->reader, view_of(message, (size_t)(out - message)), &d), MSA_OK);
    cr_assert_eq(features_read(b->f, d, b->reader), MSA_OK);
}

static int32_t score_of(struct bench *b, const struct model *m, const char *text, const char *charset)
{
    struct model_result r;
    read_features(b, text, charset);
    model_score(m, b->f, MODEL_WHY_NONE, &r);
    return r.score_milli;
}

Test(classify_japanese, a_text_is_the_same_in_each_charset)
{
    static uint32_t ids[FEATURE_FAMILIES][FEATURE_GRAMS_MAX];
    uint32_t count[FEATURE_FAMILIES];
    struct bench b = bench_open();
    read_features(&b, letter, charsets[0]);
    memcpy(count, b.f->count, sizeof count);
    for (int k = 0; k < FEATURE_FAMILIES; k++)
        memcpy(ids[k], b.f->ids[k], count[k] * sizeof ids[k][0]);
    cr_assert_gt(count[FEATURE_GRAM], 80);
    cr_assert_gt(count[FEATURE_WORD], 60);
    for (size_t i = 1; i < CHARSETS; i++) {
        read_features(&b, letter, charsets[i]);
        for (int k = 0; k < FEATURE_FAMILIES; k++) {
            cr_expect_eq(b.f->count[k], count[k], "%s: family %d", charsets[i], k);
            cr_expect_eq(memcmp(b.f->ids[k], ids[k], count[k] * sizeof ids[k][0]), 0, "%s: family %d", charsets[i], k);
        }
    }
    bench_close(&b);
}

/* English sorted mail, and what is known beforehand. */
Test(classify_japanese, of_which_nothing_was_learnt_is_no_spam)
{
    struct bench b = bench_open();
    struct model *m;
    for (size_t i = 0; i < prior_text_count; i++) {
        if (!utf8_is_ascii(view_cstr(prior_texts[i].text)))
            continue;
        read_features(&b, prior_texts[i].text, "UTF-8");
        cr_assert_eq(corpus_add_features(&b.corpus, b.f, prior_texts[i].is_spam, 1, false), MSA_OK);
    }
    cr_assert_eq(prior_add(&b.corpus, b.f, b.reader), MSA_OK);
    cr_assert_eq(model_train(&b.corpus, NULL, &m), MSA_OK);
    for (size_t i = 0; i < CHARSETS; i++)
        cr_expect_lt(score_of(&b, m, letter, charsets[i]), MODEL_THRESHOLD_MILLI - 1000, "%s", charsets[i]);
    model_free(&m);
    bench_close(&b);
}

/* About twenty of spam and thirty of ham, each in another charset, and nothing else. */
Test(classify_japanese, is_learnt_from_a_few_dozen_messages)
{
    struct bench b = bench_open();
    struct model *m;
    unsigned count[2] = {0, 0};
    for (size_t i = 0; i < prior_text_count; i++) {
        const struct prior_text *p = &prior_texts[i];
        if (utf8_is_ascii(view_cstr(p->text)))
            continue;
        count[p->is_spam]++;
        read_features(&b, p->text, charsets[i % CHARSETS]);
        cr_assert_eq(corpus_add_features(&b.corpus, b.f, p->is_spam, 1, false), MSA_OK);
    }
    cr_assert(count[0] >= 20 && count[0] < 40 && count[1] >= 20 && count[1] < 40, "%u %u", count[0], count[1]);
    cr_assert_eq(model_train(&b.corpus, NULL, &m), MSA_OK);
    for (size_t i = 0; i < CHARSETS; i++) {
        cr_expect_lt(score_of(&b, m, letter, charsets[i]), MODEL_THRESHOLD_MILLI, "%s", charsets[i]);
        cr_expect_geq(score_of(&b, m, offer, charsets[i]), MODEL_THRESHOLD_MILLI, "%s", charsets[i]);
    }
    model_free(&m);
    bench_close(&b);
}
