#include "relay/handover.h"

#include <stdio.h>
#include <stdlib.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "relay/bodies.h"
#include "relay/change.h"
#include "relay/hold.h"
#include "relay/outcome.h"
#include "relay/settle.h"
#include "relay/signing.h"

/* One client who waits. */
struct handover {
    struct list link;
    struct relay *relay;
    struct chan *chan; /* NULL: its worker is gone */
    uint64_t ask_id;
    uint64_t id;
    uint64_t account;
    struct message *m;         /* NULL: it belongs to the change */
    struct delivery *delivery; /* NULL: none is under way */
    struct pool *pool;         /* of the delivery */
    struct timer deadline;
    bool is_signing;           /* a thread reads the message: nobody else may have it */
    bool is_late;              /* and when it is back the client has waited long enough */
    bool is_committing;
    uint8_t held_meanwhile; /* what was said while it was on its way to the disk, bits of enum hold_reason */
    uint8_t released_meanwhile;
    bool is_ended;             /* a late delivery ended before the commit did */
    enum delivery_end end;
};

/* ---- answering ---- */

static void send_answer(struct handover *h, enum relay_result result, unsigned code,
                        const char *enhanced, struct view text)
{
    const struct msg_relay_accept_answer answer = {
        .result = (uint8_t)result,
        .code = (uint16_t)code,
        .enhanced = view_cstr(enhanced),
        .text = view_slice(text, 0, IPC_REPLY_MAX),
    };
    if (h->chan && CHAN_SEND(h->chan, relay_accept_answer, h->ask_id, &answer) < 0)
        log_msg(LOG_LEVEL_WARN, "relay-unheard", "an answer did not reach its session worker");
}

static void destroy(struct handover *h)
{
    timer_stop(&h->deadline);
    list_remove(&h->link);
    message_free(&h->m);
    if (h->delivery)
        shape_release(&h->delivery->passes, true);
    free(h->delivery);
    free(h);
}

static void fail(struct handover *h, int err)
{
    bool is_full = err == MSA_EFULL;
    h->relay->failed_count++;
    send_answer(h, RELAY_FAILED, is_full ? 452 : 451, is_full ? "4.3.1" : "4.3.0",
                is_full ? VIEW_LIT("not enough space, try again later")
                        : VIEW_LIT("the message could not be kept, try again later"));
    destroy(h);
}

static void answer_queued(struct handover *h)
{
    char id[MSGID_TEXT_MAX], text[64];
    msgid_format(h->id, id);
    snprintf(text, sizeof text, "queued as %s", id);
    h->relay->queued_count++;
    send_answer(h, RELAY_QUEUED, 250, "2.0.0", view_cstr(text));
}

/* The first recipient in that state lends its answer to the whole. */
static void answer_as_smarthost(struct handover *h, enum relay_result result, enum rcpt_state state)
{
    for (uint32_t i = 0; i < h->m->rcpt_count; i++) {
        const struct message_rcpt *r = &h->m->rcpts[i];
        if (r->state != state)
            continue;
        send_answer(h, result, r->answer.code, r->answer.enhanced, r->answer.text);
        break;
    }
    destroy(h);
}

/* ---- hold and release ---- */

static void set_hold(struct message *m, unsigned reasons, bool is_held)
{
    unsigned before = message_held_for(m->flags);
    m->flags = message_flags_with(m->flags, is_held ? before | reasons : before & ~reasons);
}

static void note_hold(struct handover *h, unsigned reasons, bool is_held)
{
    h->held_meanwhile = (uint8_t)(is_held ? h->held_meanwhile | reasons : h->held_meanwhile & ~reasons);
    h->released_meanwhile = (uint8_t)(is_held ? h->released_meanwhile & ~reasons : h->released_meanwhile | reasons);
}

/* It is in the index now, unless nothing of it was left to queue. */
static void hold_as_noted(struct handover *h)
{
    struct queue_entry *e = queue_find(h->relay->queue, h->id);
    if (!e)
        return;
    hold_entry(h->relay, e, h->held_meanwhile, true);
    hold_entry(h->relay, e, h->released_meanwhile, false);
}

/* ---- to the disk ---- */

static void on_committed(void *arg, int err)
{
    struct handover *h = arg;
    if (err < 0) {
        fail(h, err);
        return;
    }
    hold_as_noted(h);
    answer_queued(h);
    destroy(h);
}

static int submit_rest(struct handover *h, struct change *c, bool was_dsn_spoken)
{
    struct message *m = h->m;
    int err = settle_add_notices(h->relay, c, m, NULL, was_dsn_spoken);
    if (err == MSA_OK && message_count(m, RCPT_PENDING) > 0) {
        h->m = NULL; /* the change's from here on */
        err = change_insert(c, m, CHANGE_FRESH);
    }
    if (err == MSA_OK)
        change_submit(c);
    return err;
}

