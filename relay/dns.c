#include "relay/dns.h"

#include <ares.h>
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/base/log.h"

#define MX_HOSTS_MAX    16
#define SOCKETS_MAX     32
#define TTL_MIN_MS      5000   /* no storm of questions for a name with a TTL of 0 */
#define TTL_NEGATIVE_MS 30000
#define TTL_DEFAULT_MS  300000 /* where c-ares does not tell it */

struct dns_socket {
    struct watch *watch;
    ares_socket_t fd;
    struct dns *dns;
};

struct dns {
    struct loop *loop;
    ares_channel channel;
    struct dns_socket sockets[SOCKETS_MAX];
    struct timer timer;
    struct list queries;
    int64_t max_ttl_ms;
    bool is_closing;
};

struct mx_host {
    uint16_t preference;
    char name[DNS_NAME_MAX];
};

/* One question of ours; several of c-ares'. It is freed when all of those have come back. */
struct dns_query {
    struct list link;
    struct dns *dns;
    dns_fn *fn; /* NULL: cancelled, or answered */
    void *arg;
    struct timer answer_timer; /* so that no answer comes from inside dns_ask */
    unsigned pending_count;
    struct dns_answer answer;
    size_t host_count;
    struct mx_host hosts[MX_HOSTS_MAX];
};

/* What c-ares gets as the argument of one lookup. */
struct lookup {
    struct dns_query *query;
    uint16_t preference;
    char name[DNS_NAME_MAX];
};

/* ---- sockets and time ---- */

static void rearm(struct dns *dns)
{
    struct timeval tv, *next = ares_timeout(dns->channel, NULL, &tv);
    if (!next)
        timer_stop(&dns->timer);
    else
        timer_start(&dns->timer, dns->loop, (int64_t)next->tv_sec * 1000 + next->tv_usec / 1000 + 1);
}

static void on_time(void *arg)
{
    struct dns *dns = arg;
    ares_process_fd(dns->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    rearm(dns);
}

static void on_socket(void *arg, unsigned ready)
{
    struct dns_socket *s = arg;
    struct dns *dns = s->dns;
    ares_process_fd(dns->channel, ready & IO_READ ? s->fd : ARES_SOCKET_BAD,
                    ready & IO_WRITE ? s->fd : ARES_SOCKET_BAD);
    rearm(dns);
}

static struct dns_socket *socket_of(struct dns *dns, ares_socket_t fd)
{
    struct dns_socket *unused = NULL;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (dns->sockets[i].watch && dns->sockets[i].fd == fd)
            return &dns->sockets[i];
        if (!dns->sockets[i].watch && !unused)
            unused = &dns->sockets[i];
    }
    return unused;
}

/* c-ares tells which of its sockets it waits for. Without a free slot the lookup runs into its time-out. */
static void on_socket_state(void *arg, ares_socket_t fd, int wants_read, int wants_write)
{
    struct dns *dns = arg;
    struct dns_socket *s = socket_of(dns, fd);
    unsigned interest = (wants_read ? (unsigned)IO_READ : 0) | (wants_write ? (unsigned)IO_WRITE : 0);
    if (!s)
        return;
    if (interest == 0) {
        watch_free(&s->watch);
    } else if (s->watch) {
        watch_set(s->watch, interest);
    } else {
        s->fd = fd;
        s->dns = dns;
        s->watch = watch_new(dns->loop, fd, interest, on_socket, s);
    }
}

/* ---- one question ---- */

static void free_query(struct dns_query *q)
{
    list_remove(&q->link);
    timer_stop(&q->answer_timer);
    free(q);
}

static void answer(void *arg)
{
    struct dns_query *q = arg;
    dns_fn *fn = q->fn;
    q->fn = NULL;
    if (q->answer.count > 0)
        q->answer.err = MSA_OK;
    if (q->answer.ttl_ms > q->dns->max_ttl_ms)
        q->answer.ttl_ms = q->dns->max_ttl_ms;
    if (q->answer.ttl_ms < TTL_MIN_MS)
        q->answer.ttl_ms = TTL_MIN_MS;
    if (fn)
        fn(q->arg, &q->answer);
    free_query(q);
}

