/* Fingerprints: copies of a campaign have some in common, letters of honest people none. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/buf.h"
#include "policy/score/fingerprint.h"
#include "policy/score/fingerprint_text.h"

TestSuite(fingerprint, .timeout = 30);

#define BODY_MAX 8192

static struct fingerprints of(const char *text)
{
    struct fingerprints f = {0};
    fingerprint_add_body(&f, view_cstr(text));
    return f;
}

static unsigned in_common(const struct fingerprints *a, const struct fingerprints *b)
{
    unsigned n = 0;
    for (unsigned i = 0; i < a->count; i++)
        for (unsigned k = 0; k < b->count; k++)
            n += a->numbers[i] == b->numbers[k];
    return n;
}

/* ---- one campaign ---- */

static const char *const names[] = {"Taro Tanaka", "John Smith",  "Marie Curie",
                                    "Ahmed Khan",  "Olga Petrova", "Li Wei"};

static void write_campaign(char out[BODY_MAX], unsigned i)
{
    const char *name = names[i % 6];
    snprintf(out, BODY_MAX,
             "Dear %s,\n\n"
             "we are writing to you because your parcel number JP%u could not be delivered to your "
             "address on %u March. A fee of %u.%02u EUR has to be paid before the parcel can leave the "
             "customs office. Please confirm your address, %s, within %u hours, or the "
             "parcel goes back to its sender:\n\n"
             "http://parcel-%u.example.net/track?id=%u\n\n"
             "Your parcel service, for %s\n",
             name, 123456 + i * 7919, 1 + i % 28, 1 + i % 9, i % 100, name, 24 + i % 48, i, i * 31337,
             name);
}

static void write_japanese(char out[BODY_MAX], unsigned i)
{
    static const char *const people[] = {"田中太郎", "佐藤花子", "鈴木一郎", "高橋"};
    snprintf(out, BODY_MAX,
             "%s様\n\n"
             "平素は格別のご高配を賜り厚く御礼申し上げます。お客様のカード（末尾%04u）に不審な利用が"
             "確認されたため、ご利用を一時的に制限いたしました。%u時間以内に下記より本人確認を"
             "お願いいたします。確認がない場合、カードは停止されます。\n"
             "https://card%u.example.org/verify\n"
             "受付番号 %u\n",
             people[i % 4], i * 7919 % 10000, 12 + i % 48, i, i * 31337);
}

/* Any three of them share a number, or a rule that counts accounts would miss the third. */
static void shares_one(void (*write)(char *, unsigned), unsigned count)
{
    char text[BODY_MAX];
    struct fingerprints first, f;
    unsigned in_all[FINGERPRINTS_MAX] = {0}, best = 0;
    write(text, 0);
    first = of(text);
    cr_assert_eq(first.count, FINGERPRINTS_MAX);
    for (unsigned i = 1; i < count; i++) {
        write(text, i);
        f = of(text);
        for (unsigned k = 0; k < f.count; k++)
            in_all[k] += f.numbers[k] == first.numbers[k];
    }
    for (unsigned k = 0; k < FINGERPRINTS_MAX; k++)
        best = in_all[k] > best ? in_all[k] : best;
    cr_assert_eq(best, count - 1, "%u of %u", best + 1, count);
}

Test(fingerprint, copies_with_other_names_numbers_and_links_are_one_campaign)
{
    shares_one(write_campaign, 50);
    shares_one(write_japanese, 50);
}

/* A word here and there replaced by another: most copies are still known. */
Test(fingerprint, copies_with_other_words_are_mostly_known)
{
    char base[BODY_MAX], copy[BODY_MAX];
    unsigned known = 0;
    srandom(6);
    size_t n = 0;
    for (unsigned i = 0; i < 150; i++)
        n += (size_t)snprintf(base + n, sizeof base - n, "word%c%c%c%s", 'a' + (int)(random() % 26),
                              'a' + (int)(random() % 26), 'a' + (int)(random() % 26),
                              i % 12 == 11 ? ".\n" : " ");
    struct fingerprints first = of(base);
    for (int round = 0; round < 200; round++) {
        memcpy(copy, base, sizeof copy);
        for (int change = 0; change < 6; change++) /* of 150 */
            copy[random() % (long)(n / 2) * 2] = 'q';
        struct fingerprints f = of(copy);
        known += in_common(&first, &f) > 0;
    }
    cr_expect_gt(known, 190, "%u of 200", known);
}

/* ---- honest people ---- */

static const char footer[] =
    "\n--------------------------------------\n"
    "Example Trading Ltd., Marketing Department\n1-2-3 Marunouchi, Chiyoda-ku, Tokyo\n"
    "this message and any attachment are confidential and meant for the person it is addressed to. if you "
    "are not that person, please tell the sender and delete it; do not copy it and do not tell anybody "
    "what is in it. we do not accept any liability for viruses.\n";

Test(fingerprint, letters_with_one_footer_have_nothing_in_common)
{
    static const char *const letters[] = {
        "could you send me the minutes of the meeting on monday, please? i would like to look at what we "
        "agreed about the budget before i call the supplier again",
        "the train was late again, so i will not be there before ten. please begin without me and start "
        "with the second point of the agenda, which does not need my numbers",
        "thank you for the photos of the new building. the one with the stairs should go on the first "
        "page of the leaflet, and the others can go to the archive as they are",
    };
    struct fingerprints f[3];
    char text[BODY_MAX];
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "%s\n%s", letters[i], footer);
        f[i] = of(text);
        cr_expect_eq(f[i].count, FINGERPRINTS_MAX);
    }
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < i; k++)
            cr_expect_eq(in_common(&f[i], &f[k]), 0, "%d and %d", i, k);
}

