/* What the table cannot say: settings that follow from others, and settings that contradict
 * others. */
#include <string.h>

#include "msa/config/check.h"
#include "msa/config/private.h"

/* ---- settings that follow from others -------------------------------------------------------- */

/* The arena's objects are const only for those who read the configuration. */
static struct config_pool *pool_at(struct config *cfg, uint32_t i)
{
    return (struct config_pool *)&cfg->pools[i];
}

static void fill(const char **field, const char *from)
{
    if ((*field)[0] == '\0')
        *field = from;
}

static void fill_printed(const char **field, struct value_site *site, const char *before,
                         const char *after)
{
    if ((*field)[0] != '\0')
        return;
    const char *text = arena_printf(site->arena, "%s%s", before, after);
    if (text)
        *field = text;
    else
        site->is_out_of_memory = true;
}

static void derive_pool(struct config_pool *pool, const char *hostname)
{
    fill(&pool->ehlo_name, hostname);
    for (uint32_t i = 0; i < pool->smarthost_count; i++) {
        struct config_host *host = (struct config_host *)&pool->smarthosts[i].host;
        if (host->port == 0)
            host->port = pool->implicit_tls ? 465 : 25;
    }
}

void derive_settings(struct config *cfg, struct value_site *site)
{
    const char **users[] = {&cfg->users.smtp,  &cfg->users.auth,  &cfg->users.policy,
                            &cfg->users.score, &cfg->users.relay, &cfg->users.console};
    for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
        fill(users[i], cfg->user);
    for (uint32_t i = 0; i < cfg->pool_count; i++)
        derive_pool(pool_at(cfg, i), cfg->hostname);
    if (cfg->pool_count > 0)
        fill(&cfg->policy.default_pool, cfg->pools[0].name);
    fill_printed(&cfg->queue.bounce_from, site, "mailer-daemon@", cfg->hostname);
    fill_printed(&cfg->queue.postmaster, site, "postmaster@", cfg->hostname);
    fill_printed(&cfg->console.socket, site, cfg->runtime_dir, "/console.sock");
}

/* ---- contradictions -------------------------------------------------------------------------- */

const struct place *check_place(const struct checker *c, const void *field, const void *block)
{
    const struct place *at = origin_find(c->cfg->priv, field, false);
    if (!at && block)
        at = origin_find(c->cfg->priv, block, true);
    return at ? at : &c->cfg->priv->top;
}

bool check_is_loopback_url(struct view url)
{
    struct ipaddr ip;
    static const struct view scheme = VIEW_LIT("http://");
    if (!view_has_prefix(url, scheme))
        return false;
    struct view rest = view_slice(url, scheme.n, url.n);
    struct view host = view_slice(rest, 0, view_find(rest, '/'));
    if (host.n > 0 && host.p[0] == '[')
        host = view_slice(host, 1, view_find(host, ']'));
    else
        host = view_slice(host, 0, view_find(host, ':'));
    return ipaddr_parse(host, &ip) ? ipaddr_is_loopback(&ip)
                                   : view_eq(host, VIEW_LIT("localhost"));
}

static bool uses_tls(const struct config_listener *l)
{
    return l->mode == CONFIG_SUBMISSIONS || !l->auth_without_tls;
}

static void check_auth_without_tls(const struct checker *c, const struct config_listener *l)
{
    if (!l->auth_without_tls)
        return;
    const struct place *at = check_place(c, &l->auth_without_tls, l);
    if (l->mode == CONFIG_SUBMISSIONS)
        report_add(c->errs, at, "'auth_without_tls' makes no sense with 'mode submissions'");
    for (uint32_t i = 0; i < l->addresses.count; i++) {
        if (ipaddr_is_loopback(&l->addresses.items[i].addr))
            continue;
        report_add(c->errs, at,
                   "'auth_without_tls' is for loopback addresses only: passwords would cross the "
                   "network in clear");
        return;
    }
}

static void check_listener(const struct checker *c, const struct config_listener *l)
{
    if (uses_tls(l) && c->cfg->tls.certificate_count == 0)
        report_add(c->errs, check_place(c, l, l),
                   "listener '%s' offers TLS but there is no certificate: add "
                   "tls { certificate { cert_file …; key_file …; } }",
                   l->name);
    if (l->proxy_protocol != CONFIG_PROXY_NO && l->proxy_from.count == 0)
        report_add(c->errs, check_place(c, &l->proxy_protocol, l),
                   "'proxy_protocol' needs 'proxy_from', the networks of the load balancers");
    if (l->proxy_protocol == CONFIG_PROXY_NO && l->proxy_from.count > 0)
        report_add(c->errs, check_place(c, &l->proxy_from, l),
                   "'proxy_from' has no effect without 'proxy_protocol v1', 'v2' or 'any'");
    check_auth_without_tls(c, l);
}

