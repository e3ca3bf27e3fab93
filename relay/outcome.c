#include "relay/outcome.h"

#include "msa/base/log.h"
#include "msa/base/msgid.h"

static const struct message_rcpt *first_of(const struct message *m, enum rcpt_state state)
{
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (m->rcpts[i].state == state && m->rcpts[i].answer.code > 0 && !m->rcpts[i].is_left)
            return &m->rcpts[i];
    }
    return NULL;
}

/* The worst of the answers: that is the one somebody will look for. */
static const struct message_rcpt *telling_of(const struct message *m)
{
    const struct message_rcpt *r = first_of(m, RCPT_FAILED);
    if (!r)
        r = first_of(m, RCPT_PENDING);
    return r ? r : first_of(m, RCPT_DELIVERED);
}

static uint32_t count_left(const struct message *m)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->rcpt_count; i++)
        count += m->rcpts[i].state == RCPT_PENDING && m->rcpts[i].is_left;
    return count;
}

static void log_attempt(const struct delivery *d, enum delivery_end end)
{
    const struct message *m = d->m;
    const struct message_rcpt *telling = telling_of(m);
    char id[MSGID_TEXT_MAX];
    struct log_line line;
    msgid_format(m->id, id);
    log_begin(&line, LOG_LEVEL_INFO, "attempt");
    log_str(&line, "msg", id);
    log_view(&line, "user", m->login);
    log_view(&line, "pool", m->pool);
    if (d->pool[0] && !view_eq(view_cstr(d->pool), m->pool))
        log_str(&line, "via", d->pool);
    log_str(&line, "host", d->host[0] ? d->host : NULL);
    log_num(&line, "delivered", message_count(m, RCPT_DELIVERED));
    uint32_t left_count = count_left(m);
    log_num(&line, "deferred", message_count(m, RCPT_PENDING) - left_count);
    log_num(&line, "failed", message_count(m, RCPT_FAILED));
    if (left_count > 0)
        log_num(&line, "left", left_count);
    if (m->signed_by.n > 0)
        log_view(&line, "dkim", m->signed_by);
    if (end == DELIVERY_LOST)
        log_str(&line, "lost", "yes");
    if (telling) {
        log_num(&line, "code", telling->answer.code);
        log_str(&line, "enhanced", telling->answer.enhanced);
        log_view(&line, "text", telling->answer.text);
    }
    log_end(&line);
}

static bool add_results(struct buf *list, const struct message *m)
{
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        const struct message_rcpt *r = &m->rcpts[i];
        const struct msg_recipient_result result = {
            .path = r->path,
            .code = r->answer.code,
            .enhanced = view_cstr(r->answer.enhanced),
        };
        if (r->answer.code > 0 && !r->is_left)
            items_add_result(list, &result);
    }
    return !buf_failed(list) && buf_len(list) > 0;
}

static void tell_policy(struct relay *r, const struct message *m)
{
    struct buf list;
    if (!r->policy || m->account == 0)
        return;
    buf_init(&list, IPC_ITEMS_MAX);
    if (add_results(&list, m)) {
        const struct msg_relay_outcome told = {
            .message = m->id,
            .account = m->account,
            .login = m->login,
            .client_ip = m->client_ip,
            .pool = m->pool,
            .results = buf_view(&list),
        };
        (void)CHAN_SEND(r->policy, relay_outcome, 0, &told); /* away: its counters miss one */
    }
    buf_fini(&list);
}

/* ---- health ---- */

static void log_health(const char *pool, const struct health_shares *s, enum health_news news)
{
    struct log_line line;
    if (news == HEALTH_WORSE)
        log_begin(&line, LOG_LEVEL_WARN, "destination-refuses");
    else
        log_begin(&line, LOG_LEVEL_INFO, "destination-recovered");
    log_str(&line, "pool", pool);
    log_str(&line, "destination", s->destination[0] ? s->destination : NULL);
    log_num(&line, "delivered", (int64_t)s->counts[HEALTH_DELIVERED]);
    log_num(&line, "refused", (int64_t)s->counts[HEALTH_REFUSED]);
    log_num(&line, "deferred", (int64_t)s->counts[HEALTH_DEFERRED]);
    log_end(&line);
}

static void judge(struct relay *r, const char *pool, struct view destination, bool is_group)
{
    const struct config_pool *config = config_pool_find(r->config, view_cstr(pool));
    struct health_shares s;
    enum health_news news = config ? healths_judge(r->healths, view_cstr(pool), destination, is_group,
                                                   config->refused_warning_percent, &s)
                                   : HEALTH_NO_NEWS;
    if (news == HEALTH_NO_NEWS)
        return;
    log_health(pool, &s, news);
    news_tell(&r->news, news == HEALTH_WORSE ? NEWS_REFUSES : NEWS_RECOVERED,
               json_pack("{s:s, s:s, s:I, s:I, s:I}", "pool", pool, "destination", s.destination, "delivered",
                         (json_int_t)s.counts[HEALTH_DELIVERED], "refused", (json_int_t)s.counts[HEALTH_REFUSED],
                         "deferred", (json_int_t)s.counts[HEALTH_DEFERRED]));
}

static void note_health(struct relay *r, const struct delivery *d)
{
    for (uint32_t i = 0; i < d->m->rcpt_count; i++) {
        const struct message_rcpt *rcpt = &d->m->rcpts[i];
        char destination[256];
        bool is_group;
        if (rcpt->answer.code == 0 || rcpt->is_left)
            continue;
        shape_destination(r->shapes, rcpt->path, destination, &is_group);
        enum health_end end = rcpt->state == RCPT_DELIVERED ? HEALTH_DELIVERED
                              : rcpt->state == RCPT_FAILED  ? HEALTH_REFUSED
                                                            : HEALTH_DEFERRED;
        healths_add(r->healths, view_cstr(d->pool), view_cstr(destination), is_group, end);
        judge(r, d->pool, view_cstr(destination), is_group);
    }
    judge(r, d->pool, VIEW_EMPTY, false);
}

void outcome_report(struct relay *r, const struct delivery *d, enum delivery_end end)
{
    log_attempt(d, end);
    tell_policy(r, d->m);
    if (d->pool[0])
        note_health(r, d);
}
