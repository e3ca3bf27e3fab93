/* Keys, whose key it is, and the fields that come out. That other programs verify them is shown in
 * tests/integ/test_dkim.py. */
#include <criterion/criterion.h>

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "dkim_keys.h"
#include "msa/base/err.h"
#include "msa/mail/base64.h"
#include "relay/dkim/author.h"
#include "relay/dkim/canon.h"
#include "relay/dkim/sign.h"

TestSuite(dkim_sign, .timeout = 60);

/* ---- keys ---- */

static void expect_no_key(const char *pem, const char *want)
{
    char why[DKIM_KEY_WHY_MAX];
    cr_expect_null(dkim_key_parse(view_cstr(pem), why));
    cr_expect_not_null(strstr(why, want), "%s", why);
}

Test(dkim_sign, keys_that_cannot_sign_are_refused_with_the_reason)
{
    expect_no_key("", "no private key");
    expect_no_key("garbage\n", "no private key");
    expect_no_key("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key");
    expect_no_key(DKIM_TEST_RSA_768, "768 bits");
    expect_no_key(DKIM_TEST_EC, "neither");
    expect_no_key(DKIM_TEST_ENCRYPTED, "passphrase");
}

static void expect_record(const char *pem, const char *want_begin, const char *want_end)
{
    char why[DKIM_KEY_WHY_MAX];
    struct buf record;
    struct dkim_key *key = dkim_key_parse(view_cstr(pem), why);
    cr_assert_not_null(key, "%s", why);
    buf_init(&record, DKIM_RECORD_MAX);
    cr_expect_eq(dkim_key_record(key, &record), MSA_OK);
    cr_expect(view_has_prefix(buf_view(&record), view_cstr(want_begin)));
    cr_expect(view_has_suffix_nocase(buf_view(&record), view_cstr(want_end)));
    buf_fini(&record);
    dkim_key_free(&key);
}

Test(dkim_sign, records_for_the_dns)
{
    expect_record(DKIM_TEST_ED25519, "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
                  ""); /* RFC 8463 appendix A.2 */
    expect_record(DKIM_TEST_RSA_1024, "v=DKIM1; k=rsa; p=MIGf", "QAB");
}

Test(dkim_sign, a_key_that_was_made_can_be_written_and_read)
{
    for (int k = 0; k < DKIM_ALGORITHM_COUNT; k++) {
        char why[DKIM_KEY_WHY_MAX];
        struct buf pem, first, second;
        struct dkim_key *key = dkim_key_generate((enum dkim_algorithm)k, 1024, why);
        buf_init(&pem, 8192);
        buf_init(&first, DKIM_RECORD_MAX);
        buf_init(&second, DKIM_RECORD_MAX);
        cr_assert_not_null(key, "%s", why);
        cr_assert_eq(dkim_key_pem(key, &pem), MSA_OK);
        struct dkim_key *again = dkim_key_parse(buf_view(&pem), why);
        cr_assert_not_null(again, "%s", why);
        cr_expect_eq(dkim_key_algorithm(again), k);
        cr_expect_eq(dkim_key_bits(again), dkim_key_bits(key));
        dkim_key_record(key, &first);
        dkim_key_record(again, &second);
        cr_expect(view_eq(buf_view(&first), buf_view(&second)));
        dkim_key_free(&key);
        dkim_key_free(&again);
        buf_fini(&pem);
        buf_fini(&first);
        buf_fini(&second);
    }
    char why[DKIM_KEY_WHY_MAX];
    cr_expect_null(dkim_key_generate(DKIM_RSA_SHA256, 512, why));
}

/* ---- RFC 8463 appendix A.3 ---- */

static const char *const rfc_fields[][2] = {
    {"From", " Joe SixPack <joe@football.example.com>"},
    {"To", " Suzie Q <suzie@shopping.example.net>"},
    {"Subject", " Is dinner ready?"},
    {"Date", " Fri, 11 Jul 2003 21:00:37 -0700 (PDT)"},
    {"Message-ID", " <20030712040037.46341.5F8J@football.example.com>"},
};