static bool is_same_endpoint(const struct config_endpoint *a, const struct config_endpoint *b)
{
    return a->port == b->port && ipaddr_eq(&a->addr, &b->addr);
}

/* An address may stand once among all listeners: `l` against those before it and itself. */
static void check_endpoint(const struct checker *c, const struct config_listener *l,
                           uint32_t position)
{
    const struct config_endpoint *e = &l->addresses.items[position];
    for (const struct config_listener *other = c->cfg->listeners; other <= l; other++) {
        uint32_t count = other == l ? position : other->addresses.count;
        for (uint32_t i = 0; i < count; i++) {
            if (!is_same_endpoint(e, &other->addresses.items[i]))
                continue;
            report_add(c->errs, check_place(c, &l->addresses, l),
                       "port %u of this address is already taken by listener '%s'", e->port,
                       other->name);
            return;
        }
    }
}

static void check_listeners(const struct checker *c)
{
    const struct config *cfg = c->cfg;
    if (cfg->listener_count == 0)
        report_add(c->errs, &cfg->priv->top,
                   "there is no listener: add listener NAME { address *:587; }");
    for (uint32_t i = 0; i < cfg->listener_count; i++) {
        check_listener(c, &cfg->listeners[i]);
        for (uint32_t k = 0; k < cfg->listeners[i].addresses.count; k++)
            check_endpoint(c, &cfg->listeners[i], k);
    }
}

static void check_pool_tls(const struct checker *c, const struct config_pool *p)
{
    if (p->implicit_tls && p->tls != CONFIG_RELAY_TLS_REQUIRED)
        report_add(c->errs, check_place(c, &p->implicit_tls, p),
                   "'implicit_tls' leaves no choice: it goes with 'tls required' only");
    if (p->tls == CONFIG_RELAY_TLS_OFF && p->auth.user[0] != '\0')
        report_add(c->errs, check_place(c, &p->auth.user, &p->auth),
                   "'auth' needs TLS: with 'tls off' the password would go in clear");
}

static void check_pool_auth(const struct checker *c, const struct config_pool *p)
{
    bool has_user = p->auth.user[0] != '\0', has_file = p->auth.password_file[0] != '\0';
    if (has_user && !has_file)
        report_add(c->errs, check_place(c, &p->auth.user, &p->auth),
                   "'user' needs 'password_file' beside it");
    if (has_file && !has_user)
        report_add(c->errs, check_place(c, &p->auth.password_file, &p->auth),
                   "'password_file' needs 'user' beside it");
}

static void check_pool(const struct checker *c, const struct config_pool *p)
{
    if (p->smarthost_count == 0)
        report_add(c->errs, check_place(c, p, p),
                   "pool '%s' has no smarthost: add smarthost HOST:PORT;", p->name);
    if (p->fallback[0] && strcmp(p->fallback, p->name) == 0)
        report_add(c->errs, check_place(c, &p->fallback, p), "a pool cannot be its own 'fallback'");
    else if (p->fallback[0])
        check_pool_name(c, &p->fallback, p);
    check_pool_tls(c, p);
    check_pool_auth(c, p);
    if (p->handover == CONFIG_HANDOVER_IMMEDIATE &&
        p->handover_deadline_ms >= c->cfg->deadlines.relay_answer_ms)
        report_add(c->errs, check_place(c, &p->handover_deadline_ms, p),
                   "'handover_deadline' must be shorter than 'relay_answer' in block 'deadlines' "
                   "(%lld s), or the client is refused before the message is queued",
                   (long long)(c->cfg->deadlines.relay_answer_ms / 1000));
}

void check_pool_name(const struct checker *c, const char *const *name, const void *block)
{
    struct view wanted = view_cstr(*name);
    if (c->cfg->pool_count == 0 || config_pool_find(c->cfg, wanted))
        return;
    struct suggest near = {.word = wanted};
    for (uint32_t i = 0; i < c->cfg->pool_count; i++)
        suggest_offer(&near, c->cfg->pools[i].name);
    report_add(c->errs, check_place(c, name, block), "there is no pool '%.*s'%s", SHOWN(wanted),
               suggest_text(&near));
}

static void check_pools(const struct checker *c)
{
    const struct config *cfg = c->cfg;
    if (cfg->pool_count == 0)
        report_add(c->errs, &cfg->priv->top,
                   "there is no pool: add pool NAME { smarthost HOST:PORT; }");
    for (uint32_t i = 0; i < cfg->pool_count; i++)
        check_pool(c, &cfg->pools[i]);
    check_pool_name(c, &cfg->policy.default_pool, &cfg->policy);
}

