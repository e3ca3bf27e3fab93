#include "msa/proc/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/io/fetch.h"
#include "msa/proc/generation_dkim.h"
#include "policy/notice/template.h"

static int read_all(int fd, struct buf *out)
{
    for (;;) {
        char *at = buf_reserve(out, 1);
        if (!at)
            return MSA_ETOOBIG;
        ssize_t n = read(fd, at, buf_room(out));
        if (n == 0)
            return MSA_OK;
        if (n == -1 && errno != EINTR)
            return MSA_EIO;
        if (n > 0)
            buf_commit(out, (size_t)n);
    }
}

/* One mistake for people: where the configuration names the file, the file, and what is wrong with it. */
static void complain(const struct generation *g, const char *const *field, const char *what,
                     struct buf *report)
{
    char where[CONFIG_WHERE_MAX];
    config_where(g->config, field, where);
    buf_addf(report, "%s: %s: %s\n", where, *field, what);
}

/* `field` names the file. `out` has room for one byte more than a good file has, so that its end is seen. */
static int read_file(const struct generation *g, const char *const *field, struct buf *out,
                     struct buf *report)
{
    char what[128] = "larger than any certificate or key";
    int fd = open(*field, O_RDONLY | O_CLOEXEC);
    int err = fd == -1 ? MSA_EIO : read_all(fd, out);
    if (err != MSA_OK && err != MSA_ETOOBIG)
        snprintf(what, sizeof what, "cannot read it: %s", strerror(errno));
    if (err != MSA_OK)
        complain(g, field, what, report);
    if (fd != -1)
        close(fd);
    return err;
}

/* What smtp will do with all of them, done here first: a broken file must not reach a role. */
static int try_list(const struct tls_certificate *list, size_t count, int64_t *expires_s_out,
                    char error[TLS_ERROR_MAX])
{
    struct tls_server_settings settings = {.certificates = list, .certificate_count = count};
    struct tls_server *tls = tls_server_new(&settings, error);
    int err = tls ? MSA_OK : MSA_EINVAL;
    if (tls)
        *expires_s_out = tls_server_expires_s(tls);
    tls_server_free(&tls);
    return err;
}

static int read_certificate(const struct generation *g, size_t i, struct buf *report)
{
    const struct config_certificate *files = &g->config->tls.certificates[i];
    struct generation_certificate *c = &g->certificates[i];
    char error[TLS_ERROR_MAX] = "";
    int of_chain = read_file(g, &files->cert_file, &c->chain, report);
    int of_key = read_file(g, &files->key_file, &c->key, report);
    if (of_chain < 0 || of_key < 0)
        return MSA_EINVAL;
    const struct tls_certificate pair = {buf_view(&c->chain), buf_view(&c->key)};
    int err = try_list(&pair, 1, &c->expires_s, error);
    if (err < 0) {
        struct view text = view_cstr(error);
        view_cut(&text, ' '); /* "certificate 1: ": it is the first of one */
        view_cut(&text, ' ');
        complain(g, &files->cert_file, text.p, report);
    }
    return err;
}

/* Goes on behind a mistake: all of them in one pass. */
static int read_certificates(struct generation *g, struct buf *report)
{
    int err = MSA_OK;
    size_t count = g->config->tls.certificate_count;
    g->certificates = calloc(count + 1, sizeof *g->certificates);
    if (!g->certificates)
        return MSA_ENOMEM;
    for (; g->certificate_count < count; g->certificate_count++) {
        struct generation_certificate *c = &g->certificates[g->certificate_count];
        buf_init(&c->chain, GENERATION_CHAIN_MAX + 1);
        buf_init_secret(&c->key, GENERATION_KEY_MAX + 1);
        if (read_certificate(g, g->certificate_count, report) < 0)
            err = MSA_EINVAL;
    }
    return err;
}

