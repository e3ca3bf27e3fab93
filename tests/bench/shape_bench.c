/* Shaping and fairness in numbers: a queue of 100,000 messages to 50 destinations, 90 % of them one account's, is sent through the
 * index and the gates of relay (queue.h, shape.h) to a simulated smarthost, on a clock of its own. The smarthost counts what
 * arrives and ends the run with 1 if a limit was exceeded in any window of 60 seconds. Then the same once
 * more in the order of arrival (one account for all), and the delays of the others side by side.
 *
 * usage: shape_bench [-n MESSAGES] [-a OTHER_ACCOUNTS] [-l LINKS] [-t TRANSACTION_MS] [-r MESSAGES_PER_MINUTE] [-c CONNECTIONS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/shape.h"

#define DESTINATIONS 50
#define TICK_MS      5
#define ARRIVE_MS    120000 /* the others come over two minutes, the one all at once */
#define BIG_ACCOUNT  1

static struct {
    uint32_t message_count;
    uint32_t account_count;
    uint32_t link_count;
    uint32_t transaction_ms;
    uint32_t per_minute;
    uint32_t connection_count;
} options = {100000, 9999, 64, 40, 600, 4};

struct mail {
    uint64_t account;
    uint32_t destination;
    int64_t arrives_ms;
    int64_t done_ms;
};

struct sending {
    struct queue_entry *e;
    struct message *m;
    struct shape_passes passes;
    int64_t ends_ms;
};

static struct {
    struct loop *loop;
    struct queue *q;
    struct shapes *shapes;
    struct config *config;
    struct mail *mails;
    struct sending *links;
    int64_t *seen_ms[DESTINATIONS]; /* when its messages were begun */
    uint32_t seen_count[DESTINATIONS], first[DESTINATIONS], busy[DESTINATIONS];
    uint32_t most_per_minute, most_busy;
    uint32_t sent_count, arrived_count;
    uint64_t look_count;
    double decide_s;
    uint32_t seed;
} b;

static void die(const char *what)
{
    fprintf(stderr, "shape_bench: %s\n", what);
    exit(1);
}

static uint32_t dice(uint32_t sides)
{
    b.seed = b.seed * 1103515245u + 12345u;
    return (b.seed >> 8) % sides;
}

static double cpu_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* ---- the world ---- */

static int by_arrival(const void *a, const void *c)
{
    const struct mail *x = a, *y = c;
    return (x->arrives_ms > y->arrives_ms) - (x->arrives_ms < y->arrives_ms);
}

static void make_mails(void)
{
    uint32_t big_count = options.message_count / 10 * 9;
    b.seed = 4711;
    for (uint32_t i = 0; i < options.message_count; i++) {
        bool is_big = i < big_count;
        b.mails[i] = (struct mail){
            .account = is_big ? BIG_ACCOUNT : 2 + dice(options.account_count),
            .destination = dice(DESTINATIONS),
            .arrives_ms = is_big ? 0 : 1 + dice(ARRIVE_MS),
        };
    }
    qsort(b.mails, options.message_count, sizeof *b.mails, by_arrival);
}

static void on_woken(void *arg, uint16_t pool)
{
    (void)arg, (void)pool;
}

static void on_open(void *arg, const struct shape *shape)
{
    (void)arg, (void)shape;
}

static void configure(void)
{
    char text[512];
    struct config_errors errors;
    config_errors_init(&errors);
    snprintf(text, sizeof text,
             "hostname mx.example.jp;\npool main { smarthost 127.0.0.1:1; tls off; }\n"
             "destination default { connections %u; messages_per_minute %u; }\n",
             options.connection_count, options.per_minute);
    if (config_parse_snapshot(view_cstr(text), CONFIG_ROLE_RELAY, &b.config, &errors) < 0 ||
        shapes_configure(b.shapes, b.config) < 0)
        die("the configuration does not parse");
    config_errors_fini(&errors);
}