/* `small` may not be more than `large`. */
static void check_order(const struct checker *c, const void *field, const void *block,
                        uint64_t small, const char *small_name, uint64_t large,
                        const char *large_name)
{
    if (small > large)
        report_add(c->errs, check_place(c, field, block), "'%s' may not be more than '%s'",
                   small_name, large_name);
}

static void check_limits(const struct checker *c)
{
    const struct config_limits *l = &c->cfg->limits;
    check_order(c, &l->header_bytes, l, l->header_bytes, "header_size", l->message_bytes,
                "message_size");
    check_order(c, &l->header_field_bytes, l, l->header_field_bytes, "header_field_size",
                l->header_bytes, "header_size");
    check_order(c, &l->preauth_session_count, l, l->preauth_session_count, "preauth_sessions",
                l->session_count, "sessions");
    check_order(c, &l->session_per_address_count, l, l->session_per_address_count,
                "sessions_per_address", l->session_count, "sessions");
    check_order(c, &l->preauth_per_address_count, l, l->preauth_per_address_count,
                "preauth_sessions_per_address", l->session_per_address_count,
                "sessions_per_address");
}

static void check_queue(const struct checker *c)
{
    const struct config_queue *q = &c->cfg->queue;
    check_order(c, &q->delay_notice_ms, q, (uint64_t)q->delay_notice_ms, "delay_notice_after",
                (uint64_t)q->expiry_ms, "expiry");
    check_order(c, &c->cfg->limits.message_bytes, &c->cfg->limits, c->cfg->limits.message_bytes,
                "message_size", q->bytes, "max_bytes");
}

/* Passwords and tokens go over it. */
static void check_console_web(const struct checker *c)
{
    const struct config_console *s = &c->cfg->console;
    for (uint32_t i = 0; i < s->http.count; i++)
        if (!ipaddr_is_loopback(&s->http.items[i].addr))
            report_add(c->errs, check_place(c, &s->http, s),
                       "'http' is for loopback addresses: use 'https' for others");
    for (uint32_t i = 0; i < s->postfix_policy.count; i++)
        if (!ipaddr_is_loopback(&s->postfix_policy.items[i].addr))
            report_add(c->errs, check_place(c, &s->postfix_policy, s),
                       "'postfix_policy' is for loopback addresses: its protocol knows no password");
    if (s->https.count > 0 && c->cfg->tls.certificate_count == 0)
        report_add(c->errs, check_place(c, &s->https, s), "'https' needs a certificate in 'tls'");
}

static bool is_uid_in(const struct config_numbers *list, uint32_t uid)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i] == uid)
            return true;
    return false;
}

/* One user has one role. */
static void check_console_uids(const struct checker *c)
{
    const struct config_console *s = &c->cfg->console;
    const struct config_numbers *lists[] = {&s->operator_uids, &s->support_uids, &s->portal_uids};
    for (size_t i = 0; i < 3; i++)
        for (size_t k = i + 1; k < 3; k++)
            for (uint32_t n = 0; n < lists[k]->count; n++)
                if (is_uid_in(lists[i], lists[k]->items[n]))
                    report_add(c->errs, check_place(c, lists[k], s), "user id %u has two roles",
                               (unsigned)lists[k]->items[n]);
}

/* Who can ask there learns who may not read mail, and can tell lies about accounts. */
static void check_console(const struct checker *c)
{
    const struct config_console *s = &c->cfg->console;
    for (uint32_t i = 0; i < s->auth_policy.count; i++) {
        if (ipaddr_is_loopback(&s->auth_policy.items[i].addr) ||
            s->auth_policy_token_file[0])
            continue;
        report_add(c->errs, check_place(c, &s->auth_policy, s),
                   "'auth_policy' on another address than loopback needs "
                   "'auth_policy_token_file'");
        return;
    }
}

void check_settings(const struct config *cfg, struct config_errors *errs)
{
    struct checker c = {.cfg = cfg, .errs = errs};
    if (cfg->log.target == CONFIG_LOG_FILE && cfg->log.file[0] == '\0')
        report_add(errs, check_place(&c, &cfg->log.target, &cfg->log),
                   "'target file' needs 'file', the path of the log file");
    check_listeners(&c);
    check_pools(&c);
    check_rules(&c);
    check_routes(&c);
    check_align(&c);
    check_notice(&c);
    check_identity(&c);
    check_services(&c);
    check_dkim(&c);
    check_score(&c);
    check_shape(&c);
    check_limits(&c);
    check_queue(&c);
    check_console(&c);
    check_console_web(&c);
    check_console_uids(&c);
}
