#include "relay/pool.h"

#include <stdio.h>
#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/link.h"
#include "relay/targets.h"

#define WAITING_PER_LINK 8     /* clients that may always wait, per link allowed */
#define WAITING_MAX      10000
#define MEAN_SHIFT       4     /* the mean time of a transaction moves by a sixteenth */
#define LATE_MAX         3 /* deadlines passed in a row before clients are sent to the queue at once */
#define NO_LINK_PAUSE_MS 1000

enum bucket { BUCKET_OPENING = 0, BUCKET_IDLE, BUCKET_BUSY, BUCKET_QUITTING, BUCKET_COUNT };

struct pool {
    struct pool_settings set;
    struct client_settings client;       /* what links say */
    struct client_settings clear_client; /* where opportunistic TLS has failed */
    struct config_relay_deadlines deadlines; /* a copy: what is under way may outlive the configuration */
    struct tls_client *tls;
    struct targets targets;
    struct list links[BUCKET_COUNT];
    uint32_t link_counts[BUCKET_COUNT];
    struct list waiting; /* of deliveries */
    uint32_t waiting_count;
    struct timer again;  /* when a dead target comes back */
    struct loop_hook work;
    bool is_proven;      /* the last thing known of the smarthosts is good */
    bool is_queues_turn;
    bool is_retired;
    struct pool_marks marks;
    int64_t down_since_ms; /* none of the smarthosts can be reached since then; 0: not so */
    uint32_t late_count;
    int64_t late_until_ms;
    int64_t mean_ms_x16; /* of a transaction, in sixteenths of a millisecond */
    uint64_t delivered_count;
    uint64_t lost_count;
};

static void plan_work(struct pool *p);

/* ---- links ---- */

static uint32_t link_count(const struct pool *p)
{
    uint32_t count = 0;
    for (int i = 0; i < BUCKET_COUNT; i++)
        count += p->link_counts[i];
    return count;
}

static void leave_bucket(struct pool *p, struct link *l)
{
    list_remove(link_place(l));
    p->link_counts[link_bucket(l)]--;
}

static void enter_bucket(struct pool *p, struct link *l, enum bucket bucket)
{
    link_set_bucket(l, bucket);
    list_append(&p->links[bucket], link_place(l));
    p->link_counts[bucket]++;
}

static void move_link(struct pool *p, struct link *l, enum bucket bucket)
{
    leave_bucket(p, l);
    enter_bucket(p, l, bucket);
}

/* ---- work for a link ---- */

static struct delivery *take_waiting(struct pool *p)
{
    struct delivery *d = LIST_FIRST(&p->waiting, struct delivery, link);
    if (!d)
        return NULL;
    list_remove(&d->link);
    p->waiting_count--;
    return d;
}

static struct delivery *take_queued(struct pool *p)
{
    return p->is_retired ? NULL : p->set.next(p->set.arg, p);
}

static struct delivery *take_work(struct pool *p)
{
    bool is_first_queued = p->is_queues_turn || p->waiting_count == 0;
    struct delivery *d = is_first_queued ? take_queued(p) : take_waiting(p);
    p->is_queues_turn = !is_first_queued;
    return d ? d : is_first_queued ? take_waiting(p) : take_queued(p);
}

/* The link is idle and stays so when there is nothing to do. */
static void feed(struct pool *p, struct link *l)
{
    struct delivery *d;
    while (link_is_ready(l) && (d = take_work(p))) {
        d->sent_ms = clock_mono_ms();
        view_to_cstr(view_slice(view_cstr(p->set.config->name), 0, sizeof d->pool - 1), d->pool, sizeof d->pool);
        if (link_send(l, d))
            move_link(p, l, BUCKET_BUSY);
        else
            d->done(d, DELIVERY_ANSWERED);
    }
}

/* ---- smarthosts that ask for less ---- */

static uint32_t links_to(const struct pool *p, const struct target *t)
{
    uint32_t count = 0;
    for (int i = 0; i < BUCKET_QUITTING; i++) {
        for (struct list *at = p->links[i].next; at != &p->links[i]; at = at->next) {
            struct link *l = link_of_place(at);
            count += link_port(l) == t->port && ipaddr_eq(link_ip(l), &t->ip);
        }
    }
    return count;
}

