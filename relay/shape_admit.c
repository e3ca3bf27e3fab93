/* Which recipients of a message may go now. */
#include <stdlib.h>

#include "msa/base/clock.h"
#include "relay/shape_impl.h"

struct admission {
    struct shape *shape;
    struct shape_passes *passes;
    const struct shape_ask *ask;
    uint32_t cap; /* of passes */
    int64_t now_ms;
    bool is_granted_used;
};

bool shape_is_open(struct shape *s)
{
    int64_t wait_ms = gate_wait_ms(&s->rate.gate, clock_mono_ms());
    if (wait_ms > 0)
        shape_wait_for_time(&s->rate);
    return wait_ms == 0;
}

/* ---- passes ---- */

static bool add_pass(struct admission *a, struct shape_gate *g)
{
    struct shape_passes *p = a->passes;
    if (p->count == a->cap) {
        uint32_t cap = a->cap > 0 ? 2 * a->cap : 4;
        struct shape_pass *grown = realloc(p->items, cap * sizeof *grown);
        if (!grown)
            return false;
        p->items = grown;
        a->cap = cap;
    }
    g->pass = p->count;
    p->items[p->count++] = (struct shape_pass){g, 1};
    return true;
}

void shape_release(struct shape_passes *p, bool was_sent)
{
    for (uint32_t i = 0; i < p->count; i++) {
        struct shape_gate *g = p->items[i].gate;
        if (!was_sent) {
            shape_give_back(g, p->items[i].rcpt_count);
            continue;
        }
        gate_end(&g->gate);
        queue_wait_serve(g->shape->all->queue, &g->wait);
    }
    free(p->items);
    *p = (struct shape_passes){0};
}

/* ---- one recipient ---- */

/* Those who wait in the queue come first: where somebody does, nobody passes. */
static bool is_room_taken(struct admission *a, struct shape_gate *g)
{
    if (&g->wait == a->ask->granted) {
        a->is_granted_used = true;
        return true;
    }
    return list_is_empty(&g->wait.lanes) && gate_take(&g->gate, a->now_ms);
}

static bool open_pass(struct admission *a, struct shape_gate *g)
{
    g->serial = a->shape->all->serial;
    g->pass = SHAPE_NO_PASS;
    if (!is_room_taken(a, g))
        return false;
    if (add_pass(a, g))
        return true;
    shape_give_back(g, 1);
    return false;
}

static bool may_go(struct admission *a, const struct message_rcpt *r)
{
    struct shape_gate *g = shape_gate_for(a->shape, r->path);
    if (!g)
        return true;
    if (g->serial != a->shape->all->serial)
        return open_pass(a, g);
    if (g->pass == SHAPE_NO_PASS || !gate_take_rcpt(&g->gate, a->now_ms))
        return false;
    a->passes->items[g->pass].rcpt_count++;
    return true;
}

/* ---- the message ---- */

static bool is_for_later(bool is_rest_waiting, const struct message_rcpt *r)
{
    return is_rest_waiting && r->answer.code > 0;
}

static uint32_t admit_without_limits(struct message *m, const struct shape_ask *ask)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        struct message_rcpt *r = &m->rcpts[i];
        r->is_left = r->state == RCPT_PENDING && is_for_later(ask->is_rest_waiting, r);
        count += message_is_tried(r);
    }
    return count;
}

static uint32_t admit_each(struct admission *a, struct message *m, bool *is_all)
{
    uint32_t count = 0;
    a->shape->all->serial++;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        struct message_rcpt *r = &m->rcpts[i];
        r->is_left = false;
        if (r->state != RCPT_PENDING)
            continue;
        bool is_later = is_for_later(a->ask->is_rest_waiting, r);
        r->is_left = is_later || !may_go(a, r);
        *is_all = *is_all && (is_later || !r->is_left);
        count += !r->is_left;
    }
    return count;
}

void shape_give_up(struct queue_wait *granted)
{
    if (granted)
        shape_give_back(CONTAINER_OF(granted, struct shape_gate, wait), 1);
}

uint32_t shape_admit(struct shape *s, struct message *m, const struct shape_ask *ask,
                     struct shape_passes *out)
{
    struct admission a = {.shape = s, .passes = out, .ask = ask, .now_ms = clock_mono_ms()};
    bool is_all = true;
    *out = (struct shape_passes){0};
    if (!s) {
        shape_give_up(ask->granted);
        return admit_without_limits(m, ask);
    }
    bool is_open = gate_take(&s->rate.gate, a.now_ms);
    if (is_open && !add_pass(&a, &s->rate)) {
        shape_give_back(&s->rate, 1);
        is_open = false;
    }
    uint32_t count = is_open ? admit_each(&a, m, &is_all) : 0;
    if (!a.is_granted_used)
        shape_give_up(ask->granted);
    if (count == 0 || (ask->is_whole && !is_all)) {
        shape_release(out, false);
        for (uint32_t i = 0; i < m->rcpt_count; i++)
            m->rcpts[i].is_left = false;
        return 0;
    }
    return count;
}

/* ---- where to wait ---- */

uint32_t shape_waits(struct shape *s, const struct message *m, bool is_rest_waiting,
                     struct queue_wait *out[QUEUE_PARTS_MAX])
{
    uint32_t count = 0;
    bool has_free = false;
    if (!s)
        return 0;
    s->all->serial++;
    for (uint32_t i = 0; i < m->rcpt_count && count < QUEUE_PARTS_MAX; i++) {
        const struct message_rcpt *r = &m->rcpts[i];
        if (r->state != RCPT_PENDING || is_for_later(is_rest_waiting, r))
            continue;
        struct shape_gate *g = shape_gate_for(s, r->path);
        if (g ? g->serial == s->all->serial : has_free)
            continue;
        if (g)
            g->serial = s->all->serial;
        else
            has_free = true;
        out[count++] = g ? &g->wait : NULL;
    }
    return count;
}
