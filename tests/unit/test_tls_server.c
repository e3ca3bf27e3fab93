#include <criterion/criterion.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/io/tls_server_private.h"
#include "tls_fixture.h"

/* Our server and OpenSSL's own client. */
static struct end s;
static struct raw_client r;

static void set_up(void)
{
    cf_set_up();
    tf_raw_init(&r);
}

static void tear_down(void)
{
    cf_end_fini(&s);
    tf_raw_fini(&r);
    cf_tear_down();
}

TestSuite(tls_server, .timeout = 30, .init = set_up, .fini = tear_down);

static void again(void)
{
    cf_end_fini(&s);
    s = (struct end){0};
    tf_raw_new_session(&r);
}

static void forget(void)
{
    cf_end_fini(&s);
    s = (struct end){0};
    tf_raw_fini(&r);
    tf_raw_init(&r);
}

/* ---- versions, ciphers, protocols ---- */

struct offer {
    const char *name;
    int max_version;
    const char *ciphers; /* of TLS 1.2; NULL: OpenSSL's own */
    const char *groups;
    bool want;
    const char *want_cipher;
};

static const struct offer offers[] = {
    {"TLS 1.3", TLS1_3_VERSION, NULL, NULL, true, "TLS_AES_256_GCM_SHA384"},
    {"TLS 1.2", TLS1_2_VERSION, NULL, NULL, true, "ECDHE-ECDSA-AES256-GCM-SHA384"},
    {"TLS 1.2 with CBC alone", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", NULL, true,
     "ECDHE-ECDSA-AES128-SHA"},
    {"P-256 alone", TLS1_3_VERSION, NULL, "P-256", true, NULL},
    {"TLS 1.1", TLS1_1_VERSION, NULL, NULL, false, NULL},
    {"TLS 1.0", TLS1_VERSION, NULL, NULL, false, NULL},
    {"no forward secrecy", TLS1_2_VERSION, "AES128-SHA:AES256-GCM-SHA384", NULL, false, NULL},
    {"anonymous", TLS1_2_VERSION, "aNULL", NULL, false, NULL},
    {"no encryption", TLS1_2_VERSION, "eNULL", NULL, false, NULL},
};

/* The client at security level 0 offers what Debian's default would not even send. */
Test(tls_server, old_and_weak_offers_fail)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        const struct offer *o = &offers[i];
        SSL_set_security_level(r.ssl, 0);
        SSL_set_min_proto_version(r.ssl, 0);
        SSL_set_max_proto_version(r.ssl, o->max_version);
        if (o->ciphers)
            cr_assert_eq(SSL_set_cipher_list(r.ssl, o->ciphers), 1, "%s", o->name);
        if (o->groups)
            cr_assert_eq(SSL_set1_groups_list(r.ssl, o->groups), 1, "%s", o->name);
        cr_assert_eq(tf_handshake(&r, &s, tls), o->want, "%s", o->name);
        cr_assert_eq(s.tls_ready_count, o->want ? 1 : 0, "%s", o->name);
        if (!o->want)
            cr_assert_eq(s.end, CONN_END_TLS, "%s: %s", o->name, s.error);
        if (o->want_cipher)
            cr_assert_str_eq(conn_tls_facts(s.c)->cipher, o->want_cipher);
        forget();
    }
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

Test(tls_server, tls13_can_be_demanded)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_with(&cert, 1, VIEW_EMPTY, true);
    SSL_set_max_proto_version(r.ssl, TLS1_2_VERSION);
    cr_assert_not(tf_handshake(&r, &s, tls));
    forget();
    cr_assert(tf_handshake(&r, &s, tls));
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

/* In TLS 1.3 the client has guessed already, and another choice would cost a round trip. */
Test(tls_server, x25519_is_chosen_also_when_the_client_prefers_another)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    SSL_set_max_proto_version(r.ssl, TLS1_2_VERSION);
    SSL_set1_groups_list(r.ssl, "P-256:X25519");
    cr_assert(tf_handshake(&r, &s, tls));
    cr_assert_eq(SSL_get_negotiated_group(r.ssl), NID_X25519);
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

