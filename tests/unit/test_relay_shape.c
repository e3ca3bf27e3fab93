/* Limits towards destinations: the index and the gates together, with a set clock and no I/O. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/shape.h"
#include "smarthost.h"

static struct {
    struct loop *loop;
    struct queue *q;
    struct shapes *shapes;
    struct config *config;
    unsigned woken_count;
    unsigned open_count;
} t;

static void on_woken(void *arg, uint16_t pool)
{
    (void)arg, (void)pool;
    t.woken_count++;
}

static void on_open(void *arg, const struct shape *shape)
{
    (void)arg, (void)shape;
    t.open_count++;
}

static struct config *parse(const char *more)
{
    char text[4096];
    struct config_errors errors;
    struct config *config;
    config_errors_init(&errors);
    snprintf(text, sizeof text, "hostname mx.example.jp;\n%s\n", more);
    cr_assert_eq(config_parse_snapshot(view_cstr(text), CONFIG_ROLE_RELAY, &config, &errors), MSA_OK, "%s", more);
    config_errors_fini(&errors);
    return config;
}

static void set_up(const char *more)
{
    memset(&t, 0, sizeof t);
    clock_set_for_test(1000000, 1767225600000);
    log_set_level(LOG_LEVEL_ERROR + 1);
    t.loop = loop_new();
    t.q = queue_new();
    t.shapes = shapes_new(t.loop, t.q, &(struct shape_events){on_woken, on_open, NULL});
    t.config = parse(more);
    cr_assert_eq(shapes_configure(t.shapes, t.config), MSA_OK);
}

static void reload(const char *more)
{
    struct config *old = t.config;
    t.config = parse(more);
    cr_assert_eq(shapes_configure(t.shapes, t.config), MSA_OK);
    config_free(&old);
}

static void tear_down(void)
{
    if (!t.loop)
        return;
    queue_free(&t.q);
    shapes_free(&t.shapes);
    loop_free(&t.loop);
    config_free(&t.config);
    clock_use_real();
}

TestSuite(relay_shape, .timeout = 120, .fini = tear_down);

static void pass(int64_t ms)
{
    clock_advance_for_test(ms);
    loop_run_once(t.loop, false);
    loop_run_once(t.loop, false);
}

static struct shape *the_shape(void)
{
    return shapes_find(t.shapes, VIEW_LIT("main"));
}

static struct message *mail_to(const char *recipients)
{
    return smarthost_message("t@example.jp", recipients, "Subject: a\r\n\r\nb\r\n");
}

/* How many may go, and which: "1" in the order of the recipients, "-" for those left. */
static const char *admit(struct message *m, bool is_whole, struct shape_passes *passes)
{
    static char marks[64];
    const struct shape_ask ask = {.is_whole = is_whole};
    uint32_t count = shape_admit(the_shape(), m, &ask, passes), tried = 0;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        marks[i] = m->rcpts[i].is_left ? '-' : '1';
        tried += !m->rcpts[i].is_left;
        marks[i + 1] = '\0';
    }
    cr_expect(count == 0 || count == tried);
    return count == 0 ? "none" : marks;
}

#define POOL "pool main { smarthost 127.0.0.1:1; tls off; }\n"
#define CARRIERS "destination carriers { domains docomo.test ezweb.test .soft.test; "

Test(relay_shape, no_limits_no_shape)
{
    set_up(POOL CARRIERS "}");
    cr_expect_null(the_shape());
    struct message *m = mail_to("a@docomo.test b@x.test");
    struct shape_passes passes;
    cr_expect_str_eq(admit(m, false, &passes), "11");
    cr_expect_eq(passes.count, 0);
    message_free(&m);
}

Test(relay_shape, a_group_shares_its_limits_and_others_pass)
{
    set_up(POOL CARRIERS "connections 2; }");
    struct message *m = mail_to("a@docomo.test b@EZWEB.test c@x.test d@sub.soft.test e@soft.test");
    struct shape_passes one, two, three;
    cr_expect_str_eq(admit(m, false, &one), "11111", "one transaction carries all of them");
    cr_expect_str_eq(admit(m, false, &two), "11111");
    cr_expect_str_eq(admit(m, false, &three), "--1-1", "the domain itself is not below itself");
    shape_release(&one, true);
    struct shape_passes four;
    cr_expect_str_eq(admit(m, true, &four), "11111");
    cr_expect_str_eq(admit(m, true, &one), "none", "all or nothing");
    cr_expect_eq(one.count, 0);
    shape_release(&two, true);
    shape_release(&three, true);
    shape_release(&four, true);
    message_free(&m);
}

