/* The way in: text, file or snapshot to a struct config, in the steps parse, bind, derive, check.
 *
 * Everything a configuration points to lies in one arena, the struct itself included; the arena is
 * wiped when it is freed, because of the passwords. */
#include "msa/config/config.h"

#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/config/file.h"
#include "msa/config/private.h"

/* ---- files whose content goes to a role ------------------------------------------------------ */

/* One line; its end may be missing. */
static bool take_line(struct view text, struct view *line_out)
{
    if (text.n > 0 && text.p[text.n - 1] == '\n')
        text.n--;
    if (text.n > 0 && text.p[text.n - 1] == '\r')
        text.n--;
    *line_out = text;
    return text.n > 0 && view_find(text, '\n') == text.n && view_find(text, '\r') == text.n &&
           view_find(text, '\0') == text.n;
}

/* A secret on the only line of a file, into the configuration. */
static void load_secret(const char *file, const char *what, const struct place *at,
                        struct value_site *site, const char **secret_out)
{
    struct arena arena;
    struct view text, line;
    struct stat st;
    char why[FILE_WHY_MAX];
    arena_init_secret(&arena, FILE_PASSWORD_MAX + 2);
    if (file_read(file, FILE_PASSWORD_MAX, &arena, &text, &st, why) < 0) {
        report_add(site->errs, at, "%s file %s: %s", what, file, why);
    } else if (st.st_mode & S_IRWXO) {
        report_add(site->errs, at, "%s file %s is open to everyone: chmod 600 it", what,
                   file);
    } else if (!take_line(text, &line)) {
        report_add(site->errs, at, "%s file %s does not hold one line with a %s", what,
                   file, what);
    } else {
        const char *secret = value_keep(site, line);
        *secret_out = secret ? secret : "";
    }
    arena_fini(&arena);
}

/* A text of several lines; `what` says of which kind. One that `is_secret` others may not read. */
static void load_any_text(const char *file, const char *what, bool is_secret, size_t max_bytes,
                          const struct place *at, struct value_site *site, const char **text_out)
{
    struct arena arena;
    struct view text;
    struct stat st;
    char why[FILE_WHY_MAX];
    arena_init_secret(&arena, max_bytes + 2);
    if (file_read(file, max_bytes, &arena, &text, &st, why) < 0) {
        report_add(site->errs, at, "%s file %s: %s", what, file, why);
    } else if (is_secret && (st.st_mode & S_IRWXO)) {
        report_add(site->errs, at, "%s file %s is open to everyone: chmod 600 it", what, file);
    } else if (text.n == 0 || view_find(text, '\0') < text.n) {
        report_add(site->errs, at, "%s file %s holds no text", what, file);
    } else {
        const char *kept = value_keep(site, text);
        *text_out = kept ? kept : "";
    }
    arena_fini(&arena);
}

static void load_text(const char *file, const char *what, size_t max_bytes, const struct place *at,
                      struct value_site *site, const char **text_out)
{
    load_any_text(file, what, false, max_bytes, at, site, text_out);
}

/* Where the setting stands, if it names a file that may be opened; elsewhere that is a mistake. */
static const struct place *file_place(const struct config *cfg, const char *const *field,
                                      const char *name, bool may_open, struct value_site *site)
{
    const struct place *at = origin_find(cfg->priv, field, false);
    if (!at || (*field)[0] == '\0')
        return NULL;
    if (!may_open)
        report_add(site->errs, at, "'%s' works only in a file", name);
    return may_open ? at : NULL;
}

static void load_webhook(struct config *cfg, struct config_webhook *w, bool may_open,
                         struct value_site *site)
{
    const struct place *at = file_place(cfg, &w->secret_file, "secret_file", may_open, site);
    if (at)
        load_secret(w->secret_file, "secret", at, site, &w->secret);
    at = file_place(cfg, &w->ca_file, "ca_file", may_open, site);
    if (at)
        load_text(w->ca_file, "certificate", CONFIG_CA_MAX_BYTES, at, site, &w->ca_pem);
}

static void load_provider(struct config_identity_provider *p, const struct config *cfg, bool may_open,
                          struct value_site *site)
{
    const struct place *at = file_place(cfg, &p->client_secret_file, "client_secret_file", may_open, site);
    if (at)
        load_secret(p->client_secret_file, "secret", at, site, &p->client_secret);
    at = file_place(cfg, &p->ca_file, "ca_file", may_open, site);
    if (at)
        load_text(p->ca_file, "certificate", CONFIG_CA_MAX_BYTES, at, site, &p->ca_pem);
}

