#include "relay/gate.h"

#include "msa/base/assert.h"

#define MINUTE_MS 60000
#define AT_ONCE_DIVISOR 10

/* ---- buckets ---- */

static int64_t at_once(uint32_t limit)
{
    return limit >= AT_ONCE_DIVISOR ? limit / AT_ONCE_DIVISOR : 1;
}

/* In 60 seconds: what was there at their beginning, and what came since; the last of what came stands on
 * their end and belongs to the next. */
static int64_t per_minute(uint32_t limit)
{
    return limit - at_once(limit) + 1;
}

static int64_t full(uint32_t limit)
{
    return at_once(limit) * MINUTE_MS;
}

static void fill(struct gate_bucket *b, uint32_t limit, int64_t now_ms)
{
    int64_t passed_ms = now_ms - b->at_ms;
    if (passed_ms <= 0)
        return;
    b->level += (passed_ms < MINUTE_MS ? passed_ms : MINUTE_MS) * per_minute(limit);
    if (b->level > full(limit))
        b->level = full(limit);
    b->at_ms = now_ms;
}

static bool has_one(struct gate_bucket *b, uint32_t limit, int64_t now_ms)
{
    if (limit == 0)
        return true;
    fill(b, limit, now_ms);
    return b->level >= MINUTE_MS;
}

static void give(struct gate_bucket *b, uint32_t limit, uint32_t count, int64_t now_ms)
{
    if (limit == 0)
        return;
    fill(b, limit, now_ms);
    b->level += (int64_t)count * MINUTE_MS;
    if (b->level > full(limit))
        b->level = full(limit);
}

static int64_t wait_of(struct gate_bucket *b, uint32_t limit, int64_t now_ms)
{
    if (has_one(b, limit, now_ms))
        return 0;
    return (MINUTE_MS - b->level + per_minute(limit) - 1) / per_minute(limit);
}

/* What is left stays, so that a reload gives nobody a second helping. */
static void change(struct gate_bucket *b, uint32_t old, uint32_t limit, int64_t now_ms)
{
    if (old == 0)
        b->level = full(limit);
    else
        fill(b, old, now_ms);
    b->at_ms = now_ms;
    if (b->level > full(limit))
        b->level = full(limit);
}

/* ---- the gate ---- */

void gate_init(struct gate *g, const struct gate_limits *limits, int64_t now_ms)
{
    *g = (struct gate){0};
    gate_set_limits(g, limits, now_ms);
}

void gate_set_limits(struct gate *g, const struct gate_limits *limits, int64_t now_ms)
{
    change(&g->messages, g->limits.messages_per_minute, limits->messages_per_minute, now_ms);
    change(&g->rcpts, g->limits.rcpts_per_minute, limits->rcpts_per_minute, now_ms);
    g->limits = *limits;
}

static bool has_place(const struct gate *g)
{
    return g->limits.connection_count == 0 || g->busy_count < g->limits.connection_count;
}

bool gate_take(struct gate *g, int64_t now_ms)
{
    if (!has_place(g) || !has_one(&g->messages, g->limits.messages_per_minute, now_ms) ||
        !has_one(&g->rcpts, g->limits.rcpts_per_minute, now_ms))
        return false;
    g->busy_count++;
    g->messages.level -= MINUTE_MS;
    g->rcpts.level -= MINUTE_MS;
    return true;
}

bool gate_take_rcpt(struct gate *g, int64_t now_ms)
{
    if (!has_one(&g->rcpts, g->limits.rcpts_per_minute, now_ms))
        return false;
    g->rcpts.level -= MINUTE_MS;
    return true;
}

void gate_end(struct gate *g)
{
    MSA_ASSERT(g->busy_count > 0);
    g->busy_count--;
}

void gate_undo(struct gate *g, uint32_t rcpt_count, int64_t now_ms)
{
    gate_end(g);
    give(&g->messages, g->limits.messages_per_minute, 1, now_ms);
    give(&g->rcpts, g->limits.rcpts_per_minute, rcpt_count, now_ms);
}

int64_t gate_wait_ms(struct gate *g, int64_t now_ms)
{
    if (!has_place(g))
        return -1;
    int64_t messages_ms = wait_of(&g->messages, g->limits.messages_per_minute, now_ms);
    int64_t rcpts_ms = wait_of(&g->rcpts, g->limits.rcpts_per_minute, now_ms);
    return messages_ms > rcpts_ms ? messages_ms : rcpts_ms;
}

static bool is_full(struct gate_bucket *b, uint32_t limit, int64_t now_ms)
{
    if (limit == 0)
        return true;
    fill(b, limit, now_ms);
    return b->level == full(limit);
}

bool gate_is_fresh(struct gate *g, int64_t now_ms)
{
    return g->busy_count == 0 && is_full(&g->messages, g->limits.messages_per_minute, now_ms) &&
           is_full(&g->rcpts, g->limits.rcpts_per_minute, now_ms);
}
