#include "msa/console/postfix_door.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/console/console_private.h"
#include "msa/console/postfix_ask.h"
#include "msa/io/conn.h"
#include "msa/io/listener.h"

#define IDLE_MS         1200000 /* Postfix's own max_ttl is 1000 s */
#define REQUEST_MS      10000   /* from its first octet to its empty line */
#define DELAY_MAX_MS    20000   /* Postfix waits 100 s */
#define COMPLAINT_MS    60000
#define OUTPUT_MAX      4096

struct postfix_door {
    struct listener *listener; /* NULL: free */
    struct ipaddr ip;
    uint16_t port;
    struct postfix_doors *doors;
};

struct postfix_doors {
    struct console *console;
    struct postfix_door doors[POSTFIX_DOORS_MAX];
    struct list clients; /* of struct postfix_client */
    size_t client_count, asking_count;
    bool is_paused, is_draining;
    int64_t complained_ms, unanswered_ms;
};

/* One smtpd. */
struct postfix_client {
    struct list link;
    struct postfix_doors *doors;
    struct conn *conn; /* NULL: gone, and only the answer is waited for */
    struct timer timer;
    struct postfix_memory memory;
    bool is_asking;   /* until the answer */
    bool is_delayed;  /* until the timer, then `action` goes out */
    bool is_partial;  /* part of a request is here */
    char action[POSTFIX_ACTION_MAX];
};

static void for_each_door(struct postfix_doors *doors, void fn(struct listener *))
{
    for (size_t i = 0; i < POSTFIX_DOORS_MAX; i++)
        if (doors->doors[i].listener)
            fn(doors->doors[i].listener);
}

static void release(struct postfix_client *c)
{
    struct postfix_doors *doors = c->doors;
    timer_stop(&c->timer);
    list_remove(&c->link);
    postfix_memory_fini(&c->memory);
    free(c);
    doors->client_count--;
    if (!doors->is_paused)
        return;
    doors->is_paused = false;
    for_each_door(doors, listener_resume);
}

/* The connection is over; what was asked comes back to nobody. */
static void gone(struct postfix_client *c)
{
    c->conn = NULL;
    timer_stop(&c->timer);
    if (c->is_delayed) {
        c->is_delayed = false;
        c->doors->asking_count--;
    }
    if (!c->is_asking)
        release(c);
}

static void end(struct postfix_client *c)
{
    if (c->conn)
        conn_close(&c->conn);
    gone(c);
}

static void fail(struct postfix_client *c, const char *why)
{
    if (log_is_due(&c->doors->complained_ms, COMPLAINT_MS)) {
        struct log_line l;
        log_begin(&l, LOG_LEVEL_WARN, "postfix-policy-malformed");
        log_ip(&l, "ip", conn_remote(c->conn));
        log_str(&l, "text", why);
        log_end(&l);
    }
    conn_abort(&c->conn);
    gone(c);
}

/* ---- one request after the other ---- */

static void work(struct postfix_client *c);

static void send_action(struct postfix_client *c)
{
    char line[POSTFIX_ACTION_MAX + 16];
    int n = snprintf(line, sizeof line, "action=%s\n\n", c->action);
    if (conn_write(c->conn, view_of(line, (size_t)n)) < 0) {
        fail(c, "takes no answers");
        return;
    }
    if (c->doors->is_draining)
        end(c);
    else
        work(c);
}

static void on_answer(void *arg, const struct postfix_answer *answer)
{
    struct postfix_client *c = arg;
    c->is_asking = false;
    if (answer->is_away && log_is_due(&c->doors->unanswered_ms, COMPLAINT_MS))
        log_msg(LOG_LEVEL_WARN, "postfix-policy-unanswered", "auth or policy is away; Postfix defers what is sent");
    if (!c->conn) {
        c->doors->asking_count--;
        release(c);
        return;
    }
    if (answer->is_away)
        c->memory.client[0] = '\0'; /* was not judged */
    snprintf(c->action, sizeof c->action, "%s", answer->action);
    int64_t delay_ms = answer->delay_ms < DELAY_MAX_MS ? answer->delay_ms : DELAY_MAX_MS;
    c->is_delayed = true;
    if (timer_start(&c->timer, c->doors->console->loop, delay_ms) < 0)
        fail(c, "no memory for its timer");
}

/* Answers in a turn of its own also what needs no question, so that a long row of them holds up nobody. */
static void ask(struct postfix_client *c, json_t *args, const char *action)
{
    const struct postfix_answer known = {.action = action};
    c->is_asking = true;
    c->doors->asking_count++;
    conn_read_stop(c->conn);
    if (args)
        postfix_ask(c->doors->console, args, on_answer, c);
    else
        on_answer(c, &known);
}

static void wait_for_more(struct postfix_client *c, bool is_partial)
{
    bool is_same = timer_is_on(&c->timer) && c->is_partial == is_partial;
    c->is_partial = is_partial;
    conn_read_start(c->conn);
    if (!is_same && timer_start(&c->timer, c->doors->console->loop, is_partial ? REQUEST_MS : IDLE_MS) < 0)
        fail(c, "no memory for its timer");
}