static void slow_down(struct pool *p, struct link *l, struct target *t, uint32_t link_count)
{
    if (!target_slow_down(t, link_count, clock_mono_ms()))
        return;
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARN, "smarthost-slowed");
    log_str(&line, "pool", p->set.config->name);
    log_str(&line, "host", link_host(l));
    log_num(&line, "links", t->slow_limit);
    log_end(&line);
}

static bool has_too_many_links(const struct pool *p, const struct target *t)
{
    return t && t->slow_limit > 0 && links_to(p, t) > t->slow_limit;
}

static void count_links(struct pool *p)
{
    for (uint32_t i = 0; i < p->targets.count; i++) {
        struct target *t = &p->targets.items[i];
        if (t->slow_limit > 0)
            t->link_count = links_to(p, t);
    }
}

static bool is_used_up(const struct pool *p, const struct link *l)
{
    uint32_t count = link_message_count(l);
    uint64_t allowed = link_message_max(l);
    return link_is_used_up(l) || count >= p->set.config->messages_per_connection_count || (allowed > 0 && count >= allowed);
}

static void on_ready(void *arg, struct link *l)
{
    struct pool *p = arg;
    struct target *t = targets_find(&p->targets, link_ip(l), link_port(l));
    if (t)
        target_is_up(t);
    if (!p->is_proven)
        plan_work(p); /* more links may be opened now */
    p->is_proven = true;
    p->down_since_ms = 0;
    if (p->is_retired || is_used_up(p, l) || has_too_many_links(p, t)) {
        move_link(p, l, BUCKET_QUITTING);
        link_quit(l);
        plan_work(p);
        return;
    }
    move_link(p, l, BUCKET_IDLE);
    feed(p, l);
}

/* A destination may have had enough of this link. */
static void count_towards(struct link *l, const struct delivery *d)
{
    for (uint32_t i = 0; i < d->passes.count; i++) {
        const struct shape_gate *g = d->passes.items[i].gate;
        uint32_t most = g->gate.limits.messages_per_connection;
        if (most > 0 && link_count_towards(l, g) >= most)
            link_set_used_up(l);
    }
}

static void on_done(void *arg, struct link *l, struct delivery *d)
{
    struct pool *p = arg;
    count_towards(l, d);
    struct target *t = targets_find(&p->targets, link_ip(l), link_port(l));
    if (t)
        target_answered(t);
    if (t && message_asks_for_less(d->m))
        slow_down(p, l, t, links_to(p, t));
    else if (t)
        target_recover(t, p->set.connection_count, clock_mono_ms());
    p->mean_ms_x16 += clock_mono_ms() - d->sent_ms - (p->mean_ms_x16 >> MEAN_SHIFT);
    p->delivered_count++;
    p->late_count = 0;
    p->late_until_ms = 0;
    d->done(d, DELIVERY_ANSWERED);
}

/* ---- the end of a link ---- */

static void log_trouble(struct pool *p, struct link *l, const struct link_end *end)
{
    struct log_line line;
    log_begin(&line, LOG_LEVEL_WARN, "smarthost-trouble");
    log_str(&line, "pool", p->set.config->name);
    log_str(&line, "host", link_host(l));
    log_str(&line, "kind", client_failure_name(end->failure));
    log_str(&line, "text", end->text);
    log_end(&line);
}

static void judge_target(struct pool *p, struct link *l, const struct link_end *end)
{
    struct target *t = targets_find(&p->targets, link_ip(l), link_port(l));
    int64_t now_ms = clock_mono_ms();
    bool is_ours = end->failure == CLIENT_FAIL_BODY || end->failure == CLIENT_FAIL_HERE;
    if (!t || end->is_planned || is_ours || link_was_stale(end) || (end->was_ready && !end->left))
        return;
    int64_t pause_ms = p->set.config->dead_host_pause_ms;
    if (t->dead_until_ms <= now_ms) /* several links at once tell one thing */
        log_trouble(p, l, end);
    if (end->is_tls_trouble && p->set.config->tls == CONFIG_RELAY_TLS_OPPORTUNISTIC &&
        t->clear_until_ms <= now_ms)
        t->clear_until_ms = now_ms + pause_ms;
    else if (end->failure == CLIENT_FAIL_CLOSING && links_to(p, t) > 0)
        slow_down(p, l, t, links_to(p, t) + 1); /* too many for it: the others stand */
    else if (!end->was_ready || end->failure == CLIENT_FAIL_CLOSING)
        target_failed(t, pause_ms, now_ms);
    else if (end->was_answered || end->is_timeout || !end->was_reused)
        target_dropped(t, pause_ms, now_ms);
    if (targets_back_at_ms(&p->targets, now_ms) > 0)
        p->is_proven = false;
}