static void finish_lookup(struct dns_query *q)
{
    if (--q->pending_count > 0)
        return;
    if (!q->fn || timer_start(&q->answer_timer, q->dns->loop, 0) < 0)
        free_query(q);
}

static int err_of(int status)
{
    return status == ARES_ENOTFOUND || status == ARES_ENODATA || status == ARES_EBADNAME ? MSA_ENOENT
                                                                                         : MSA_EAGAIN;
}

static void add_address(struct dns_query *q, const struct lookup *l, const struct sockaddr *sa)
{
    struct dns_answer *a = &q->answer;
    struct ipaddr ip;
    uint16_t port;
    if (a->count == DNS_ADDRESSES_MAX || !ipaddr_from_sockaddr(sa, &ip, &port))
        return;
    size_t at = a->count++; /* by preference, in the order of arrival within one */
    for (; at > 0 && a->addresses[at - 1].preference > l->preference; at--)
        a->addresses[at] = a->addresses[at - 1];
    a->addresses[at] = (struct dns_address){.ip = ip, .preference = l->preference};
    memcpy(a->addresses[at].name, l->name, sizeof l->name);
}

static void on_addresses(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
    (void)timeouts;
    struct lookup *l = arg;
    struct dns_query *q = l->query;
    if (status == ARES_SUCCESS) {
        for (struct ares_addrinfo_node *n = info->nodes; n; n = n->ai_next) {
            int64_t ttl_ms = (int64_t)n->ai_ttl * 1000;
            add_address(q, l, n->ai_addr);
            if (n->ai_ttl > 0 && ttl_ms < q->answer.ttl_ms)
                q->answer.ttl_ms = ttl_ms;
        }
    } else if (q->answer.err != MSA_EAGAIN) {
        q->answer.err = err_of(status); /* one that may still be answered makes the whole temporary */
    }
    if (info)
        ares_freeaddrinfo(info);
    free(l);
    finish_lookup(q);
}

static void look_up(struct dns_query *q, const char *name, uint16_t preference)
{
    /* No service name: c-ares would read /etc/services. */
    static const struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT,
                                                     .ai_family = AF_UNSPEC,
                                                     .ai_socktype = SOCK_STREAM};
    struct lookup *l = calloc(1, sizeof *l);
    q->pending_count++;
    if (!l) {
        q->answer.err = MSA_EAGAIN;
        finish_lookup(q);
        return;
    }
    l->query = q;
    l->preference = preference;
    snprintf(l->name, sizeof l->name, "%s", name);
    ares_getaddrinfo(q->dns->channel, name, NULL, &hints, on_addresses, l);
}

/* A host name from the network goes into a log and a certificate check: letters, digits, hyphens, dots. */
static bool is_host_name(const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        if (!ascii_is_alpha(name[i]) && !ascii_is_digit(name[i]) && !strchr("-_.", name[i]))
            return false;
    }
    return n > 0 && n < DNS_NAME_MAX;
}

static void keep_hosts(struct dns_query *q, const struct ares_mx_reply *mx)
{
    for (; mx && q->host_count < MX_HOSTS_MAX; mx = mx->next) {
        if (!is_host_name(mx->host)) /* also "": a null MX, it takes no mail (RFC 7505) */
            continue;
        struct mx_host *host = &q->hosts[q->host_count++];
        host->preference = mx->priority;
        snprintf(host->name, sizeof host->name, "%s", mx->host);
    }
}

static void on_mx(void *arg, int status, int timeouts, unsigned char *bytes, int n)
{
    (void)timeouts;
    struct dns_query *q = arg;
    struct ares_mx_reply *mx = NULL;
    if (status == ARES_SUCCESS)
        status = ares_parse_mx_reply(bytes, n, &mx);
    if (status == ARES_SUCCESS)
        keep_hosts(q, mx);
    else
        q->answer.err = err_of(status);
    if (mx)
        ares_free_data(mx);
    for (size_t i = 0; i < q->host_count && !q->dns->is_closing; i++)
        look_up(q, q->hosts[i].name, q->hosts[i].preference);
    finish_lookup(q);
}