/* What is pending becomes a queued message, what failed becomes a notice, in one transaction. */
static void commit_rest(struct handover *h, bool was_dsn_spoken)
{
    if (!h->chan) { /* nothing was promised and nobody would hear it */
        destroy(h);
        return;
    }
    struct change *c = change_new(h->relay, on_committed, h);
    h->is_committing = true;
    int err = c ? submit_rest(h, c, was_dsn_spoken) : MSA_ENOMEM;
    if (err == MSA_OK)
        return;
    change_free(&c);
    fail(h, err);
}

/* ---- trying ---- */

static bool needs_notice(const struct message *m, bool was_dsn_spoken)
{
    return bounce_is_due(m, BOUNCE_FAILED) || (!was_dsn_spoken && bounce_is_due(m, BOUNCE_RELAYED));
}

static void on_nothing_left(void *arg, int err)
{
    (void)arg;
    if (err < 0)
        log_msg(LOG_LEVEL_WARN, "queue-trouble", "a success notice was not kept: %s", msa_strerror(err));
}

/* A success notice holds nobody up: the mail itself is delivered. */
static void send_success_notice(struct handover *h)
{
    struct change *c = change_new(h->relay, on_nothing_left, NULL);
    int err = c ? settle_add_notices(h->relay, c, h->m, NULL, false) : MSA_ENOMEM;
    if (err == MSA_OK) {
        change_submit(c);
        return;
    }
    change_free(&c);
    on_nothing_left(NULL, err);
}

static void conclude(struct handover *h, bool was_dsn_spoken)
{
    uint32_t delivered = message_count(h->m, RCPT_DELIVERED);
    uint32_t failed = message_count(h->m, RCPT_FAILED);
    if (delivered == h->m->rcpt_count) {
        h->relay->accepted_count++;
        if (needs_notice(h->m, was_dsn_spoken))
            send_success_notice(h);
        answer_as_smarthost(h, RELAY_DELIVERED, RCPT_DELIVERED);
    } else if (failed == h->m->rcpt_count) {
        h->relay->refused_count++;
        answer_as_smarthost(h, RELAY_REFUSED, RCPT_FAILED);
    } else if (delivered + failed == h->m->rcpt_count && !needs_notice(h->m, was_dsn_spoken)) {
        h->relay->accepted_count++; /* the sender wished not to hear of failures */
        answer_as_smarthost(h, RELAY_DELIVERED, RCPT_DELIVERED);
    } else {
        settle_plan_retry(h->relay, h->m);
        commit_rest(h, was_dsn_spoken);
    }
}

static void end_try(struct handover *h, enum delivery_end end)
{
    struct delivery *d = h->delivery;
    bool was_dsn_spoken = d->was_dsn_spoken;
    timer_stop(&h->deadline);
    shape_release(&d->passes, end != DELIVERY_NOT_TRIED);
    if (end != DELIVERY_NOT_TRIED) {
        message_settle(h->m);
        outcome_report(h->relay, d, end);
    }
    h->delivery = NULL;
    free(d);
    if (end == DELIVERY_NOT_TRIED)
        commit_rest(h, false);
    else
        conclude(h, was_dsn_spoken);
}

static void on_tried(struct delivery *d, enum delivery_end end)
{
    struct handover *h = d->arg;
    shape_release(&d->passes, end != DELIVERY_NOT_TRIED);
    if (h->is_committing) { /* too late for the client's answer; the commit will take it up */
        h->is_ended = true;
        h->end = end;
        return;
    }
    end_try(h, end);
}

/* ---- too late ---- */

/* On disk now: the delivery and the message are the queue's. */
static void leave_to_queue(struct handover *h)
{
    struct delivery *d = h->delivery;
    bool is_ended = h->is_ended;
    enum delivery_end end = h->end;
    h->delivery = NULL;
    h->m = NULL;
    d->done = schedule_on_done;
    d->arg = h->relay;
    hold_as_noted(h);
    answer_queued(h);
    destroy(h);
    if (is_ended)
        schedule_on_done(d, end);
}

static void on_late_committed(void *arg, int err)
{
    struct handover *h = arg;
    h->is_committing = false;
    if (err == MSA_OK) {
        leave_to_queue(h);
        return;
    }
    set_hold(h->m, h->held_meanwhile, true);
    if (h->is_ended)
        end_try(h, h->end);
    /* else: the disk does not take it, so the smarthost's answer is waited for after all */
}

static void on_deadline(void *arg)
{
    struct handover *h = arg;
    if (h->is_signing) {
        h->is_late = true;
        return;
    }
    if (pool_cancel(h->pool, h->delivery)) {
        end_try(h, DELIVERY_NOT_TRIED);
        return;
    }
    pool_note_late(h->pool);
    struct change *c = change_new(h->relay, on_late_committed, h);
    if (c && change_insert_active(c, h->m) == MSA_OK) {
        h->is_committing = true;
        change_submit(c);
    } else {
        change_free(&c);
    }
}

/* ---- the question ---- */

