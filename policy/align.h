/* Whom an account may name as the sender, in the envelope and in the header: the
 * settings' `align` blocks applied to facts that the session has found (RFC 6409
 * sections 6.1 and 8.1).
 *
 * What can be read in two ways is refused whatever the settings say, and never mended.
 * Everything else that does not name the account is a mismatch, with which the block does
 * as it says.
 *
 * Pure, any thread, never blocks. */
#ifndef POLICY_ALIGN_H
#define POLICY_ALIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/config.h"
#include "msa/ipc/messages.h"
#include "msa/mail/path.h"
#include "policy/account.h"
#include "policy/engine/event.h"

/* The account, and from where it sends. */
struct align_who {
    struct view login; /* canonical; an account may always use it, if it is an address */
    struct view senders; /* the account's own list: policy/senders.h */
    struct view account_class;
    int64_t age_ms;      /* of the account; negative: unknown */
    struct view country; /* of the client, two letters; empty: unknown */
    bool is_home;
    struct view listener;
    bool is_strict; /* a rule wants `check both; mismatch refuse;` and none but the
                     * account's own senders, whatever the block says */

    /* The login of a local account whose address looks like `address` (same
     * confusable_skeleton), empty if there is none or only `login` itself. NULL where
     * there is no index of accounts. */
    struct view (*find_lookalike)(void *arg, struct view skeleton, struct view address);
    void *find_arg;
};

/* An account as its settings say, in an event that knows the client. `country` is room for its text; there is no index of
 * look-alikes yet. */
struct align_who align_who_of(const struct account *account, const struct event *e, bool is_strict, char country[3]);

enum align_reason { /* why it was not plainly allowed; the first that was met */
                    ALIGN_FINE = 0,
                    ALIGN_NULL_SENDER,
                    ALIGN_ENVELOPE,  /* MAIL FROM is not the account's */
                    ALIGN_AMBIGUOUS, /* several From fields, a header for two readings …
                                      */
                    ALIGN_NO_FROM,
                    ALIGN_BAD_FROM, /* not one sound address, or in a form that is refused
                                     */
                    ALIGN_AUTHORS,  /* several authors and no Sender */
                    ALIGN_BAD_SENDER, /* more than one Sender, or none that can be read */
                    ALIGN_BAD_RESENT,
                    ALIGN_FROM,   /* From is not the account's */
                    ALIGN_SENDER, /* Sender is not */
                    ALIGN_RESENT,
                    ALIGN_OBSOLETE,  /* comments or white space within an address of From
                                      */
                    ALIGN_SHOWN,     /* From shows an address that is not the account's */
                    ALIGN_LOOKALIKE, /* From looks like another account's address */
                    ALIGN_REASON_COUNT
};

/* "from" …: for log, records and statistics. */
const char *align_reason_name(enum align_reason reason);

struct align_answer {
    bool is_refused; /* with 550 5.7.1 */
    enum align_reason reason;
    const char *text;  /* for the client, behind the reply's own words; "" when allowed */
    const char *block; /* name of the block that decided; "" for the built-in one */
    enum sender_field sender_field;      /* of a message */
    int32_t add_score_milli;             /* of a message */
    char rewritten[PATH_CANONICAL_SIZE]; /* of an envelope: the sender to use instead; or
                                            empty */
};

/* At MAIL. `sender` is the reverse path as written, without brackets, empty for <>. */
void align_envelope(const struct config *cfg, const struct align_who *who,
                    struct view sender, struct align_answer *out);

/* The facts about a message when all of it is here: as in policy_route_ask. */
struct align_message {
    struct view sender; /* of the envelope, after what align_envelope made of it */
    struct view authors;
    struct view header_sender;
    struct view resent;
    struct view shown;
    unsigned findings; /* of enum header_finding */
};

/* Judges the envelope again, too: `score` and `add-sender` show in the message alone. */
void align_message(const struct config *cfg, const struct align_who *who,
                   const struct align_message *m, struct align_answer *out);

#endif
