#include "relay/settle.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "msa/base/secret.h"
#include "relay/hold.h"
#include "relay/outcome.h"

#define TROUBLE_WAIT_MS 60000 /* before a message is tried again that could not be read or recorded */

/* ---- notices ---- */

static int64_t age_starts_ms(const struct message *m)
{
    return m->hold_until_ms > m->arrival_ms ? m->hold_until_ms : m->arrival_ms;
}

static int add_notice(struct relay *r, struct change *c, const struct message *m,
                      enum bounce_kind kind, const struct settle_reason *reason)
{
    struct message *notice;
    if (!bounce_is_due(m, kind))
        return MSA_OK;
    const struct bounce_settings settings = {
        .hostname = r->config->hostname,
        .from = r->config->queue.bounce_from,
        .postmaster = r->config->queue.postmaster,
        .expires_at_ms = age_starts_ms(m) + r->config->queue.expiry_ms,
        .status = reason ? reason->status : NULL,
        .why = reason ? reason->why : NULL,
    };
    int err = bounce_make(m, kind, &settings, &notice);
    if (err < 0)
        return err;
    r->bounce_count++;
    return change_insert(c, notice, CHANGE_OURS);
}

int settle_add_notices(struct relay *r, struct change *c, const struct message *m,
                       const struct settle_reason *reason, bool was_dsn_spoken)
{
    int err = add_notice(r, c, m, BOUNCE_FAILED, reason);
    if (err == MSA_OK && !was_dsn_spoken)
        err = add_notice(r, c, m, BOUNCE_RELAYED, NULL);
    return err;
}

/* ---- the next attempt ---- */

/* "Too many at once" says nothing of the recipient; 4.0.0 stands for a reply without a code of RFC 3463. */
static bool is_one_too_many(const struct message_rcpt *r)
{
    bool says_so = strcmp(r->answer.enhanced, "4.5.3") == 0 || strcmp(r->answer.enhanced, "4.0.0") == 0;
    return message_is_tried(r) && r->answer.code == 452 && says_so;
}

/* Those who were too many come first in the next attempt, or the same ones who are deferred each time would keep the rest
 * out. True when it may be made at once: there are such, and the last one got on. */
static bool put_too_many_first(struct message *m)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        struct message_rcpt r = m->rcpts[i];
        if (!is_one_too_many(&r))
            continue;
        m->rcpts[i] = m->rcpts[count];
        m->rcpts[count++] = r;
    }
    return count > 0 && message_count(m, RCPT_PENDING) < m->rcpt_count;
}

static bool has_tried(const struct message *m)
{
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (message_is_tried(&m->rcpts[i]))
            return true;
    }
    return false;
}

/* Somebody has had no attempt yet: there was no room for him. */
static bool has_untried(const struct message *m)
{
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (m->rcpts[i].state == RCPT_PENDING && m->rcpts[i].answer.code == 0)
            return true;
    }
    return false;
}

void settle_plan_retry(const struct relay *r, struct message *m)
{
    uint32_t random;
    secret_random(&random, sizeof random);
    int64_t wait_ms = 0;
    if (!has_tried(m))
        return; /* those who are pending had no part in the attempt */
    if (!put_too_many_first(m)) {
        wait_ms = schedule_wait_ms(&r->config->queue.retry, m->attempt_count, random);
        m->attempt_count++;
    }
    m->next_attempt_ms = clock_wall_ms() + wait_ms;
}

void settle_put_back(struct relay *r, struct queue_entry *e, int64_t next_attempt_ms)
{
    int64_t wait_ms = next_attempt_ms - clock_wall_ms();
    if (e->held_for != 0) {
        hold_now(r, e);
    } else if (wait_ms > 0) {
        queue_set_waiting(r->queue, e, clock_mono_ms() + wait_ms);
    } else if (e->is_rest_waiting && e->next_ms > clock_mono_ms()) {
        queue_set_ready_in_part(r->queue, e, e->next_ms);
        schedule_wake(r, e);
    } else {
        queue_set_ready(r->queue, e);
        schedule_wake(r, e);
    }
    schedule_rearm(r);
}

/* ---- after an attempt ---- */

/* What is under way to the disk for one entry. */
struct settling {
    struct relay *relay;
    uint64_t id;
    int64_t next_attempt_ms;
    uint32_t attempt_count;
    bool is_over; /* nobody is pending: the entry goes */
    bool has_untried;
};

static void put_back_in_part(struct relay *r, struct queue_entry *e, int64_t next_attempt_ms)
{
    e->is_rest_waiting = true;
    e->next_ms = clock_mono_ms() + next_attempt_ms - clock_wall_ms();
    settle_put_back(r, e, 0);
}

static void on_settled(void *arg, int err)
{
    struct settling *s = arg;
    struct relay *r = s->relay;
    struct queue_entry *e = queue_find(r->queue, s->id);
    if (e && s->is_over && (err == MSA_OK || err == MSA_ENOENT)) {
        queue_remove(r->queue, e);
    } else if (e && err == MSA_OK) {
        e->attempt_count = s->attempt_count;
        if (s->has_untried)
            put_back_in_part(r, e, s->next_attempt_ms);
        else
            settle_put_back(r, e, s->next_attempt_ms);
    }
    /* else the queue is broken: the entry stays ACTIVE, nothing is sent from it before a restart */
    free(s);
}

static int add_progress(struct change *c, struct message *m)
{
    if (message_count(m, RCPT_PENDING) == 0)
        return change_delete(c, m->id, message_has(m, MESSAGE_LARGE));
    return change_update(c, m);
}