struct alpn {
    const char *name;
    const char *offer; /* as on the wire */
    bool want;
    const char *want_chosen;
};

static const struct alpn alpns[] = {
    {"none", "", true, ""},
    {"smtp", "\4smtp", true, "smtp"},
    {"smtp behind others", "\2h2\4smtp", true, "smtp"},
    {"web only", "\2h2\10http/1.1", false, NULL},
    {"nearly smtp", "\5smtpx\3smt", false, NULL},
};

Test(tls_server, alpn_is_smtp_or_nothing)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    for (size_t i = 0; i < sizeof alpns / sizeof alpns[0]; i++) {
        const unsigned char *chosen;
        unsigned chosen_len;
        const unsigned char *offer = (const unsigned char *)alpns[i].offer;
        if (alpns[i].offer[0])
            SSL_set_alpn_protos(r.ssl, offer, (unsigned)strlen(alpns[i].offer));
        cr_assert_eq(tf_handshake(&r, &s, tls), alpns[i].want, "%s", alpns[i].name);
        if (alpns[i].want) {
            SSL_get0_alpn_selected(r.ssl, &chosen, &chosen_len);
            cr_assert(view_eq(view_of((const char *)chosen, chosen_len), view_cstr(alpns[i].want_chosen)));
        } else {
            cr_assert_eq(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL,
                         "%s", alpns[i].name);
        }
        forget();
    }
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

Test(tls_server, renegotiation_is_refused)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    SSL_set_max_proto_version(r.ssl, TLS1_2_VERSION);
    cr_assert(tf_handshake(&r, &s, tls));
    cr_assert_eq(SSL_renegotiate(r.ssl), 1);
    for (int i = 0; i < 5; i++) {
        SSL_do_handshake(r.ssl);
        cf_turns(2);
    }
    cr_assert_eq(s.tls_ready_count, 1);
    cr_assert(SSL_renegotiate_pending(r.ssl) || SSL_get_shutdown(r.ssl) || s.closed_count == 1);
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

/* ---- channel bindings ---- */

Test(tls_server, exporter_needs_the_extended_master_secret_in_tls12)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    uint8_t own[32];
    for (int has_ems = 0; has_ems <= 1; has_ems++) {
        SSL_set_max_proto_version(r.ssl, TLS1_2_VERSION);
        if (!has_ems)
            SSL_set_options(r.ssl, SSL_OP_NO_EXTENDED_MASTER_SECRET);
        cr_assert(tf_handshake(&r, &s, tls));
        const struct tls_facts *f = conn_tls_facts(s.c);
        cr_assert_str_eq(f->version, "TLSv1.2");
        cr_assert_eq(f->exporter_len, has_ems ? 32 : 0);
        SSL_export_keying_material(r.ssl, own, 32, "EXPORTER-Channel-Binding", 24,
                                   (const unsigned char *)"", 0, 1);
        cr_assert_eq(memcmp(own, f->exporter, 32) == 0, has_ems);
        forget();
    }
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

/* In a resumed session the server speaks first, and its Finished is the binding. */
Test(tls_server, unique_is_the_first_finished_of_tls12)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    SSL_SESSION *session = NULL;
    uint8_t own[64];
    for (int is_resumed = 0; is_resumed <= 1; is_resumed++) {
        SSL_set_max_proto_version(r.ssl, TLS1_2_VERSION);
        SSL_set_session(r.ssl, session);
        cr_assert(tf_handshake(&r, &s, tls));
        const struct tls_facts *f = conn_tls_facts(s.c);
        cr_assert_eq(f->is_resumed, is_resumed);
        size_t n = is_resumed ? SSL_get_peer_finished(r.ssl, own, sizeof own)
                              : SSL_get_finished(r.ssl, own, sizeof own);
        cr_assert_eq(f->unique_len, n);
        cr_assert_eq(memcmp(own, f->unique, n), 0);
        SSL_SESSION_free(session);
        session = SSL_get1_session(r.ssl);
        forget();
    }
    SSL_SESSION_free(session);
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

