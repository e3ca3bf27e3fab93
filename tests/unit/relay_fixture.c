#include "relay_fixture.h"

#include <criterion/criterion.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/io/conn.h"
#include "msa/io/listener.h"
#include "msa/mail/params.h"
#include "relay/relay.h"

#define CONTENT "Subject: small\r\n\r\nbody\r\n"

struct relay_fixture rx;

static struct listener *listener;
static struct list peers = LIST_INIT(peers);
static bool used[FAKE_RULES_MAX];
static struct config *config, *last_config;

/* ---- the smarthost ---- */

struct peer {
    struct list link;
    struct conn *conn;
    struct fake_server server;
};

static void drop_peer(struct peer *p)
{
    list_remove(&p->link);
    if (p->conn)
        conn_abort(&p->conn);
    fake_server_fini(&p->server);
    free(p);
}

static void say(struct peer *p)
{
    struct buf *out = &p->server.to_client;
    if (buf_len(out) > 0)
        conn_write(p->conn, buf_view(out));
    buf_reset(out);
    if (p->server.is_dropped)
        drop_peer(p);
}

static void on_input(void *owner)
{
    struct peer *p = owner;
    struct buf *in = conn_in(p->conn);
    buf_add(&p->server.from_client, buf_view(in));
    buf_take(in, buf_len(in));
    p->server.rules = rx.rules;
    if (!rx.is_smarthost_mute)
        fake_server_hear(&p->server);
    say(p);
}

static void on_peer_closed(void *owner, enum conn_end end)
{
    (void)end;
    drop_peer(owner);
}

static void on_body(struct fake_server *f)
{
    if (buf_len(&f->body) == 0)
        return; /* the end of a transaction without a recipient */
    cr_assert_lt(rx.mail_count, RX_MAILS_MAX);
    struct rx_mail *m = &rx.mails[rx.mail_count++];
    struct view lines = buf_view(&f->transaction), body = buf_view(&f->body);
    m->body_bytes = body.n;
    view_to_cstr(view_slice(lines, 0, sizeof m->envelope - 1), m->envelope, sizeof m->envelope);
    view_to_cstr(view_slice(body, 0, sizeof m->body - 1), m->body, sizeof m->body);
}

static void on_accept(void *arg, int fd, const struct ipaddr *remote, uint16_t port)
{
    (void)arg, (void)remote, (void)port;
    static const struct conn_limits limits = {1u << 20, 1u << 20};
    static const struct conn_events events = {.on_input = on_input, .on_closed = on_peer_closed};
    struct peer *p = calloc(1, sizeof *p);
    fake_server_init(&p->server);
    p->server.rules = rx.rules;
    p->server.used = used;
    p->server.offers = rx.offers;
    p->server.on_body = on_body;
    p->conn = conn_new_accepted(rx.loop, fd, &limits, &events, p);
    list_append(&peers, &p->link);
    rx.connection_count++;
    if (!rx.is_smarthost_mute)
        fake_server_greet(&p->server);
    say(p);
}

void rx_start_smarthost(void)
{
    struct ipaddr ip;
    struct sockaddr_storage ss;
    socklen_t n = sizeof ss;
    int fd;
    ipaddr_parse(VIEW_LIT("127.0.0.1"), &ip);
    cr_assert_eq(listener_open(&ip, rx.port, &fd), MSA_OK);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
    cr_assert(ipaddr_from_sockaddr((struct sockaddr *)&ss, &ip, &rx.port));
    listener = listener_new(rx.loop, fd, on_accept, NULL);
}

void rx_stop_smarthost(void)
{
    struct peer *p, *tmp;
    if (listener)
        listener_free(&listener);
    LIST_FOREACH (p, tmp, &peers, struct peer, link)
        drop_peer(p);
}

void rx_set_rules(const struct smarthost_rule *rules)
{
    memset(used, 0, sizeof used);
    rx.rules = rules;
}

/* ---- the role ---- */

static int on_outcome(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c;
    struct msg_relay_outcome o;
    struct view item;
    size_t n = strlen(rx.outcomes);
    if (n > sizeof rx.outcomes / 2)
        return MSA_OK; /* the first ones are enough to look at */
    cr_assert_eq(msg_relay_outcome_decode(m->payload, &o), MSA_OK);
    n += (size_t)snprintf(rx.outcomes + n, sizeof rx.outcomes - n, "%u:", (unsigned)o.message);
    while (items_next(&o.results, &item)) {
        struct msg_recipient_result r;
        cr_assert_eq(msg_recipient_result_decode(item, &r), MSA_OK);
        n += (size_t)snprintf(rx.outcomes + n, sizeof rx.outcomes - n, "%u,", r.code);
    }
    snprintf(rx.outcomes + n, sizeof rx.outcomes - n, " ");
    return MSA_OK;
}

