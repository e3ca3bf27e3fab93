/* Keys that sign mail: what relay will do with them, done here first. */
#include "msa/proc/generation_dkim.h"

#include <stdio.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/dkim/key.h"

struct found {
    const struct config *config;
    struct buf *report;
    generation_dkim_weak_fn *on_weak;
    void *arg;
    int err;
};

static void complain(struct found *f, const struct config_dkim_selector *s, const char *what)
{
    char where[CONFIG_WHERE_MAX];
    config_where(f->config, &s->key_file, where);
    buf_addf(f->report, "%s: %s: %s\n", where, s->key_file, what);
    f->err = MSA_EINVAL;
}

static void try_key(struct found *f, const struct config_dkim_selector *s,
                    const char *in_use[DKIM_ALGORITHM_COUNT])
{
    char why[DKIM_KEY_WHY_MAX], text[256];
    struct dkim_key *key = dkim_key_parse(view_cstr(s->key_pem), why);
    if (!key) {
        complain(f, s, why);
        return;
    }
    enum dkim_algorithm k = dkim_key_algorithm(key);
    if (s->use && in_use[k]) {
        snprintf(text, sizeof text, "selector '%s' has a key for %s in use, too: one of them is 'use no'",
                 in_use[k], dkim_algorithm_name(k));
        complain(f, s, text);
    } else if (s->use) {
        in_use[k] = s->name;
    }
    if (k == DKIM_RSA_SHA256 && dkim_key_bits(key) < DKIM_RSA_BITS_WEAK && f->on_weak)
        f->on_weak(f->arg, f->config, s, dkim_key_bits(key));
    dkim_key_free(&key);
}

static void try_all(struct found *f)
{
    for (uint32_t i = 0; i < f->config->dkim_count; i++) {
        const char *in_use[DKIM_ALGORITHM_COUNT] = {NULL};
        for (uint32_t k = 0; k < f->config->dkim[i].selector_count; k++)
            try_key(f, &f->config->dkim[i].selectors[k], in_use);
    }
}

int generation_try_dkim(const struct config *config, generation_dkim_weak_fn *on_weak, void *arg,
                        struct buf *report)
{
    struct found f = {.config = config, .report = report, .on_weak = on_weak, .arg = arg};
    try_all(&f);
    return f.err;
}
