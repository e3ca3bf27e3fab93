/* How fast the relay role alone is: messages handed over at once, taken while the smarthost is down with an empty and with a
 * long queue, found again at the start, drained. The role runs in this process, asked over a channel as a session worker
 * asks; the sink runs beside it. CPU is that of this process, the asking side included. One line of JSON at the end.
 *
 * usage: queue_bench [-n MESSAGES] [-q QUEUED] [-c CLIENTS] [-b BODY_BYTES] [-d DIRECTORY] */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "relay/relay.h"
#include "relay/state.h"

static struct {
    uint32_t message_count;
    uint32_t queued_count;
    uint32_t client_count;
    uint32_t body_bytes;
    const char *base_dir;
} options = {20000, 100000, 50, 4096, "/tmp"};

static struct {
    struct loop *loop;
    struct relay *relay;
    struct chan *session;
    struct chan *relay_end;
    struct config *config;
    char dir[256];
    pid_t sink_pid;
    unsigned sink_port;
    char *body;
    uint32_t started;  /* of the phase */
    uint32_t answered;
    uint32_t wanted;
    uint32_t by_result[4];
} b;

static void die(const char *what)
{
    fprintf(stderr, "queue_bench: %s\n", what);
    exit(1);
}

/* ---- the sink ---- */

static void start_sink(const char *self)
{
    char path[4096], line[256] = "";
    int fds[2];
    const char *slash = strrchr(self, '/');
    snprintf(path, sizeof path, "%.*s/sink", slash ? (int)(slash - self) : 1, slash ? self : ".");
    if (pipe(fds) == -1)
        die("no pipe");
    b.sink_pid = fork();
    if (b.sink_pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        execl(path, path, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    FILE *out = fdopen(fds[0], "r");
    const char *colon = out && fgets(line, sizeof line, out) ? strrchr(line, ':') : NULL;
    if (!colon)
        die("the sink does not start");
    b.sink_port = (unsigned)strtoul(colon + 1, NULL, 10);
}

static void stop_sink(void)
{
    kill(b.sink_pid, SIGKILL);
    waitpid(b.sink_pid, NULL, 0);
}

/* ---- the role ---- */

/* Port 1 of loopback refuses: the smarthost that is down. */
static void use_port(unsigned port)
{
    char text[1024], why[512];
    struct config_errors errors;
    struct config *next;
    config_errors_init(&errors);
    snprintf(text, sizeof text,
             "hostname mx.example.jp;\npool main { smarthost 127.0.0.1:%u; tls off; ehlo_name mx.example.jp; }\n"
             "queue { min_free 0; }\n", port);
    if (config_parse_snapshot(view_cstr(text), CONFIG_ROLE_RELAY, &next, &errors) < 0)
        die("the configuration does not parse");
    config_errors_fini(&errors);
    const struct role_config rc = {.config = next};
    if (relay_role.take_config(b.relay, &rc, why, sizeof why) < 0)
        die(why);
    b.config = next; /* the one before is still in use: a bench may leak a few */
}

static void ignore_closed(void *owner, struct chan *c)
{
    (void)owner, (void)c;
}

static void make_channel(void)
{
    static chan_handlers none = {0};
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == -1)
        die("no socketpair");
    const struct chan_settings theirs = {.loop = b.loop, .self = ROLE_SMTP, .peer = ROLE_RELAY,
                                         .handlers = none, .on_closed = ignore_closed};
    const struct chan_settings ours = {.loop = b.loop, .self = ROLE_RELAY, .peer = ROLE_SMTP,
                                       .handlers = relay_role.handlers,
                                       .on_closed = ignore_closed, .owner = b.relay};
    b.session = chan_new(fds[0], &theirs);
    b.relay_end = chan_new(fds[1], &ours);
    relay_role.peer_up(b.relay, b.relay_end);
}

static void start_role(unsigned port)
{
    const struct role_env env = {.loop = b.loop, .state_dir = b.dir};
    void *state;
    if (relay_role.open(&env, &state) < 0)
        die("the role does not open");
    b.relay = state;
    use_port(port);
    if (relay_role.serve(state) < 0)
        die("the role does not serve");
    make_channel();
}

static void stop_role(void)
{
    void *state = b.relay;
    relay_role.peer_down(state, b.relay_end);
    chan_free(&b.relay_end);
    relay_role.close(&state);
    chan_free(&b.session);
}

/* ---- asking ---- */

static void ask_next(void);

static void on_answer(void *arg, struct chan_message *m, int err)
{
    (void)arg;
    struct msg_relay_accept_answer a;
    if (err < 0 || msg_relay_accept_answer_decode(m->payload, &a) < 0)
        die("an answer is missing");
    b.by_result[a.result & 3]++;
    b.answered++;
    if (b.started < b.wanted)
        ask_next();
}

static int make_body(void)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    if (fd == -1 || write(fd, b.body, options.body_bytes) != (ssize_t)options.body_bytes)
        die("no body");
    return fd;
}

static void ask_next(void)
{
    struct buf list;
    const struct msg_recipient r = {.path = VIEW_LIT("hanako@example.com")};
    buf_init(&list, 1024);
    items_add_recipient(&list, &r);
    const struct msg_relay_accept_ask q = {
        .message = msgid_next(),
        .account = b.started % 100 + 1,
        .login = VIEW_LIT("taro@example.jp"),
        .pool = VIEW_LIT("main"),
        .sender = VIEW_LIT("taro@example.jp"),
        .header_bytes = 20,
        .body_bytes = options.body_bytes,
        .recipient_count = 1,
        .recipients = buf_view(&list),
    };
    int fd = make_body();
    b.started++;
    msg_relay_accept_ask_encode(&q, chan_ask_begin(b.session, IPC_relay_accept_ask));
    chan_attach_fd(b.session, fd);
    if (chan_ask_end(b.session, 120000, on_answer, NULL, NULL) < 0)
        die("the channel takes no question");
    close(fd);
    buf_fini(&list);
}