static void load_certificates(struct config_client_certificates *l, const struct config *cfg, bool may_open,
                              struct value_site *site)
{
    const struct place *at = file_place(cfg, &l->ca_file, "ca_file", may_open, site);
    if (at)
        load_text(l->ca_file, "certificate", CONFIG_CA_MAX_BYTES, at, site, &l->ca_pem);
    at = file_place(cfg, &l->crl_file, "crl_file", may_open, site);
    if (at)
        load_text(l->crl_file, "revocation list", CONFIG_CRL_MAX_BYTES, at, site, &l->crl_pem);
    at = file_place(cfg, &l->map_file, "map_file", may_open, site);
    if (at)
        load_text(l->map_file, "map", CONFIG_MAP_MAX_BYTES, at, site, &l->map);
}

static void load_template(struct config *cfg, struct config_template *t, bool may_open,
                          struct value_site *site)
{
    const struct place *at = file_place(cfg, &t->file, "file", may_open, site);
    if (at)
        load_text(t->file, "template", CONFIG_TEMPLATE_MAX_BYTES, at, site, &t->text);
}

static void load_dkim(struct config *cfg, bool may_open, struct value_site *site)
{
    size_t total_bytes = 0;
    for (uint32_t i = 0; i < cfg->dkim_count; i++) {
        for (uint32_t k = 0; k < cfg->dkim[i].selector_count; k++) {
            struct config_dkim_selector *s = (struct config_dkim_selector *)&cfg->dkim[i].selectors[k];
            const struct place *at = file_place(cfg, &s->key_file, "key_file", may_open, site);
            if (!at)
                continue;
            load_any_text(s->key_file, "key", true, CONFIG_DKIM_KEY_MAX_BYTES, at, site, &s->key_pem);
            size_t bytes = strlen(s->key_pem);
            if (total_bytes <= CONFIG_DKIM_KEYS_MAX_BYTES && total_bytes + bytes > CONFIG_DKIM_KEYS_MAX_BYTES)
                report_add(site->errs, at, "all keys together have more than %u bytes",
                           CONFIG_DKIM_KEYS_MAX_BYTES);
            total_bytes += bytes;
        }
    }
}

/* password_file and ca_file of each pool into password and ca_pem, the same of webhooks, the texts of templates,
 * keys for DKIM, what is needed to ask the identity provider, and to know clients by certificates, and the console's token. */
static void load_files(struct config *cfg, bool may_open, struct value_site *site)
{
    const struct place *token_at = file_place(cfg, &cfg->console.auth_policy_token_file,
                                              "auth_policy_token_file", may_open, site);
    if (token_at)
        load_secret(cfg->console.auth_policy_token_file, "token", token_at, site,
                    &cfg->console.auth_policy_token);
    for (uint32_t i = 0; i < cfg->pool_count; i++) {
        struct config_pool *pool = (struct config_pool *)&cfg->pools[i];
        const struct place *at =
            file_place(cfg, &pool->auth.password_file, "password_file", may_open, site);
        if (at)
            load_secret(pool->auth.password_file, "password", at, site,
                        &pool->auth.password);
        at = file_place(cfg, &pool->ca_file, "ca_file", may_open, site);
        if (at)
            load_text(pool->ca_file, "certificate", CONFIG_CA_MAX_BYTES, at, site,
                      &pool->ca_pem);
    }
    for (uint32_t i = 0; i < cfg->notice.template_count; i++)
        load_template(cfg, (struct config_template *)&cfg->notice.templates[i], may_open, site);
    for (uint32_t i = 0; i < cfg->webhook_count; i++)
        load_webhook(cfg, (struct config_webhook *)&cfg->webhooks[i], may_open, site);
    load_provider(&cfg->identity_provider, cfg, may_open, site);
    for (uint32_t i = 0; i < cfg->listener_count; i++)
        load_certificates(&((struct config_listener *)&cfg->listeners[i])->client_certificates, cfg, may_open, site);
    load_dkim(cfg, may_open, site);
}

/* ---- from text ------------------------------------------------------------------------------- */

enum source { FROM_FILE, FROM_FILE_PUBLIC, FROM_MEMORY, FROM_SNAPSHOT };

struct parse {
    enum source source;
    unsigned role; /* of a snapshot */
    const char *name;
    struct config *cfg;
    struct value_site site;
};

/* The configuration lives in its own arena, which it frees last. */
static struct config *new_config(const char *name)
{
    struct arena arena;
    arena_init_secret(&arena, CONFIG_ARENA_MAX_BYTES);
    struct config *cfg = ARENA_NEW(&arena, struct config);
    struct config_private *priv = ARENA_NEW(&arena, struct config_private);
    const char *kept_name = arena_strdup(&arena, name);
    if (!cfg || !priv || !kept_name) {
        arena_fini(&arena);
        return NULL;
    }
    cfg->priv = priv;
    priv->arena = arena;
    priv->top.file = kept_name;
    return cfg;
}