struct dns_query *dns_ask(struct dns *dns, const char *name, bool is_mx, dns_fn *fn, void *arg)
{
    struct dns_query *q = calloc(1, sizeof *q);
    if (!q)
        return NULL;
    q->dns = dns;
    q->fn = fn;
    q->arg = arg;
    q->answer.err = MSA_ENOENT;
    q->answer.ttl_ms = TTL_DEFAULT_MS;
    timer_init(&q->answer_timer, answer, q);
    list_append(&dns->queries, &q->link);
    q->pending_count = 1; /* ours: c-ares may answer from inside the call */
    if (is_mx) {
        q->pending_count++;
        ares_query(dns->channel, name, ns_c_in, ns_t_mx, on_mx, q);
    } else {
        look_up(q, name, 0);
    }
    finish_lookup(q);
    rearm(dns);
    return q;
}

void dns_cancel(struct dns_query **q)
{
    if (!*q)
        return;
    (*q)->fn = NULL;
    if ((*q)->pending_count == 0)
        free_query(*q);
    *q = NULL;
}

/* ---- the channel ---- */

static int set_servers(struct dns *dns, const struct config_endpoints *servers)
{
    struct buf csv;
    buf_init(&csv, 4096);
    for (uint32_t i = 0; i < servers->count; i++) {
        char ip[IPADDR_TEXT_MAX];
        bool is_v4 = ipaddr_is_v4(&servers->items[i].addr);
        ipaddr_format(&servers->items[i].addr, ip);
        buf_addf(&csv, is_v4 ? "%s%s:%u" : "%s[%s]:%u", i > 0 ? "," : "", ip, servers->items[i].port);
    }
    buf_add_char(&csv, '\0');
    int status = buf_failed(&csv) ? ARES_ENOMEM
                                  : ares_set_servers_ports_csv(dns->channel, buf_view(&csv).p);
    buf_fini(&csv);
    return status;
}

static int open_channel(struct dns *dns, const struct config_dns *config)
{
    struct ares_options options = {
        .flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = (int)config->timeout_ms,
        .tries = (int)config->attempt_count,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = dns,
    };
    int status = ares_init_options(&dns->channel, &options,
                                   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                                       ARES_OPT_SOCK_STATE_CB);
    if (status == ARES_SUCCESS && config->servers.count > 0)
        status = set_servers(dns, &config->servers);
    return status;
}

struct dns *dns_new(struct loop *loop, const struct config_dns *config, char *error,
                    size_t error_size)
{
    struct dns *dns = calloc(1, sizeof *dns);
    int status = dns ? ares_library_init(ARES_LIB_INIT_ALL) : ARES_ENOMEM;
    if (status == ARES_SUCCESS) {
        dns->loop = loop;
        dns->max_ttl_ms = config->max_ttl_ms;
        list_init(&dns->queries);
        timer_init(&dns->timer, on_time, dns);
        status = open_channel(dns, config);
    }
    if (status == ARES_SUCCESS)
        return dns;
    snprintf(error, error_size, "dns: %s", ares_strerror(status));
    if (dns && dns->channel)
        ares_destroy(dns->channel);
    free(dns);
    return NULL;
}

void dns_free(struct dns **dns)
{
    struct dns *d = *dns;
    if (!d)
        return;
    d->is_closing = true;
    struct dns_query *q, *tmp;
    LIST_FOREACH (q, tmp, &d->queries, struct dns_query, link)
        q->fn = NULL;
    ares_destroy(d->channel); /* calls back with ARES_EDESTRUCTION, which frees the queries */
    LIST_FOREACH (q, tmp, &d->queries, struct dns_query, link)
        free_query(q); /* those whose answer was due */
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (d->sockets[i].watch)
            watch_free(&d->sockets[i].watch);
    }
    timer_stop(&d->timer);
    ares_library_cleanup();
    free(d);
    *dns = NULL;
}
