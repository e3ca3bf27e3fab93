/* policy_load: asks the doors for mail servers (auth-policy, Postfix's policy delegation) and prints what came of it as
 * one line of JSON; `policy_load --help`. One thread, keep-alive connections with one question each at a time.
 *
 * With --rate the questions have their times beforehand, and a latency counts from the time that was meant: a server
 * that is slow for a moment is charged for those that had to wait for a connection, too. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/policy_load/dialect.h"
#include "tests/common/endpoint.h"
#include "tests/common/json.h"
#include "tests/common/samples.h"

static const char help[] =
    "usage: policy_load --to ADDRESS:PORT [options]\n"
    "  --dialect auth-policy|postfix   (default auth-policy)\n"
    "  --connections N   (default 64)\n"
    "  --accounts N      user0@bench.test and so on (default 1000)\n"
    "  --seconds S       (default 5)\n"
    "  --rate R          open loop: R questions a second; else each connection asks when it was answered\n";

#define CONNECTIONS_MAX 512
#define ANSWER_MAX      4096
#define QUESTION_MAX    4096
#define GRACE_US        5000000 /* for answers that are under way when time is up */
#define EVENTS_MAX      128

struct connection {
    int fd;
    bool is_asking;
    uint64_t asked;     /* here */
    uint64_t number;    /* of the question */
    int64_t meant_us;   /* when it was to be asked */
    struct buf in;
};

static enum dialect dialect = DIALECT_AUTH_POLICY;
static uint64_t connection_count = 64, account_count = 1000;
static double seconds = 5, rate;
static struct sockaddr_storage to;
static socklen_t to_len;

static int epoll_fd;
static struct connection connections[CONNECTIONS_MAX];
static struct connection *idle[CONNECTIONS_MAX]; /* a stack: the fewest that do are used */
static size_t idle_count;
static uint64_t asked, said[SAID_NONSENSE + 1], lost;
static struct samples latencies;
static int64_t began_us, last_us;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "policy_load: %s: %s\n", what, why);
    exit(2);
}

/* ---- one question ---- */

/* Both of a pair go the same way, as one server asks about one sign-in or message. */
static uint64_t next_number(struct connection *c)
{
    uint64_t pair = c->asked / 2 * connection_count + (uint64_t)(c - connections);
    return pair * 2 + c->asked++ % 2;
}

static void ask(struct connection *c, int64_t meant_us)
{
    struct buf out;
    char bytes[QUESTION_MAX];
    buf_init(&out, sizeof bytes);
    buf_lend(&out, bytes, sizeof bytes);
    c->number = next_number(c);
    asked++;
    c->meant_us = meant_us;
    c->is_asking = true;
    dialect_ask(dialect, c->number, account_count, &out);
    if (send(c->fd, out.data, buf_len(&out), MSG_NOSIGNAL) != (ssize_t)buf_len(&out))
        die("send", strerror(errno)); /* it is small, and nothing else is under way */
}

static void answered(struct connection *c, enum said what)
{
    last_us = now_us();
    samples_add(&latencies, last_us - c->meant_us);
    said[what]++;
    c->is_asking = false;
    idle[idle_count++] = c;
}

static void on_ready(struct connection *c)
{
    enum said what;
    char *at = buf_reserve(&c->in, ANSWER_MAX);
    ssize_t n = at ? recv(c->fd, at, ANSWER_MAX, 0) : -1;
    if (n <= 0) {
        lost += c->is_asking;
        c->is_asking = false;
        close(c->fd);
        c->fd = -1;
        return;
    }
    buf_commit(&c->in, (size_t)n);
    struct view rest = buf_view(&c->in);
    if (!c->is_asking)
        die("answer", "nobody asked");
    if (!dialect_answer(dialect, c->number, &rest, &what))
        return;
    if (rest.n > 0)
        die("answer", "there is something behind it");
    buf_reset(&c->in);
    answered(c, what);
}

/* ---- pace ---- */

static uint64_t planned(void)
{
    return rate > 0 ? (uint64_t)(rate * seconds) : UINT64_MAX;
}

static int64_t meant_us(uint64_t number)
{
    return began_us + (int64_t)((double)number * 1e6 / rate);
}

static bool is_time_up(int64_t us)
{
    return rate > 0 ? asked >= planned() : us - began_us >= (int64_t)(seconds * 1e6);
}

static void ask_what_is_due(void)
{
    int64_t us = now_us();
    while (idle_count > 0 && !is_time_up(us) && (rate <= 0 || meant_us(asked) <= us))
        ask(idle[--idle_count], rate > 0 ? meant_us(asked) : us);
}