void config_free(struct config **cfg)
{
    if (!*cfg)
        return;
    struct arena arena = (*cfg)->priv->arena; /* a copy: the original lies within */
    arena_fini(&arena);
    *cfg = NULL;
}

static void report_no_memory(struct config_errors *errs, const char *name)
{
    struct place at = {.file = name};
    report_add(errs, &at, "out of memory");
}

static int finish(struct parse *p)
{
    struct config *cfg = p->cfg;
    if (origins_sort(cfg->priv) < 0)
        return MSA_ENOMEM;
    if (p->source == FROM_SNAPSHOT)
        return MSA_OK; /* complete already, and a role sees too little to check it */
    derive_settings(cfg, &p->site);
    check_settings(cfg, p->site.errs);
    if (p->source != FROM_FILE_PUBLIC)
        load_files(cfg, p->source == FROM_FILE, &p->site);
    return p->site.is_out_of_memory ? MSA_ENOMEM : MSA_OK;
}

static int bind_text(struct parse *p, struct view text, const struct stat *st)
{
    struct tree tree;
    tree_parse(&tree, text, p->cfg->priv->top.file, st, &p->cfg->priv->arena, p->site.errs);
    bool is_good = !tree.is_out_of_memory && bind_tree(p->cfg, &tree.root, p->role, &p->site);
    bool is_out_of_memory = tree.is_out_of_memory || p->site.is_out_of_memory;
    tree_fini(&tree);
    if (is_out_of_memory)
        return MSA_ENOMEM;
    int err = finish(p);
    return err == MSA_OK && !is_good ? MSA_EINVAL : err;
}

static int parse(enum source source, unsigned role, struct view text, const char *name,
                 const struct stat *st, struct config **out, struct config_errors *errs)
{
    struct parse p = {.source = source, .role = role, .name = name};
    uint32_t errors_before = errs->count + errs->dropped_count;
    *out = NULL;
    p.cfg = new_config(name);
    if (!p.cfg) {
        report_no_memory(errs, name);
        return MSA_ENOMEM;
    }
    p.site = (struct value_site){.arena = &p.cfg->priv->arena, .errs = errs};
    int err = bind_text(&p, text, st);
    if (err == MSA_ENOMEM)
        report_no_memory(errs, name);
    else if (errs->count + errs->dropped_count > errors_before)
        err = MSA_EINVAL;
    report_sort(errs);
    if (err == MSA_OK || (err == MSA_EINVAL && source == FROM_FILE_PUBLIC))
        *out = p.cfg;
    else
        config_free(&p.cfg);
    return err;
}

int config_parse_text(struct view text, const char *name, struct config **out,
                      struct config_errors *errs)
{
    return parse(FROM_MEMORY, 0, text, name, NULL, out, errs);
}

int config_parse_snapshot(struct view text, enum config_role role, struct config **out,
                          struct config_errors *errs)
{
    return parse(FROM_SNAPSHOT, role, text, "snapshot", NULL, out, errs);
}

/* ---- from files ------------------------------------------------------------------------------ */

static int load(enum source source, const char *path, struct config **out,
                struct config_errors *errs)
{
    struct arena arena;
    struct view text;
    struct stat st;
    char why[FILE_WHY_MAX];
    *out = NULL;
    arena_init(&arena, FILE_MAX_BYTES + 2);
    int err = file_read(path, FILE_MAX_BYTES, &arena, &text, &st, why);
    if (err == MSA_OK) {
        err = parse(source, 0, text, path, &st, out, errs);
    } else {
        struct place at = {.file = path};
        report_add(errs, &at, "%s", why);
    }
    arena_fini(&arena);
    return err;
}

int config_load(const char *path, struct config **out, struct config_errors *errs)
{
    return load(FROM_FILE, path, out, errs);
}

int config_load_public(const char *path, struct config **out, struct config_errors *errs)
{
    return load(FROM_FILE_PUBLIC, path, out, errs);
}

/* ---- small questions ------------------------------------------------------------------------- */

const struct config_pool *config_pool_find(const struct config *cfg, struct view name)
{
    for (uint32_t i = 0; i < cfg->pool_count; i++)
        if (view_eq(name, view_cstr(cfg->pools[i].name)))
            return &cfg->pools[i];
    return NULL;
}

static uint32_t or_core_count(uint32_t count)
{
    long cores = count > 0 ? (long)count : sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > CONFIG_WORKERS_MAX ? CONFIG_WORKERS_MAX : (uint32_t)cores;
}

uint32_t config_worker_count(const struct config *cfg)
{
    return or_core_count(cfg->worker_count);
}

uint32_t config_auth_thread_count(const struct config *cfg)
{
    return or_core_count(cfg->auth.thread_count);
}