static void return_delivery(struct pool *p, struct delivery *d, const struct link_end *end)
{
    if (end->failure == CLIENT_FAIL_BODY) {
        d->done(d, DELIVERY_ANSWERED);
    } else if (link_was_stale(end) && !p->is_retired) {
        d->is_second_try = true;
        d->is_sent = false;
        list_prepend(&p->waiting, &d->link);
        p->waiting_count++;
    } else {
        p->lost_count++;
        d->done(d, DELIVERY_LOST);
    }
}

static void on_gone(void *arg, struct link *l, const struct link_end *end)
{
    struct pool *p = arg;
    leave_bucket(p, l);
    judge_target(p, l, end);
    if (end->left)
        return_delivery(p, end->left, end);
    plan_work(p);
}

/* ---- opening links ---- */

static void refuse_waiting(struct pool *p)
{
    struct delivery *d;
    while ((d = take_waiting(p)))
        d->done(d, DELIVERY_NOT_TRIED);
}

static bool open_link(struct pool *p, struct target *t)
{
    bool is_clear = t->clear_until_ms > clock_mono_ms();
    const struct link_settings settings = {
        .loop = p->set.loop,
        .client = is_clear ? &p->clear_client : &p->client,
        .deadlines = &p->deadlines,
        .tls = p->tls,
        .server_name = t->name,
        .ip = t->ip,
        .port = t->port,
        .source = p->set.source,
    };
    const struct link_owner owner = {on_ready, on_done, on_gone, p};
    struct link *l = link_new(&settings, &owner);
    if (!l) {
        log_msg(LOG_LEVEL_WARN, "relay-no-memory", "no connection to %s can be opened", t->name);
        return false;
    }
    enter_bucket(p, l, BUCKET_OPENING);
    return true;
}

/* How many more are worth opening: one per delivery that waits, and just one while nobody knows
 * whether a smarthost is there. */
static uint32_t wanted_links(const struct pool *p)
{
    uint32_t count = link_count(p), opening = p->link_counts[BUCKET_OPENING];
    uint32_t allowed = p->set.connection_count > count ? p->set.connection_count - count : 0;
    if (p->is_retired || (!p->is_proven && opening > 0))
        return 0;
    uint64_t useful = p->waiting_count + p->set.ready(p->set.arg, p);
    if (useful == 0 && p->down_since_ms > 0 && p->set.config->fallback[0])
        useful = 1; /* its mail goes elsewhere: only trying tells when it is back */
    if (useful <= opening)
        return 0;
    useful = p->is_proven ? useful - opening : 1;
    return useful < allowed ? (uint32_t)useful : allowed;
}

static void wait_for_target(struct pool *p, int64_t now_ms)
{
    int64_t back_at_ms = targets_back_at_ms(&p->targets, now_ms);
    int64_t wait_ms = back_at_ms > now_ms ? back_at_ms - now_ms : NO_LINK_PAUSE_MS;
    if (timer_start(&p->again, p->set.loop, wait_ms) < 0)
        log_msg(LOG_LEVEL_WARN, "relay-no-memory", "a pool waits without a timer");
    p->is_proven = false;
    if (p->down_since_ms == 0 && p->link_counts[BUCKET_IDLE] + p->link_counts[BUCKET_BUSY] == 0)
        p->down_since_ms = now_ms;
    if (p->link_counts[BUCKET_OPENING] + p->link_counts[BUCKET_BUSY] == 0)
        refuse_waiting(p);
}