Test(tls_server, unique_is_not_to_be_had_otherwise)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    cr_assert(tf_handshake(&r, &s, tls));
    cr_assert_eq(conn_tls_facts(s.c)->unique_len, 0); /* TLS 1.3 */
    forget();
    SSL_set_max_proto_version(r.ssl, TLS1_2_VERSION);
    SSL_set_options(r.ssl, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    cr_assert(tf_handshake(&r, &s, tls));
    cr_assert_eq(conn_tls_facts(s.c)->unique_len, 0);
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

Test(tls_server, end_point_hash_follows_the_signature)
{
    struct {
        enum test_key key;
        const EVP_MD *signed_with;
        const EVP_MD *want;
    } cases[] = {
        {TEST_KEY_EC, EVP_sha256(), EVP_sha256()},
        {TEST_KEY_EC, EVP_sha384(), EVP_sha384()},
        {TEST_KEY_RSA, EVP_sha512(), EVP_sha512()},
        {TEST_KEY_EC, EVP_sha1(), EVP_sha256()},
        {TEST_KEY_ED25519, NULL, EVP_sha256()},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct test_cert cert;
        uint8_t want[64], got[64];
        unsigned want_len;
        test_cert_make(&cert, cases[i].key, "DNS:mail.example.jp", cases[i].signed_with);
        X509_digest(cert.x509, cases[i].want, want, &want_len);
        size_t n = tls_end_point_of(cert.x509, got);
        cr_assert_eq(n, want_len, "case %zu", i);
        cr_assert_eq(memcmp(got, want, n), 0, "case %zu", i);
        test_cert_fini(&cert);
    }
}

/* ---- which certificate ---- */

struct choice {
    const char *sni;
    int max_version;
    const char *sigalgs;
    int want; /* index into certs */
};

enum { DEFAULT_EC, WILD_EC, EXACT_EC, EXACT_RSA, COMMON_RSA, CERT_COUNT };

static const struct choice choices[] = {
    {NULL, 0, NULL, DEFAULT_EC},
    {"unknown.example.org", 0, NULL, DEFAULT_EC},
    {"first.example.jp", 0, NULL, DEFAULT_EC},
    {"FIRST.example.JP", 0, NULL, DEFAULT_EC},
    {"any.wild.example.jp", 0, NULL, WILD_EC},
    {"a.b.wild.example.jp", 0, NULL, DEFAULT_EC},
    {"wild.example.jp", 0, NULL, DEFAULT_EC},
    {"exact.wild.example.jp", 0, NULL, EXACT_EC},
    {"exact.wild.example.jp.", 0, NULL, EXACT_EC},
    {"exact.wild.example.jp", 0, "rsa_pss_rsae_sha256", EXACT_RSA},
    {"exact.wild.example.jp", TLS1_2_VERSION, "RSA+SHA256", EXACT_RSA},
    {"common.example.jp", 0, NULL, COMMON_RSA},
    {"x", 0, NULL, DEFAULT_EC},
    {"*.wild.example.jp", 0, NULL, WILD_EC},
};

Test(tls_server, certificate_follows_the_name_and_what_the_client_can)
{
    struct test_cert certs[CERT_COUNT];
    test_cert_make(&certs[DEFAULT_EC], TEST_KEY_EC, "DNS:first.example.jp", EVP_sha256());
    test_cert_make(&certs[WILD_EC], TEST_KEY_EC, "DNS:*.wild.example.jp", EVP_sha256());
    test_cert_make(&certs[EXACT_EC], TEST_KEY_EC, "DNS:Exact.wild.example.jp,DNS:more.example.jp",
                   EVP_sha256());
    test_cert_make(&certs[EXACT_RSA], TEST_KEY_RSA, "DNS:exact.wild.example.jp", EVP_sha256());
    test_cert_make(&certs[COMMON_RSA], TEST_KEY_RSA, NULL, EVP_sha256()); /* CN alone */
    struct tls_server *tls = tf_server_new(certs, CERT_COUNT);
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        const struct choice *ch = &choices[i];
        if (ch->sni)
            SSL_set_tlsext_host_name(r.ssl, ch->sni);
        if (ch->max_version)
            SSL_set_max_proto_version(r.ssl, ch->max_version);
        if (ch->sigalgs)
            cr_assert_eq(SSL_set1_sigalgs_list(r.ssl, ch->sigalgs), 1);
        cr_assert(tf_handshake(&r, &s, tls), "choice %zu", i);
        X509 *shown = SSL_get1_peer_certificate(r.ssl);
        cr_assert_eq(X509_cmp(shown, certs[ch->want].x509), 0, "choice %zu (%s)", i, ch->sni);
        X509_free(shown);
        uint8_t want[64];
        size_t want_len = tls_end_point_of(certs[ch->want].x509, want);
        const struct tls_facts *f = conn_tls_facts(s.c);
        cr_assert_eq(f->end_point_len, want_len);
        cr_assert_eq(memcmp(f->end_point, want, want_len), 0, "choice %zu", i);
        cr_assert_str_eq(f->sni, ch->sni ? ch->sni : "");
        forget();
    }
    tls_server_free(&tls);
    for (int i = 0; i < CERT_COUNT; i++)
        test_cert_fini(&certs[i]);
}

