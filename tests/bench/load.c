/* load: puts load on a submission server and prints what it saw as one line of JSON; `load --help`. One thread,
 * one loop. A full TLS handshake costs the client about as much as the server: client_cpu_share tells when
 * the generator itself was the limit. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/load/client.h"
#include "tests/common/endpoint.h"
#include "tests/common/json.h"

static const char help[] =
    "usage: load --to ADDRESS:PORT [options]\n"
    "  --mode w1|w2|w3|w4|w6|hello   one message per session | 100 pipelined per session | 10 MiB messages |\n"
    "                          idle authenticated sessions | wrong passwords | TLS and EHLO alone (default w1)\n"
    "  --tls starttls|implicit|plain   (default starttls)\n"
    "  --user NAME --password WORD     or --users FILE with NAME:WORD lines, used in turn; none: no AUTH\n"
    "  --concurrency N         sessions at once (default 50)\n"
    "  --seconds S, --count N  when to stop: time, messages or passwords begun (default 5 s);\n"
    "                          w4: sessions to hold\n"
    "  --rate R                open loop: R sessions a second start, however slow the server is\n"
    "  --size BYTES --rcpts N --per-session N   instead of the mode's own\n"
    "  --from ADDRESS          sender (default: the user), --to-format with one %llu: recipients\n"
    "w4 says \"holding N\" when all sessions are up, and ends at SIGTERM or after --seconds.\n";

#define GRACE_S      15 /* for sessions under way when time is up */
#define COUNT_LIMIT_S 600 /* --count gives up then */
#define RAMP_MAX     32 /* w4: handshakes under way at once */
#define BACK_OFF_S   0.02

static struct run run = {
    .messages_per_session = 1,
    .size_bytes = 4096,
    .rcpt_count = 1,
    .message_budget = UINT64_MAX,
    .rcpt_format = "rcpt%llu@sink.invalid",
};
static uint64_t concurrency = 50;
static uint64_t hold_count;
static double seconds, rate;
static int64_t began_us, next_start_us;
static bool has_said_holding;
static struct ev_timer end_timer, pace_timer;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "load: %s: %s\n", what, why);
    exit(2);
}

/* ---- pace ---- */

static void finish(void)
{
    if (run.is_over && run.client_count == 0)
        ev_break(run.loop, EVBREAK_ALL);
}

/* No more is begun; what is under way may end by itself, idle sessions cannot. */
static void call_it_over(void)
{
    if (run.is_over)
        return;
    run.is_over = true;
    ev_timer_stop(run.loop, &pace_timer);
    ev_timer_stop(run.loop, &end_timer);
    ev_timer_set(&end_timer, run.goal == GOAL_IDLE ? 0 : GRACE_S, 0);
    ev_timer_start(run.loop, &end_timer);
    finish();
}

static void on_end_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)timer, (void)revents;
    if (!run.is_over) {
        call_it_over();
        return;
    }
    if (run.goal != GOAL_IDLE && run.client_count > 0)
        stats_error(&run.stats, "still busy at the end", VIEW_EMPTY);
    ev_break(loop, EVBREAK_ALL);
}

static void hold_more(void)
{
    while (run.client_count < hold_count &&
           run.client_count - run.stats.sessions_held < RAMP_MAX)
        client_start(&run, 0);
    if (run.stats.sessions_held < hold_count || has_said_holding)
        return;
    has_said_holding = true;
    printf("holding %llu\n", (unsigned long long)hold_count);
    fflush(stdout);
    ev_timer_stop(run.loop, &pace_timer);
    if (seconds > 0) {
        ev_timer_set(&end_timer, seconds, 0);
        ev_timer_start(run.loop, &end_timer);
    }
}

