/* struct smtp_txn: everything a session knows of one message between MAIL and its end. One heap object with
 * an arena, so that an idle session carries none of it. Also the keeper of two promises: policy hears exactly
 * once that it is over and what became of the reservation, and a body descriptor is never lost or left behind. */
#ifndef SMTP_TXN_H
#define SMTP_TXN_H

#include "msa/base/arena.h"
#include "msa/base/buf.h"
#include "msa/mail/params.h"
#include "smtp/body.h"
#include "smtp/session.h"

#define TXN_ARENA_MAX (192 * 1024) /* texts of policy and score are most of it */

struct smtp_txn {
    struct arena arena;
    uint64_t message; /* id, also of the queue */
    int64_t body_began_ms;
    uint64_t received_bytes; /* octets of DATA or BDAT as sent */

    struct view sender; /* mailbox, as policy wants it */
    enum params_body body_type;
    enum params_ret ret;
    struct view envid;
    bool is_smtputf8;
    bool is_requiretls;
    uint64_t declared_bytes;
    int64_t hold_until_ms; /* 0: not asked for */

    struct buf recipients; /* items of msg_recipient */
    uint32_t recipient_count;
    struct view only_recipient; /* the first one */

    uint64_t reservation; /* 0: none */
    bool is_told;     /* policy waits to hear what became of the transaction */
    bool is_chunked;  /* BDAT */
    bool is_complete; /* the last byte of the message was read */

    struct smtp_body body;

    struct view authors;       /* see author.h */
    struct view header_sender;
    struct view resent;
    struct view shown;
    unsigned header_findings;

    bool is_scored;
    int64_t score_milli;
    struct view added_header;
    struct view fingerprints;
    struct view findings;
    uint8_t score_action; /* enum score_action */
    struct view score_text;

    struct view pool;
    uint8_t held_for; /* bits of enum hold_reason */
    uint8_t sender_field; /* enum sender_field */
};

/* s->txn from here on; false when out of memory. */
bool smtp_txn_begin(struct smtp_session *s);

/* Tells policy, once, that the transaction is over and what became of its reservation. */
void smtp_txn_settle(struct smtp_session *s, bool is_kept);

/* Frees s->txn, giving back what is reserved and the descriptor. Fine without one. The phase is the
 * caller's matter. */
void smtp_txn_drop(struct smtp_session *s);

/* Takes the transaction back to "ready": drop, and the phase with it. */
void smtp_txn_reset(struct smtp_session *s);

#endif
