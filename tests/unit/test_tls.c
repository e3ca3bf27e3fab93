#include <criterion/criterion.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "tls_fixture.h"

/* Both ends are ours. */
static struct test_cert cert;
static struct tls_server *server;
static struct tls_client *client;
static struct end s, c;

static void set_up(void)
{
    cf_set_up();
    test_cert_make(&cert, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    server = tf_server_new(&cert, 1);
    struct tls_client_settings set = {.is_verified = false};
    client = tls_client_new(&set, tf_error);
    cr_assert_not_null(client, "%s", tf_error);
}

static void tear_down(void)
{
    cf_end_fini(&s);
    cf_end_fini(&c);
    cf_tear_down();
    tls_server_free(&server);
    tls_client_free(&client);
    test_cert_fini(&cert);
}

TestSuite(tls, .timeout = 20, .init = set_up, .fini = tear_down);

static void connect_tls(void)
{
    cf_pair(&s, &c);
    s.is_in_call = c.is_in_call = true;
    cr_assert_eq(conn_start_tls_server(s.c, server), MSA_OK);
    cr_assert_eq(conn_start_tls_client(c.c, client, "mail.example.jp"), MSA_OK);
    s.is_in_call = c.is_in_call = false;
    cr_assert_not(conn_is_tls(s.c));
    cr_assert_null(conn_tls_facts(s.c));
    cr_assert_eq(conn_write(s.c, VIEW_LIT("too early")), MSA_EAGAIN);
    cf_until(&s.tls_ready_count, 1);
    cf_until(&c.tls_ready_count, 1);
    cr_assert(conn_is_tls(s.c));
}

/* ---- both ways ---- */

Test(tls, bytes_pass_both_ways)
{
    connect_tls();
    cf_write(&s, "220 mail.example.jp\r\n");
    cf_until(&c.input_count, 1);
    cr_assert(cf_has(&c, "220 mail.example.jp\r\n"));
    cf_write(&c, "EHLO me\r\n");
    cf_until(&s.input_count, 1);
    cr_assert(cf_has(&s, "EHLO me\r\n"));
}

static char body[3000001];

Test(tls, long_output_and_files_pass_whole)
{
    connect_tls();
    for (size_t i = 0; i < sizeof body; i++)
        body[i] = (char)(i * 31 + i / 999);
    int fd = memfd_create("body", MFD_CLOEXEC);
    cr_assert_eq(write(fd, body, sizeof body), (ssize_t)sizeof body);
    cr_assert_eq(conn_write(c.c, view_of(body, 1000000)), MSA_OK);
    cr_assert_eq(conn_write_file(c.c, fd, 1000000, sizeof body - 1000000), MSA_OK);
    cf_write(&c, "end");
    for (int i = 0; i < 3000 && buf_len(&s.got) < sizeof body + 3; i++)
        cf_turns(1);
    cr_assert_eq(buf_len(&s.got), sizeof body + 3);
    cr_assert(view_eq(view_slice(buf_view(&s.got), 0, sizeof body), view_of(body, sizeof body)));
    cr_assert_eq(c.drained_count, 1);
    close(fd);
}

/* One record of 16 KiB is in OpenSSL when only 8 KiB fit: no poll would tell of the rest. */
Test(tls, what_is_inside_openssl_is_not_forgotten_at_high_water)
{
    connect_tls();
    s.is_leaving_input = true;
    cr_assert_eq(conn_write(c.c, view_of(body, 40000)), MSA_OK);
    cf_turns(10);
    cr_assert_eq(s.input_count, 1);
    while (buf_len(&s.got) < 40000) {
        struct buf *in = conn_in(s.c);
        cr_assert_gt(buf_len(in), 0);
        buf_add(&s.got, buf_view(in));
        buf_take(in, buf_len(in));
        cf_turns(2);
    }
    cr_assert_eq(s.closed_count, 0);
}

Test(tls, stopped_reading_goes_on_with_what_is_inside_openssl)
{
    connect_tls();
    conn_read_stop(s.c);
    cr_assert_eq(conn_write(c.c, view_of(body, 30000)), MSA_OK);
    cf_turns(5);
    cr_assert_eq(s.input_count, 0);
    conn_read_start(s.c);
    cf_turns(10);
    cr_assert_eq(buf_len(&s.got), 30000);
}

Test(tls, idle_session_costs_little)
{
    connect_tls();
    cf_write(&c, "EHLO me\r\n");
    cf_until(&s.input_count, 1);
    cf_write(&s, "250 ok\r\n");
    cf_until(&c.input_count, 1);
    cr_assert_leq(conn_memory_bytes(s.c), 1100);
    conn_tls_facts_drop(s.c);
    cr_assert_null(conn_tls_facts(s.c));
    cr_assert_leq(conn_memory_bytes(s.c), 600);
    cr_assert(conn_tls_facts_make(s.c));
    cr_assert_eq(conn_tls_facts(s.c)->exporter_len, 32);
}

/* ---- facts ---- */

Test(tls, both_ends_know_the_same)
{
    uint8_t hash[64];
    unsigned hash_len;
    connect_tls();
    const struct tls_facts *fs = conn_tls_facts(s.c), *fc = conn_tls_facts(c.c);
    cr_assert_str_eq(fs->version, "TLSv1.3");
    cr_assert_str_eq(fs->cipher, "TLS_AES_256_GCM_SHA384");
    cr_assert_eq(fs->bits, 256);
    cr_assert_str_eq(fs->sni, "mail.example.jp");
    cr_assert_not(fs->is_resumed);
    cr_assert_not(fc->is_verified);
    cr_assert_eq(fs->exporter_len, 32);
    cr_assert_eq(fc->exporter_len, 32);
    cr_assert_eq(memcmp(fs->exporter, fc->exporter, 32), 0);
    X509_digest(cert.x509, EVP_sha256(), hash, &hash_len);
    cr_assert_eq(fs->end_point_len, hash_len);
    cr_assert_eq(memcmp(fs->end_point, hash, hash_len), 0);
    cr_assert_eq(fc->end_point_len, hash_len);
    cr_assert_eq(memcmp(fc->end_point, hash, hash_len), 0);
}

/* ---- ends ---- */

Test(tls, close_notify_is_an_end_and_its_lack_a_truncation)
{
    connect_tls();
    cf_write(&c, "QUIT\r\n");
    conn_close(&c.c);
    cf_until(&s.closed_count, 1);
    cr_assert(cf_has(&s, "QUIT\r\n"));
    cr_assert_eq(s.end, CONN_END_EOF);

    cf_end_fini(&s);
    cf_end_fini(&c);
    s = c = (struct end){0};
    connect_tls();
    cf_write(&c, "half a mes");
    cf_turns(1);
    conn_abort(&c.c);
    cf_until(&s.closed_count, 1);
    cr_assert(cf_has(&s, "half a mes"));
    cr_assert_eq(s.end, CONN_END_TRUNCATED);
}

Test(tls, reply_is_sent_before_close_under_tls)
{
    connect_tls();
    cf_write(&s, "421 bye\r\n");
    conn_close(&s.c);
    cf_until(&c.closed_count, 1);
    cr_assert(cf_has(&c, "421 bye\r\n"));
    cr_assert_eq(c.end, CONN_END_EOF);
}

Test(tls, clear_text_where_a_handshake_is_due_ends_the_connection)
{
    struct {
        const char *text;
    } cases[] = {{"EHLO me\r\n"}, {"GET / HTTP/1.1\r\n\r\n"}, {"PROXY UNKNOWN\r\n"}, {"\r\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct end e = {0};
        int raw = cf_end_and_raw(&e);
        cr_assert_eq(conn_start_tls_server(e.c, server), MSA_OK);
        cf_raw_write(raw, cases[i].text);
        cf_turns(3);
        shutdown(raw, SHUT_WR);
        cf_turns(3);
        cr_assert_eq(e.closed_count, 1, "%s", cases[i].text);
        cr_assert(e.end == CONN_END_TLS || e.end == CONN_END_TRUNCATED, "%s", cases[i].text);
        cr_assert_eq(e.input_count, 0);
        cr_assert_eq(e.tls_ready_count, 0);
        close(raw);
        cf_end_fini(&e);
    }
}

Test(tls, peer_that_leaves_in_the_handshake_is_reported)
{
    struct end e = {0};
    int raw = cf_end_and_raw(&e);
    cr_assert_eq(conn_start_tls_server(e.c, server), MSA_OK);
    cf_turns(1);
    close(raw);
    cf_turns(3);
    cr_assert_eq(e.closed_count, 1);
    cr_assert(e.end == CONN_END_TRUNCATED || e.end == CONN_END_RESET);
    cf_end_fini(&e);
}

Test(tls, contexts_may_be_freed_under_live_connections)
{
    connect_tls();
    tls_server_free(&server);
    tls_client_free(&client);
    cf_write(&c, "still here\r\n");
    cf_until(&s.input_count, 1);
    cr_assert(cf_has(&s, "still here\r\n"));
}

/* ---- STARTTLS ---- */

static int start_result;

static void start_server_on_line(struct end *e)
{
    struct buf *in = conn_in(e->c);
    size_t n = view_find(buf_view(in), '\n') + 1;
    buf_add(&e->got, view_slice(buf_view(in), 0, n));
    buf_take(in, n);
    cr_assert_eq(conn_write(e->c, VIEW_LIT("220 go\r\n")), MSA_OK);
    e->on_input = NULL;
    start_result = conn_start_tls_server(e->c, server);
    if (start_result < 0)
        conn_close(&e->c);
}

static void start_client_on_line(struct end *e)
{
    struct buf *in = conn_in(e->c);
    size_t n = view_find(buf_view(in), '\n') + 1;
    buf_take(in, n);
    e->on_input = NULL;
    start_result = conn_start_tls_client(e->c, client, "mail.example.jp");
    if (start_result < 0)
        conn_close(&e->c);
}

Test(tls, starttls_sends_its_reply_in_clear_and_goes_on_under_tls)
{
    cf_pair(&s, &c);
    s.on_input = start_server_on_line;
    c.on_input = start_client_on_line;
    cf_write(&c, "STARTTLS\r\n");
    cf_until(&c.tls_ready_count, 1);
    cf_write(&c, "EHLO again\r\n");
    cf_until(&s.input_count, 2);
    cr_assert(cf_has(&s, "STARTTLS\r\nEHLO again\r\n"));
}

Test(tls, command_injected_behind_starttls_ends_the_session)
{
    s.on_input = start_server_on_line;
    int raw = cf_end_and_raw(&s);
    cf_raw_write(raw, "STARTTLS\r\nMAIL FROM:<evil@example.jp>\r\n");
    cf_turns(3);
    cr_assert_eq(start_result, MSA_EPROTO);
    cr_assert_null(s.c);
    close(raw);
}

Test(tls, command_injected_after_the_reply_is_never_input)
{
    s.on_input = start_server_on_line;
    int raw = cf_end_and_raw(&s);
    cf_raw_write(raw, "STARTTLS\r\n");
    cf_turns(1);
    cf_raw_write(raw, "MAIL FROM:<evil@example.jp>\r\n");
    cf_turns(3);
    cr_assert_eq(start_result, MSA_OK);
    cr_assert(cf_has(&s, "STARTTLS\r\n"));
    cr_assert_eq(s.end, CONN_END_TLS);
    cr_assert_eq(s.input_count, 1);
    close(raw);
}

Test(tls, reply_injected_by_a_smarthost_ends_the_session)
{
    c.on_input = start_client_on_line;
    int raw = cf_end_and_raw(&c);
    cf_raw_write(raw, "220 go\r\n250 fake capabilities\r\n");
    cf_turns(3);
    cr_assert_eq(start_result, MSA_EPROTO);
    cr_assert_null(c.c);
    close(raw);
}

Test(tls, start_in_a_wrong_state_is_refused)
{
    connect_tls();
    cr_assert_eq(conn_start_tls_server(s.c, server), MSA_EINVAL);
    cr_assert_eq(conn_start_tls_client(c.c, client, "x"), MSA_EINVAL);
}

/* ---- whom the client believes ---- */

struct trust {
    const char *name;
    bool is_ca_known;
    bool is_verified;
    const char *server_name;
    const char *verify_name;
    bool want_ready;
    const char *want_error;
};

static const struct trust trusts[] = {
    {"known and of this name", true, true, "mail.example.jp", NULL, true, ""},
    {"name in other case", true, true, "MAIL.example.JP", NULL, true, ""},
    {"another name", true, true, "other.example.jp", NULL, false, "ostname mismatch"},
    {"name given apart", true, true, "smarthost", "mail.example.jp", true, ""},
    {"name given apart, another", true, true, "mail.example.jp", "other", false, "ostname mismatch"},
    {"address in place of the name", true, true, "192.0.2.1", NULL, false, "IP address mismatch"},
    {"unknown", false, true, "mail.example.jp", NULL, false, "self-signed certificate"},
    {"nothing asked", false, false, "other.example.jp", NULL, true, ""},
};

static void try_trust(const struct trust *t, const char *ca_pem)
{
    struct tls_client_settings set = {.ca_pem = ca_pem, .is_verified = t->is_verified,
                                      .verify_name = t->verify_name};
    tls_client_free(&client);
    client = tls_client_new(&set, tf_error);
    cr_assert_not_null(client, "%s: %s", t->name, tf_error);
    cf_pair(&s, &c);
    cr_assert_eq(conn_start_tls_server(s.c, server), MSA_OK);
    cr_assert_eq(conn_start_tls_client(c.c, client, t->server_name), MSA_OK);
    cf_turns(10);
    cr_assert_eq(c.tls_ready_count, t->want_ready ? 1 : 0, "%s", t->name);
    if (t->want_ready) {
        cr_assert_eq(conn_tls_facts(c.c)->is_verified, t->is_verified, "%s", t->name);
    } else {
        cr_assert_eq(c.end, CONN_END_TLS, "%s", t->name);
        cr_assert_not_null(strstr(c.error, t->want_error), "%s: %s", t->name, c.error);
        cr_assert_eq(s.tls_ready_count + s.input_count, 0, "%s", t->name);
    }
    cf_end_fini(&s);
    cf_end_fini(&c);
    s = c = (struct end){0};
}

Test(tls, client_believes_who_it_was_told_to)
{
    struct test_cert stranger;
    test_cert_make(&stranger, TEST_KEY_EC, "DNS:mail.example.jp", EVP_sha256());
    clock_use_real();
    for (size_t i = 0; i < sizeof trusts / sizeof trusts[0]; i++)
        try_trust(&trusts[i], trusts[i].is_ca_known ? cert.chain : stranger.chain);
    test_cert_fini(&stranger);
}

Test(tls, client_without_anybody_to_trust_says_so)
{
    static const char *const bad[] = {
        "", "not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct tls_client_settings set = {.ca_pem = bad[i], .is_verified = true};
        cr_assert_null(tls_client_new(&set, tf_error));
        cr_assert_not_null(strstr(tf_error, "no certificates to trust"), "%s", tf_error);
    }
}