/* Each is good; together they may still be too many or two of one kind. */
static int try_certificates(const struct generation *g, struct buf *report)
{
    char error[TLS_ERROR_MAX] = "";
    int64_t ignored_s;
    struct tls_certificate *list = calloc(g->certificate_count, sizeof *list);
    if (!list)
        return MSA_ENOMEM;
    for (size_t i = 0; i < g->certificate_count; i++)
        list[i] = (struct tls_certificate){
            .chain_pem = buf_view(&g->certificates[i].chain),
            .key_pem = buf_view(&g->certificates[i].key),
        };
    int err = try_list(list, g->certificate_count, &ignored_s, error);
    if (err < 0)
        buf_addf(report, "tls: %s\n", error);
    free(list);
    return err;
}

/* What relay will do with it; the system's store needs no trial. */
static int try_authority(const struct generation *g, const char *const *file, const char *pem,
                         struct buf *report)
{
    char error[TLS_ERROR_MAX];
    const struct tls_client_settings settings = {.ca_pem = pem, .is_verified = true};
    struct tls_client *tls = pem[0] != '\0' ? tls_client_new(&settings, error) : NULL;
    bool is_good = tls || pem[0] == '\0';
    if (!is_good)
        complain(g, file, error, report);
    tls_client_free(&tls);
    return is_good ? MSA_OK : MSA_EINVAL;
}

static int try_authorities(const struct generation *g, struct buf *report)
{
    int err = MSA_OK;
    const struct config *c = g->config;
    for (uint32_t i = 0; i < c->pool_count; i++)
        if (try_authority(g, &c->pools[i].ca_file, c->pools[i].ca_pem, report) < 0)
            err = MSA_EINVAL;
    for (uint32_t i = 0; i < c->webhook_count; i++)
        if (try_authority(g, &c->webhooks[i].ca_file, c->webhooks[i].ca_pem, report) < 0)
            err = MSA_EINVAL;
    const struct config_identity_provider *p = &c->identity_provider;
    if (try_authority(g, &p->ca_file, p->ca_pem, report) < 0)
        err = MSA_EINVAL;
    return err;
}

/* What smtp will do with it. */
static int try_trust(const struct generation *g, struct buf *report)
{
    int err = MSA_OK;
    char error[TLS_ERROR_MAX];
    for (uint32_t i = 0; i < g->config->listener_count; i++) {
        const struct config_client_certificates *l = &g->config->listeners[i].client_certificates;
        const struct tls_trust_settings without_crl = {l->ca_pem, "", false}, whole = {l->ca_pem, l->crl_pem, false};
        if (l->ca_pem[0] == '\0')
            continue;
        struct tls_trust *trust = tls_trust_new(&without_crl, error);
        const char *const *file = trust ? &l->crl_file : &l->ca_file;
        tls_trust_free(&trust);
        trust = tls_trust_new(&whole, error);
        if (!trust) {
            complain(g, file, error, report);
            err = MSA_EINVAL;
        }
        tls_trust_free(&trust);
    }
    return err;
}

static int try_provider(const struct generation *g, struct buf *report)
{
    const struct config_identity_provider *p = &g->config->identity_provider;
    struct fetch_url url;
    const char *what = NULL;
    if (p->introspection[0] == '\0')
        return MSA_OK;
    if (fetch_url_parse(p->introspection, &url) < 0)
        what = "not a URL of http or https";
    else if (url.is_name && p->addresses.count == 0)
        what = "its name needs 'address' beside it: auth asks no DNS server";
    if (what)
        complain(g, &p->introspection, what, report);
    return what ? MSA_EINVAL : MSA_OK;
}

static int try_webhooks(const struct generation *g, struct buf *report)
{
    int err = MSA_OK;
    struct fetch_url url;
    for (uint32_t i = 0; i < g->config->webhook_count; i++) {
        if (fetch_url_parse(g->config->webhooks[i].url, &url) == MSA_OK)
            continue;
        complain(g, &g->config->webhooks[i].url, "not a URL of http or https", report);
        err = MSA_EINVAL;
    }
    return err;
}