Test(relay_shape, default_is_for_each_domain_by_itself)
{
    set_up(POOL CARRIERS "} destination default { connections 1; }");
    struct message *m = mail_to("a@x.test b@y.test c@docomo.test");
    struct message *n = mail_to("a@x.test b@z.test");
    struct shape_passes one, two;
    cr_expect_str_eq(admit(m, false, &one), "111");
    cr_expect_str_eq(admit(n, false, &two), "-1");
    shape_release(&one, true);
    shape_release(&two, true);
    shapes_sweep(t.shapes);
    cr_expect_str_eq(admit(n, false, &two), "11");
    shape_release(&two, true);
    message_free(&m);
    message_free(&n);
}

Test(relay_shape, recipients_beyond_the_minute_are_left_and_come_later)
{
    set_up(POOL CARRIERS "recipients_per_minute 20; }");
    struct message *m = mail_to("a@docomo.test b@docomo.test c@docomo.test d@x.test");
    struct shape_passes passes;
    cr_expect_str_eq(admit(m, false, &passes), "11-1");
    shape_release(&passes, true);
    pass(60000 * 2 / 19 + 1);
    cr_expect_str_eq(admit(m, false, &passes), "11-1");
    shape_release(&passes, false);
    cr_expect_str_eq(admit(m, false, &passes), "11-1", "what was not sent was not used");
    shape_release(&passes, true);
    message_free(&m);
}

Test(relay_shape, a_pools_own_limits_stand_instead_of_the_destinations)
{
    set_up("pool main { smarthost 127.0.0.1:1; tls off; destination carriers { connections 1; } "
           "destination default { connections 2; } }\n" CARRIERS "connections 5; }");
    struct message *m = mail_to("a@docomo.test b@x.test");
    struct shape_passes one, two, three;
    cr_expect_str_eq(admit(m, false, &one), "11");
    cr_expect_str_eq(admit(m, false, &two), "-1");
    cr_expect_str_eq(admit(m, false, &three), "none");
    shape_release(&one, true);
    shape_release(&two, true);
    message_free(&m);
}

Test(relay_shape, rate_of_the_pool_holds_for_all_and_says_when_it_goes_on)
{
    set_up("pool main { smarthost 127.0.0.1:1; tls off; messages_per_minute 60; }");
    struct message *m = mail_to("a@x.test");
    struct shape_passes passes;
    for (int i = 0; i < 6; i++) {
        cr_expect_str_eq(admit(m, false, &passes), "1");
        shape_release(&passes, true);
    }
    cr_expect_str_eq(admit(m, false, &passes), "none");
    cr_expect_not(shape_is_open(the_shape()));
    pass(1000);
    pass(200);
    cr_expect_eq(t.open_count, 1);
    cr_expect(shape_is_open(the_shape()));
    message_free(&m);
}

Test(relay_shape, a_reload_knows_what_is_under_way)
{
    set_up(POOL CARRIERS "connections 2; }");
    struct message *m = mail_to("a@docomo.test");
    struct shape_passes one, two, three;
    cr_expect_str_eq(admit(m, false, &one), "1");
    cr_expect_str_eq(admit(m, false, &two), "1");
    reload(POOL CARRIERS "connections 1; }");
    cr_expect_str_eq(admit(m, false, &three), "none");
    shape_release(&one, true);
    cr_expect_str_eq(admit(m, false, &three), "none");
    shape_release(&two, true);
    cr_expect_str_eq(admit(m, false, &three), "1");
    reload(POOL);
    cr_expect_null(the_shape());
    shape_release(&three, true);
    message_free(&m);
}

/* ---- with the queue ---- */

