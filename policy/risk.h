/* Accounts that are risky: a route with `stay` has taken a message of theirs, and all their mail goes through that
 * route's pool until they have been clean for its time.
 *
 * Kept in the ledger, not with the counters: those may be deleted, and the mail of a thief must not leave from the
 * clean addresses because the server was started anew. One small record per risky account; it goes when its time is
 * over. */
#ifndef POLICY_RISK_H
#define POLICY_RISK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "msa/config/config.h"
#include "policy/ledger.h"

#define RISK_NAME_MAX 64

struct risk {
    int64_t since_ms;           /* wall clock, when it began */
    int64_t last_ms;            /* of the last message that was not clean */
    int64_t stay_ms;            /* from there on */
    int64_t score_milli;        /* of that message */
    int32_t clean_below_milli;  /* CONFIG_SCORE_ANY_MILLI: a score alone is never unclean */
    char route[RISK_NAME_MAX];
    char pool[RISK_NAME_MAX];
};

static inline int64_t risk_until_ms(const struct risk *r)
{
    return r->last_ms + r->stay_ms;
}

/* True: the account is risky at `now_ms`, and *out says since when. A record whose time is over is deleted, and
 * logged (account-clean). */
bool risk_load(struct ledger *ledger, uint64_t account, int64_t now_ms, struct view login, struct risk *out);

/* A message of the account was taken by `route`, which has `stay`. `before` NULL: it was not risky. */
void risk_begin(struct ledger *ledger, uint64_t account, struct view login,
                const struct config_route *route, const struct risk *before, int64_t score_milli,
                int64_t now_ms);
/* A message that no such route took: its score may make the time begin anew all the same. */
void risk_see(struct ledger *ledger, uint64_t account, const struct risk *before, int64_t score_milli,
              int64_t now_ms);

/* MSA_OK, MSA_ENOENT: it was not risky; or the error of ledger_delete. */
int risk_clear(struct ledger *ledger, uint64_t account, int64_t now_ms);

json_t *risk_json(const struct risk *r); /* a new object; NULL when memory is out */

/* Of a record in LEDGER_RISKS: its end, for expiry; 0: damaged. */
int64_t risk_record_until_ms(struct view record);

#endif