/* To the next question that is due while somebody could ask it, or for long. */
static struct timespec wait_time(void)
{
    int64_t us = 100000;
    if (rate > 0 && idle_count > 0 && asked < planned())
        us = meant_us(asked) - now_us();
    us = us < 0 ? 0 : us > 100000 ? 100000 : us;
    return (struct timespec){.tv_nsec = us * 1000};
}

static void run(void)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t end_us = began_us + (int64_t)(seconds * 1e6) + GRACE_US;
    while (now_us() < end_us) {
        ask_what_is_due();
        if (is_time_up(now_us()) && idle_count == connection_count)
            return;
        struct timespec wait = wait_time();
        int n = epoll_pwait2(epoll_fd, events, EVENTS_MAX, &wait, NULL);
        for (int i = 0; i < n; i++)
            on_ready(events[i].data.ptr);
    }
}

/* ---- options ---- */

static void set_target(const char *text)
{
    if (!endpoint_parse(text, &to, &to_len))
        die(text, "is no ADDRESS:PORT");
}

static uint64_t number(const char *text, uint64_t max)
{
    uint64_t n;
    if (!view_parse_u64(view_cstr(text), max, &n) || n == 0)
        die(text, "is no number that is allowed here");
    return n;
}

static double positive(const char *text)
{
    char *end;
    double n = strtod(text, &end);
    if (*end || !isfinite(n) || n <= 0)
        die(text, "is no positive number");
    return n;
}

static const struct option options[] = {
    {"to", required_argument, NULL, 't'},          {"dialect", required_argument, NULL, 'd'},
    {"connections", required_argument, NULL, 'c'}, {"accounts", required_argument, NULL, 'a'},
    {"seconds", required_argument, NULL, 's'},     {"rate", required_argument, NULL, 'r'},
    {"help", no_argument, NULL, 'h'},              {NULL, 0, NULL, 0},
};

static void take_option(int c)
{
    switch (c) {
    case 't': set_target(optarg); break;
    case 'd': dialect = strcmp(optarg, "postfix") == 0 ? DIALECT_POSTFIX : DIALECT_AUTH_POLICY; break;
    case 'c': connection_count = number(optarg, CONNECTIONS_MAX); break;
    case 'a': account_count = number(optarg, 100000000); break;
    case 's': seconds = positive(optarg); break;
    case 'r': rate = positive(optarg); break;
    case 'h': fputs(help, stdout); exit(0);
    default: fputs(help, stderr); exit(2);
    }
}

/* ---- */

static void connect_all(void)
{
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < connection_count; i++) {
        struct connection *c = &connections[i];
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
        buf_init(&c->in, 2 * ANSWER_MAX);
        c->fd = socket(to.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (c->fd == -1 || connect(c->fd, (struct sockaddr *)&to, to_len) == -1 ||
            epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &e) == -1)
            die("connect", strerror(errno));
        idle[idle_count++] = c;
    }
}

static void print_result(void)
{
    struct buf json;
    struct rusage used;
    double took_s = (double)((last_us > began_us ? last_us : now_us()) - began_us) / 1e6;
    uint64_t answers = latencies.count;
    getrusage(RUSAGE_SELF, &used);
    double cpu_s = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                   (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    buf_init(&json, 65536);
    buf_add_char(&json, '{');
    put_json_num(&json, "answers", (int64_t)answers);
    put_json_real(&json, "per_s", (double)answers / took_s);
    put_json_num(&json, "yes", (int64_t)said[SAID_YES]);
    put_json_num(&json, "no", (int64_t)said[SAID_NO]);
    put_json_num(&json, "thanks", (int64_t)said[SAID_THANKS]);
    put_json_num(&json, "nonsense", (int64_t)said[SAID_NONSENSE]);
    put_json_num(&json, "unanswered", (int64_t)(asked - answers));
    put_json_num(&json, "connections_lost", (int64_t)lost);
    put_json_num(&json, "not_asked", (int64_t)(rate > 0 ? planned() - asked : 0));
    samples_json(&latencies, &json, "latency_ms");
    put_json_real(&json, "client_cpu_share", cpu_s / took_s);
    buf_add_cstr(&json, "}\n");
    fwrite(json.data, 1, buf_len(&json), stdout);
    buf_fini(&json);
}

int main(int argc, char **argv)
{
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        take_option(c);
    if (to_len == 0)
        die("--to", "is needed");
    connect_all();
    began_us = now_us();
    run();
    print_result();
    samples_fini(&latencies);
    for (size_t i = 0; i < connection_count; i++)
        buf_fini(&connections[i].in);
    return 0;
}