static struct message *message_of(uint32_t number)
{
    char path[64];
    struct message *m = message_new();
    snprintf(path, sizeof path, "rcpt%u@d%u.test", number, b.mails[number].destination);
    struct view copy = m ? arena_copy(&m->arena, view_cstr(path)) : VIEW_EMPTY;
    if (copy.n == 0 || !(m->rcpts = arena_alloc(&m->arena, sizeof *m->rcpts)))
        die("out of memory");
    m->rcpts[0] = (struct message_rcpt){.path = copy};
    m->rcpt_count = 1;
    m->id = number + 1;
    return m;
}

static struct shape *the_shape(void)
{
    return shapes_find(b.shapes, VIEW_LIT("main"));
}

/* ---- the smarthost ---- */

static void see_begin(uint32_t destination)
{
    int64_t now_ms = clock_mono_ms();
    b.seen_ms[destination][b.seen_count[destination]++] = now_ms;
    while (b.seen_ms[destination][b.first[destination]] <= now_ms - 60000)
        b.first[destination]++;
    uint32_t in_window = b.seen_count[destination] - b.first[destination];
    uint32_t busy = ++b.busy[destination];
    b.most_per_minute = in_window > b.most_per_minute ? in_window : b.most_per_minute;
    b.most_busy = busy > b.most_busy ? busy : b.most_busy;
}

static void end_due(void)
{
    for (uint32_t i = 0; i < options.link_count; i++) {
        struct sending *s = &b.links[i];
        if (!s->m || s->ends_ms > clock_mono_ms())
            continue;
        struct mail *mail = &b.mails[s->m->id - 1];
        mail->done_ms = clock_mono_ms();
        b.busy[mail->destination]--;
        b.sent_count++;
        shape_release(&s->passes, true);
        queue_remove(b.q, s->e);
        message_free(&s->m);
    }
}

static bool begin_one(struct sending *s)
{
    struct queue_wait *granted;
    struct queue_entry *e = queue_take(b.q, 0, &granted);
    if (!e)
        return false;
    const struct shape_ask ask = {.granted = granted};
    s->m = message_of((uint32_t)e->id - 1);
    b.look_count++;
    if (shape_admit(the_shape(), s->m, &ask, &s->passes) == 0)
        die("room that was given is not there");
    s->e = e;
    s->ends_ms = clock_mono_ms() + options.transaction_ms;
    see_begin(b.mails[e->id - 1].destination);
    return true;
}

static void arrive(bool is_fair, int64_t began_ms)
{
    for (; b.arrived_count < options.message_count; b.arrived_count++) {
        struct mail *mail = &b.mails[b.arrived_count];
        if (began_ms + mail->arrives_ms > clock_mono_ms())
            return;
        struct message *m = message_of(b.arrived_count);
        struct queue_wait *waits[QUEUE_PARTS_MAX];
        const struct queue_facts facts = {
            .id = m->id, .account = is_fair ? mail->account : BIG_ACCOUNT, .bytes = 4096, .state = QUEUE_READY,
            .since_ms = clock_mono_ms(), .waits = waits, .wait_count = shape_waits(the_shape(), m, false, waits)};
        if (!queue_add(b.q, &facts))
            die("out of memory");
        message_free(&m);
    }
}

static void begin_all(void)
{
    for (uint32_t i = 0; i < options.link_count; i++) {
        if (!b.links[i].m && !begin_one(&b.links[i]))
            return;
    }
}

/* ---- figures ---- */

static int by_value(const void *a, const void *c)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)c;
    return (x > y) - (x < y);
}

struct delays {
    double p50_s, p99_s, max_s;
};

static struct delays delays_of(bool is_big, int64_t began_ms)
{
    int64_t *all = calloc(options.message_count, sizeof *all);
    uint32_t n = 0;
    if (!all)
        die("out of memory");
    for (uint32_t i = 0; i < options.message_count; i++) {
        if ((b.mails[i].account == BIG_ACCOUNT) == is_big)
            all[n++] = b.mails[i].done_ms - began_ms - b.mails[i].arrives_ms;
    }
    qsort(all, n, sizeof *all, by_value);
    struct delays d = {(double)all[n / 2] / 1000, (double)all[n * 99ull / 100] / 1000, (double)all[n - 1] / 1000};
    free(all);
    return d;
}

