/* Inside the policy role: what all its parts share.
 *
 *   role.c         life: configuration, peers, timers
 *   live.c         one decision, with facts from session and account
 *   on_sign_in.c   a connection and its sign-ins
 *   on_message.c   a message from MAIL to its end
 *   on_told.c      what is only told: outcomes of relay, mailbox accesses
 *   enforce.c      what a verdict brings about beside the answer: records, cut sessions,
 * held mail tell.c         which of it becomes a notice ops.c          operations for the
 * console, with ops_account.c, ops_mailbox.c, ops_restriction.c, ops_postfix.c expiry.c       what is
 * too old to be kept */
#ifndef POLICY_STATE_H
#define POLICY_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/base/list.h"
#include "msa/io/loop.h"
#include "msa/ipc/news.h"
#include "msa/ipc/role.h"
#include "policy/answer.h"
#include "policy/engine/engine.h"
#include "policy/engine/store_lmdb.h"
#include "policy/expiry.h"
#include "policy/geo.h"
#include "policy/ledger.h"
#include "policy/notices.h"
#include "policy/restrictions.h"
#include "policy/route.h"
#include "policy/sent.h"
#include "policy/sessions.h"
#include "policy/sign_ins.h"

#define POLICY_WORKERS_MAX   64
#define POLICY_LISTENERS_MAX 128

enum question {
    ASKED_CONNECT,
    ASKED_LOGIN,
    ASKED_MAIL,
    ASKED_QUOTA,
    ASKED_ROUTE,
    QUESTION_COUNT
};

struct policy_counts {
    struct {
        uint64_t asked;
        uint64_t refused; /* every verdict but allow */
    } questions[QUESTION_COUNT];
    struct {
        uint64_t asked, refused;     /* by POP and IMAP servers, before the password */
        uint64_t accesses, failures; /* as they report them */
    } mailbox;
    uint64_t events;
    uint64_t undecided; /* the counters could not answer: passed */
    uint64_t failed_logins;
    uint64_t suspensions;
    uint64_t overseas_refusals;
    uint64_t shadow_routes; /* messages that a route in shadow would have taken */
};

#define POLICY_RULE_HITS_MAX (2 * RULES_MAX) /* names of earlier configurations, too */
struct rule_hits {
    uint32_t name_hash;
    uint64_t hits;
};

#define POLICY_RESTRICTED_MAX 1024

struct policy {
    struct loop *loop;
    const char *state_dir;
    const struct config *config; /* NULL before the first one */
    struct rule_set *rules;
    struct routes *routes;
    uint8_t hash_key[16]; /* of short hashes in records; lives with the ledger */
    struct geo *geo;
    struct store_lmdb *counters; /* NULL: could not be opened; everything passes */
    struct store_lmdb *sign_in_store; /* NULL likewise: no list of sign-ins is kept */
    struct sign_ins *sign_ins;        /* NULL with it */
    struct store_lmdb *sent_store;    /* NULL likewise: bounces are known by login alone */
    struct sent sent;
    struct ledger *ledger;
    struct restrictions *restrictions;
    struct sessions *sessions;
    struct notices *notices;
    uint64_t last_reservation;

    struct chan *workers[POLICY_WORKERS_MAX]; /* session workers, by index; NULL: away */
    char listeners[POLICY_LISTENERS_MAX][IPC_NAME_MAX + 1];
    unsigned listener_count;
    struct chan *relay;
    struct news_teller news;
    struct policy_watched {
        uint64_t failed, overseas; /* of `counts`, as told last; see watched.h */
        int64_t told_ms;           /* monotonic */
    } watched;
    struct list holds_due; /* see mail_hold.h */
    struct policy_restricted {
        uint64_t account; /* 0: none */
        int64_t last_ms;  /* 0: never */
    } restricted[POLICY_RESTRICTED_MAX]; /* when accounts that send were restricted last; see way.h */

    struct list
        slow_answers; /* of operations that wait for the disk; see ops_account.c */

    struct loop_hook flush_hook;
    struct timer care_timer;
    struct expiry expiry;
    struct policy_counts counts;
    struct rule_hits rule_hits[POLICY_RULE_HITS_MAX];
    unsigned rule_hit_count;
};

/* ---- live.c ---- */

/* The name as one that lives as long as the process does; "" when too many are known. */
const char *policy_listener(struct policy *p, struct view name);

/* The session of a question, known from now on; NULL: no room. */
struct live_session *policy_session(struct policy *p, const struct chan *worker,
                                    uint64_t id, const struct ipaddr *ip);
sessions_over_fn policy_session_over; /* arg: struct policy */

/* Decides about `e`, does what the verdict asks for beside the answer (enforce.h), and
 * says what the session is told. *v is filled. */
struct answer policy_decide(struct policy *p, const struct event *e, struct view login,
                            struct verdict *v);

/* ---- on_sign_in.c ---- */

/* A sign-in with its outcome, wherever it was tried. Views outlive the call. */
struct account;
struct sign_in {
    const struct account *account; /* with its login; a name that is nobody's is an account of its own */
    const struct ipaddr *ip;
    const struct place *place;
    struct view listener;
    struct view protocol; /* empty: smtp */
    struct view program;  /* as it calls itself */
    bool is_good;         /* the password was right, and the account is not disabled */
    bool is_disabled;     /* it is, and the password was right */
    bool is_uncounted;    /* it was right, but not for mail programs: refused without a trace in the counters */
    bool is_code_missing; /* the password was right and the code of the second factor is missing or wrong: counted as
                             a wrong password is, and the verdict says whether a right one would do */
    uint64_t wrong_password;
    uint32_t address_sessions, account_sessions;
};

/* The one judgement of sign-ins, which it also notes for the account's owner; its text is for logs alone. */
struct answer policy_judge_sign_in(struct policy *p, const struct sign_in *s);

/* The password of an account that is signed in at a page was given again: does that count as right? What is wrong
 * counts as at a sign-in, and the same lockouts hold. */
bool policy_may_prove_password(struct policy *p, const struct sign_in *s);

/* ---- ops_rules.c ---- */

void policy_count_hit(struct policy *p, const struct rule *rule); /* it acted, or in shadow mode would have */

/* ---- ops_sign_in.c ---- */

/* For the owner's list of sign-ins. */
struct sign_in_seen {
    uint64_t account;
    const struct ipaddr *ip;
    const struct place *place;
    enum sign_in_protocol protocol;
    enum sign_in_result result;
    struct view program; /* as it calls itself: of a stranger */
    bool is_proven;      /* the password was right */
};
void policy_note_sign_in(struct policy *p, const struct sign_in_seen *seen);

/* ---- live.c ---- */

void policy_count(struct policy *p, enum question question, enum policy_verdict verdict);

/* Facts that every event of a session has. `account` NULL: none known. */
struct account;
void policy_facts(const struct policy *p, enum event_kind kind, const struct ipaddr *ip,
                  const struct place *place, const struct account *account,
                  struct event *e);

extern chan_handler_fn policy_on_connect, policy_on_login, policy_on_disconnect;
extern chan_handler_fn policy_on_mail, policy_on_quota, policy_on_route, policy_on_settle;
extern chan_handler_fn policy_on_outcome, policy_on_mailbox;

#endif