#define RFC_BODY "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"
#define RFC_HASH "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

static void digest_of(struct view v, unsigned char digest[DKIM_DIGEST_BYTES])
{
    cr_assert_eq(EVP_Digest(v.p, v.n, digest, NULL, EVP_sha256(), NULL), 1);
}

static void collect(void *arg, struct view run)
{
    buf_add(arg, run);
}

Test(dkim_sign, the_signature_of_rfc_8463)
{
    static const char tags[] =
        " v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"
        " d=football.example.com; i=@football.example.com;\r\n"
        " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"
        " subject : date : message-id : from : subject : date;\r\n"
        " bh=" RFC_HASH ";\r\n b=";
    static struct dkim_body body;
    char why[DKIM_KEY_WHY_MAX];
    unsigned char digest[DKIM_DIGEST_BYTES], signature[DKIM_SIGNATURE_MAX];
    struct buf canon, text;
    struct dkim_key *key = dkim_key_parse(VIEW_LIT(DKIM_TEST_ED25519), why);
    cr_assert_not_null(key);
    buf_init(&canon, 65536);
    buf_init(&text, 1024);
    dkim_body_init(&body, collect, &canon);
    dkim_body_feed(&body, VIEW_LIT(RFC_BODY));
    dkim_body_finish(&body);
    digest_of(buf_view(&canon), digest);
    base64_encode(view_of((char *)digest, sizeof digest), &text);
    cr_expect(view_eq(buf_view(&text), VIEW_LIT(RFC_HASH)));

    buf_reset(&canon);
    buf_reset(&text);
    for (size_t i = 0; i < sizeof rfc_fields / sizeof rfc_fields[0]; i++) {
        dkim_canon_field(view_cstr(rfc_fields[i][0]), view_cstr(rfc_fields[i][1]), &canon);
        buf_add_cstr(&canon, "\r\n");
    }
    dkim_canon_field(VIEW_LIT("DKIM-Signature"), view_cstr(tags), &canon);
    digest_of(buf_view(&canon), digest);
    int n = dkim_key_sign(key, digest, signature);
    cr_assert_eq(n, 64);
    base64_encode(view_of((char *)signature, (size_t)n), &text);
    cr_expect(view_eq(buf_view(&text), VIEW_LIT("/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus"
                                                "Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==")));
    buf_fini(&canon);
    buf_fini(&text);
    dkim_key_free(&key);
}

/* ---- a keyring ---- */

static const char *const oversign[] = {"From", "To", "Subject"};
static const char *const sign[] = {"Sender", "Resent-To"};

static const struct config_dkim_selector both[] = {
    {.name = "e1", .key_pem = DKIM_TEST_ED25519, .use = true},
    {.name = "r1", .key_pem = DKIM_TEST_RSA_1024, .use = true},
};
static const struct config_dkim_selector only_ed[] = {
    {.name = "e1", .key_pem = DKIM_TEST_ED25519, .use = true},
    {.name = "r1", .key_pem = DKIM_TEST_RSA_1024, .use = false},
};
static const struct config_dkim_selector resting[] = {
    {.name = "e1", .key_pem = DKIM_TEST_ED25519, .use = false},
};

#define NAMES .oversign = {oversign, 3}, .sign = {sign, 2}

static const struct config_dkim domains[] = {
    {.domain = "Example.JP", .selectors = both, .selector_count = 2, .subdomains = true, NAMES},
    {.domain = "resting.example.jp", .selectors = resting, .selector_count = 1, NAMES},
    {.domain = "plain.test", .selectors = only_ed, .selector_count = 2, .expire_ms = 3600000, NAMES},
    {.domain = "xn--r8jz45g.jp", .selectors = only_ed, .selector_count = 2, NAMES},
};

