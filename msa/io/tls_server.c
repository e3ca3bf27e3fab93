/* The server's side of TLS: contexts, and which one a client gets.
 *
 * For each name that stands in a certificate there is one set: of each key type the first certificate that
 * is good for the name (ECDSA and RSA together, so that OpenSSL picks by what the client can). Equal sets share
 * one SSL_CTX. All is made here; a handshake only looks a name up. */
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/io/tls_server_private.h"

/* Forward secrecy only (RFC 9325 §4.1, §4.2). CBC stays at the end for mail programs of the last decade. */
#define TLS12_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL:!eNULL:!kRSA:!PSK:!SRP:!RC4:!3DES"

struct tls_server *tls_server_of(SSL *ssl)
{
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* ---- OpenSSL's callbacks ---- */

static SSL_CTX *find_context(const struct tls_server *tls, struct view name)
{
    const struct table_entry *e = table_find(&tls->names, name);
    return e ? CONTAINER_OF(e, struct tls_name, entry)->ctx : NULL;
}

/* The exact name, else "*" in place of its first label. */
static SSL_CTX *choose_context(const struct tls_server *tls, const char *asked)
{
    char name[TLS_NAME_MAX];
    size_t n = strlen(asked);
    if (n > 0 && asked[n - 1] == '.')
        n--;
    if (n == 0 || n >= sizeof name)
        return NULL;
    for (size_t i = 0; i < n; i++)
        name[i] = ascii_lower(asked[i]);
    SSL_CTX *ctx = find_context(tls, view_of(name, n));
    size_t dot = view_find(view_of(name, n), '.');
    if (ctx || dot == 0 || dot == n)
        return ctx;
    name[dot - 1] = '*';
    return find_context(tls, view_of(name + dot - 1, n - dot + 1));
}

/* An unknown name gets the default certificate: the client is the one to judge it. */
static int on_sni(SSL *ssl, int *alert, void *arg)
{
    (void)alert;
    const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    SSL_CTX *ctx = asked ? choose_context(arg, asked) : NULL;
    if (!ctx)
        return SSL_TLSEXT_ERR_NOACK;
    SSL_set_SSL_CTX(ssl, ctx);
    tls_trust_apply(ssl);
    return SSL_TLSEXT_ERR_OK;
}

/* Asked only if the client offered any. "smtp" or nothing: a page that makes a browser talk to us under the
 * name of a web server ends here (ALPACA). */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl, (void)arg;
    struct view rest = view_of((const char *)in, in_len);
    while (rest.n > 0) {
        size_t n = (unsigned char)rest.p[0];
        struct view protocol = view_slice(rest, 1, n + 1);
        if (view_eq(protocol, VIEW_LIT("smtp"))) {
            *out = (const unsigned char *)protocol.p;
            *out_len = (unsigned char)protocol.n;
            return SSL_TLSEXT_ERR_OK;
        }
        rest = view_slice(rest, n + 1, rest.n);
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL; /* no_application_protocol, RFC 7301 §3.2 */
}

/* ---- contexts ---- */

static bool set_up_context(struct tls_server *tls, SSL_CTX *ctx)
{
    if (tls_set_common(ctx) < 0 || SSL_CTX_set_cipher_list(ctx, TLS12_CIPHERS) != 1)
        return false;
    if (tls->min_is_tls13 && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1)
        return false;
    SSL_CTX_set_app_data(ctx, tls);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_sni);
    SSL_CTX_set_tlsext_servername_arg(ctx, tls);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    tls_tickets_use(tls, ctx);
    return true;
}

static int add_identity(const struct tls_server *tls, size_t i, SSL_CTX *ctx,
                        char error[TLS_ERROR_MAX])
{
    const struct tls_identity *id = &tls->identities[i];
    if (SSL_CTX_use_cert_and_key(ctx, id->leaf, id->key, id->chain, 0) == 1 &&
        SSL_CTX_check_private_key(ctx) == 1)
        return MSA_OK;
    char why[TLS_ERROR_MAX];
    tls_describe_error(why, "OpenSSL does not take it");
    snprintf(error, TLS_ERROR_MAX, "certificate %zu: %.200s", i + 1, why);
    return MSA_EINVAL;
}

static SSL_CTX *new_context(struct tls_server *tls, uint64_t members, char error[TLS_ERROR_MAX])
{
    struct tls_context *contexts =
        realloc(tls->contexts, (tls->context_count + 1) * sizeof *contexts);
    if (contexts)
        tls->contexts = contexts;
    SSL_CTX *ctx = contexts ? SSL_CTX_new(TLS_server_method()) : NULL;
    if (!ctx || !set_up_context(tls, ctx)) {
        tls_describe_error(error, "out of memory");
        SSL_CTX_free(ctx);
        return NULL;
    }
    tls->contexts[tls->context_count++] = (struct tls_context){.ctx = ctx, .members = members};
    for (size_t i = 0; i < tls->identity_count; i++)
        if ((members >> i & 1) && add_identity(tls, i, ctx, error) < 0)
            return NULL;
    return ctx;
}

static SSL_CTX *context_for(struct tls_server *tls, uint64_t members, char error[TLS_ERROR_MAX])
{
    for (size_t i = 0; i < tls->context_count; i++)
        if (tls->contexts[i].members == members)
            return tls->contexts[i].ctx;
    return new_context(tls, members, error);
}

