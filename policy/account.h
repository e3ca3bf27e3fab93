/* What policy knows of an account besides its counters: the settings that customers and the support desk
 * make, among them 海外送受信拒否, the block of overseas use.
 *
 * One record per account in LEDGER_ACCOUNTS, under the id that auth gave; most accounts have none and
 * live by the defaults of the configuration. A record that is damaged counts as none, and is logged
 * (account-damaged). */
#ifndef POLICY_ACCOUNT_H
#define POLICY_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/config/config.h"
#include "policy/engine/event.h"
#include "policy/ledger.h"

#define ACCOUNT_BYTES_MAX      16384
#define ACCOUNT_HOMES_MAX      8
#define ACCOUNT_EXCEPTIONS_MAX 16
#define ACCOUNT_OVERRIDES_MAX  16
#define ACCOUNT_NAME_MAX       63 /* of classes and rules: as in the configuration */
#define ACCOUNT_NOTE_MAX       512
#define ACCOUNT_ADDRESS_MAX    320

enum account_overseas { ACCOUNT_OVERSEAS_DEFAULT = 0, ACCOUNT_OVERSEAS_ALLOW, ACCOUNT_OVERSEAS_BLOCK };
enum account_consent { ACCOUNT_CONSENT_DEFAULT = 0, ACCOUNT_CONSENT_YES, ACCOUNT_CONSENT_NO };
enum account_language { ACCOUNT_LANGUAGE_DEFAULT = 0, ACCOUNT_LANGUAGE_JA, ACCOUNT_LANGUAGE_EN };

/* Overseas use that is allowed in spite of a block: a country, a journey, or both. */
struct account_exception {
    uint16_t country; /* COUNTRY_NONE: any */
    int64_t from_ms;  /* 0: since ever */
    int64_t until_ms; /* the first moment it holds no more; 0: never ends */
};

/* Views point into the buffer of account_load, or wherever their maker says. */
struct account {
    uint64_t id;
    int64_t created_ms; /* 0: not known */
    int64_t changed_ms; /* of the settings; 0: there are none */
    struct view login;
    struct view class_name; /* empty: none */
    enum account_overseas overseas;
    enum account_consent consent;
    enum account_language language;
    uint16_t homes[ACCOUNT_HOMES_MAX];
    unsigned home_count; /* 0: those of the configuration */
    struct account_exception exceptions[ACCOUNT_EXCEPTIONS_MAX];
    unsigned exception_count;
    struct view override_rules[ACCOUNT_OVERRIDES_MAX]; /* the names, in the order of `overrides` */
    struct rule_override overrides[ACCOUNT_OVERRIDES_MAX];
    unsigned override_count;
    bool normalizes_newlines;
    struct view senders; /* a list of policy/senders.h */
    struct view note;
    struct view notice_address; /* empty: the login */
};

/* The settings of account `id`, or the defaults. `bytes` is initialised, with room for
 * ACCOUNT_BYTES_MAX, and keeps what the views point to. MSA_RETRY: the defaults, too, but a change must
 * not be built on them: the record cannot be read or is damaged. */
enum msa_lookup account_load(struct ledger *ledger, uint64_t id, struct buf *bytes,
                             struct account *out);

/* MSA_OK, MSA_ETOOBIG, or the error of ledger_put. Only gathers: ledger_sync says when it is durable. */
int account_save(struct ledger *ledger, const struct account *a);

bool account_has_home(const struct account *a, uint16_t country);
/* Home for whoever has no home of his own. */
bool account_default_is_home(const struct config *config, uint16_t country);
bool account_is_home(const struct account *a, const struct config *config, uint16_t country);

/* Whether overseas use is blocked for it now, exceptions aside. */
bool account_is_blocked_overseas(const struct account *a, const struct config *config);

/* May it be used from there? At home always. Pure. */
bool account_allows_from(const struct account *a, const struct config *config, uint16_t country,
                         bool is_home, int64_t now_ms);

/* Whether the content of its messages may be read: as its class, or all accounts, and its own word say. */
bool account_may_score(const struct account *a, const struct config *config);

/* ---- account_record.c: the form on disk ---- */

/* MSA_OK or MSA_ETOOBIG with nothing useful in `out`. */
int account_pack(const struct account *a, struct buf *out);
/* All but `id`. MSA_OK, or MSA_ECORRUPT with defaults in `out`. */
int account_unpack(struct view record, struct account *out);

#endif