static struct dkim_keyring *ring_of(const struct config_dkim *list, uint32_t count)
{
    char why[256];
    const struct config config = {.dkim = list, .dkim_count = count};
    struct dkim_keyring *ring = dkim_keyring_new(&config, why, sizeof why);
    cr_assert_not_null(ring, "%s", why);
    return ring;
}

#define RING() ring_of(domains, sizeof domains / sizeof domains[0])

static void expect_signer(const struct dkim_keyring *ring, const char *name, const char *want)
{
    const struct dkim_domain *d = dkim_keyring_find(ring, view_cstr(name));
    cr_expect_str_eq(d ? d->name : "", want, "%s", name);
}

Test(dkim_sign, the_domain_itself_or_the_nearest_above_that_takes_subdomains)
{
    struct dkim_keyring *ring = RING();
    cr_expect_not(dkim_keyring_is_empty(ring));
    expect_signer(ring, "example.jp", "example.jp");
    expect_signer(ring, "a.b.example.jp", "example.jp");
    expect_signer(ring, "xexample.jp", "");
    expect_signer(ring, "resting.example.jp", "");   /* has a block, so its parent is not asked */
    expect_signer(ring, "a.resting.example.jp", "example.jp");
    expect_signer(ring, "plain.test", "plain.test");
    expect_signer(ring, "a.plain.test", "");
    expect_signer(ring, "jp", "");
    expect_signer(ring, "", "");
    dkim_keyring_drop(&ring);
    ring = ring_of(NULL, 0);
    cr_expect(dkim_keyring_is_empty(ring));
    expect_signer(ring, "example.jp", "");
    dkim_keyring_drop(&ring);
}

Test(dkim_sign, a_bad_key_or_two_of_a_kind_make_no_keyring)
{
    static const struct config_dkim_selector bad[] = {{.name = "x", .key_pem = "x", .use = true}};
    static const struct config_dkim_selector twice[] = {
        {.name = "e1", .key_pem = DKIM_TEST_ED25519, .use = true},
        {.name = "e2", .key_pem = DKIM_TEST_ED25519, .use = true}};
    char why[256];
    struct config_dkim d = {.domain = "a.test", .selectors = bad, .selector_count = 1, NAMES};
    const struct config config = {.dkim = &d, .dkim_count = 1};
    cr_expect_null(dkim_keyring_new(&config, why, sizeof why));
    cr_expect_str_eq(why, "dkim a.test, selector x: no private key in PEM form");
    d.selectors = twice;
    d.selector_count = 2;
    cr_expect_null(dkim_keyring_new(&config, why, sizeof why));
    cr_expect_str_eq(why, "dkim a.test, selector e2: a second key of that kind is in use");
}

/* ---- whose it is ---- */

static void expect_author(const char *text, const char *signer, const char *domain)
{
    struct dkim_keyring *ring = RING();
    struct header h;
    struct dkim_author author;
    struct view run = view_cstr(text);
    header_init(&h, HEADER_LIMITS_DEFAULT);
    header_feed(&h, &run);
    header_finish(&h);
    cr_assert_eq(dkim_author_find(ring, &h, &author), MSA_OK);
    cr_expect_str_eq(author.signer ? author.signer->name : "", signer, "%s", text);
    cr_expect_str_eq(author.domain, domain, "%s", text);
    header_fini(&h);
    dkim_keyring_drop(&ring);
}

