/* What the session engine asks of the world around it. The worker implements it with connections and
 * channels (worker.c, asks.c), tests and fuzzers with a script.
 *
 * Rules for every function here: it does not block, and it never calls the engine back before it has
 * returned. A question is answered by the matching smtp_session_on_… exactly once, unless
 * `cancel` was called in between. `s` is the asking session; messages are only read during the call. */
#ifndef SMTP_HOST_H
#define SMTP_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/view.h"
#include "msa/io/tls.h"
#include "msa/ipc/messages.h"

struct smtp_session;

/* take_body's answer. */
enum smtp_stock {
    STOCK_TAKEN = 0, /* the descriptor is the caller's */
    STOCK_LATER,     /* smtp_session_on_body follows */
    STOCK_REFUSED,   /* disk full, queue closed, relay away */
};

struct smtp_host {
    /* ---- the client ---- */
    void (*write)(struct smtp_session *s, struct view bytes);
    size_t (*output_len)(const struct smtp_session *s); /* not yet taken by the kernel */
    /* The server side of a handshake begins; smtp_session_on_tls or on_gone follows. Negative when
     * bytes in clear are waiting or the process has no certificate: the session must end. */
    int (*start_tls)(struct smtp_session *s);
    const struct tls_facts *(*tls_facts)(const struct smtp_session *s); /* NULL in clear; dies with the turn */
    /* No more events of the client from here on. Output goes out first unless `is_abort`. */
    void (*close)(struct smtp_session *s, bool is_abort);
    /* Nothing refers to the session any more; it may be freed at the end of the turn. */
    void (*over)(struct smtp_session *s);
    /* The client's address is now s->client_ip (XCLIENT); counts per address move with it. */
    void (*moved)(struct smtp_session *s, const struct ipaddr *from);
    /* The session authenticated; it counts no longer among the strangers. */
    void (*authenticated)(struct smtp_session *s);

    /* ---- questions: 0, or negative when the role is away (no answer follows) ---- */
    int (*ask_connect)(struct smtp_session *s, const struct msg_policy_connect_ask *m);
    int (*ask_login)(struct smtp_session *s, const struct msg_policy_login_ask *m);
    int (*ask_mail)(struct smtp_session *s, const struct msg_policy_mail_ask *m);
    int (*ask_quota)(struct smtp_session *s, const struct msg_policy_quota_ask *m);
    int (*ask_score)(struct smtp_session *s, const struct msg_score_ask *m, int fd);
    int (*ask_route)(struct smtp_session *s, const struct msg_policy_route_ask *m);
    /* Takes `fd` over, whatever the result; -1: the body is in the question. */
    int (*ask_accept)(struct smtp_session *s, const struct msg_relay_accept_ask *m, int fd);
    int (*auth_start)(struct smtp_session *s, const struct msg_auth_start *m);
    int (*auth_step)(struct smtp_session *s, const struct msg_auth_step *m);
    void (*auth_abort)(struct smtp_session *s);
    void (*cancel)(struct smtp_session *s); /* the open question's answer is not wanted any more */

    /* ---- statements ---- */
    void (*settle)(struct smtp_session *s, const struct msg_policy_settle *m);
    void (*disconnect)(struct smtp_session *s);

    /* ---- body descriptors ---- */
    enum smtp_stock (*take_body)(struct smtp_session *s, bool is_large, int *fd_out);
    void (*put_body)(struct smtp_session *s, int fd, bool is_large); /* empty, never shared */
};

#endif
