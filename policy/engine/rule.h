/* struct rule: one sentence of the configuration, ready for use.
 *
 *   count WHAT per WHOM within HOW LONG, at limit N, then ACT, when CONDITION, in MODE
 *
 * What is used up (messages, recipients, new-recipients, bytes, sessions, sending) may
 * reach the limit, and the event that would go beyond is acted on and not counted. What
 * is a sign (all others) is acted on when it reaches the limit. `when` chooses the events
 * that are counted and judged. */
#ifndef POLICY_ENGINE_RULE_H
#define POLICY_ENGINE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"
#include "policy/engine/event.h"

enum rule_count {
    COUNT_MESSAGES = 0,
    COUNT_RECIPIENTS,
    COUNT_NEW_RECIPIENTS, /* never mailed before by this account, as far as is remembered
                           */
    COUNT_BYTES,
    COUNT_SESSIONS, /* open now */
    COUNT_SENDING,  /* transactions open now */
    COUNT_REJECTED_RECIPIENTS,
    COUNT_LOGINS,
    COUNT_FAILURES,
    COUNT_FAILED_ACCOUNTS, /* distinct names tried in vain */
    COUNT_PASSWORDS,       /* distinct wrong ones: a forgotten device counts once */
    COUNT_COUNTRIES,
    COUNT_NETWORKS,
    COUNT_ADDRESSES,
    COUNT_ACCOUNTS,
    COUNT_SWITCHES, /* stays in a country, a return to one after another counting again */
    COUNT_SPEED,    /* km/h between two sign-ins */
    COUNT_REFUSALS, /* messages that other rules deferred or refused: who goes on */
    COUNT_BLOCKS,   /* distinct /16 and /32: a coarser mesh than networks */
    COUNT_SENDERS,  /* distinct envelope senders of messages */
    COUNT_SPAM_REFUSALS, /* messages and bounces that a receiver refused as spam (5.7.x) */
    COUNT_KIND_COUNT
};

enum rule_subject {
    PER_ACCOUNT = 0,
    PER_ADDRESS, /* IPv4 address, IPv6 /64 */
    PER_NETWORK, /* /24, /48 */
    PER_ACCOUNT_NETWORK,
    PER_ACCOUNT_COUNTRY,
    PER_FINGERPRINT,
    PER_DOMAIN,      /* the account's */
    PER_DESTINATION, /* the domain of recipients */
    PER_EVERYONE,
    PER_KIND_COUNT
};

enum rule_action {                     /* bits; `then` may name several */
                   THEN_SIGN = 1 << 0, /* nothing by itself: other rules ask for it */
                   THEN_NOTIFY = 1 << 1,
                   THEN_SCORE = 1 << 2,
                   THEN_POOL = 1 << 3,
                   THEN_ALIGN = 1 << 4, /* From must be the account's own, whatever else
                                           the configuration allows */
                   THEN_DELAY = 1 << 5,
                   THEN_HOLD = 1 << 6,
                   THEN_DEFER = 1 << 7,
                   THEN_REFUSE = 1 << 8,
                   THEN_LOCK = 1 << 9, /* the subject is refused, each time for longer */
                   THEN_SUSPEND = 1 << 10, /* the account, until it is released */
};

enum rule_origin { FROM_ANYWHERE = 0, FROM_HOME, FROM_OVERSEAS };

/* Where the user reads mail; spammers never do. Who reads on the web does it unseen. */
enum rule_mailbox {
    MAILBOX_ANY = 0,
    MAILBOX_HERE,      /* near: in this block of addresses, or in this foreign country */
    MAILBOX_ELSEWHERE, /* in other places, and not here */
    MAILBOX_NOT_HERE,  /* elsewhere, or nowhere that we are told of */
};

enum rule_block { /* of addresses: what the account knows of this one */
                  BLOCK_ANY = 0,
                  BLOCK_FAMILIAR,   /* used on several earlier days */
                  BLOCK_UNFAMILIAR, /* not, or nothing is known of the account yet */
                  BLOCK_STRANGE,    /* not, but others were */
};

#define ALSO_MAX 4

/* Which events a rule counts and judges; everything that is set must hold. */
struct rule_when {
    enum rule_origin origin;
    const uint16_t *countries; /* the client's; empty: any */
    unsigned country_count;
    const struct view *classes;
    unsigned class_count;
    int64_t younger_than_ms; /* account age; 0: any */
    int64_t older_than_ms;
    enum rule_mailbox mailbox;
    enum rule_block block;
    const struct view *also; /* names of rules that the account has run into as well */
    unsigned also_count;
    struct view listener;
    struct view protocol;
    const struct view *destinations; /* domains of recipients, who alone are counted */
    unsigned destination_count;
    uint32_t min_recipients; /* of one message; 0: any */
    bool has_min_score;
    int32_t min_score_hundredths;
};

