#include "msa/proc/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"

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

/* `out` has room for one byte more than a good file has, so that end of file is seen. */
static int read_file(const char *path, struct buf *out, struct buf *report)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        buf_addf(report, "%s: cannot read: %s\n", path, strerror(errno));
        return MSA_EIO;
    }
    int err = read_all(fd, out);
    if (err == MSA_ETOOBIG)
        buf_addf(report, "%s: larger than any certificate or key\n", path);
    else if (err < 0)
        buf_addf(report, "%s: cannot read: %s\n", path, strerror(errno));
    close(fd);
    return err;
}

static int read_certificates(struct generation *g, struct buf *report)
{
    const struct config_tls *tls = &g->config->tls;
    int err = MSA_OK;
    g->certificates = calloc(tls->certificate_count + 1, sizeof *g->certificates);
    if (!g->certificates)
        return MSA_ENOMEM;
    g->certificate_count = tls->certificate_count;
    for (size_t i = 0; i < g->certificate_count; i++) {
        struct generation_certificate *c = &g->certificates[i];
        buf_init(&c->chain, GENERATION_CHAIN_MAX + 1);
        buf_init_secret(&c->key, GENERATION_KEY_MAX + 1);
        int of_chain = read_file(tls->certificates[i].cert_file, &c->chain, report);
        int of_key = read_file(tls->certificates[i].key_file, &c->key, report);
        if (of_chain < 0 || of_key < 0)
            err = MSA_EINVAL; /* and go on: all mistakes in one pass */
    }
    return err;
}

/* What smtp will do with them, done here first: a broken file must not reach a role. */
static int try_certificates(const struct generation *g, struct buf *report)
{
    char error[TLS_ERROR_MAX] = "";
    struct tls_certificate *list = calloc(g->certificate_count + 1, sizeof *list);
    if (!list)
        return MSA_ENOMEM;
    for (size_t i = 0; i < g->certificate_count; i++)
        list[i] = (struct tls_certificate){
            .chain_pem = buf_view(&g->certificates[i].chain),
            .key_pem = buf_view(&g->certificates[i].key),
        };
    struct tls_server_settings settings = {.certificates = list,
                                           .certificate_count = g->certificate_count};
    struct tls_server *tls = tls_server_new(&settings, error);
    if (!tls)
        buf_addf(report, "tls: %s\n", error);
    int err = tls ? MSA_OK : MSA_EINVAL;
    tls_server_free(&tls);
    free(list);
    return err;
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
    return err;
}

int generation_load(const char *path, struct generation **out, struct buf *report)
{
    struct generation *g = calloc(1, sizeof *g);
    *out = NULL;
    if (!g)
        return MSA_ENOMEM;
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
    config_free(&(*g)->config);
    free(*g);
    *g = NULL;
}