/* ---- measuring ---- */

struct figures {
    double seconds;
    double cpu_seconds;
};

static double now_s(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct figures begin_figures(void)
{
    return (struct figures){now_s(CLOCK_MONOTONIC), now_s(CLOCK_PROCESS_CPUTIME_ID)};
}

static void end_figures(struct figures *f)
{
    f->seconds = now_s(CLOCK_MONOTONIC) - f->seconds;
    f->cpu_seconds = now_s(CLOCK_PROCESS_CPUTIME_ID) - f->cpu_seconds;
}

static struct figures ask_all(uint32_t count)
{
    b.started = b.answered = 0;
    b.wanted = count;
    memset(b.by_result, 0, sizeof b.by_result);
    struct figures f = begin_figures();
    for (uint32_t i = 0; i < options.client_count && i < count; i++)
        ask_next();
    while (b.answered < count)
        loop_run_once(b.loop, true);
    end_figures(&f);
    return f;
}

static uint64_t queued(void)
{
    struct queue_counts counts;
    uint64_t sum = 0;
    queue_count_all(b.relay->queue, &counts);
    for (int i = 0; i < QUEUE_STATE_COUNT; i++)
        sum += counts.by_state[i];
    return sum;
}

static void print_figures(const char *name, struct figures f, uint64_t count)
{
    printf("\"%s\": {\"count\": %llu, \"seconds\": %.3f, \"per_second\": %.0f, \"cpu_ms_each\": %.4f}, ",
           name, (unsigned long long)count, f.seconds, (double)count / f.seconds,
           f.cpu_seconds * 1000 / (double)count);
    fflush(stdout);
}

static void expect_result(enum relay_result result, uint32_t count)
{
    if (b.by_result[result] < count)
        fprintf(stderr, "queue_bench: %u delivered, %u queued, %u refused, %u failed of %u\n",
                b.by_result[0], b.by_result[1], b.by_result[2], b.by_result[3], count);
}

static void run(void)
{
    uint32_t n = options.message_count;
    start_role(b.sink_port);
    print_figures("immediate", ask_all(n), n);
    expect_result(RELAY_DELIVERED, n);

    use_port(1);
    ask_all(options.client_count); /* so that the breaker knows */
    print_figures("down_empty", ask_all(n), n);
    expect_result(RELAY_QUEUED, n);
    while (queued() < options.queued_count)
        ask_all(n);
    print_figures("down_queued", ask_all(n), n);
    expect_result(RELAY_QUEUED, n);

    uint64_t depth = queued();
    stop_role();
    struct figures f = begin_figures();
    start_role(1);
    end_figures(&f);
    print_figures("restart", f, depth);

    f = begin_figures();
    use_port(b.sink_port);
    while (queued() > 0)
        loop_run_once(b.loop, true);
    end_figures(&f);
    print_figures("drain", f, depth);
    stop_role();
}

static void take_options(int argc, char **argv)
{
    int c;
    while ((c = getopt(argc, argv, "n:q:c:b:d:")) != -1) {
        uint32_t value = optarg ? (uint32_t)strtoul(optarg, NULL, 10) : 0;
        switch (c) {
        case 'n': options.message_count = value; break;
        case 'q': options.queued_count = value; break;
        case 'c': options.client_count = value; break;
        case 'b': options.body_bytes = value; break;
        case 'd': options.base_dir = optarg; break;
        default: die("usage: queue_bench [-n MESSAGES] [-q QUEUED] [-c CLIENTS] [-b BODY_BYTES] [-d DIRECTORY]");
        }
    }
    if (options.message_count == 0 || options.client_count == 0 || options.body_bytes < 64)
        die("a number is too small");
}

static void make_content(void)
{
    static const char head[] = "Subject: a bench\r\n\r\n";
    b.body = malloc(options.body_bytes);
    if (!b.body)
        die("out of memory");
    for (uint32_t i = 0; i < options.body_bytes; i++)
        b.body[i] = i % 76 == 74 ? '\r' : i % 76 == 75 ? '\n' : 'x';
    memcpy(b.body, head, sizeof head - 1);
    b.body[74] = b.body[75] = 'x'; /* the first line end is the header's */
    memcpy(b.body + options.body_bytes - 4, "xx\r\n", 4);
    for (uint32_t i = 0; i + 1 < options.body_bytes; i++) {
        if (b.body[i] == '\r' && b.body[i + 1] != '\n')
            b.body[i] = 'x';
    }
}

int main(int argc, char **argv)
{
    char command[320];
    take_options(argc, argv);
    log_setup("relay", 0, getenv("QB_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
    make_content();
    snprintf(b.dir, sizeof b.dir, "%s/queue-bench-XXXXXX", options.base_dir);
    if (!mkdtemp(b.dir))
        die("no directory");
    start_sink(argv[0]);
    b.loop = loop_new();
    if (!b.loop)
        die("no loop");
    printf("{");
    run();
    printf("\"body_bytes\": %u, \"clients\": %u}\n", options.body_bytes, options.client_count);
    stop_sink();
    snprintf(command, sizeof command, "rm -rf '%s'", b.dir);
    return system(command) == 0 ? 0 : 1;
}