static bool is_for_now(const struct handover *h, const struct pool *pool)
{
    return pool_config(pool)->handover == CONFIG_HANDOVER_IMMEDIATE &&
           !message_has(h->m, MESSAGE_HELD) && h->m->hold_until_ms == 0 && !h->relay->is_draining;
}

/* The pool may be another one by now, or have no time. */
static void on_signed(void *arg, int err)
{
    struct handover *h = arg;
    h->is_signing = false;
    h->pool = pools_find(h->relay->pools, h->m->pool, h->account);
    if (err < 0 || h->is_late || !is_for_now(h, h->pool) || pool_submit(h->pool, h->delivery) < 0)
        end_try(h, DELIVERY_NOT_TRIED);
}

/* Through the threads that sign, or to the pool at once. */
static bool submit(struct handover *h, struct delivery *d)
{
    if (!signing_is_on(h->relay->signing))
        return pool_submit(h->pool, d) == MSA_OK;
    h->is_signing = pool_is_open(h->pool) &&
                    signing_begin(h->relay->signing, h->m, on_signed, h) == MSA_OK;
    return h->is_signing;
}

/* Where there is no room for all of it just now, nobody is kept waiting: the queue sends what there is room for. */
static bool has_room(struct handover *h, struct pool *pool, struct delivery *d)
{
    const struct shape_ask ask = {.is_whole = true};
    return shape_admit(schedule_shape_of(h->relay, pool), h->m, &ask, &d->passes) > 0;
}

static bool start_try(struct handover *h, struct pool *pool)
{
    struct delivery *d = calloc(1, sizeof *d);
    if (!d || !has_room(h, pool, d)) {
        free(d);
        return false;
    }
    list_init(&d->link);
    d->m = h->m;
    d->done = on_tried;
    d->arg = h;
    h->pool = pool;
    if (timer_start(&h->deadline, h->relay->loop, pool_config(pool)->handover_deadline_ms) < 0 ||
        !submit(h, d)) {
        timer_stop(&h->deadline);
        shape_release(&d->passes, false);
        free(d);
        return false;
    }
    h->delivery = d;
    return true;
}

static void start(struct handover *h)
{
    struct relay *r = h->relay;
    struct pool *pool = pools_find(r->pools, h->m->pool, h->account);
    int err = bodies_refusal(r);
    /* A small body is what fits the environment: its size was agreed on by the configuration. */
    if (!message_has(h->m, MESSAGE_LARGE) && h->m->content.fd_bytes > BODIES_SMALL_MAX)
        err = MSA_ETOOBIG;
    if (err < 0) {
        fail(h, err);
        return;
    }
    h->m->next_attempt_ms = h->m->hold_until_ms > 0 ? h->m->hold_until_ms : h->m->arrival_ms;
    if (!is_for_now(h, pool) || !start_try(h, pool))
        commit_rest(h, false);
}

static void refuse_question(struct chan *c, uint64_t ask_id)
{
    const struct msg_relay_accept_answer answer = {
        .result = RELAY_FAILED,
        .code = 451,
        .enhanced = VIEW_LIT("4.3.0"),
        .text = VIEW_LIT("out of memory, try again later"),
    };
    (void)CHAN_SEND(c, relay_accept_answer, ask_id, &answer);
}

int handover_on_ask(void *owner, struct chan *c, struct chan_message *msg)
{
    struct message *m;
    int err = message_from_accept(msg->payload, chan_take_fd(msg, 0), &m);
    struct handover *h = err == MSA_OK ? calloc(1, sizeof *h) : NULL;
    if (err == MSA_EPROTO)
        return err;
    if (!h) {
        message_free(&m);
        refuse_question(c, msg->id);
        return MSA_OK;
    }
    h->relay = owner;
    h->chan = c;
    h->ask_id = msg->id;
    h->id = m->id;
    h->account = m->account;
    h->m = m;
    timer_init(&h->deadline, on_deadline, h);
    list_append(&h->relay->handovers, &h->link);
    start(h);
    return MSA_OK;
}

/* ---- from outside ---- */

void handover_forget_chan(struct relay *r, const struct chan *c)
{
    struct handover *h, *tmp;
    LIST_FOREACH (h, tmp, &r->handovers, struct handover, link) {
        if (h->chan == c)
            h->chan = NULL;
    }
}

void handover_forget_all(struct relay *r)
{
    struct handover *h, *tmp;
    LIST_FOREACH (h, tmp, &r->handovers, struct handover, link)
        h->chan = NULL;
}

uint32_t handover_hold_account(struct relay *r, uint64_t account, unsigned reasons, bool is_held)
{
    struct handover *h, *tmp;
    uint32_t count = 0;
    LIST_FOREACH (h, tmp, &r->handovers, struct handover, link) {
        if (h->account != account)
            continue;
        if (h->is_committing)
            note_hold(h, reasons, is_held);
        else if (h->m)
            set_hold(h->m, reasons, is_held);
        count++;
    }
    return count;
}
