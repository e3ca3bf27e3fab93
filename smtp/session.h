/* struct smtp_session: one client's SMTP session (RFC 5321, 6409) as a machine without sockets.
 *
 * Bytes come in through `in`, a buffer of the owner's; replies and questions leave through struct smtp_host;
 * answers come back through smtp_session_on_…. Three facts are never merged: the phase (where in the
 * dialogue), the wait (which answer is due) and the flags. While a wait is on nothing is read:
 * pipelined commands simply stay in `in`.
 *
 * An idle session owns nothing but this struct, its names and the connection: transaction and AUTH state
 * exist only while they are needed. One thread; no function here blocks. Whoever gets host->over frees the
 * session with smtp_session_fini at the end of its turn, not before. */
#ifndef SMTP_SESSION_H
#define SMTP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/ipaddr.h"
#include "msa/config/config.h"
#include "smtp/host.h"

enum smtp_phase {
    PHASE_START = 0, /* connected, no greeting yet: who talks now is no mail program */
    PHASE_GREET,     /* greeted; EHLO is due, also after STARTTLS and XCLIENT */
    PHASE_READY,
    PHASE_AUTH, /* an exchange is on: lines are responses, not commands */
    PHASE_MAIL, /* a sender, no recipient */
    PHASE_RCPT, /* a sender and at least one recipient */
    PHASE_DATA, /* lines are the message */
    PHASE_BDAT, /* the first chunk was announced, the last one was not taken */
    PHASE_CLOSING, /* the client is cut off; an answer that matters is still due */
    PHASE_DEAD,
    PHASE_COUNT
};

enum smtp_wait {
    WAIT_NONE = 0,
    WAIT_TLS,
    WAIT_DELAY, /* policy's delay or the greeting pause runs */
    WAIT_CONNECT,
    WAIT_AUTH,
    WAIT_LOGIN,
    WAIT_MAIL,
    WAIT_QUOTA,
    WAIT_BODY, /* relay shall give a descriptor */
    WAIT_SCORE,
    WAIT_ROUTE,
    WAIT_ACCEPT,
    WAIT_COUNT
};

enum smtp_flag {
    SMTP_TLS = 1 << 0,
    SMTP_AUTHED = 1 << 1,
    SMTP_EXTENDED = 1 << 2,        /* EHLO, not HELO */
    SMTP_IMPLICIT_TLS = 1 << 3,    /* port 465 */
    SMTP_AUTH_IN_CLEAR = 1 << 4,   /* exempt loopback listener */
    SMTP_MAY_XCLIENT = 1 << 5,     /* a listed front */
    SMTP_MAY_SCORE = 1 << 6,       /* the account consented */
    SMTP_MAY_NORMALIZE = 1 << 7,   /* an old device: bare LF becomes CRLF */
    SMTP_TOLD_POLICY = 1 << 8,     /* policy counts the session: it must hear of its end */
    SMTP_SKIP_LINE = 1 << 9,       /* the rest of an over-long line is thrown away */
    SMTP_TLS_DUE = 1 << 10,        /* start the handshake behind this command line */
    SMTP_DATA_REFUSED = 1 << 11,   /* what comes next may be a body sent all the same */
    SMTP_STRAY_SEEN = 1 << 12,     /* one message had bare CR, LF or NUL; the next one is the last */
    SMTP_AUTH_STALE = 1 << 13,     /* auth may still answer an exchange that was given up */
    SMTP_LAST_CHUNK = 1 << 14,
    SMTP_DISCARD_CHUNK = 1 << 15,  /* the present chunk was refused; its octets are thrown away */
    SMTP_SKIP_AUTH = 1 << 17,      /* that line began like an AUTH command */
    SMTP_ACKNOWLEDGED = 1 << 18,   /* the reply to a message is among those not yet sent */
    SMTP_GONE = 1 << 16,           /* the client is cut off: nothing may be written */
};

/* What all sessions of a process share. */
struct smtp_site {
    const struct config *config; /* swapped at a reload, never between two uses in one call */
    const struct smtp_host *host;
    bool is_draining;
    bool has_tls; /* a certificate is there */
    uint64_t missing_scores; /* none came in time, or nobody was there to ask */
    uint64_t late_answers; /* came for nobody, or for another question; dropped */
};

/* Who connected where; copied. */
struct smtp_arrival {
    struct ipaddr ip;
    uint16_t port;
    const char *listener; /* lives as long as the process */
    unsigned flags;       /* SMTP_IMPLICIT_TLS, SMTP_AUTH_IN_CLEAR, SMTP_MAY_XCLIENT */
};

struct smtp_txn;
struct smtp_auth;
struct smtp_held;

