/* Messages between roles: one struct, encoder and decoder for each line of messages.def.
 *
 *   struct msg_policy_mail_ask m = {.session = id, .sender = view_cstr("taro@example.jp")};
 *   msg_policy_mail_ask_encode(&m, &b);           // test buf_failed(&b)
 *   err = msg_policy_mail_ask_decode(bytes, &m);  // 0 or MSA_EPROTO; views point into `bytes`
 *
 * A decoder checks every maximum and that nothing is left over; it never trusts the sender. */
#ifndef MSA_IPC_MESSAGES_H
#define MSA_IPC_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/codec.h"
#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/mail/params.h"

enum role {
    ROLE_SUPERVISOR = 1 << 0,
    ROLE_SMTP = 1 << 1,
    ROLE_AUTH = 1 << 2,
    ROLE_POLICY = 1 << 3,
    ROLE_SCORE = 1 << 4,
    ROLE_RELAY = 1 << 5,
    ROLE_CONSOLE = 1 << 6,
    ROLE_ANY = (1 << 7) - 1,
};

#define ROLE_COUNT 7

const char *role_name(enum role role); /* "smtp" …; "?" for anything that is not one role */

/* How an AUTH exchange ended (auth_done, policy_login_ask). */
enum auth_result {
    AUTH_OK = 0,
    AUTH_BAD_CREDENTIALS, /* unknown name or wrong password: never told apart outside auth and policy */
    AUTH_NO_SUCH_USER,
    AUTH_DISABLED,        /* the account record says no */
    AUTH_MALFORMED,       /* 501: the exchange broke its grammar */
    AUTH_NO_MECHANISM,    /* 504 */
    AUTH_UNAVAILABLE,     /* 454: a backend is down or too much is under way */
    AUTH_NOT_THIS_PASSWORD, /* the main one, where mail programs need an app password: refused as a wrong one is,
                               but nobody has guessed */
};

/* What policy says to a question. Replies stand in smtp's catalogue; `text` adds the why. */
enum policy_verdict {
    VERDICT_ALLOW = 0,
    VERDICT_DEFER,   /* 4xx: the client may come again */
    VERDICT_REFUSE,  /* 5xx: it may not */
    VERDICT_CLOSE,   /* 421 and goodbye */
};

/* What relay did with a message. */
enum relay_result {
    RELAY_DELIVERED = 0, /* the smarthost's own 250 for every recipient */
    RELAY_QUEUED,        /* durable here; code is 250 */
    RELAY_REFUSED,       /* the smarthost's 5xx for every recipient, nothing kept */
    RELAY_FAILED,        /* nothing kept, the client shall come again (4xx in code) */
};

/* relay_accept_ask.body_type, .dsn_ret and recipient.notify are the enums params_body, params_ret and
 * params_notify of msa/mail/params.h. */

/* policy_route_ask.header_findings: what the session met in the header. */
enum header_finding {
    HEADER_FINDING_AMBIGUOUS = 1 << 0,      /* two parsers may see two different sets of fields */
    HEADER_FINDING_NO_FROM = 1 << 1,
    HEADER_FINDING_MANY_FROM = 1 << 2,      /* more than one From field */
    HEADER_FINDING_FROM_INVALID = 1 << 3,   /* not RFC 5322: `authors` is no answer */
    HEADER_FINDING_FROM_ODD = 1 << 4,       /* a group, route, literal, stray comma, encoded word: read in many ways */
    HEADER_FINDING_NAME_HAS_AT = 1 << 5,    /* a display name that may show another address */
    HEADER_FINDING_MANY_SENDER = 1 << 6,
    HEADER_FINDING_SENDER_INVALID = 1 << 7, /* not exactly one sound mailbox */
    HEADER_FINDING_RESENT = 1 << 8,         /* Resent-From or Resent-Sender is there */
    HEADER_FINDING_RESENT_INVALID = 1 << 9, /* `resent` is no answer */
    HEADER_FINDING_SPACED_NAME = 1 << 10,   /* "From :", which some readers do not see */
    HEADER_FINDING_FROM_OBSOLETE = 1 << 11, /* a comment or white space within an address */
    HEADER_FINDING_SHOWN_TOO_MANY = 1 << 12, /* more addresses in From than `shown` tells */
};