/* Tops up: the open loop by the clock, the others to their number. */
static void on_pace_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
    (void)loop, (void)timer, (void)revents;
    if (run.goal == GOAL_IDLE) {
        hold_more();
    } else if (rate > 0) {
        for (; !run.is_over && next_start_us <= now_us(); next_start_us += (int64_t)(1e6 / rate))
            client_start(&run, next_start_us);
    } else {
        while (!run.is_over && run.client_count < concurrency && run.message_budget > 0)
            client_start(&run, 0);
    }
    if (run.message_budget == 0)
        call_it_over();
}

static void on_session_end(struct run *r, bool is_good)
{
    if (r->message_budget == 0)
        call_it_over();
    if (r->is_over)
        finish();
    else if (is_good && rate <= 0 && r->goal != GOAL_IDLE)
        client_start(r, 0); /* a session that failed waits for the pace timer */
}

static void on_signal(struct ev_loop *loop, struct ev_signal *w, int revents)
{
    (void)loop, (void)w, (void)revents;
    call_it_over();
}

static void watch_signals(void)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    static struct ev_signal watchers[2];
    for (int i = 0; i < 2; i++) {
        ev_signal_init(&watchers[i], on_signal, numbers[i]);
        ev_signal_start(run.loop, &watchers[i]);
    }
    signal(SIGPIPE, SIG_IGN);
}

/* ---- options ---- */

static void set_target(const char *text)
{
    if (!endpoint_parse(text, &run.to, &run.to_len))
        die(text, "is no ADDRESS:PORT");
}

static void set_mode(const char *mode)
{
    if (strcmp(mode, "w2") == 0)
        run.messages_per_session = 100;
    else if (strcmp(mode, "w3") == 0)
        run.size_bytes = 10u << 20;
    else if (strcmp(mode, "w4") == 0)
        run.goal = GOAL_IDLE;
    else if (strcmp(mode, "w6") == 0)
        run.goal = GOAL_WRONG;
    else if (strcmp(mode, "hello") == 0)
        run.goal = GOAL_HELLO;
    else if (strcmp(mode, "w1") != 0)
        die(mode, "is no mode");
}

static void set_tls(const char *mode)
{
    static const char *const names[] = {"starttls", "implicit", "plain"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(mode, names[i]) == 0) {
            run.tls_mode = (enum tls_mode)i;
            return;
        }
    }
    die(mode, "is no TLS mode");
}

static void add_account(const char *user, const char *password)
{
    struct account *grown =
        realloc((void *)(uintptr_t)run.accounts, (run.account_count + 1) * sizeof *grown);
    if (!grown)
        die(user, "out of memory");
    grown[run.account_count] = (struct account){strdup(user), strdup(password)};
    run.accounts = grown;
    run.account_count++;
}

static void read_accounts(const char *path)
{
    char line[512];
    FILE *file = fopen(path, "re");
    if (!file)
        die(path, "cannot be read");
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = '\0';
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        *colon = '\0';
        add_account(line, colon + 1);
    }
    fclose(file);
}

static uint64_t number(const char *text)
{
    uint64_t n;
    if (!view_parse_u64(view_cstr(text), UINT64_MAX - 1, &n))
        die(text, "is no number");
    return n;
}

static double positive(const char *text)
{
    char *end;
    double n = strtod(text, &end);
    if (*end || !(n > 0))
        die(text, "is no positive number");
    return n;
}

