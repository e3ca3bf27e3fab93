/* Inside the session role: the process around the engine. Glue only; what SMTP means stands in session.c and
 * the files of the verbs.
 *
 *   worker.c   the role: configuration, peers, drain
 *   doors.c    listening sockets, PROXY header
 *   client.c   a connection and its session: events in, output and timers out
 *   asks.c     the session's questions over channels
 *   stock.c    body descriptors
 *   places.c   how many sessions there may be, in all and per address */
#ifndef SMTP_WORKER_H
#define SMTP_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/list.h"
#include "msa/base/table.h"
#include "msa/io/conn.h"
#include "msa/io/listener.h"
#include "msa/io/loop.h"
#include "msa/ipc/role.h"
#include "smtp/places.h"
#include "smtp/session.h"
#include "smtp/stock.h"

#define WORKER_SCORES_MAX 64

struct door;

struct trust {
    char listener[IPC_NAME_MAX + 1];
    struct tls_trust *tls;
};

struct worker {
    struct loop *loop;
    struct smtp_site site;
    struct tls_server *tls;
    struct trust *trusts; /* whom clients' certificates are good by, for the listeners that ask */
    size_t trust_count;
    struct places places;
    uint32_t worker_count;
    struct stock stock;

    struct list doors;   /* of struct door: open listening sockets */
    struct list fronts;  /* of struct front: PROXY headers to come */
    struct list clients; /* of struct smtp_client */
    struct list over;    /* of struct smtp_client: to be freed at the end of the turn */
    struct table by_id;  /* of struct smtp_client */
    struct loop_hook free_hook;

    struct chan *policy;
    struct chan *auth;
    struct chan *relay;
    struct chan *scores[WORKER_SCORES_MAX]; /* by index; NULL: away */
    unsigned next_score;

    role_drained_fn *on_drained;
    void *drained_arg;
    struct timer drain_timer;
    uint64_t session_count; /* ever */
    uint64_t refused_count; /* connections for which there was no place, ever */
};

/* One connection. Freed at the end of the turn in which its session was over. */
struct smtp_client {
    struct smtp_session session;
    struct worker *worker;
    struct conn *conn; /* NULL once the client is cut off */
    struct timer timer;
    struct table_entry by_id;
    struct list link;    /* in worker->clients or ->over */
    struct list waiting; /* in the stock's queue */
    bool waits_for_large;
    struct chan *asked;  /* where the open question went, if it can be cancelled */
    uint64_t ask_id;
    struct place place;
    bool is_choked; /* output did not fit */
    bool is_deaf;   /* reading is stopped */
};

extern const struct smtp_host smtp_worker_host;

struct smtp_client *smtp_client_of(const struct smtp_session *s);

/* ---- client.c ---- */

/* Takes `fd` over. */
void smtp_client_accept(struct worker *w, int fd, const struct smtp_arrival *arrival);
struct smtp_client *smtp_client_find(struct worker *w, uint64_t session_id); /* NULL: gone */
/* Behind every event of the session: its next deadline becomes the timer's. */
void smtp_client_rearm(struct smtp_client *c);
void smtp_client_free_over(void *worker); /* the hook */

/* ---- doors.c ---- */

/* Takes `fd` over, which the supervisor has bound to `ip` and `port`. */
void doors_open(struct worker *w, struct view name, const struct ipaddr *ip, uint16_t port, int fd);
void doors_close_one(struct worker *w, struct view name, const struct ipaddr *ip, uint16_t port);
void doors_close(struct worker *w); /* no new connections; PROXY headers to come are not waited for */
void doors_free(struct worker *w);

/* ---- asks.c: parts of smtp_worker_host ---- */

int asks_connect(struct smtp_session *s, const struct msg_policy_connect_ask *m);
int asks_login(struct smtp_session *s, const struct msg_policy_login_ask *m);
int asks_mail(struct smtp_session *s, const struct msg_policy_mail_ask *m);
int asks_quota(struct smtp_session *s, const struct msg_policy_quota_ask *m);
int asks_score(struct smtp_session *s, const struct msg_score_ask *m, int fd);
int asks_route(struct smtp_session *s, const struct msg_policy_route_ask *m);
int asks_accept(struct smtp_session *s, const struct msg_relay_accept_ask *m, int fd);
int asks_auth_start(struct smtp_session *s, const struct msg_auth_start *m);
int asks_auth_step(struct smtp_session *s, const struct msg_auth_step *m);
void asks_auth_abort(struct smtp_session *s);
void asks_cancel(struct smtp_session *s);
void asks_settle(struct smtp_session *s, const struct msg_policy_settle *m);
void asks_disconnect(struct smtp_session *s);
chan_handler_fn asks_on_challenge, asks_on_auth_done, asks_on_revoked, asks_on_kill;

#endif
