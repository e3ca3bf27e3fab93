/* Who is connected just now: the sessions that session workers told of, and how many of
 * them an account and a source have open.
 *
 * A session is known from its greeting on, or, when this process is younger than it, from
 * its next question. It ends with policy_disconnect or with the channel to its worker.
 * Bounded: beyond SESSIONS_MAX nothing new is remembered, and what is not remembered
 * counts nowhere. One thread. */
#ifndef POLICY_SESSIONS_H
#define POLICY_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/list.h"
#include "msa/base/table.h"
#include "policy/engine/event.h"

#define SESSIONS_MAX 400000

struct reservation;
struct tally;

struct live_session {
    struct table_entry by_id;
    struct list of_worker;
    uint64_t id;
    struct ipaddr ip;
    struct place place;              /* of ip; looked up once */
    uint64_t account;                /* 0 before a sign-in that was allowed */
    int64_t created_ms;              /* of the account; 0: not known */
    const char *listener;            /* of the last MAIL; NULL before. Not owned */
    bool is_sending;                 /* between MAIL and the end of its transaction */
    struct list of_account;          /* the sessions signed in to it */
    struct tally *source;            /* what the source has open; never NULL */
    struct tally *owner;             /* what the account has open; NULL: none */
    struct reservation *reservation; /* of the message under way; see reservation.h */
};

struct open_counts {
    uint32_t sessions;
    uint32_t sending;
};

struct sessions;

struct sessions *sessions_new(void); /* NULL: out of memory */
void sessions_free(struct sessions **ss);

/* What makes a source of an address: its leading bits. Sessions that are known keep
 * theirs. */
void sessions_set_source_bits(struct sessions *ss, unsigned v6_bits);

/* The session, made if it is new; `worker` stands for the channel it came by. NULL: no
 * room. */
struct live_session *sessions_get(struct sessions *ss, const void *worker, uint64_t id,
                                  const struct ipaddr *ip);
struct live_session *sessions_find(struct sessions *ss,
                                   uint64_t id); /* NULL: not known */

/* MSA_OK, or MSA_ENOMEM with the session counted for nobody. The same account again is
 * fine. */
int sessions_sign_in(struct sessions *ss, struct live_session *s, uint64_t account);
void sessions_set_sending(struct live_session *s, bool is_sending);

/* Open now, this session included. */
struct open_counts sessions_of_source(const struct live_session *s);
struct open_counts sessions_of_account(const struct live_session *s);
/* Of an account that this session may be about to sign in to. */
struct open_counts sessions_open_of(const struct sessions *ss, uint64_t account);

/* Those that are signed in to it. `fn` changes nothing about them. */
typedef void sessions_each_fn(void *arg, const struct live_session *s);
void sessions_each_of(const struct sessions *ss, uint64_t account, sessions_each_fn *fn,
                      void *arg);

/* `over` is called before a session is forgotten: what it had reserved is the callee's.
 */
typedef void sessions_over_fn(void *arg, struct live_session *s);
void sessions_end(struct sessions *ss, uint64_t id, sessions_over_fn *over, void *arg);
void sessions_end_worker(struct sessions *ss, const void *worker, sessions_over_fn *over,
                         void *arg);

size_t sessions_count(const struct sessions *ss);

#endif