static void open_links(struct pool *p)
{
    int64_t now_ms = clock_mono_ms();
    uint32_t wanted = wanted_links(p);
    if (wanted == 0 || targets_refresh(&p->targets, now_ms))
        return;
    for (; wanted > 0; wanted--) {
        count_links(p);
        struct target *t = targets_choose(&p->targets, now_ms);
        if (!t && p->targets.count > 0 && targets_back_at_ms(&p->targets, now_ms) == 0)
            return; /* they have as many as they want */
        if (!t || !open_link(p, t)) {
            wait_for_target(p, now_ms);
            return;
        }
    }
}

/* One that has been idle for long may be saying its farewell among the others. */
static void on_work(void *arg)
{
    struct pool *p = arg;
    const struct list *idle = &p->links[BUCKET_IDLE];
    bool is_work_left = true;
    loop_hook_remove(&p->work);
    for (struct list *at = idle->next, *next; at != idle && is_work_left; at = next) {
        struct link *l = link_of_place(at);
        next = at->next;
        feed(p, l);
        is_work_left = !link_is_ready(l);
    }
    open_links(p);
}

static void plan_work(struct pool *p)
{
    if (!loop_hook_is_on(&p->work))
        loop_hook_add(p->set.loop, LOOP_STAGE_WORK, &p->work, on_work, p);
}

static void on_again(void *arg)
{
    plan_work(arg);
}

/* ---- the owner's calls ---- */

static void fill_client(struct pool *p)
{
    const struct config_pool *config = p->set.config;
    p->client = (struct client_settings){
        .ehlo_name = config->ehlo_name,
        .tls = config->tls,
        .is_tls_implicit = config->implicit_tls,
        .user = config->auth.user,
        .password = config->auth.password,
        .mechanism = config->auth.mechanism,
    };
    p->clear_client = p->client;
    p->clear_client.tls = CONFIG_RELAY_TLS_OFF;
}

static int make_tls(struct pool *p, char *error, size_t error_size)
{
    const struct config_pool *config = p->set.config;
    char why[TLS_ERROR_MAX];
    const struct tls_client_settings settings = {
        .ca_pem = config->ca_pem[0] ? config->ca_pem : NULL,
        .is_verified = config->verify && config->tls == CONFIG_RELAY_TLS_REQUIRED,
        .verify_name = config->verify_name[0] ? config->verify_name : NULL,
    };
    if (config->tls == CONFIG_RELAY_TLS_OFF && !config->implicit_tls)
        return MSA_OK;
    p->tls = tls_client_new(&settings, why);
    if (p->tls)
        return MSA_OK;
    snprintf(error, error_size, "pool %s: %s", config->name, why);
    return MSA_EINVAL;
}

struct pool *pool_new(const struct pool_settings *settings, char *error, size_t error_size)
{
    struct pool *p = calloc(1, sizeof *p);
    snprintf(error, error_size, "out of memory");
    if (!p)
        return NULL;
    p->set = *settings;
    p->deadlines = settings->config->deadlines;
    p->is_proven = true;
    for (int i = 0; i < BUCKET_COUNT; i++)
        list_init(&p->links[i]);
    list_init(&p->waiting);
    timer_init(&p->again, on_again, p);
    fill_client(p);
    if (targets_init(&p->targets, settings->dns, settings->config, &settings->source, on_again, p) < 0 ||
        make_tls(p, error, error_size) < 0)
        pool_free(&p);
    return p;
}

static void drop_links(struct pool *p, enum bucket bucket)
{
    while (!list_is_empty(&p->links[bucket])) {
        struct link *l = link_of_place(p->links[bucket].next);
        struct delivery *d = link_delivery(l);
        leave_bucket(p, l);
        link_free(&l);
        if (!d)
            continue;
        message_answer_open(d->m, 451, "4.3.2", VIEW_LIT("delivery was interrupted"));
        d->done(d, DELIVERY_LOST);
    }
}

void pool_free(struct pool **p)
{
    if (!*p)
        return;
    (*p)->is_retired = true;
    for (int i = 0; i < BUCKET_COUNT; i++)
        drop_links(*p, (enum bucket)i);
    refuse_waiting(*p);
    timer_stop(&(*p)->again);
    loop_hook_remove(&(*p)->work);
    targets_fini(&(*p)->targets);
    if ((*p)->tls)
        tls_client_free(&(*p)->tls);
    free(*p);
    *p = NULL;
}

