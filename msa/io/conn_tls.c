/* TLS in a connection: OpenSSL over the socket itself, which needs less memory than over buffers of ours.
 * OpenSSL's error queue belongs to the thread, so it is emptied before each call whose result is asked. */
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/io/conn_private.h"
#include "msa/io/tls_private.h"

/* ---- results ---- */

static void end_by_ssl_error(struct conn *c)
{
    char text[TLS_ERROR_MAX];
    unsigned long code = ERR_peek_error();
    c->is_tls_broken = true;
    if (ERR_GET_LIB(code) == ERR_LIB_SSL &&
        ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
        conn_set_end(c, CONN_END_TRUNCATED, "closed without close_notify");
        return;
    }
    if (ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        conn_set_end(c, CONN_END_TLS, X509_verify_cert_error_string(SSL_get_verify_result(c->ssl)));
    tls_describe_error(text, "TLS failure");
    conn_set_end(c, CONN_END_TLS, text);
}

static void end_by_system(struct conn *c, int error)
{
    c->is_tls_broken = true;
    if (error == 0)
        conn_set_end(c, CONN_END_TRUNCATED, "closed without close_notify");
    else
        conn_set_end(c, CONN_END_RESET, strerror(error));
}

/* Why an SSL call gave `rc` <= 0: notes the end, or gives what the call waits for, IO_READ or IO_WRITE. */
static unsigned judge(struct conn *c, int rc)
{
    int error = errno;
    switch (SSL_get_error(c->ssl, rc)) {
    case SSL_ERROR_WANT_READ: return IO_READ;
    case SSL_ERROR_WANT_WRITE: return IO_WRITE;
    case SSL_ERROR_ZERO_RETURN: conn_set_end(c, CONN_END_EOF, NULL); break;
    case SSL_ERROR_SYSCALL: end_by_system(c, error); break;
    default: end_by_ssl_error(c); break;
    }
    return 0;
}

static int as_int(size_t n)
{
    return n > INT_MAX ? INT_MAX : (int)n;
}

ssize_t conn_tls_read(struct conn *c, char *p, size_t n)
{
    ERR_clear_error();
    errno = 0;
    int rc = SSL_read(c->ssl, p, as_int(n));
    if (rc > 0)
        return rc;
    c->read_wants_write = judge(c, rc) == IO_WRITE;
    return -1;
}

ssize_t conn_tls_write(struct conn *c, const char *p, size_t n)
{
    ERR_clear_error();
    errno = 0;
    int rc = SSL_write(c->ssl, p, as_int(n));
    if (rc > 0)
        return rc;
    unsigned wants = judge(c, rc);
    c->is_blocked = wants == IO_WRITE;
    c->write_wants_read = wants == IO_READ;
    return -1;
}

bool conn_tls_has_pending(const struct conn *c)
{
    return c->ssl && c->phase == CONN_OPEN && SSL_has_pending(c->ssl);
}

/* ---- handshake ---- */

static int check_start(const struct conn *c)
{
    if (c->phase != CONN_OPEN || c->ssl || c->file)
        return MSA_EINVAL;
    /* Whatever came in clear was said by who knows whom (CVE-2011-0411, CVE-2021-33515). */
    return buf_len(&c->in) > 0 || c->end != CONN_END_NONE ? MSA_EPROTO : MSA_OK;
}

static int start(struct conn *c, SSL *ssl)
{
    if (!ssl)
        return MSA_ENOMEM;
    c->ssl = ssl;
    c->phase = CONN_TLS_SOON;
    c->is_full = c->is_forced = false;
    conn_flush_soon(c);
    conn_update_watch(c, true);
    return MSA_OK;
}

int conn_start_tls_server_asking(struct conn *c, struct tls_server *tls, struct tls_trust *trust)
{
    int err = check_start(c);
    if (err == MSA_OK)
        err = start(c, tls_server_session(tls, c->fd));
    if (err < 0)
        return err;
    c->tls_server = tls_server_ref(tls);
    c->tls_trust = tls_trust_ref(trust);
    return trust && !tls_trust_use(trust, c->ssl) ? MSA_ENOMEM : MSA_OK;
}

int conn_start_tls_server(struct conn *c, struct tls_server *tls)
{
    return conn_start_tls_server_asking(c, tls, NULL);
}

int conn_start_tls_client(struct conn *c, struct tls_client *tls, const char *server_name)
{
    int err = check_start(c);
    return err == MSA_OK ? start(c, tls_client_session(tls, server_name, c->fd)) : err;
}

void conn_tls_begin(struct conn *c)
{
    c->phase = CONN_HANDSHAKE;
    /* The client speaks first, and OpenSSL takes 40 KiB as soon as it begins: not for who only connects. */
    if (SSL_is_server(c->ssl))
        conn_update_watch(c, true);
    else
        conn_tls_handshake(c);
}

static void on_handshake_done(struct conn *c)
{
    c->phase = CONN_OPEN;
    if (!conn_tls_facts_make(c)) {
        conn_set_end(c, CONN_END_NO_MEMORY, NULL);
        conn_report_end(c);
        return;
    }
    c->events->on_tls_ready(c->owner);
    if (conn_tls_has_pending(c)) /* came in one packet with the handshake's end: no poll will tell */
        conn_read_soon(c);
}

void conn_tls_handshake(struct conn *c)
{
    ERR_clear_error();
    errno = 0;
    int rc = SSL_do_handshake(c->ssl);
    c->is_blocked = false;
    if (rc == 1) {
        on_handshake_done(c);
        conn_update_watch(c, true);
        return;
    }
    c->is_blocked = judge(c, rc) == IO_WRITE;
    if (c->end != CONN_END_NONE)
        conn_report_end(c);
    else
        conn_update_watch(c, true);
}

/* ---- end ---- */

bool conn_tls_shutdown(struct conn *c)
{
    ERR_clear_error();
    c->is_blocked = false;
    int rc = SSL_shutdown(c->ssl);
    if (rc < 0 && SSL_get_error(c->ssl, rc) == SSL_ERROR_WANT_WRITE)
        c->is_blocked = true;
    return !c->is_blocked;
}

void conn_tls_free(struct conn *c)
{
    SSL_free(c->ssl);
    c->ssl = NULL;
    tls_server_free(&c->tls_server);
    tls_trust_free(&c->tls_trust);
}

/* ---- facts ---- */

bool conn_is_tls(const struct conn *c)
{
    return c->ssl && c->phase == CONN_OPEN;
}

const struct tls_facts *conn_tls_facts(const struct conn *c)
{
    return c->facts;
}

void conn_tls_facts_drop(struct conn *c)
{
    if (c->facts)
        free(c->facts->client);
    free(c->facts);
    c->facts = NULL;
}

bool conn_tls_facts_make(struct conn *c)
{
    if (c->facts)
        return true;
    if (!conn_is_tls(c))
        return false;
    c->facts = calloc(1, sizeof *c->facts);
    if (c->facts)
        tls_facts_take(c->ssl, c->facts);
    return c->facts != NULL;
}
