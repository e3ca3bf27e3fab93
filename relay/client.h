/* The SMTP client towards a smarthost, without I/O: replies in, commands out. link.c drives it over a
 * connection, tests and a fuzzer drive it with strings.
 *
 * It is as strict towards the smarthost as the server side is towards clients: a reply that breaks the
 * grammar, that is longer than its bounds, or that comes before its command was sent ends the session with the
 * message kept (what was once taken for the answer to the final dot lost mail). QUIT is never sent
 * behind a final dot that is unanswered. Capabilities of the clear phase are forgotten after STARTTLS, and
 * credentials are sent inside TLS only.
 *
 * RFC 5321, 2920 (pipelining), 3030 (BDAT), 3207, 4954, 1870, 6152, 6531, 3461, 8689. */
#ifndef RELAY_CLIENT_H
#define RELAY_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/config/config.h"
#include "msa/mail/ehlo.h"
#include "msa/mail/reply.h"
#include "msa/mail/stuff.h"
#include "relay/message.h"

#define CLIENT_OUT_MAX (256u << 10) /* commands of one group; bodies do not go through it */

struct client_settings {
    const char *ehlo_name;
    enum config_relay_tls tls;
    bool is_tls_implicit;
    const char *user; /* "": no AUTH */
    const char *password;
    enum config_relay_mechanism mechanism;
};

enum client_phase {
    CLIENT_GREETING = 0,
    CLIENT_EHLO,
    CLIENT_STARTTLS,
    CLIENT_HANDSHAKE,
    CLIENT_AUTH,          /* PLAIN, or AUTH LOGIN was sent */
    CLIENT_AUTH_USER,
    CLIENT_AUTH_PASSWORD,
    CLIENT_IDLE,
    CLIENT_TRANSACTION,
    CLIENT_QUIT,
    CLIENT_DEAD,
};

const char *client_phase_name(enum client_phase phase);

/* What the engine needs to go on. */
enum client_want {
    CLIENT_WANT_INPUT = 0, /* replies */
    CLIENT_WANT_TLS,       /* a handshake, then client_on_tls */
    CLIENT_WANT_WORK,      /* client_begin or client_quit; the message before, if any, has its answers */
    CLIENT_WANT_BODY,      /* pieces of the content: client_body, client_body_end */
    CLIENT_WANT_CLOSE,     /* it is over, see `failure` */
};

enum client_failure {
    CLIENT_FAIL_NONE = 0, /* QUIT was answered */
    CLIENT_FAIL_GREETING, /* banner or EHLO refused: another host, another time */
    CLIENT_FAIL_TLS,      /* wanted and not to be had */
    CLIENT_FAIL_AUTH,
    CLIENT_FAIL_PROTOCOL, /* nonsense, too much, or too early */
    CLIENT_FAIL_CLOSING,  /* 421 */
    CLIENT_FAIL_BODY,     /* what was to be sent is not fit to be sent */
    CLIENT_FAIL_HERE,     /* memory, or something else on our side */
};

const char *client_failure_name(enum client_failure failure);

/* The steps of a transaction, in order. One cursor says what is sent next, one what is answered next. */
enum client_step {
    CLIENT_STEP_RSET = 0,
    CLIENT_STEP_MAIL,
    CLIENT_STEP_RCPT,
    CLIENT_STEP_DATA, /* or BDAT */
    CLIENT_STEP_BODY, /* answered by the reply to the final dot, or to BDAT */
    CLIENT_STEP_END,
};

struct client {
    const struct client_settings *settings; /* outlives the client */
    enum client_phase phase;
    enum client_failure failure;
    struct ehlo caps;
    bool is_tls;
    bool is_tls_verified;
    bool needs_rset;
    struct buf out;     /* to be sent and then reset by the owner */
    struct reply reply; /* as far as it has come */

    /* The transaction under way. */
    struct message *m;
    enum client_step send;
    enum client_step await;
    uint32_t send_rcpt;  /* position in m->rcpts */
    uint32_t await_rcpt;
    uint32_t rcpt_end;   /* those behind it are not in this transaction */
    uint32_t outstanding_count;
    uint32_t accepted_count;
    bool is_rset_refused;
    bool is_mail_refused;
    bool is_bdat;
    bool is_body_ended;
    struct stuff stuff;
    uint32_t transaction_count; /* finished ones */
    uint64_t reply_count;       /* whoever watches the time restarts his clock when it has grown */
    char failure_text[160];     /* for the log */
};

void client_init(struct client *c, const struct client_settings *settings);
void client_fini(struct client *c);

/* Reads what replies there are in `in` and takes them off it, appends commands to `out`. Call it after input, and
 * after each of the calls below. `is_flushed`: nothing given out before is still unsent. */
enum client_want client_step(struct client *c, struct buf *in, bool is_flushed);

/* The handshake is done. Everything learnt before is forgotten. */
void client_on_tls(struct client *c, bool is_verified);

/* While it wants work: sends the pending recipients of `m`, which stays the caller's and gets its
 * answers. False: the session cannot carry this message; the answers say so and nothing was sent. */
bool client_begin(struct client *c, struct message *m);
void client_quit(struct client *c);
/* Ends the session with the next step, for a reason outside of it. */
void client_abandon(struct client *c, const char *why);

/* While it wants the body: takes bytes off the front of `*piece` and gives the next run to send, behind all of
 * `out`. 1 with a run, 0 when the piece is used up, MSA_EINVAL: the session is over (CLIENT_FAIL_BODY). */
int client_body(struct client *c, struct view *piece, struct view *run_out);
/* Behind the last piece; the end mark goes to `out`. MSA_OK or MSA_EINVAL as above. */
int client_body_end(struct client *c);

/* The connection is gone, or its owner gives up: recipients without a final answer get a 4xx that
 * says `why`. Their message must be kept. */
void client_lose(struct client *c, struct view why);

/* True from the moment when the smarthost may have the whole message without our knowing. */
bool client_may_have_sent(const struct client *c);

#endif