struct rule {
    struct view name;
    uint32_t name_hash; /* also the id of the rule's own cells: its lock, its reserve */
    uint32_t cell_id;   /* of (count, per, within, when): counts survive a reload that
                           changes the rest */
    bool is_counter;    /* of several rules with one cell the first counts for all */
    uint16_t room;      /* how many different ones the cell keeps: a few more than the
                           highest limit of the rules that share it */
    uint8_t hears; /* which events it counts and judges: bits of 1 << enum event_kind */
    uint8_t holds_for; /* at which further events it judges what was counted before */
    uint8_t locks;     /* which events its lock shuts out */
    uint8_t also[ALSO_MAX]; /* positions of the rules in when.also; RULES_MAX: there is
                               none of that name, and the condition never holds */
    enum rule_count count;
    enum rule_subject per;
    int64_t within_ms; /* 0 for what is open now and for speed */
    uint32_t limit;
    uint32_t spare; /* used-up kinds: a reserve beyond the limit that refills in a day */
    struct rule_when when;
    unsigned actions; /* of enum rule_action */
    int64_t delay_ms;
    int64_t lock_ms;     /* the first lock */
    int64_t lock_max_ms; /* each lock doubles the one before, up to this; a quiet day
                            halves */
    int32_t score_hundredths;
    struct view pool;
    bool is_shadow;
};

#define RULES_MAX 128

struct rule_set {
    const struct rule *rules;
    unsigned rule_count;
    /* Filled by rules_seal: which rules take part in an event, and which cells are in
     * use. */
    uint8_t taking_part[EVENT_KIND_COUNT][RULES_MAX];
    unsigned taking_part_count[EVENT_KIND_COUNT];
    bool asks_mailbox[EVENT_KIND_COUNT]; /* one of them asks for mailbox access */
    bool asks_block[EVENT_KIND_COUNT];
    bool asks_also[EVENT_KIND_COUNT];
    bool is_also[RULES_MAX];          /* another rule asks for this one */
    uint32_t cell_ids[2 * RULES_MAX]; /* ascending */
    unsigned cell_id_count;
    uint32_t keep_s[PER_KIND_COUNT]; /* how long a subject's record has anything to say */
    /* Masks of an address that make a source and a network. */
    unsigned v6_source_bits;   /* 64 */
    unsigned v4_network_bits;  /* 24 */
    unsigned v6_network_bits;  /* 48 */
    unsigned v4_block_bits;    /* 16: what a provider gives out in one region, about */
    unsigned v6_block_bits;    /* 32 */
    int64_t mailbox_lately_ms; /* how long a mailbox access speaks for its block */
    int64_t mailbox_habit_ms;  /* how long it shows that the account reads this way */
    uint8_t hash_key[16];      /* of short hashes in records; kept with the records */
};

const char *rule_count_name(enum rule_count count);
const char *rule_subject_name(enum rule_subject per);

uint32_t rule_name_hash(struct view name);    /* its id in records and overrides */
bool rule_is_used_up(enum rule_count count);  /* against: is a sign */
bool rule_is_distinct(enum rule_count count); /* counts different ones */

/* What the account's record says of the place and the time of an event, before anything
 * is noted of it. Goes with a verdict, so that what was counted can be given back under
 * the same conditions. */
struct circumstances {
    enum rule_mailbox mailbox; /* HERE, ELSEWHERE or, nowhere, NOT_HERE */
    enum rule_block block;     /* FAMILIAR, STRANGE or, nothing is known, UNFAMILIAR */
    uint64_t also[RULES_MAX / 64]; /* bits: rules that others ask for and that hold */
};

/* `when` holds. `nth` is which of the event's destinations, for a rule per destination.
 */
bool rule_matches(const struct rule *r, const struct event *e,
                  const struct circumstances *c, unsigned nth);
/* How many recipients of the event the rule speaks of. */
uint32_t rule_recipients(const struct rule *r, const struct event *e, unsigned nth);
uint32_t rule_limit_for(const struct rule *r,
                        const struct event *e); /* with the account's override */

/* Takes `rules` for `set` and fills all that follows from them. At most RULES_MAX. */
void rules_seal(struct rule_set *set, struct rule *rules, unsigned count);
/* A cell of this id belongs to a rule of the set, or to none and is kept for all. */
bool rules_have_cell(const struct rule_set *set, uint32_t cell_id);

#endif