static chan_handlers session_handlers = {0};
static int on_news(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c, (void)m; /* nothing depends on it */
    return MSA_OK;
}

static chan_handlers console_handlers = {[IPC_news_tell] = on_news};
static chan_handlers policy_handlers = {[IPC_relay_outcome] = on_outcome};

static void ignore_closed(void *owner, struct chan *c)
{
    (void)owner, (void)c;
}

static void make_chan(enum role peer, chan_handler_fn *const *handlers, struct chan **there,
                      struct chan **here)
{
    int fds[2];
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    const struct chan_settings theirs = {.loop = rx.loop, .self = peer, .peer = ROLE_RELAY,
                                         .handlers = handlers, .on_closed = ignore_closed};
    const struct chan_settings ours = {.loop = rx.loop, .self = ROLE_RELAY, .peer = peer,
                                       .handlers = relay_role.handlers, .on_closed = ignore_closed,
                                       .owner = rx.relay};
    *there = chan_new(fds[0], &theirs);
    *here = chan_new(fds[1], &ours);
    cr_assert(*there && *here);
    relay_role.peer_up(rx.relay, *here);
}

static void start_role(void)
{
    char why[512] = "";
    const struct role_env env = {.loop = rx.loop, .state_dir = rx.dir};
    const struct role_config rc = {.config = config};
    void *state;
    cr_assert_eq(relay_role.open(&env, &state), MSA_OK);
    rx.relay = state;
    cr_assert_eq(relay_role.take_config(state, &rc, why, sizeof why), MSA_OK, "%s", why);
    cr_assert_eq(relay_role.serve(state), MSA_OK);
    make_chan(ROLE_SMTP, session_handlers, &rx.session, &rx.relay_ends[0]);
    make_chan(ROLE_POLICY, policy_handlers, &rx.policy, &rx.relay_ends[1]);
    make_chan(ROLE_CONSOLE, console_handlers, &rx.console, &rx.relay_ends[2]);
}

static void stop_role(void)
{
    void *state = rx.relay;
    for (int i = 0; i < 3; i++) {
        relay_role.peer_down(state, rx.relay_ends[i]);
        chan_free(&rx.relay_ends[i]);
    }
    relay_role.close(&state);
    chan_free(&rx.session);
    chan_free(&rx.policy);
    chan_free(&rx.console);
}

static void parse_config(const char *pool_settings, const char *queue_settings)
{
    static const char form[] = "hostname mx.example.jp;\n"
                               "pool main { smarthost 127.0.0.1:%u; tls off; ehlo_name mx.example.jp; %s }\n"
                               "queue { min_free 0; %s }\n";
    char text[4096];
    struct config_errors errors;
    struct buf shown;
    buf_init(&shown, 1u << 20);
    config_errors_init(&errors);
    snprintf(text, sizeof text, form, rx.port, pool_settings, queue_settings);
    int err = config_parse_snapshot(view_cstr(text), CONFIG_ROLE_RELAY, &config, &errors);
    config_errors_print(&errors, &shown);
    buf_add_char(&shown, '\0');
    cr_assert_eq(err, MSA_OK, "%s", buf_view(&shown).p);
    config_errors_fini(&errors);
    buf_fini(&shown);
}

void rx_set_up(const char *pool_settings, const char *queue_settings)
{
    memset(&rx, 0, sizeof rx);
    log_set_level(getenv("RX_LOG") ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR + 1);
    snprintf(rx.dir, sizeof rx.dir, "/tmp/msad-relay-XXXXXX");
    cr_assert_not_null(mkdtemp(rx.dir));
    rx.loop = loop_new();
    rx.mails = calloc(RX_MAILS_MAX, sizeof *rx.mails);
    rx.offers = "PIPELINING 8BITMIME";
    rx_start_smarthost();
    parse_config(pool_settings, queue_settings);
    start_role();
}

/* Configurations live until the call after the next one has returned. */
void rx_reload(const char *pool_settings, const char *queue_settings)
{
    char why[512] = "";
    struct config *before_last = last_config;
    last_config = config;
    parse_config(pool_settings, queue_settings);
    const struct role_config rc = {.config = config};
    cr_assert_eq(relay_role.take_config(rx.relay, &rc, why, sizeof why), MSA_OK, "%s", why);
    config_free(&before_last);
}