/* What policy will do with them: "place: file: line 3: what". */
static int try_templates(const struct generation *g, struct buf *report)
{
    int err = MSA_OK;
    struct template_error e;
    for (uint32_t i = 0; i < g->config->notice.template_count; i++) {
        const struct config_template *t = &g->config->notice.templates[i];
        char what[256];
        if (template_check(view_cstr(t->text), &e) == MSA_OK)
            continue;
        snprintf(what, sizeof what, "line %u: %s%s%.*s", e.line, e.what, e.name.n > 0 ? ": " : "",
                 (int)(e.name.n < 64 ? e.name.n : 64), e.name.n > 0 ? e.name.p : "");
        complain(g, &t->file, what, report);
        err = MSA_EINVAL;
    }
    return err;
}

static void note_weak_key(void *arg, const struct config *config, const struct config_dkim_selector *s,
                          unsigned bits)
{
    struct generation *g = arg;
    char where[CONFIG_WHERE_MAX];
    config_where(config, &s->key_file, where);
    buf_addf(&g->warnings, "%s: %s: an RSA key of %u bits; 2048 are wanted (RFC 8301)\n", where,
             s->key_file, bits);
}

static int load(const char *path, struct generation *g, struct buf *report)
{
    struct config_errors errs;
    config_errors_init(&errs);
    int err = config_load(path, &g->config, &errs);
    if (err < 0)
        config_errors_print(&errs, report);
    config_errors_fini(&errs);
    if (err == MSA_OK)
        err = read_certificates(g, report);
    if (err == MSA_OK && g->certificate_count > 0)
        err = try_certificates(g, report);
    if (err == MSA_OK)
        err = try_authorities(g, report);
    if (err == MSA_OK)
        err = try_webhooks(g, report);
    if (err == MSA_OK)
        err = try_provider(g, report);
    if (err == MSA_OK)
        err = try_trust(g, report);
    if (err == MSA_OK)
        err = try_templates(g, report);
    if (err == MSA_OK)
        err = generation_try_dkim(g->config, note_weak_key, g, report);
    return err;
}

int generation_load(const char *path, struct generation **out, struct buf *report)
{
    struct generation *g = calloc(1, sizeof *g);
    *out = NULL;
    if (!g)
        return MSA_ENOMEM;
    buf_init(&g->warnings, GENERATION_REPORT_MAX);
    int err = load(path, g, report);
    if (err < 0)
        generation_free(&g);
    *out = g;
    return err;
}

void generation_free(struct generation **g)
{
    if (!*g)
        return;
    for (size_t i = 0; i < (*g)->certificate_count; i++) {
        buf_fini(&(*g)->certificates[i].chain);
        buf_fini(&(*g)->certificates[i].key);
    }
    free((*g)->certificates);
    buf_fini(&(*g)->warnings);
    config_free(&(*g)->config);
    free(*g);
    *g = NULL;
}

#define SOON_DAYS 14
#define DAY_S     86400

void generation_log_warnings(const struct generation *g)
{
    for (struct view rest = buf_view(&g->warnings); rest.n > 0;) {
        struct view text = view_cut(&rest, '\n');
        log_msg(LOG_LEVEL_WARN, "config-warning", "%.*s", (int)text.n, text.p);
    }
}

void generation_log_expiry(const struct generation *g)
{
    for (size_t i = 0; i < g->certificate_count; i++) {
        int64_t left_s = g->certificates[i].expires_s - clock_wall_s();
        struct log_line l;
        if (left_s > SOON_DAYS * DAY_S)
            continue;
        log_begin(&l, left_s > 0 ? LOG_LEVEL_WARN : LOG_LEVEL_ERROR, "certificate-expires");
        log_str(&l, "file", g->config->tls.certificates[i].cert_file);
        log_num(&l, "days_left", left_s / DAY_S);
        log_str(&l, "text", left_s > 0 ? "it ends soon" : "it has ended: clients refuse it");
        log_end(&l);
    }
}