static void print_delays(const char *name, struct delays d)
{
    printf("\"%s_p50_s\": %.2f, \"%s_p99_s\": %.2f, \"%s_max_s\": %.2f, ", name, d.p50_s, name, d.p99_s, name, d.max_s);
}

static bool run(const char *name, bool is_fair)
{
    clock_set_for_test(1000000, 1767225600000);
    int64_t began_ms = clock_mono_ms();
    b.loop = loop_new();
    b.q = queue_new();
    b.shapes = shapes_new(b.loop, b.q, &(struct shape_events){on_woken, on_open, NULL});
    if (!b.loop || !b.q || !b.shapes)
        die("out of memory");
    configure();
    make_mails();
    b.sent_count = b.arrived_count = b.most_per_minute = b.most_busy = 0;
    b.look_count = 0;
    b.decide_s = 0;
    memset(b.seen_count, 0, sizeof b.seen_count);
    memset(b.first, 0, sizeof b.first);
    while (b.sent_count < options.message_count) {
        arrive(is_fair, began_ms);
        double before_s = cpu_s();
        end_due();
        begin_all();
        b.decide_s += cpu_s() - before_s;
        clock_advance_for_test(TICK_MS);
        loop_run_once(b.loop, false); /* what time makes room for */
    }
    bool is_kept = b.most_per_minute <= options.per_minute && b.most_busy <= options.connection_count;
    printf("\"%s\": {", name);
    print_delays("others", delays_of(false, began_ms));
    print_delays("big", delays_of(true, began_ms));
    printf("\"drained_s\": %.0f, \"most_per_minute\": %u, \"limit_per_minute\": %u, \"most_at_once\": %u, \"limit_at_once\": %u, "
           "\"looks_per_message\": %.3f, \"cpu_us_per_message\": %.2f}",
           (double)(clock_mono_ms() - began_ms) / 1000, b.most_per_minute, options.per_minute, b.most_busy,
           options.connection_count, (double)b.look_count / options.message_count,
           1e6 * b.decide_s / options.message_count);
    queue_free(&b.q);
    shapes_free(&b.shapes);
    loop_free(&b.loop);
    config_free(&b.config);
    return is_kept;
}

static void take_options(int argc, char **argv)
{
    int c;
    while ((c = getopt(argc, argv, "n:a:l:t:r:c:")) != -1) {
        uint32_t value = optarg ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
        switch (c) {
        case 'n': options.message_count = value; break;
        case 'a': options.account_count = value; break;
        case 'l': options.link_count = value; break;
        case 't': options.transaction_ms = value; break;
        case 'r': options.per_minute = value; break;
        case 'c': options.connection_count = value; break;
        default: die("usage: shape_bench [-n MESSAGES] [-a OTHER_ACCOUNTS] [-l LINKS] [-t TRANSACTION_MS] "
                     "[-r MESSAGES_PER_MINUTE] [-c CONNECTIONS]");
        }
    }
    if (options.message_count < 100 || !options.account_count || !options.link_count || !options.transaction_ms ||
        !options.per_minute || !options.connection_count)
        die("a number is too small");
}

int main(int argc, char **argv)
{
    take_options(argc, argv);
    log_setup("relay", 0, LOG_LEVEL_ERROR);
    b.mails = calloc(options.message_count, sizeof *b.mails);
    b.links = calloc(options.link_count, sizeof *b.links);
    for (int i = 0; i < DESTINATIONS; i++)
        b.seen_ms[i] = calloc(options.message_count, sizeof **b.seen_ms);
    if (!b.mails || !b.links || !b.seen_ms[DESTINATIONS - 1])
        die("out of memory");
    printf("{\"messages\": %u, \"destinations\": %d, ", options.message_count, DESTINATIONS);
    bool is_kept = run("fair", true);
    printf(", ");
    is_kept = run("fifo", false) && is_kept;
    printf(", \"limits_kept\": %s}\n", is_kept ? "true" : "false");
    return is_kept ? 0 : 1;
}