static void add(uint64_t id, uint64_t account, const char *recipients)
{
    struct message *m = mail_to(recipients);
    struct queue_wait *waits[QUEUE_PARTS_MAX];
    const struct queue_facts facts = {
        .id = id, .account = account, .bytes = 100, .state = QUEUE_READY, .waits = waits,
        .wait_count = shape_waits(the_shape(), m, false, waits)};
    cr_assert_not_null(queue_add(t.q, &facts));
    message_free(&m);
}

static struct queue_entry *take(struct queue_wait **granted)
{
    return queue_take(t.q, 0, granted);
}

Test(relay_shape, what_waits_for_room_is_not_looked_at)
{
    struct queue_wait *granted;
    set_up(POOL CARRIERS "connections 1; }");
    for (uint64_t id = 1; id <= 1000; id++)
        add(id, 1, "a@docomo.test");
    add(2000, 2, "b@x.test");
    cr_expect_eq(queue_takeable_count(t.q, 0), 2, "one for which there is room, one that needs none");
    struct queue_entry *e = take(&granted);
    cr_assert_not_null(granted);
    cr_expect_eq(e->id, 1);
    cr_expect_eq(take(&granted)->id, 2000);
    cr_expect_null(granted);
    cr_expect_null(take(&granted));
}

Test(relay_shape, room_that_comes_free_goes_to_the_next_account)
{
    struct queue_wait *granted;
    set_up(POOL CARRIERS "connections 1; }");
    for (uint64_t id = 1; id <= 100; id++)
        add(id, 1, "a@docomo.test");
    add(201, 2, "b@docomo.test");
    add(202, 3, "b@ezweb.test");
    static const uint64_t want[] = {1, 201, 202, 2, 3};
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        cr_expect_eq(take(&granted)->id, want[i]);
        cr_expect_null(take(&(struct queue_wait *){NULL}));
        struct message *m = mail_to("x@docomo.test");
        struct shape_passes passes;
        const struct shape_ask ask = {.granted = granted};
        cr_expect_eq(shape_admit(the_shape(), m, &ask, &passes), 1);
        message_free(&m);
        shape_release(&passes, true);
    }
}

Test(relay_shape, who_goes_away_leaves_his_room_to_the_next)
{
    struct queue_wait *granted;
    set_up(POOL CARRIERS "connections 1; }");
    add(1, 1, "a@docomo.test");
    add(2, 2, "b@docomo.test");
    queue_set_held(t.q, queue_find(t.q, 1));
    cr_expect_null(take(&granted));
    pass(0);
    cr_expect_eq(take(&granted)->id, 2);
    cr_assert_not_null(granted);
    shape_give_up(granted);
}

Test(relay_shape, to_several_destinations_goes_where_room_comes_first)
{
    struct queue_wait *granted;
    set_up(POOL "destination a { domains a.test; connections 1; } destination b { domains b.test; messages_per_minute 1; }");
    add(1, 1, "x@a.test");
    add(2, 2, "x@b.test");
    cr_expect(take(&granted)->id == 1 && granted);
    struct queue_wait *of_a = granted;
    cr_expect(take(&granted)->id == 2 && granted);
    add(3, 3, "x@a.test x@b.test");
    cr_expect_null(take(&granted));
    shape_give_up(of_a);
    pass(1);
    struct queue_entry *e = take(&granted);
    cr_assert(e && e->id == 3);
    cr_expect_eq(granted, of_a);
    shape_give_up(granted);
    pass(60000);
    queue_set_ready(t.q, e);
    e = take(&granted);
    cr_expect(e && granted);
    cr_expect_null(take(&of_a));
}

/* ---- anything, at random ---- */

#define DOMAIN_COUNT 6
#define MESSAGE_COUNT 600
#define LINKS 12

static const char *const domains[DOMAIN_COUNT] = {"docomo.test", "ezweb.test", "a.test", "b.test", "c.test", "free.test"};

struct known { /* a message as the world outside sees it */
    char recipients[256];
    uint8_t domain[8];
    uint8_t tries[8];
    bool is_sent[8];
    uint32_t rcpt_count;
};

struct sending {
    struct message *m;
    struct shape_passes passes;
    struct queue_entry *e;
    int64_t ends_ms;
};

static struct known known[MESSAGE_COUNT + 1];
static struct sending links[LINKS];
static unsigned seed;

static unsigned dice(unsigned sides)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 12) % sides;
}

