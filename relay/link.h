/* struct link: one connection to a smarthost. Glue between the client engine, a connection, TLS and the
 * deadlines of each phase (RFC 5321 section 4.5.3.2). Belongs to a pool. */
#ifndef RELAY_LINK_H
#define RELAY_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/io/conn.h"
#include "msa/io/loop.h"
#include "msa/io/tls.h"
#include "relay/client.h"
#include "relay/delivery.h"

struct link;

/* Why a link is gone. */
struct link_end {
    bool was_ready;    /* it had come as far as taking messages */
    bool was_reused;   /* and had carried at least one */
    bool was_answered; /* a reply to the delivery under way had come, other than a farewell */
    bool is_planned;   /* QUIT, after enough messages or idleness */
    bool is_timeout;
    enum client_failure failure;
    bool is_tls_trouble;   /* the handshake failed */
    struct delivery *left; /* what it was carrying, its open recipients answered with 4xx; NULL */
    char text[192];        /* for the log */
};

/* A kept link that the other side closed just as it was used, with a 421 or without: that is tried once more, on another,
 * before anybody hears of it. */
bool link_was_stale(const struct link_end *end);

struct link_owner {
    /* Ready for a delivery: link_send, link_quit, or nothing (it waits idle). */
    void (*on_ready)(void *arg, struct link *l);
    /* The delivery has its answers; on_ready follows, or on_gone. */
    void (*on_done)(void *arg, struct link *l, struct delivery *d);
    /* The link is freed at the end of this call. */
    void (*on_gone)(void *arg, struct link *l, const struct link_end *end);
    void *arg;
};

struct link_settings {
    struct loop *loop;
    const struct client_settings *client;
    const struct config_relay_deadlines *deadlines;
    struct tls_client *tls; /* NULL: none is needed */
    const char *server_name;
    struct ipaddr ip;
    uint16_t port;
    struct ipaddr source; /* none: the kernel's choice */
};

/* Starts to connect. `client`, `deadlines` and `tls` outlive the link, the rest is copied. No event comes
 * from inside any call of this header. NULL: out of memory or descriptors. */
struct link *link_new(const struct link_settings *settings, const struct link_owner *owner);
/* At once, without an event; a delivery under way is the caller's again, unanswered. */
void link_free(struct link **l);

/* While it is ready. False: this session cannot carry the message; it has its answers, no event
 * comes, and the link is as ready as before. */
bool link_send(struct link *l, struct delivery *d);
void link_quit(struct link *l); /* while it is ready; on_gone follows */

bool link_is_ready(const struct link *l);
struct delivery *link_delivery(const struct link *l); /* under way, or NULL */
uint32_t link_message_count(const struct link *l);    /* carried so far */
/* Counts a message that it carried towards `destination`, any pointer that stands for one, and gives the number so far; UINT32_MAX
 * when it cannot tell them apart any more. */
uint32_t link_count_towards(struct link *l, const void *destination);
uint64_t link_message_max(const struct link *l);      /* what the server allows (RFC 9422); 0: any */
const char *link_host(const struct link *l);           /* "192.0.2.1:25" */

/* The owner's: a mark, a place in a list, and a number that says in which. */
void link_set_used_up(struct link *l);
bool link_is_used_up(const struct link *l);
void link_set_bucket(struct link *l, unsigned bucket);
unsigned link_bucket(const struct link *l);

struct list *link_place(struct link *l);
struct link *link_of_place(struct list *place);
const struct ipaddr *link_ip(const struct link *l);
uint16_t link_port(const struct link *l);

#endif