/* What policy wants done with the header's Sender field (RFC 6409 §8). */
enum sender_field { SENDER_KEEP = 0, SENDER_SET_LOGIN };

/* score_answer.action, from mild to strict: a virus, or what a milter or rspamd decides by itself. */
enum score_action { SCORE_ACTION_NONE = 0, SCORE_ACTION_HOLD, SCORE_ACTION_DEFER, SCORE_ACTION_REFUSE };

/* Within IPC_SCORE_MILLI_MAX: sums of what others say cannot overflow. */
int64_t ipc_score_bounded(int64_t milli);

/* Why a message is kept in the queue, bits: it goes when the last of them is gone. In policy_route_answer.held_for,
 * relay_accept_ask.held_for and relay_hold_ask.held_for. */
enum hold_reason {
    HELD_FOR_ACCOUNT = 1 << 0,  /* its account is suspended */
    HELD_FOR_RULE = 1 << 1,     /* a rule with `then hold`, which has left a record */
    HELD_FOR_ROUTE = 1 << 2,    /* a route, or a service that looked at it: the desk decides about each one */
    HELD_FOR_OPERATOR = 1 << 3, /* msactl queue hold */
};
#define HELD_FOR_ALL 0x0fu

/* auth_name_answer.result */
enum name_result {
    NAME_FOUND = 0,
    NAME_NOBODY,  /* no account has it */
    NAME_INVALID, /* none can have it; `login` is empty */
    NAME_UNKNOWN, /* the store cannot say */
};

/* policy_mailbox_ask.kind */
enum mailbox_kind { MAILBOX_MAY_IT = 0, MAILBOX_SIGNED_IN, MAILBOX_FAILED };

/* ---- generated from messages.def ---- */

#define IPC_TYPE_u8 uint8_t
#define IPC_TYPE_u16 uint16_t
#define IPC_TYPE_u32 uint32_t
#define IPC_TYPE_u64 uint64_t
#define IPC_TYPE_i64 int64_t
#define IPC_TYPE_flag bool
#define IPC_TYPE_ip struct ipaddr
#define IPC_FIELD(type, name) IPC_TYPE_##type name;
#define IPC_FIELD_BYTES(name, max) struct view name;

#define IPC_STRUCT(name)                                                                           \
    struct msg_##name {                                                                            \
        FIELDS_##name(IPC_FIELD, IPC_FIELD_BYTES)                                                  \
    };                                                                                             \
    void msg_##name##_encode(const struct msg_##name *m, struct buf *out);                         \
    int msg_##name##_decode(struct view bytes, struct msg_##name *out);
#define IPC_MESSAGE(name, sender, receiver, fds) IPC_STRUCT(name)
#define IPC_ITEM(name) IPC_STRUCT(name)
#include "msa/ipc/messages.def"
#undef IPC_MESSAGE
#undef IPC_ITEM

enum ipc_type {
    IPC_NONE = 0,
#define IPC_MESSAGE(name, sender, receiver, fds) IPC_##name,
#define IPC_ITEM(name)
#include "msa/ipc/messages.def"
#undef IPC_MESSAGE
#undef IPC_ITEM
    IPC_TYPE_COUNT
};

struct ipc_rule {
    const char *name;
    unsigned senders;   /* mask of enum role */
    unsigned receivers; /* mask of enum role */
    unsigned max_fds;
};

/* NULL for a number that is no message. */
const struct ipc_rule *ipc_rule_of(unsigned type);

/* X_answer of X_ask, IPC_NONE of any other; it is the next line of messages.def. */
enum ipc_type ipc_answer_of(enum ipc_type ask);
bool ipc_is_answer(enum ipc_type type);

/* A bytes field that holds items: each is a length and the encoded item.
 *
 *   struct view list = m.recipients, item;
 *   while (items_next(&list, &item)) { struct msg_recipient r; msg_recipient_decode(item, &r); … }
 *   if (list.n > 0) …the list is malformed… */
bool items_next(struct view *list, struct view *item_out);
void items_add_recipient(struct buf *list, const struct msg_recipient *r);
void items_add_result(struct buf *list, const struct msg_recipient_result *r);

#endif
