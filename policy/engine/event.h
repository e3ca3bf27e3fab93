/* struct event: one thing that happened, with every fact that a rule may ask about. The
 * engine sees nothing else: no clock, no database, no name look-up. Filled by policy/
 * from messages, by replay from logs. */
#ifndef POLICY_ENGINE_EVENT_H
#define POLICY_ENGINE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

enum event_kind {
    EVENT_CONNECT = 0, /* a client connected: no account yet */
    EVENT_LOGIN,       /* the credentials were good */
    EVENT_LOGIN_FAILED,
    EVENT_TRANSACTION, /* MAIL FROM */
    EVENT_MESSAGE,     /* DATA: recipients are known, the body is not */
    EVENT_CONTENT,     /* the body was read and scored */
    EVENT_REJECTED,    /* the smarthost refused recipients */
    EVENT_MAILBOX,     /* POP or IMAP access by the account */
    EVENT_KIND_COUNT
};

#define COUNTRY_NONE 0u /* unknown */
/* Two letters as one number; COUNTRY_NONE for anything else than two ASCII letters. */
uint16_t country_code(struct view text);
void country_text(uint16_t code, char out[3]); /* "??" for COUNTRY_NONE */

struct place {
    uint16_t country;
    uint32_t asn; /* 0: unknown */
    bool has_coordinates;
    float latitude_deg;
    float longitude_deg;
};

/* An account's own limit for a rule, instead of the rule's. */
struct rule_override {
    uint32_t rule_name_hash;
    uint32_t limit; /* UINT32_MAX: the rule does not hold for this account */
};

/* One domain among a message's recipients. */
struct destination {
    uint64_t hash;
    struct view domain; /* lower case */
    uint32_t recipients;
};

/* Accounts of this bit do not exist: somebody tried to sign in by such a name. They are
 * counted like real ones, so that nobody can tell them apart by our answers, and their
 * records are the first to go. */
#define ACCOUNT_UNKNOWN_BIT (UINT64_C(1) << 63)

struct event {
    enum event_kind kind;
    int64_t at_ms; /* wall clock */

    uint64_t account; /* 0: none known; of a failed login, the account that was tried */
    uint64_t domain;  /* keyed hash of the account's domain; 0: none known */
    struct view account_class;
    int64_t account_age_ms; /* negative: unknown */
    bool is_home;           /* the country is one of the account's home countries */
    const struct rule_override *overrides;
    unsigned override_count;

    struct ipaddr ip;
    struct place place;
    struct view listener;
    struct view protocol; /* "smtp", "imap", "pop3", "console" */

    /* Open at this moment, this one included. */
    uint32_t account_sessions;
    uint32_t address_sessions;
    uint32_t account_sending;
    uint32_t address_sending;

    uint64_t wrong_password;          /* EVENT_LOGIN_FAILED: keyed hash, 0 if not known */
    uint64_t tried_account_hash;      /* EVENT_LOGIN_FAILED: of the name, known or not */
    uint64_t sender_hash;             /* EVENT_MESSAGE: keyed hash of the envelope sender,
                                         in lower case; 0 if not known */
    uint32_t recipients;              /* EVENT_MESSAGE, EVENT_REJECTED: how many */
    uint32_t spam_refusals;           /* EVENT_REJECTED: of messages or bounces, as spam */
    const uint32_t *recipient_hashes; /* EVENT_MESSAGE: of each, NULL when not known */
    const struct destination *destinations; /* EVENT_MESSAGE, EVENT_REJECTED */
    unsigned destination_count;
    uint64_t bytes;               /* EVENT_CONTENT */
    int32_t score_hundredths;     /* EVENT_CONTENT */
    const uint64_t *fingerprints; /* EVENT_CONTENT */
    unsigned fingerprint_count;
};

#endif