/* What each destination got, by the minute. Docomo and ezweb are one; free.test has no limits. */
struct seen {
    int64_t at_ms[MESSAGE_COUNT * 10];
    size_t first, count, most;
};
static struct seen messages_seen[DOMAIN_COUNT], rcpts_seen[DOMAIN_COUNT], pool_seen;
static unsigned busy[DOMAIN_COUNT], busy_most[DOMAIN_COUNT];

static void see(struct seen *s)
{
    int64_t now_ms = clock_mono_ms();
    s->at_ms[s->count++] = now_ms;
    while (s->at_ms[s->first] <= now_ms - 60000)
        s->first++;
    if (s->count - s->first > s->most)
        s->most = s->count - s->first;
}

static unsigned group_of(unsigned domain)
{
    return domain == 1 ? 0 : domain;
}

static unsigned touched(const struct message *m)
{
    unsigned bits = 0;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (!m->rcpts[i].is_left)
            bits |= 1u << group_of(known[m->id].domain[m->rcpts[i].notify]);
    }
    return bits;
}

/* The message as it would come from the disk: pending recipients only, `notify` misused for their number. */
static struct message *load(uint64_t id)
{
    char words[256] = "";
    unsigned numbers[8], count = 0;
    for (uint32_t i = 0; i < known[id].rcpt_count; i++) {
        if (known[id].is_sent[i])
            continue;
        numbers[count++] = i;
        snprintf(words + strlen(words), sizeof words - strlen(words), "%sr%u@%s", count > 1 ? " " : "", i,
                 domains[known[id].domain[i]]);
    }
    struct message *m = mail_to(words);
    m->id = id;
    for (uint32_t i = 0; i < m->rcpt_count; i++)
        m->rcpts[i].notify = (uint8_t)numbers[i];
    return m;
}

static void put_back(struct queue_entry *e, const struct message *m)
{
    struct queue_wait *waits[QUEUE_PARTS_MAX];
    queue_set_waits(t.q, e, waits, shape_waits(the_shape(), m, false, waits));
    queue_set_ready(t.q, e);
}

static void begin(struct sending *s, struct queue_entry *e, struct queue_wait *granted)
{
    struct message *m = load(e->id);
    const struct shape_ask ask = {.granted = granted};
    if (shape_admit(the_shape(), m, &ask, &s->passes) == 0) {
        put_back(e, m);
        message_free(&m);
        return;
    }
    s->m = m;
    s->e = e;
    s->ends_ms = clock_mono_ms() + dice(3000);
    unsigned bits = touched(m);
    see(&pool_seen);
    for (unsigned d = 0; d < DOMAIN_COUNT; d++) {
        if (!(bits & 1u << d))
            continue;
        see(&messages_seen[d]);
        if (++busy[d] > busy_most[d])
            busy_most[d] = busy[d];
    }
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (!m->rcpts[i].is_left)
            see(&rcpts_seen[group_of(known[m->id].domain[m->rcpts[i].notify])]);
    }
}

static void end(struct sending *s)
{
    struct message *m = s->m;
    unsigned bits = touched(m);
    bool is_failed = dice(10) == 0;
    for (unsigned d = 0; d < DOMAIN_COUNT; d++)
        busy[d] -= bits >> d & 1;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        uint8_t number = m->rcpts[i].notify;
        if (m->rcpts[i].is_left || is_failed)
            continue;
        cr_assert_not(known[m->id].is_sent[number], "sent twice");
        known[m->id].is_sent[number] = true;
        m->rcpts[i].state = RCPT_DELIVERED;
    }
    shape_release(&s->passes, true);
    if (message_count(m, RCPT_PENDING) == 0)
        queue_remove(t.q, s->e);
    else if (is_failed && dice(2))
        queue_set_waiting(t.q, s->e, clock_mono_ms() + dice(90000));
    else
        put_back(s->e, m);
    message_free(&s->m);
}