struct smtp_session {
    uint64_t id; /* never used twice: also the generation */
    struct smtp_site *site;
    void *owner;    /* of host */
    struct buf *in; /* the owner's; bytes the client sent */
    struct buf out; /* replies of a group, till it is complete; see smtp_flush */
    const char *listener;

    enum smtp_phase phase;
    enum smtp_wait wait;
    unsigned flags; /* of enum smtp_flag */

    struct ipaddr client_ip; /* after PROXY and XCLIENT */
    uint16_t client_port;
    char country[8];
    char *helo;  /* owned; NULL before EHLO */
    char *login; /* owned; canonical name, NULL before AUTH */
    char *tls;   /* owned; version and cipher for Received, NULL in clear */
    uint64_t account;
    int64_t account_created_ms; /* 0: not known */
    uint64_t credential;        /* which of its passwords: auth_done's */

    struct smtp_txn *txn;   /* owned; between MAIL and its end */
    struct smtp_auth *auth; /* owned; during AUTH */
    struct smtp_held *held; /* owned; during WAIT_DELAY */
    uint64_t chunk_left;    /* octets of the present BDAT still to come */

    int64_t began_ms;
    int64_t step_until_ms;    /* the present step's own deadline; INT64_MAX: none */
    int64_t output_since_ms;  /* output waits since then; INT64_MAX: it does not */
    uint32_t line_bytes;      /* of the command line at work, with CRLF */
    uint32_t scanned_bytes;   /* of `in`: no line end in them */
    uint32_t message_count;   /* transactions begun */
    uint32_t accepted_count;
    uint16_t error_count;     /* 5xx replies */
    uint16_t junk_count;      /* commands that lead nowhere since the last message */
    uint16_t auth_failure_count;
    const char *end_reason;   /* for the log */
};

void smtp_session_init(struct smtp_session *s, struct smtp_site *site, void *owner, struct buf *in,
                       const struct smtp_arrival *arrival);
void smtp_session_fini(struct smtp_session *s);

/* ---- the client: events ---- */

void smtp_session_start(struct smtp_session *s);        /* once, right after init */
void smtp_session_on_input(struct smtp_session *s);     /* `in` has grown */
void smtp_session_on_drained(struct smtp_session *s);   /* all output has left */
void smtp_session_on_tls(struct smtp_session *s);       /* the handshake is done */
void smtp_session_on_gone(struct smtp_session *s, const char *why); /* the connection is over */

/* When smtp_session_on_deadline is due, on clock_mono_ms; INT64_MAX: never. It may be called early. */
int64_t smtp_session_deadline(const struct smtp_session *s);
void smtp_session_on_deadline(struct smtp_session *s);

/* Signed in with this account, or about to be: policy has let it pass and the last response is due. */
bool smtp_session_is_of(const struct smtp_session *s, uint64_t account);
/* 421 with `text` at once, also in the middle of DATA: the account was stopped. */
void smtp_session_kill(struct smtp_session *s, struct view text);
/* Signed in with this password of the account, or waiting for policy's word on it. */
bool smtp_session_has_credential(const struct smtp_session *s, const struct msg_auth_revoked *m);
/* 421 at once, as above: that password holds no longer. */
void smtp_session_revoke(struct smtp_session *s);
/* The process ends (site->is_draining is set): idle sessions get 421 now, others when their transaction is
 * over; with `is_forced` all. */
void smtp_session_drain(struct smtp_session *s, bool is_forced);
/* The process is over: no answer will come any more. */
void smtp_session_abandon(struct smtp_session *s);

/* ---- the roles: answers ---- */

/* `a` is NULL when none came (role lost, deadline). An answer nobody waits for is counted and dropped. */
void smtp_session_on_connect(struct smtp_session *s, const struct msg_policy_connect_answer *a);
void smtp_session_on_login(struct smtp_session *s, const struct msg_policy_login_answer *a);
void smtp_session_on_mail(struct smtp_session *s, const struct msg_policy_mail_answer *a);
void smtp_session_on_quota(struct smtp_session *s, const struct msg_policy_quota_answer *a);
void smtp_session_on_score(struct smtp_session *s, const struct msg_score_answer *a);
void smtp_session_on_route(struct smtp_session *s, const struct msg_policy_route_answer *a);
void smtp_session_on_accept(struct smtp_session *s, const struct msg_relay_accept_answer *a);
void smtp_session_on_challenge(struct smtp_session *s, const struct msg_auth_challenge *a);
void smtp_session_on_auth_done(struct smtp_session *s, const struct msg_auth_done *a);
/* The role's channel is gone. Questions to policy were answered with NULL; what it had reserved went with it,
 * and another process must not be told of it. */
void smtp_session_on_auth_lost(struct smtp_session *s);
void smtp_session_on_policy_lost(struct smtp_session *s);
/* The descriptor is the session's; -1: there is none to be had. */
void smtp_session_on_body(struct smtp_session *s, int fd);

#endif
