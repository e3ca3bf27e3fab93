/* sink: an SMTP server that takes everything, for tests, benches and the demo. It stands for the smarthost, judges
 * what it is sent (line ends, dots, pipelining) and can be told to misbehave at any point; `sink --help`. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/ipaddr.h"
#include "tests/common/endpoint.h"
#include "tests/tools/sink/session.h"

static const char help[] =
    "usage: sink [options]\n"
    "  --listen ADDRESS:PORT    may be given several times; port 0: any, printed as\n"
    "                           \"listening ADDRESS:PORT\" (default 127.0.0.1:0)\n"
    "  --listen-tls ADDRESS:PORT  the same, TLS from the first byte\n"
    "  --cert FILE --key FILE   PEM; with them STARTTLS is offered\n"
    "  --require-tls            no MAIL in clear\n"
    "  --auth USER:PASSWORD     no MAIL without AUTH PLAIN\n"
    "  --no FEATURE             pipelining chunking 8bitmime binarymime smtputf8 dsn size requiretls\n"
    "                           enhancedstatuscodes starttls auth; may be given several times\n"
    "  --size BYTES             largest message (default 256 MiB)\n"
    "  --max-rcpts N --max-sessions N   452 and 421 beyond\n"
    "  --store DIR              each message to a file, its description in JSON beside it\n"
    "  --hash FILE              a line of JSON per message, appended: envelope, hashes, findings\n"
    "  --demo                   a line for people per message\n"
    "  --fault RULE             what goes wrong, when; see tests/tools/sink/faults.h\n"
    "  --script FILE            rules from a file, read again at SIGHUP\n"
    "SIGUSR1 prints the counts as JSON; SIGTERM and SIGINT print them and end.\n";

static const char *const feature_names[FEATURE_COUNT] = {
    [FEATURE_PIPELINING] = "pipelining",
    [FEATURE_CHUNKING] = "chunking",
    [FEATURE_8BITMIME] = "8bitmime",
    [FEATURE_BINARYMIME] = "binarymime",
    [FEATURE_SMTPUTF8] = "smtputf8",
    [FEATURE_DSN] = "dsn",
    [FEATURE_SIZE] = "size",
    [FEATURE_REQUIRETLS] = "requiretls",
    [FEATURE_ENHANCEDSTATUSCODES] = "enhancedstatuscodes",
    [FEATURE_STARTTLS] = "starttls",
    [FEATURE_AUTH] = "auth",
};

struct listener {
    struct ev_io io;
    bool tls_at_once;
};

#define LISTENERS_MAX 8
#define ACCEPT_BATCH  64

static struct sink sink = {
    .size_max_bytes = 256u << 20,
    .rcpt_max_count = UINT64_MAX,
    .session_max_count = UINT64_MAX,
    .hash_fd = -1,
};
static struct listener listeners[LISTENERS_MAX];
static unsigned listener_count;
static struct faults command_line_faults;
static const char *script;

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "sink: %s: %s\n", what, why);
    exit(2);
}

static void on_accept(struct ev_loop *loop, struct ev_io *io, int revents)
{
    const struct listener *l = io->data;
    (void)loop, (void)revents;
    for (int i = 0; i < ACCEPT_BATCH; i++) {
        int fd = accept4(io->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd == -1)
            return;
        session_start(&sink, fd, l->tls_at_once);
    }
}

static void listen_on(const char *text, bool tls_at_once)
{
    struct sockaddr_storage ss;
    struct ipaddr addr;
    socklen_t len;
    if (!endpoint_parse(text, &ss, &len))
        die(text, "is no ADDRESS:PORT");
    if (listener_count == LISTENERS_MAX)
        die(text, "too many listeners");
    int on = 1, fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1 ||
        bind(fd, (struct sockaddr *)&ss, len) == -1 || listen(fd, 4096) == -1)
        die(text, strerror(errno));
    len = sizeof ss;
    uint16_t bound = 0;
    getsockname(fd, (struct sockaddr *)&ss, &len);
    ipaddr_from_sockaddr((struct sockaddr *)&ss, &addr, &bound);
    printf("listening %.*s:%u\n", (int)(strrchr(text, ':') - text), text, bound);
    struct listener *l = &listeners[listener_count++];
    l->tls_at_once = tls_at_once;
    ev_io_init(&l->io, on_accept, fd, EV_READ);
    l->io.data = l;
    ev_io_start(sink.loop, &l->io);
}

static void load_tls(const char *cert, const char *key)
{
    if (!cert && !key)
        return;
    sink.tls = SSL_CTX_new(TLS_server_method());
    if (!cert || !key || !sink.tls || SSL_CTX_use_certificate_chain_file(sink.tls, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(sink.tls, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(sink.tls) != 1)
        die(cert ? cert : "--cert", "certificate and key do not load or do not match");
    SSL_CTX_set_mode(sink.tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                   SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_num_tickets(sink.tls, 0);
}

static void load_faults(void)
{
    struct faults fresh = command_line_faults;
    if (!script || faults_read(&fresh, script))
        sink.faults = fresh;
}

static void on_signal(struct ev_loop *loop, struct ev_signal *w, int revents)
{
    (void)revents;
    if (w->signum == SIGHUP) {
        load_faults();
        puts("reloaded");
        fflush(stdout);
    } else {
        counts_print(&sink);
    }
    if (w->signum == SIGTERM || w->signum == SIGINT)
        ev_break(loop, EVBREAK_ALL);
}

static void watch_signals(void)
{
    static const int numbers[] = {SIGHUP, SIGUSR1, SIGTERM, SIGINT};
    static struct ev_signal watchers[4];
    for (int i = 0; i < 4; i++) {
        ev_signal_init(&watchers[i], on_signal, numbers[i]);
        ev_signal_start(sink.loop, &watchers[i]);
    }
    signal(SIGPIPE, SIG_IGN);
}

static uint64_t number(const char *text)
{
    uint64_t n;
    if (!view_parse_u64(view_cstr(text), UINT64_MAX, &n))
        die(text, "is no number");
    return n;
}

static void switch_off(const char *name)
{
    for (int i = 0; i < FEATURE_COUNT; i++) {
        if (strcmp(name, feature_names[i]) == 0) {
            sink.has_feature[i] = false;
            return;
        }
    }
    die(name, "is no feature");
}

static void open_log(const char *path)
{
    sink.hash_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (sink.hash_fd == -1)
        die(path, strerror(errno));
}

static const struct option options[] = {
    {"listen", required_argument, NULL, 'l'},       {"listen-tls", required_argument, NULL, 'L'},
    {"cert", required_argument, NULL, 'c'},         {"key", required_argument, NULL, 'k'},
    {"require-tls", no_argument, NULL, 'R'},        {"auth", required_argument, NULL, 'a'},
    {"no", required_argument, NULL, 'n'},           {"size", required_argument, NULL, 's'},
    {"max-rcpts", required_argument, NULL, 'r'},    {"max-sessions", required_argument, NULL, 'm'},
    {"store", required_argument, NULL, 'S'},        {"hash", required_argument, NULL, 'H'},
    {"demo", no_argument, NULL, 'd'},               {"fault", required_argument, NULL, 'f'},
    {"script", required_argument, NULL, 'F'},       {"help", no_argument, NULL, 'h'},
    {"count", no_argument, NULL, 'C'},              {NULL, 0, NULL, 0},
};

struct addresses { /* listened on when all other options are known */
    const char *plain[LISTENERS_MAX], *tls[LISTENERS_MAX];
    unsigned plain_count, tls_count;
    const char *cert, *key;
};