static void work(struct postfix_client *c)
{
    struct postfix_request r;
    struct buf *in = conn_in(c->conn);
    struct view bytes = buf_view(in);
    size_t had = bytes.n;
    int err = postfix_request_take(&bytes, &r);
    if (err == MSA_EAGAIN) {
        wait_for_more(c, had > 0);
    } else if (err < 0) {
        fail(c, err == MSA_ETOOBIG ? "the request is too long" : "no request of smtpd_access_policy");
    } else {
        const char *action;
        json_t *args = postfix_question(&c->memory, &r, &action);
        buf_take(in, had - bytes.n);
        ask(c, args, action);
    }
}

static void on_timer(void *arg)
{
    struct postfix_client *c = arg;
    if (c->is_asking)
        return; /* the question has a deadline of its own, and the answer starts the timer anew */
    if (c->is_delayed) {
        c->is_delayed = false;
        c->doors->asking_count--;
        send_action(c);
    } else if (c->is_partial) {
        fail(c, "no whole request in time");
    } else {
        end(c);
    }
}

static void on_input(void *arg)
{
    struct postfix_client *c = arg;
    if (!c->is_asking && !c->is_delayed)
        work(c);
}

static void on_closed(void *arg, enum conn_end why)
{
    (void)why;
    gone(arg);
}

static const struct conn_events events = {.on_input = on_input, .on_closed = on_closed};

/* ---- doors ---- */

static void on_accept(void *arg, int fd, const struct ipaddr *remote, uint16_t port)
{
    static const struct conn_limits limits = {POSTFIX_REQUEST_MAX, OUTPUT_MAX};
    struct postfix_doors *doors = ((struct postfix_door *)arg)->doors;
    struct postfix_client *c = calloc(1, sizeof *c);
    (void)remote, (void)port;
    if (!c) {
        close(fd);
        return;
    }
    c->doors = doors;
    timer_init(&c->timer, on_timer, c);
    postfix_memory_init(&c->memory);
    list_append(&doors->clients, &c->link);
    if (++doors->client_count >= POSTFIX_CLIENTS_MAX && !doors->is_paused) {
        doors->is_paused = true;
        for_each_door(doors, listener_pause);
    }
    c->conn = conn_new_accepted(doors->console->loop, fd, &limits, &events, c);
    if (!c->conn)
        release(c);
    else
        wait_for_more(c, false);
}

struct postfix_doors *postfix_doors_new(struct console *console)
{
    struct postfix_doors *doors = calloc(1, sizeof *doors);
    if (!doors)
        return NULL;
    doors->console = console;
    list_init(&doors->clients);
    return doors;
}

static struct postfix_door *find(struct postfix_doors *doors, const struct ipaddr *ip, uint16_t port)
{
    for (size_t i = 0; i < POSTFIX_DOORS_MAX; i++) {
        struct postfix_door *d = &doors->doors[i];
        if (ip ? d->listener && ipaddr_eq(&d->ip, ip) && d->port == port : !d->listener)
            return d;
    }
    return NULL;
}

int postfix_doors_open(struct postfix_doors *doors, const struct ipaddr *ip, uint16_t port, int fd)
{
    struct postfix_door *d = find(doors, ip, port) ? NULL : find(doors, NULL, 0);
    if (!d) {
        close(fd);
        return MSA_EFULL;
    }
    *d = (struct postfix_door){.ip = *ip, .port = port, .doors = doors};
    d->listener = listener_new(doors->console->loop, fd, on_accept, d);
    if (d->listener && doors->is_paused)
        listener_pause(d->listener);
    return d->listener ? MSA_OK : MSA_ENOMEM;
}

void postfix_doors_close(struct postfix_doors *doors, const struct ipaddr *ip, uint16_t port)
{
    struct postfix_door *d = find(doors, ip, port);
    if (d)
        listener_free(&d->listener);
}

void postfix_doors_drain(struct postfix_doors *doors)
{
    struct postfix_client *c, *next;
    doors->is_draining = true;
    for (size_t i = 0; i < POSTFIX_DOORS_MAX; i++)
        listener_free(&doors->doors[i].listener);
    LIST_FOREACH(c, next, &doors->clients, struct postfix_client, link)
        if (!c->is_asking && !c->is_delayed)
            end(c);
}

size_t postfix_doors_waiting(const struct postfix_doors *doors)
{
    return doors->asking_count;
}

/* Nothing is asked any more: the channels are gone before. */
void postfix_doors_free(struct postfix_doors **doors)
{
    struct postfix_client *c, *next;
    if (!*doors)
        return;
    for (size_t i = 0; i < POSTFIX_DOORS_MAX; i++)
        listener_free(&(*doors)->doors[i].listener);
    (*doors)->is_paused = false;
    LIST_FOREACH(c, next, &(*doors)->clients, struct postfix_client, link)
    {
        if (c->conn)
            conn_abort(&c->conn);
        c->is_asking = false;
        gone(c);
    }
    free(*doors);
    *doors = NULL;
}