Test(dkim_sign, whose_key_signs)
{
    expect_author("From: a@example.jp\r\n\r\n", "example.jp", "example.jp");
    expect_author("From: \"x@plain.test\" <a@EXAMPLE.jp>\r\n\r\n", "example.jp", "example.jp");
    expect_author("From: a@sub.example.jp\r\n\r\n", "example.jp", "sub.example.jp");
    expect_author("From: a@\xe4\xbe\x8b\xe3\x81\x88.jp\r\n\r\n", "xn--r8jz45g.jp", "xn--r8jz45g.jp");
    expect_author("From: a@other.test\r\n\r\n", "", "");
    expect_author("From: a@[192.0.2.1]\r\n\r\n", "", "");
    expect_author("From: a\r\n\r\n", "", "");
    expect_author("Subject: no author\r\n\r\n", "", "");
    expect_author("From: a@example.jp\r\nFrom: a@example.jp\r\n\r\n", "", "");
    expect_author("From: (broken\r\n\r\n", "", "");
    /* several: the first with a key, or the one that sent it */
    expect_author("From: a@other.test, b@plain.test, c@example.jp\r\n\r\n", "plain.test", "plain.test");
    expect_author("From: b@plain.test, c@example.jp\r\nSender: c@example.jp\r\n\r\n", "example.jp",
                  "example.jp");
    expect_author("From: b@plain.test, c@other.test\r\nSender: c@other.test\r\n\r\n", "plain.test",
                  "plain.test");
    expect_author("From: c@other.test\r\nSender: c@example.jp\r\n\r\n", "", "");
}

/* ---- what comes out ---- */

struct text {
    struct view v;
    size_t piece;
    uint64_t fails_at;
};

static int read_text(const void *arg, uint64_t offset, char *scratch, size_t scratch_bytes,
                     struct view *piece_out)
{
    const struct text *t = arg;
    struct view v = view_slice(t->v, (size_t)offset, (size_t)offset + t->piece);
    v = view_slice(v, 0, scratch_bytes);
    memcpy(scratch, v.p, v.n); /* as a file is read: the last piece is gone with the next */
    *piece_out = view_of(scratch, v.n);
    return t->fails_at > 0 && offset + v.n > t->fails_at ? MSA_EIO : MSA_OK;
}

static int sign_text(const struct dkim_keyring *ring, const struct text *t, struct dkim_signed *out)
{
    const struct dkim_message m = {read_text, t, t->v.n};
    dkim_signed_init(out);
    return dkim_sign(ring, &m, 1800000000, out);
}

#define MAIL                                                                                       \
    "Received: by mx\r\nFrom: a@example.jp\r\nTo: b@x.test\r\nSUBJECT: one\r\nSubject : two\r\n"   \
    "Sender: c@example.jp\r\n\r\nbody\r\n"

Test(dkim_sign, fields_are_listed_and_one_more_of_each_that_is_oversigned)
{
    struct dkim_keyring *ring = RING();
    struct dkim_signed s;
    const struct text t = {VIEW_LIT(MAIL), 1000, 0};
    cr_assert_eq(sign_text(ring, &t, &s), MSA_OK);
    buf_add_char(&s.fields, '\0');
    const char *text = buf_view(&s.fields).p;
    cr_expect_str_eq(s.by, "example.jp/r1,e1");
    cr_expect(view_has_prefix(view_cstr(text),
                              VIEW_LIT("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"
                                       "\td=example.jp; s=r1;\r\n\tt=1800000000;\r\n"
                                       "\th=From:From:To:To:Subject:Subject:Subject:Sender;\r\n\tbh=")),
              "%s", text);
    const char *second = strstr(text, "\r\nDKIM-Signature: v=1; a=ed25519-sha256;");
    cr_assert_not_null(second);
    cr_expect_not_null(strstr(second, "s=e1;"));
    cr_expect_null(strstr(text, "i="));
    cr_expect_null(strstr(text, "x="));
    cr_expect_str_eq(text + strlen(text) - 2, "\r\n");
    for (struct view rest = view_cstr(text); rest.n > 0;)
        cr_expect_leq(view_cut(&rest, '\n').n, 79, "a long line");
    dkim_signed_fini(&s);
    dkim_keyring_drop(&ring);
}

