/* The policy process as its frame sees it: the role with real channels to two session workers, relay and console, its
 * state in a directory of its own, and a clock that stands still. Questions are asked and answered in one call. */
#ifndef TESTS_UNIT_POLICY_FIXTURE_H
#define TESTS_UNIT_POLICY_FIXTURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "msa/ipc/messages.h"

#define PF_T0_MS INT64_C(1780000000000)

enum pf_worker { PF_A = 0, PF_B, PF_WORKERS };

/* What came back last, whatever was asked. */
struct pf_answer {
    enum policy_verdict verdict;
    uint32_t delay_ms;
    char text[256];
    char country[8];
    char account_class[64];
    char pool[64];
    char sender[512];
    uint64_t reservation;
    uint8_t held_for; /* bits of enum hold_reason */
    uint8_t sender_field;
    int64_t score_milli;
};

struct pf_seen {
    unsigned kills[PF_WORKERS];
    uint64_t killed_account;
    unsigned holds, let_go; /* of relay */
    uint64_t held_account;
    unsigned notices, webhooks;
};

extern struct pf_seen pf_seen;

/* `config`: a policy snapshot ("rule x { … }"). The home countries are what the test says. */
void pf_begin(const char *config);
void pf_end(void); /* also removes the directory */
void pf_reload(const char *config);
void pf_restart(void);                   /* the process dies and comes again; channels too */
void pf_lose_worker(enum pf_worker w);   /* and comes again */
void pf_lose_relay(void);
void pf_take_relay(bool is_away); /* gone, or back */
void pf_turns(void);                     /* until nothing more happens */
void pf_wait(void);                      /* for the next thing to happen, such as a commit */
void pf_advance(int64_t ms);

struct pf_answer pf_connect(enum pf_worker w, uint64_t session, const char *ip);
/* `result` of enum auth_result. `account` 0: the name is nobody's. */
struct pf_answer pf_login(enum pf_worker w, uint64_t session, const char *ip, uint64_t account,
                          const char *login, unsigned result, uint64_t wrong_password);
struct pf_answer pf_mail(enum pf_worker w, uint64_t session, const char *ip, uint64_t account,
                         const char *login, const char *sender);
struct pf_answer pf_quota(enum pf_worker w, uint64_t session, const char *ip, uint64_t account,
                          const char *login, unsigned recipients);
/* What the scanners insist on in the next pf_route; `text` outlives it. */
void pf_scanner_says(unsigned action, const char *text);
/* How many the next pf_route says there are; else one. */
void pf_claim_recipients(uint32_t count);
struct pf_answer pf_route(enum pf_worker w, uint64_t session, const char *ip, uint64_t account,
                          const char *login, const char *author, uint64_t reservation,
                          int64_t score_milli);
void pf_settle(enum pf_worker w, uint64_t session, uint64_t reservation, bool is_kept);
/* A message was acknowledged, for which nothing was reserved. */
void pf_sent(enum pf_worker w, uint64_t session, uint64_t message, const char *message_id, uint64_t account, const char *login);
void pf_disconnect(enum pf_worker w, uint64_t session);
void pf_outcome(uint64_t account, const char *login, unsigned refused, unsigned taken);
/* A mail server, about Taro; with `kind` an enum mailbox_kind. */
bool pf_mailbox(unsigned kind, const char *ip, const char *protocol, const char *program);

/* An operation of the API; `args` is JSON. The answer is the caller's; *status_out may be NULL. */
json_t *pf_op(const char *op, const char *args, unsigned *status_out);

/* Account settings are changed by operation; this account exists for them. */
#define PF_TARO       UINT64_C(7)
#define PF_TARO_LOGIN "taro@example.jp"

/* Networks of documentation are countries of their own here. */
#define PF_HOME   "192.0.2.1"
#define PF_ABROAD "198.51.100.1"
#define PF_COUNTRIES                                                                               \
    "rules { home JP; }\n"                                                                         \
    "geo { place JP { networks 192.0.2.0/24; } place US { networks 198.51.100.0/24; }\n"           \
    "      place FR { networks 203.0.113.0/24; } place DE { networks 10.1.0.0/16; } }\n"

/* Taro as he should be: connected and signed in; with his own sender; with `n` recipients, too. */
struct pf_answer pf_taro_signs_in(enum pf_worker w, uint64_t session, const char *ip);
struct pf_answer pf_taro_mails(enum pf_worker w, uint64_t session, const char *ip);
struct pf_answer pf_taro_sends(enum pf_worker w, uint64_t session, const char *ip, unsigned n);
/* One whole message of a session of worker A; true if it passed. */
bool pf_send_one(uint64_t session, const char *ip);

/* The id of the one restriction in the desk's list; the desk lifts one. */
char *pf_standing_id(char out[32]);
void pf_release(const char *id);

#endif