static void remember(const char *list[], unsigned *count, const char *text)
{
    if (*count == LISTENERS_MAX)
        die(text, "too many listeners");
    list[(*count)++] = text;
}

static void take_option(int c, struct addresses *at)
{
    const char *why;
    switch (c) {
    case 'l': remember(at->plain, &at->plain_count, optarg); break;
    case 'L': remember(at->tls, &at->tls_count, optarg); break;
    case 'c': at->cert = optarg; break;
    case 'k': at->key = optarg; break;
    case 'R': sink.requires_tls = true; break;
    case 'a': sink.auth = optarg; break;
    case 'n': switch_off(optarg); break;
    case 's': sink.size_max_bytes = number(optarg); break;
    case 'r': sink.rcpt_max_count = number(optarg); break;
    case 'm': sink.session_max_count = number(optarg); break;
    case 'S': sink.store_dir = optarg; break;
    case 'H': open_log(optarg); break;
    case 'd': sink.is_demo = true; break;
    case 'C': break; /* counting is what it always does */
    case 'F': script = optarg; break;
    case 'f':
        if (!faults_add(&command_line_faults, view_cstr(optarg), &why))
            die(optarg, why);
        break;
    case 'h': fputs(help, stdout); exit(0);
    default: fputs(help, stderr); exit(2);
    }
}

int main(int argc, char **argv)
{
    struct addresses at = {.cert = NULL};
    for (int i = 0; i < FEATURE_COUNT; i++)
        sink.has_feature[i] = true;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        take_option(c, &at);
    if (optind < argc)
        die(argv[optind], "unexpected argument");
    sink.loop = ev_default_loop(EVFLAG_AUTO);
    sink.started_ms = clock_wall_ms();
    list_init(&sink.sessions);
    sink.wants_details = sink.store_dir || sink.hash_fd != -1 || sink.is_demo;
    load_tls(at.cert, at.key);
    load_faults();
    if (at.tls_count > 0 && !sink.tls)
        die("--listen-tls", "needs --cert and --key");
    if (at.plain_count + at.tls_count == 0)
        remember(at.plain, &at.plain_count, "127.0.0.1:0");
    for (unsigned i = 0; i < at.plain_count; i++)
        listen_on(at.plain[i], false);
    for (unsigned i = 0; i < at.tls_count; i++)
        listen_on(at.tls[i], true);
    fflush(stdout);
    watch_signals();
    ev_run(sink.loop, 0);
    sessions_end(&sink);
    SSL_CTX_free(sink.tls);
    return 0;
}