static const struct option options[] = {
    {"to", required_argument, NULL, 't'},          {"mode", required_argument, NULL, 'm'},
    {"tls", required_argument, NULL, 'T'},         {"user", required_argument, NULL, 'u'},
    {"password", required_argument, NULL, 'p'},    {"users", required_argument, NULL, 'U'},
    {"concurrency", required_argument, NULL, 'c'}, {"seconds", required_argument, NULL, 's'},
    {"count", required_argument, NULL, 'n'},       {"rate", required_argument, NULL, 'r'},
    {"size", required_argument, NULL, 'S'},        {"rcpts", required_argument, NULL, 'R'},
    {"per-session", required_argument, NULL, 'P'}, {"from", required_argument, NULL, 'f'},
    {"to-format", required_argument, NULL, 'F'},   {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void take_option(int c, const char **user, const char **password, uint64_t *count)
{
    switch (c) {
    case 't': set_target(optarg); break;
    case 'm': set_mode(optarg); break;
    case 'T': set_tls(optarg); break;
    case 'u': *user = optarg; break;
    case 'p': *password = optarg; break;
    case 'U': read_accounts(optarg); break;
    case 'c': concurrency = number(optarg); break;
    case 's': seconds = positive(optarg); break;
    case 'n': *count = number(optarg); break;
    case 'r': rate = positive(optarg); break;
    case 'S': run.size_bytes = number(optarg); break;
    case 'R': run.rcpt_count = number(optarg); break;
    case 'P': run.messages_per_session = number(optarg); break;
    case 'f': run.sender = optarg; break;
    case 'F': run.rcpt_format = optarg; break;
    case 'h': fputs(help, stdout); exit(0);
    default: fputs(help, stderr); exit(2);
    }
}

static void check_options(const char *user, const char *password, uint64_t count)
{
    if (run.to_len == 0)
        die("--to", "is needed");
    if (user)
        add_account(user, password ? password : "");
    if (run.goal != GOAL_MESSAGES && run.goal != GOAL_HELLO && run.account_count == 0)
        die("--user", "is needed for this mode");
    if (run.rcpt_count < 1 || run.rcpt_count > 100 || run.messages_per_session < 1 || concurrency < 1)
        die("options", "--rcpts is 1 to 100, --per-session and --concurrency at least 1");
    if (run.goal == GOAL_IDLE)
        hold_count = count ? count : concurrency;
    else if (count)
        run.message_budget = count;
    if (seconds <= 0 && run.goal != GOAL_IDLE)
        seconds = count ? COUNT_LIMIT_S : 5;
}

static void make_tls(void)
{
    run.tls = SSL_CTX_new(TLS_client_method());
    if (!run.tls)
        die("TLS", "no context");
    SSL_CTX_set_verify(run.tls, SSL_VERIFY_NONE, NULL); /* the certificate is not what is measured */
    SSL_CTX_set_mode(run.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(run.tls, SSL_SESS_CACHE_OFF);
}

static void print_result(void)
{
    struct buf json;
    buf_init(&json, 1u << 20);
    buf_add_char(&json, '{');
    stats_json(&run.stats, &json, began_us);
    buf_add_cstr(&json, "}\n");
    fwrite(json.data, 1, buf_len(&json), stdout);
    buf_fini(&json);
}

int main(int argc, char **argv)
{
    const char *user = NULL, *password = NULL;
    uint64_t count = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        take_option(c, &user, &password, &count);
    check_options(user, password, count);
    list_init(&run.clients);
    run.loop = ev_default_loop(EVFLAG_AUTO);
    run.on_session_end = on_session_end;
    began_us = next_start_us = now_us();
    snprintf(run.run_id, sizeof run.run_id, "%llx", (unsigned long long)began_us);
    make_tls();
    watch_signals();
    ev_timer_init(&end_timer, on_end_timer, seconds, 0);
    if (seconds > 0 && run.goal != GOAL_IDLE)
        ev_timer_start(run.loop, &end_timer);
    ev_timer_init(&pace_timer, on_pace_timer, 0, rate > 0 ? 0.001 : BACK_OFF_S);
    ev_timer_start(run.loop, &pace_timer);
    ev_run(run.loop, 0);
    print_result();
    clients_end(&run);
    stats_fini(&run.stats);
    for (size_t i = 0; i < run.account_count; i++) {
        free(run.accounts[i].user);
        free(run.accounts[i].password);
    }
    free((void *)(uintptr_t)run.accounts);
    SSL_CTX_free(run.tls);
    return 0;
}