/* Of each key type the first one good for `name`; `preferred` before all others of its type. */
static uint64_t members_for(const struct tls_server *tls, const char *name, size_t preferred)
{
    uint64_t members = UINT64_C(1) << preferred;
    for (size_t i = 0; i < tls->identity_count; i++) {
        bool is_type_there = false;
        for (size_t k = 0; k < tls->identity_count; k++)
            if ((members >> k & 1) && tls->identities[k].key_type == tls->identities[i].key_type)
                is_type_there = true;
        if (!is_type_there && tls_identity_covers(&tls->identities[i], name))
            members |= UINT64_C(1) << i;
    }
    return members;
}

static int add_name(struct tls_server *tls, size_t i, const char *name, char error[TLS_ERROR_MAX])
{
    if (table_find(&tls->names, view_cstr(name)))
        return MSA_OK; /* an earlier certificate has it */
    SSL_CTX *ctx = context_for(tls, members_for(tls, name, i), error);
    if (!ctx)
        return MSA_EINVAL;
    struct tls_name *n = calloc(1, sizeof *n);
    if (n) {
        n->ctx = ctx;
        n->entry.key = view_cstr(name);
    }
    if (!n || table_insert(&tls->names, &n->entry) < 0) {
        free(n);
        snprintf(error, TLS_ERROR_MAX, "out of memory");
        return MSA_ENOMEM;
    }
    return MSA_OK;
}

static int make_contexts(struct tls_server *tls, char error[TLS_ERROR_MAX])
{
    const struct tls_identity *first = &tls->identities[0];
    const char *first_name = first->name_count > 0 ? first->names[0] : "";
    if (!context_for(tls, members_for(tls, first_name, 0), error))
        return MSA_EINVAL;
    for (size_t i = 0; i < tls->identity_count; i++)
        for (size_t k = 0; k < tls->identities[i].name_count; k++) {
            int err = add_name(tls, i, tls->identities[i].names[k], error);
            if (err < 0)
                return err;
        }
    return MSA_OK;
}

/* ---- whole ---- */

static int load_identities(struct tls_server *tls, const struct tls_server_settings *set,
                           char error[TLS_ERROR_MAX])
{
    if (set->certificate_count == 0 || set->certificate_count > TLS_CERTIFICATES_MAX) {
        snprintf(error, TLS_ERROR_MAX, "%zu certificates; 1 to %d are right", set->certificate_count,
                 TLS_CERTIFICATES_MAX);
        return MSA_EINVAL;
    }
    tls->identities = calloc(set->certificate_count, sizeof *tls->identities);
    if (!tls->identities) {
        snprintf(error, TLS_ERROR_MAX, "out of memory");
        return MSA_ENOMEM;
    }
    for (size_t i = 0; i < set->certificate_count; i++) {
        tls->identity_count = i + 1;
        int err = tls_identity_load(&set->certificates[i], i, &tls->identities[i], error);
        if (err < 0)
            return err;
    }
    return MSA_OK;
}

struct tls_server *tls_server_new(const struct tls_server_settings *settings,
                                  char error[TLS_ERROR_MAX])
{
    struct tls_server *tls = calloc(1, sizeof *tls);
    if (!tls) {
        snprintf(error, TLS_ERROR_MAX, "out of memory");
        return NULL;
    }
    tls->ref_count = 1;
    tls->min_is_tls13 = settings->min_is_tls13;
    table_init(&tls->names);
    if (tls_tickets_init(tls, settings->ticket_keys, error) < 0 ||
        load_identities(tls, settings, error) < 0 || make_contexts(tls, error) < 0)
        tls_server_free(&tls);
    return tls;
}

struct tls_server *tls_server_ref(struct tls_server *tls)
{
    tls->ref_count++;
    return tls;
}

static void free_name(struct table_entry *e, void *arg)
{
    table_remove(arg, e);
    free(CONTAINER_OF(e, struct tls_name, entry));
}

void tls_server_free(struct tls_server **tls)
{
    struct tls_server *t = *tls;
    *tls = NULL;
    if (!t || --t->ref_count > 0)
        return;
    table_each(&t->names, free_name, &t->names);
    table_fini(&t->names);
    for (size_t i = 0; i < t->context_count; i++)
        SSL_CTX_free(t->contexts[i].ctx);
    free(t->contexts);
    for (size_t i = 0; i < t->identity_count; i++)
        tls_identity_fini(&t->identities[i]);
    free(t->identities);
    tls_tickets_fini(t);
    free(t);
}

int64_t tls_server_expires_s(const struct tls_server *tls)
{
    int64_t first_s = INT64_MAX;
    for (size_t i = 0; i < tls->identity_count; i++) {
        int64_t s = tls_identity_expires_s(&tls->identities[i]);
        if (s < first_s)
            first_s = s;
    }
    return first_s;
}

SSL *tls_server_session(struct tls_server *tls, int fd)
{
    ERR_clear_error();
    SSL *ssl = SSL_new(tls->contexts[0].ctx);
    if (!ssl)
        return NULL;
    SSL_set_accept_state(ssl);
    if (SSL_set_fd(ssl, fd) != 1) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}