Test(dkim_sign, pieces_make_no_difference)
{
    struct dkim_keyring *ring = RING();
    struct dkim_signed want, got;
    struct text t = {VIEW_LIT(MAIL), 1000, 0};
    cr_assert_eq(sign_text(ring, &t, &want), MSA_OK);
    for (t.piece = 1; t.piece <= t.v.n; t.piece++) {
        cr_assert_eq(sign_text(ring, &t, &got), MSA_OK);
        cr_expect(view_eq(buf_view(&got.fields), buf_view(&want.fields)), "pieces of %zu", t.piece);
        dkim_signed_fini(&got);
    }
    dkim_signed_fini(&want);
    dkim_keyring_drop(&ring);
}

static void expect_text(const char *mail, const char *want, const char *unwanted)
{
    struct dkim_keyring *ring = RING();
    struct dkim_signed s;
    const struct text t = {view_cstr(mail), 1000, 0};
    cr_assert_eq(sign_text(ring, &t, &s), MSA_OK);
    buf_add_char(&s.fields, '\0');
    cr_expect_not_null(strstr(buf_view(&s.fields).p, want), "%s", buf_view(&s.fields).p);
    cr_expect(!unwanted || !strstr(buf_view(&s.fields).p, unwanted));
    dkim_signed_fini(&s);
    dkim_keyring_drop(&ring);
}

Test(dkim_sign, what_else_a_signature_says)
{
    expect_text("From: a@sub.example.jp\r\n\r\n", "d=example.jp; s=r1;\r\n\ti=@sub.example.jp; t=", NULL);
    expect_text("From: a@plain.test\r\n\r\n", "t=1800000000; x=1800003600;", "rsa-sha256");
    /* the hash of nothing: no body, no empty line, blank lines only */
    expect_text("From: a@plain.test\r\n\r\n", "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;", NULL);
    expect_text("From: a@plain.test\r\n", "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;", NULL);
    expect_text("From: a@plain.test", "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;", NULL);
    expect_text("From: a@plain.test\r\n\r\n \r\n\r\n", "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;",
                NULL);
}

Test(dkim_sign, without_a_key_there_is_nothing_and_no_failure)
{
    struct dkim_keyring *ring = RING();
    struct dkim_signed s;
    const struct text t = {VIEW_LIT("From: a@other.test\r\n\r\nbody\r\n"), 10, 0};
    cr_assert_eq(sign_text(ring, &t, &s), MSA_OK);
    cr_expect_eq(buf_len(&s.fields), 0);
    cr_expect_str_eq(s.by, "");
    dkim_signed_fini(&s);
    dkim_keyring_drop(&ring);
}

Test(dkim_sign, a_message_that_cannot_be_read_is_not_signed)
{
    struct dkim_keyring *ring = RING();
    struct dkim_signed s;
    struct text t = {VIEW_LIT(MAIL), 10, 0};
    for (t.fails_at = 1; t.fails_at < t.v.n; t.fails_at += 7) {
        cr_expect_eq(sign_text(ring, &t, &s), MSA_EIO);
        cr_expect_eq(buf_len(&s.fields), 0);
        dkim_signed_fini(&s);
    }
    dkim_keyring_drop(&ring);
}

Test(dkim_sign, of_very_many_fields_the_last_are_signed)
{
    struct dkim_keyring *ring = RING();
    struct dkim_signed s;
    struct buf mail;
    size_t count = 0;
    buf_init(&mail, 1 << 20);
    for (int i = 0; i < 10000; i++)
        buf_addf(&mail, "Subject: %d\r\n", i);
    buf_add_cstr(&mail, "From: a@plain.test\r\n\r\n");
    const struct text t = {buf_view(&mail), 4096, 0};
    cr_assert_eq(sign_text(ring, &t, &s), MSA_OK);
    buf_add_char(&s.fields, '\0');
    for (const char *at = buf_view(&s.fields).p; (at = strstr(at, "Subject")); at++)
        count++;
    cr_expect_eq(count, DKIM_INSTANCES_MAX + 1);
    dkim_signed_fini(&s);
    buf_fini(&mail);
    dkim_keyring_drop(&ring);
}