static void make_messages(void)
{
    for (uint64_t id = 1; id <= MESSAGE_COUNT; id++) {
        struct known *k = &known[id];
        *k = (struct known){.rcpt_count = dice(4) == 0 ? 1 + dice(8) : 1};
        for (uint32_t i = 0; i < k->rcpt_count; i++)
            k->domain[i] = (uint8_t)dice(DOMAIN_COUNT);
        struct message *m = load(id);
        struct queue_wait *waits[QUEUE_PARTS_MAX];
        bool is_known = dice(3) > 0; /* else as after a start */
        const struct queue_facts facts = {
            .id = id, .account = dice(10) ? 1 : 2 + dice(20), .pool = 0, .state = QUEUE_READY, .waits = waits,
            .wait_count = is_known ? shape_waits(the_shape(), m, false, waits) : 0};
        cr_assert_not_null(queue_add(t.q, &facts));
        message_free(&m);
    }
}

static uint64_t left_over(void)
{
    struct queue_counts counts;
    queue_count_all(t.q, &counts);
    return counts.by_state[0] + counts.by_state[1] + counts.by_state[2] + counts.by_state[3];
}

/* Operators and rules hold and release while all goes on. */
static void meddle(void)
{
    struct queue_entry *e = queue_find(t.q, 1 + dice(MESSAGE_COUNT));
    if (!e || e->state == QUEUE_ACTIVE)
        return;
    if (e->state == QUEUE_HELD || dice(2))
        queue_set_ready(t.q, e);
    else
        queue_set_held(t.q, e);
}

static void release_each(struct queue_entry *e, void *arg)
{
    (void)arg;
    if (e->state == QUEUE_HELD)
        queue_set_ready(t.q, e);
}

static void step(bool is_meddled)
{
    struct queue_wait *granted;
    struct queue_entry *e;
    pass(dice(50) == 0 ? dice(20000) : dice(300));
    while (queue_next_due(t.q, clock_mono_ms(), &e) != QUEUE_DUE_NOTHING)
        ;
    for (unsigned i = 0; i < LINKS; i++) {
        if (links[i].m && links[i].ends_ms <= clock_mono_ms())
            end(&links[i]);
        if (!links[i].m && shape_is_open(the_shape()) && (e = take(&granted)))
            begin(&links[i], e, granted);
    }
    if (is_meddled && dice(5) == 0)
        meddle();
}

static void run(unsigned first_seed)
{
    set_up("pool main { smarthost 127.0.0.1:1; tls off; messages_per_minute 400; }\n"
           "destination carriers { domains docomo.test ezweb.test; connections 3; messages_per_minute 30; "
           "recipients_per_minute 45; }\n"
           "destination default { connections 2; recipients_per_minute 25; }\n"
           "destination free { domains free.test; }\n");
    seed = first_seed;
    memset(links, 0, sizeof links);
    memset(messages_seen, 0, sizeof messages_seen);
    memset(rcpts_seen, 0, sizeof rcpts_seen);
    memset(&pool_seen, 0, sizeof pool_seen);
    memset(busy, 0, sizeof busy);
    memset(busy_most, 0, sizeof busy_most);
    make_messages();
    unsigned steps = 0;
    for (; left_over() > 0 && steps < 200000; steps++) {
        step(steps < 2000);
        if (steps == 2000)
            queue_each(t.q, release_each, NULL);
    }
    cr_expect_eq(left_over(), 0, "seed %u: all come to an end", first_seed);
    for (uint64_t id = 1; id <= MESSAGE_COUNT; id++) {
        for (uint32_t i = 0; i < known[id].rcpt_count; i++)
            cr_expect(known[id].is_sent[i], "seed %u: nothing is lost", first_seed);
    }
    cr_expect_leq(pool_seen.most, 400);
    cr_expect_leq(busy_most[0], 3, "seed %u", first_seed);
    cr_expect_leq(messages_seen[0].most, 30, "seed %u", first_seed);
    cr_expect_leq(rcpts_seen[0].most, 45, "seed %u", first_seed);
    for (unsigned d = 2; d < 5; d++) {
        cr_expect_leq(busy_most[d], 2, "seed %u", first_seed);
        cr_expect_leq(rcpts_seen[d].most, 25, "seed %u", first_seed);
    }
    cr_expect_geq(busy_most[0], 2, "the test does press against its limits");
    tear_down();
    t.loop = NULL;
}

Test(relay_shape, limits_are_never_exceeded_and_all_comes_to_an_end)
{
    for (unsigned i = 1; i <= 12; i++)
        run(i * 7919);
}