/* ---- tickets ---- */

static void resume(int version, bool is_rsa, struct view keys_then, struct view keys_now, bool want)
{
    struct test_cert certs[2];
    test_cert_make(&certs[0], TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    test_cert_make(&certs[1], TEST_KEY_RSA, "DNS:mail.example.jp", EVP_sha384());
    struct tls_server *one = tf_server_with(certs, 2, keys_then, false);
    struct tls_server *two = tf_server_with(certs, 2, keys_now, false);
    cr_assert(one && two, "%s", tf_error);
    SSL_CTX_set_max_proto_version(r.ctx, version);
    SSL_set_max_proto_version(r.ssl, version);
    if (is_rsa)
        SSL_set1_sigalgs_list(r.ssl, "rsa_pss_rsae_sha256");
    cr_assert(tf_handshake(&r, &s, one));
    struct tls_facts first = *conn_tls_facts(s.c);
    cr_assert_not(first.is_resumed);
    cr_assert_eq(first.end_point_len, is_rsa ? 48 : 32);
    for (int i = 0; i < 2; i++) { /* the second time with the ticket of the resumed session */
        again();
        cr_assert(tf_handshake(&r, &s, two));
        const struct tls_facts *f = conn_tls_facts(s.c);
        cr_assert_eq(f->is_resumed, want || i > 0, "%s, round %d", f->version, i);
        cr_assert_eq(SSL_session_reused(r.ssl), want || i > 0);
        if (!want)
            continue;
        cr_assert_eq(f->end_point_len, first.end_point_len);
        cr_assert_eq(memcmp(f->end_point, first.end_point, f->end_point_len), 0);
        cr_assert_neq(memcmp(f->exporter, first.exporter, 32), 0);
    }
    tls_server_free(&one);
    tls_server_free(&two);
    test_cert_fini(&certs[0]);
    test_cert_fini(&certs[1]);
}

/* One key per letter. */
static struct view keys(const char *letters)
{
    static char text[4][TICKET_KEYS_MAX * TICKET_KEY_BYTES];
    static int turn;
    char *out = text[turn++ % 4];
    size_t n = strlen(letters);
    for (size_t i = 0; i < n; i++)
        memset(out + i * TICKET_KEY_BYTES, letters[i], TICKET_KEY_BYTES);
    return view_of(out, n * TICKET_KEY_BYTES);
}

Test(tls_server, sessions_resume_at_another_worker_with_the_same_keys)
{
    resume(TLS1_3_VERSION, false, keys("a"), keys("a"), true);
}

Test(tls_server, sessions_resume_in_tls12)
{
    resume(TLS1_2_VERSION, false, keys("a"), keys("a"), true);
}

Test(tls_server, resumed_session_knows_which_of_two_certificates_was_shown)
{
    resume(TLS1_3_VERSION, true, keys("a"), keys("a"), true);
    forget();
    resume(TLS1_2_VERSION, true, keys("a"), keys("a"), true);
}

Test(tls_server, other_ticket_keys_mean_a_full_handshake)
{
    resume(TLS1_3_VERSION, false, VIEW_EMPTY, VIEW_EMPTY, false); /* both random */
    forget();
    resume(TLS1_2_VERSION, false, keys("a"), keys("b"), false);
}

Test(tls_server, ticket_under_an_older_key_is_taken)
{
    resume(TLS1_3_VERSION, false, keys("a"), keys("ba"), true);
    forget();
    resume(TLS1_2_VERSION, false, keys("a"), keys("ba"), true);
}

Test(tls_server, one_ticket_is_sent)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    cr_assert(tf_handshake(&r, &s, tls));
    cr_assert_eq(SSL_CTX_get_num_tickets(tls->contexts[0].ctx), 1);
    cr_assert_eq(SSL_CTX_sess_accept_good(tls->contexts[0].ctx), 1);
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

/* ---- slow and odd clients ---- */

Test(tls_server, client_hello_byte_by_byte)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    int fd = cf_end_and_raw(&s);
    cr_assert_eq(conn_start_tls_server(s.c, tls), MSA_OK);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    SSL_set_bio(r.ssl, in, out);
    for (int i = 0; i < 6; i++) {
        char byte, block[4096];
        SSL_do_handshake(r.ssl);
        while (BIO_read(out, &byte, 1) == 1) {
            cr_assert_eq(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
            cf_turns(1);
        }
        ssize_t n = recv(fd, block, sizeof block, MSG_DONTWAIT);
        if (n > 0)
            BIO_write(in, block, (int)n);
    }
    cr_assert_eq(s.tls_ready_count, 1);
    close(fd);
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

/* OpenSSL has read both when the handshake ends, and no poll will tell of the second. */
Test(tls_server, command_in_one_packet_with_the_end_of_the_handshake)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    r.fd = cf_end_and_raw(&s);
    SSL_set_fd(r.ssl, r.fd);
    cr_assert_eq(conn_start_tls_server(s.c, tls), MSA_OK);
    cr_assert_eq(SSL_do_handshake(r.ssl), -1);
    cf_turns(3);
    cr_assert_eq(SSL_do_handshake(r.ssl), 1);
    cr_assert_eq(SSL_write(r.ssl, "EHLO me\r\n", 9), 9);
    cf_turns(3);
    cr_assert_eq(s.tls_ready_count, 1);
    cr_assert(cf_has(&s, "EHLO me\r\n"));
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

/* Reading has to write then (RFC 8446 §4.6.3), while a record of ours is half written. */
Test(tls_server, key_update_is_answered_although_output_is_blocked)
{
    static char text[600000], got[sizeof text];
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(&cert, 1);
    cr_assert(tf_handshake(&r, &s, tls));
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 13 + i / 1000);
    cr_assert_eq(conn_write(s.c, view_of(text, sizeof text)), MSA_OK);
    cf_turns(3);
    cr_assert_gt(conn_output_len(s.c), 0);
    cr_assert_eq(SSL_key_update(r.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
    cr_assert_eq(SSL_write(r.ssl, "first\r\n", 7), 7);
    cf_turns(3);
    cr_assert_eq(SSL_write(r.ssl, "second\r\n", 8), 8);
    size_t total = 0;
    for (int i = 0; i < 1000 && total < sizeof got; i++) {
        int n = SSL_read(r.ssl, got + total, (int)(sizeof got - total));
        total += n > 0 ? (size_t)n : 0;
        cf_turns(1);
    }
    cr_assert_eq(total, sizeof got);
    cr_assert_eq(memcmp(got, text, sizeof got), 0);
    cf_turns(3);
    cr_assert(cf_has(&s, "first\r\nsecond\r\n"));
    cr_assert_eq(s.closed_count, 0);
    tls_server_free(&tls);
    test_cert_fini(&cert);
}

/* ---- broken settings ---- */

Test(tls_server, broken_certificates_are_explained)
{
    struct test_cert ec, ec2, rsa;
    test_cert_make(&ec, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    test_cert_make(&ec2, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    test_cert_make(&rsa, TEST_KEY_RSA, "DNS:mail.example.jp", EVP_sha256());
    static char cut[8192], twice[16384], damaged[16384];
    memcpy(cut, ec.chain, sizeof cut);
    cut[strlen(cut) / 2] = '\0';
    snprintf(twice, sizeof twice, "%s%s", ec.chain, rsa.chain);
    snprintf(damaged, sizeof damaged, "%s%s", ec.chain, cut);
    static const char encrypted[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n"
                                    "-----END ENCRYPTED PRIVATE KEY-----\n";
    struct {
        const char *chain;
        const char *key;
        const char *want; /* NULL: good */
    } cases[] = {
        {ec.chain, ec.key, NULL},
        {twice, ec.key, NULL},
        {ec.chain, ec2.key, "the key belongs to another certificate"},
        {ec.chain, rsa.key, "the key belongs to another certificate"},
        {"", ec.key, "does not begin with a certificate"},
        {ec.key, ec.key, "does not begin with a certificate"},
        {"no PEM at all", ec.key, "does not begin with a certificate"},
        {cut, ec.key, "does not begin with a certificate"},
        {damaged, ec.key, "a certificate of the chain cannot be read"},
        {ec.chain, "", "there is no private key"},
        {ec.chain, ec.chain, "there is no private key"},
        {ec.chain, encrypted, "without a passphrase"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tls_certificate pem[2] = {
            {.chain_pem = view_cstr(rsa.chain), .key_pem = view_cstr(rsa.key)},
            {.chain_pem = view_cstr(cases[i].chain), .key_pem = view_cstr(cases[i].key)}};
        struct tls_server_settings set = {.certificates = pem, .certificate_count = 2};
        struct tls_server *tls = tls_server_new(&set, tf_error);
        cr_assert_eq(tls != NULL, cases[i].want == NULL, "case %zu: %s", i, tf_error);
        if (cases[i].want) {
            cr_assert_not_null(strstr(tf_error, cases[i].want), "case %zu: %s", i, tf_error);
            cr_assert_not_null(strstr(tf_error, "certificate 2: "), "case %zu: %s", i, tf_error);
        }
        tls_server_free(&tls);
    }
    test_cert_fini(&ec);
    test_cert_fini(&ec2);
    test_cert_fini(&rsa);
}

Test(tls_server, broken_settings_are_explained)
{
    struct test_cert cert;
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    cr_assert_null(tf_server_with(&cert, 0, VIEW_EMPTY, false));
    cr_assert_not_null(strstr(tf_error, "0 certificates"), "%s", tf_error);
    cr_assert_null(tf_server_with(&cert, 1, VIEW_LIT("short"), false));
    cr_assert_not_null(strstr(tf_error, "5 bytes"), "%s", tf_error);
    static char many[(TICKET_KEYS_MAX + 1) * TICKET_KEY_BYTES];
    cr_assert_null(tf_server_with(&cert, 1, view_of(many, sizeof many), false));
    test_cert_fini(&cert);
}

Test(tls_server, earliest_end_of_validity_is_known)
{
    struct test_cert certs[2];
    test_cert_make(&certs[0], TEST_KEY_EC, "DNS:a.example.jp", EVP_sha256());
    test_cert_make(&certs[1], TEST_KEY_EC, "DNS:b.example.jp", EVP_sha256());
    struct tls_server *tls = tf_server_new(certs, 2);
    int64_t in_s = tls_server_expires_s(tls) - (int64_t)time(NULL);
    cr_assert_geq(in_s, 86400 - 60);
    cr_assert_leq(in_s, 86400);
    tls_server_free(&tls);
    test_cert_fini(&certs[0]);
    test_cert_fini(&certs[1]);
}