/* A footer without a line above it: long letters still differ, for half of each number is the beginning. */
Test(fingerprint, a_footer_that_does_not_show_takes_no_part_in_the_beginning)
{
    char text[BODY_MAX];
    struct fingerprints f[20];
    srandom(7);
    for (int i = 0; i < 20; i++) {
        size_t n = 0;
        for (int w = 0; w < 80; w++)
            n += (size_t)snprintf(text + n, sizeof text - n, "%c%c%c%c ", 'a' + (int)(random() % 26),
                                  'a' + (int)(random() % 26), 'a' + (int)(random() % 26),
                                  'a' + (int)(random() % 26));
        snprintf(text + n, sizeof text - n, "\n%s", strchr(footer + 1, '\n') + 1);
        f[i] = of(text);
        for (int k = 0; k < i; k++)
            cr_expect_eq(in_common(&f[i], &f[k]), 0);
    }
}

Test(fingerprint, a_short_text_says_nothing)
{
    cr_expect_eq(of("").count, 0);
    cr_expect_eq(of("ok, thanks, see you tomorrow at the usual place").count, 0);
    cr_expect_eq(of("了解しました。よろしく。").count, 0);
    cr_expect_eq(of("-- \n").count, 0);
}

/* ---- what is left out ---- */

static size_t unit_count(const char *text)
{
    uint32_t units[64];
    return fingerprint_units(view_cstr(text), units, 64);
}

Test(fingerprint, names_numbers_addresses_greetings_and_quotes_are_left_out)
{
    cr_expect_eq(unit_count("one two three"), 3);
    cr_expect_eq(unit_count("we met Tanaka there"), 3);
    cr_expect_eq(unit_count("WE MET THERE"), 3, "capitals throughout are no names");
    cr_expect_eq(unit_count("pay 100 now, code AB12 or 7"), 4);
    cr_expect_eq(unit_count("write to taro@example.jp or http://a.example/b now"), 4);
    cr_expect_eq(unit_count("Dear Mr Smith,\nhello there"), 2);
    cr_expect_eq(unit_count("田中様\n東京"), 1);
    cr_expect_eq(unit_count("> quoted words\nmine"), 1);
    cr_expect_eq(unit_count("無料です"), 3);
    cr_expect_eq(unit_count("don't re-use"), 2);
    cr_expect_eq(unit_count("\xff\xfe\xe7"), 0);
}

Test(fingerprint, signatures_are_cut)
{
    static const struct {
        const char *text;
        size_t left;
    } vectors[] = {
        {"hello\n-- \nTaro\n", 6},   {"hello\n━━━━━━\n東京\n", 6}, {"hello\n-----\nTaro\n-----\n", 6},
        {"hello\nworld\n", 12},      {"a\n--\nb\n--\nc\n", 2},      {"", 0},
        {"hello\nSent from my phone", 6},
    };
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        cr_expect_eq(fingerprint_cut_signature(view_cstr(vectors[i].text)).n, vectors[i].left, "%zu", i);
    char text[BODY_MAX];
    int n = snprintf(text, sizeof text, "hello\n--------\n"); /* and then the letter begins */
    for (int i = 0; i < 30; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "one more line\n");
    cr_expect_eq(fingerprint_cut_signature(view_cstr(text)).n, strlen(text));
}

/* ---- links ---- */

static const struct view known[] = {VIEW_LIT("google.com"), VIEW_LIT("cdn.example.net")};

static void link_to(struct fingerprints *f, const char *host)
{
    fingerprint_add_link(f, view_cstr(host), known, 2, VIEW_LIT("mail.example.jp"));
}

Test(fingerprint, links_count_by_their_registrable_domain)
{
    struct fingerprints a = {0}, b = {0};
    link_to(&a, "x1.shop.example.co.jp");
    link_to(&b, "x2.shop.example.co.jp");
    cr_expect_eq(a.count, 1);
    cr_expect_str_eq(a.domains[0], "example.co.jp");
    cr_expect_eq(a.numbers[0], b.numbers[0]);
    link_to(&a, "example.co.jp"); /* already */
    cr_expect_eq(a.count, 1);
    link_to(&a, "docs.google.com"); /* everybody's */
    link_to(&a, "notgoogle.com");
    link_to(&a, "www.example.jp"); /* the sender's own */
    cr_expect_eq(a.count, 2);
    link_to(&a, "192.0.2.1");
    link_to(&a, "one-more.example.org");
    cr_expect_eq(a.count, FINGERPRINT_LINKS_MAX);
    fingerprint_add_body(&a, VIEW_LIT("one two three four five six seven eight nine ten eleven twelve thirteen "
                                      "fourteen fifteen sixteen seventeen"));
    cr_expect_eq(a.count, FINGERPRINTS_MAX);
}

/* ---- any text ---- */

Test(fingerprint, any_bytes_are_taken_and_the_time_is_bounded)
{
    static char text[1 << 20];
    srandom(8);
    for (int round = 0; round < 300; round++) {
        size_t n = (size_t)random() % 600;
        for (size_t i = 0; i < n; i++)
            text[i] = (char)random();
        struct fingerprints f = {0};
        fingerprint_add_body(&f, view_of(text, n));
    }
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "\n- a"[random() % 4];
    struct fingerprints f = {0};
    for (int round = 0; round < 20; round++)
        fingerprint_add_body(&f, view_of(text, sizeof text));
}