void pool_retire(struct pool *p)
{
    p->is_retired = true;
    drop_links(p, BUCKET_OPENING);
    while (!list_is_empty(&p->links[BUCKET_IDLE])) {
        struct link *l = link_of_place(p->links[BUCKET_IDLE].next);
        move_link(p, l, BUCKET_QUITTING);
        link_quit(l);
    }
    refuse_waiting(p);
}

/* Without targets nobody asks for the configuration: links that finish have their own deadlines. */
void pool_detach(struct pool *p)
{
    targets_fini(&p->targets);
    p->set.config = NULL;
}

bool pool_is_empty(const struct pool *p)
{
    return link_count(p) == 0 && p->waiting_count == 0;
}

/* A client is better off waiting for a link than for the disk, as long as it would not be for long. */
static bool is_wait_short(const struct pool *p)
{
    uint32_t links = p->set.connection_count;
    int64_t wait_ms = (int64_t)(p->waiting_count / links) * (p->mean_ms_x16 >> MEAN_SHIFT);
    return p->waiting_count < links * WAITING_PER_LINK ||
           (p->waiting_count < WAITING_MAX && wait_ms < p->set.config->handover_deadline_ms / 4);
}

bool pool_is_open(const struct pool *p)
{
    return !p->is_retired && p->is_proven && p->late_until_ms <= clock_mono_ms() && is_wait_short(p);
}

int pool_submit(struct pool *p, struct delivery *d)
{
    if (!pool_is_open(p))
        return MSA_EAGAIN;
    list_append(&p->waiting, &d->link);
    p->waiting_count++;
    plan_work(p);
    return MSA_OK;
}

bool pool_cancel(struct pool *p, struct delivery *d)
{
    if (d->is_sent)
        return false;
    list_remove(&d->link);
    p->waiting_count--;
    return true;
}

void pool_wake(struct pool *p)
{
    plan_work(p);
}

void pool_try_now(struct pool *p)
{
    targets_forgive(&p->targets);
    timer_stop(&p->again);
    plan_work(p);
}

void pool_note_late(struct pool *p)
{
    if (p->is_retired || ++p->late_count < LATE_MAX)
        return;
    p->late_count = 0;
    p->late_until_ms = clock_mono_ms() + p->set.config->dead_host_pause_ms;
}

const struct config_pool *pool_config(const struct pool *p)
{
    return p->set.config;
}

uint16_t pool_number(const struct pool *p)
{
    return p->set.number;
}

int64_t pool_down_ms(const struct pool *p)
{
    return p->down_since_ms > 0 ? clock_mono_ms() - p->down_since_ms : 0;
}

struct pool_marks *pool_marks(struct pool *p)
{
    return &p->marks;
}

bool pool_get_target(const struct pool *p, uint32_t i, struct pool_target_status *out)
{
    if (i >= p->targets.count)
        return false;
    const struct target *t = &p->targets.items[i];
    int64_t dead_ms = t->dead_until_ms - clock_mono_ms();
    *out = (struct pool_target_status){
        .name = t->name,
        .ip = t->ip,
        .port = t->port,
        .preference = t->preference,
        .link_count = links_to(p, t),
        .slow_limit = t->slow_limit,
        .dead_ms = dead_ms > 0 ? dead_ms : 0,
    };
    return true;
}

void pool_get_status(const struct pool *p, struct pool_status *out)
{
    *out = (struct pool_status){
        .link_count = link_count(p),
        .busy_count = p->link_counts[BUCKET_BUSY],
        .waiting_count = p->waiting_count,
        .target_count = p->targets.count,
        .is_open = pool_is_open(p),
        .delivered_count = p->delivered_count,
        .lost_count = p->lost_count,
        .source = p->set.source,
        .is_given_up = p->marks.is_given_up,
        .down_ms = pool_down_ms(p),
        .link_max = p->set.connection_count,
    };
    for (uint32_t i = 0; i < p->targets.count; i++)
        out->dead_count += p->targets.items[i].dead_until_ms > clock_mono_ms();
}