static struct settling *settling_of(struct relay *r, const struct message *m)
{
    struct settling *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->relay = r;
    s->id = m->id;
    s->next_attempt_ms = m->next_attempt_ms;
    s->attempt_count = m->attempt_count;
    s->is_over = message_count(m, RCPT_PENDING) == 0;
    s->has_untried = has_untried(m);
    return s;
}

/* How much the sender is told. */
struct telling {
    bool is_silent;
    bool was_dsn_spoken;
    const struct settle_reason *reason;
};

/* Notices and progress go to the disk in one transaction: never a bounce twice, never one lost. */
static int submit_progress(struct relay *r, struct message *m, const struct telling *telling)
{
    struct settling *s = settling_of(r, m);
    struct change *c = s ? change_new(r, on_settled, s) : NULL;
    int err = c ? MSA_OK : MSA_ENOMEM;
    if (err == MSA_OK && !telling->is_silent)
        err = settle_add_notices(r, c, m, telling->reason, telling->was_dsn_spoken);
    if (err == MSA_OK)
        err = add_progress(c, m);
    if (err == MSA_OK) {
        change_submit(c);
        return MSA_OK;
    }
    change_free(&c);
    free(s);
    return err;
}

static void retry_later(struct relay *r, struct queue_entry *e, int err)
{
    char id[MSGID_TEXT_MAX];
    msgid_format(e->id, id);
    log_msg(LOG_LEVEL_ERROR, "queue-trouble", "message %s: %s, tried again later", id,
            msa_strerror(err));
    settle_put_back(r, e, clock_wall_ms() + TROUBLE_WAIT_MS);
}

void schedule_on_done(struct delivery *d, enum delivery_end end)
{
    struct relay *r = d->arg;
    struct message *m = d->m;
    struct queue_entry *e = queue_find(r->queue, m->id);
    shape_release(&d->passes, end != DELIVERY_NOT_TRIED);
    if (end == DELIVERY_NOT_TRIED && e) {
        settle_put_back(r, e, 0);
    } else {
        const struct telling telling = {.was_dsn_spoken = d->was_dsn_spoken};
        message_settle(m);
        outcome_report(r, d, end);
        if (message_count(m, RCPT_PENDING) > 0)
            settle_plan_retry(r, m);
        if (e)
            schedule_set_waits(r, e, m, has_untried(m));
        if (e)
            m->flags = message_flags_with(m->flags, e->held_for);
        int err = submit_progress(r, m, &telling);
        if (err < 0 && e)
            retry_later(r, e, err);
    }
    message_free(&d->m);
    free(d);
}

/* ---- without an attempt ---- */

void settle_unreadable(struct relay *r, struct queue_entry *e, int err)
{
    if (err != MSA_ECORRUPT && err != MSA_ENOENT) {
        retry_later(r, e, err);
        return;
    }
    char id[MSGID_TEXT_MAX];
    msgid_format(e->id, id);
    log_msg(LOG_LEVEL_ERROR, "queue-record-damaged", "message %s is moved aside", id);
    hold_set_aside(r, e->id);
    queue_remove(r->queue, e);
}

int settle_give_up(struct relay *r, struct queue_entry *e, const struct settle_reason *reason,
                   bool is_returned)
{
    const struct telling telling = {
        .is_silent = !is_returned, .was_dsn_spoken = true, .reason = reason};
    struct message *m;
    int err = spool_load(r->spool, e->id, &m);
    if (err < 0)
        return err;
    for (uint32_t i = 0; i < m->rcpt_count; i++)
        m->rcpts[i].state = RCPT_FAILED;
    err = submit_progress(r, m, &telling);
    message_free(&m);
    return err;
}

void settle_expire(struct relay *r, struct queue_entry *e)
{
    static const struct settle_reason reason = {
        "4.4.7", "It could not be delivered within the time that is allowed, and is given up now."};
    char id[MSGID_TEXT_MAX];
    msgid_format(e->id, id);
    log_msg(LOG_LEVEL_INFO, "expired", "message %s after %u attempts", id, e->attempt_count);
    int err = settle_give_up(r, e, &reason, true);
    if (err == MSA_OK)
        return;
    /* Or it would be too old again in this very turn. */
    e->since_ms = clock_mono_ms() - r->config->queue.expiry_ms + TROUBLE_WAIT_MS;
    settle_unreadable(r, e, err);
}

static void on_noticed(void *arg, int err)
{
    (void)arg;
    if (err < 0)
        log_msg(LOG_LEVEL_WARN, "queue-trouble", "a delay notice was not kept: %s", msa_strerror(err));
}

static int submit_delay_notice(struct relay *r, struct message *m)
{
    struct change *c = change_new(r, on_noticed, NULL);
    m->flags |= MESSAGE_DELAY_NOTICED;
    int err = c ? add_notice(r, c, m, BOUNCE_DELAYED, NULL) : MSA_ENOMEM;
    if (err == MSA_OK)
        err = change_update(c, m);
    if (err == MSA_OK)
        change_submit(c);
    else
        change_free(&c);
    return err;
}

/* The entry is not ACTIVE and may be taken the next moment: what that attempt writes comes behind this. */
void settle_send_delay_notice(struct relay *r, struct queue_entry *e)
{
    struct message *m;
    int err = spool_load(r->spool, e->id, &m);
    if (err == MSA_OK)
        m->flags = message_flags_with(m->flags, e->held_for); /* a release may be on its way to the disk */
    if (err == MSA_OK)
        err = submit_delay_notice(r, m);
    if (err < 0)
        on_noticed(NULL, err);
    message_free(&m);
}