void rx_restart(void)
{
    stop_role();
    start_role();
}

void rx_tear_down(void)
{
    char command[128];
    stop_role();
    rx_stop_smarthost();
    config_free(&config);
    config_free(&last_config);
    loop_free(&rx.loop);
    free(rx.mails);
    snprintf(command, sizeof command, "rm -rf %s", rx.dir);
    cr_assert_eq(system(command), 0);
}

/* ---- turning ---- */

int64_t rx_now_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void rx_turn(void)
{
    loop_run_once(rx.loop, false);
    poll(NULL, 0, 1);
}

/* ---- asking ---- */

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct rx_answer *answer = arg;
    struct msg_relay_accept_answer a;
    cr_assert_eq(err, MSA_OK);
    cr_assert_eq(msg_relay_accept_answer_decode(m->payload, &a), MSA_OK);
    view_to_cstr(a.text, answer->text, sizeof answer->text);
    view_to_cstr(a.enhanced, answer->enhanced, sizeof answer->enhanced);
    answer->a = a;
    answer->is_here = true;
}

static void add_recipients(struct buf *list, const char *words, uint32_t *count)
{
    struct view left = view_cstr(words);
    while (left.n > 0) {
        struct view word = view_cut(&left, ' ');
        struct msg_recipient r = {.path = word};
        if (word.p[0] == '!' || word.p[0] == '+') {
            r.notify = word.p[0] == '!' ? NOTIFY_NEVER : NOTIFY_SUCCESS | NOTIFY_FAILURE;
            r.path = view_slice(word, 1, word.n);
        }
        items_add_recipient(list, &r);
        ++*count;
    }
}

static int make_file(struct view content)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    cr_assert_eq(write(fd, content.p, content.n), (ssize_t)content.n);
    return fd;
}

static int make_large(uint64_t bytes)
{
    static const char line[] = "0123456789abcd\r\n";
    int fd;
    cr_assert_eq(spool_large_new(rx.relay->spool, &fd), MSA_OK);
    for (uint64_t n = 0; n < bytes; n += 16)
        cr_assert_eq(write(fd, line, 16), 16);
    return fd;
}

/* The descriptor for `q`, or -1 with the body inside. */
static int put_body(const struct rx_accept *what, struct msg_relay_accept_ask *q)
{
    struct view content = view_cstr(what->content ? what->content : CONTENT);
    q->body_bytes = what->large_bytes > 0 ? what->large_bytes / 16 * 16 : content.n;
    if (what->large_bytes > 0)
        return make_large(q->body_bytes);
    if (what->is_in_file || what->missing_bytes > 0 || content.n > IPC_BODY_MAX)
        return make_file(content);
    q->body = content;
    return -1;
}

void rx_accept_async(const struct rx_accept *what, struct rx_answer *answer)
{
    struct buf list;
    struct msg_relay_accept_ask q = {
        .message = what->id,
        .account = what->account,
        .login = VIEW_LIT("taro@example.jp"),
        .pool = VIEW_LIT("main"),
        .sender = view_cstr(what->sender),
        .is_large = what->large_bytes > 0,
        .held_for = what->held_for,
        .hold_until_ms = what->hold_until_ms,
        .prepend = VIEW_LIT("Received: by mx\r\n"),
    };
    buf_init(&list, IPC_ITEMS_MAX);
    add_recipients(&list, what->recipients, &q.recipient_count);
    q.recipients = buf_view(&list);
    int fd = put_body(what, &q);
    q.body_bytes += what->missing_bytes;
    *answer = (struct rx_answer){0};
    msg_relay_accept_ask_encode(&q, chan_ask_begin(rx.session, IPC_relay_accept_ask));
    if (fd != -1)
        chan_give_fd(rx.session, fd);
    cr_assert_eq(chan_ask_end(rx.session, 60000, on_answer, answer, NULL), MSA_OK);
    buf_fini(&list);
}

struct rx_answer rx_accept(const struct rx_accept *what)
{
    static struct rx_answer answer;
    rx_accept_async(what, &answer);
    cr_assert(rx_wait(answer.is_here), "no answer");
    return answer;
}

uint64_t rx_in_state(enum queue_state state)
{
    struct queue_counts counts;
    queue_count_all(rx.relay->queue, &counts);
    return counts.by_state[state];
}

uint64_t rx_queued(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < QUEUE_STATE_COUNT; i++)
        sum += rx_in_state((enum queue_state)i);
    return sum;
}
