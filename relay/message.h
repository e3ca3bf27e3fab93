/* struct message: one mail that relay answers for: its envelope, what is known of each recipient, and
 * its content. On disk it is a record (envelope.h) and a body (spool.h). Used by the loop's thread only. */
#ifndef RELAY_MESSAGE_H
#define RELAY_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/ipc/messages.h"
#include "msa/mail/params.h"
#include "msa/mail/reply.h"
#include "relay/content.h"

#define MESSAGE_RCPTS_MAX  50000u
#define MESSAGE_ANSWER_MAX 400u /* octets of a smarthost's text that are kept per recipient */

/* The smarthost's answer, or ours where we speak for it. `code` 0: none. */
struct answer {
    uint16_t code;
    char enhanced[ENHANCED_TEXT_SIZE];
    struct view text;            /* printable ASCII, in the message's arena */
};

enum rcpt_state {
    RCPT_PENDING = 0, /* still ours to deliver; its answer, if any, is the last 4xx */
    RCPT_DELIVERED,
    RCPT_FAILED,      /* for good */
};

struct message_rcpt {
    struct view path; /* without brackets */
    struct view orcpt; /* as it came: type;xtext */
    struct answer answer;
    uint8_t notify;   /* bits of enum params_notify, 0: not given */
    uint8_t state;    /* enum rcpt_state */
    bool is_left;     /* pending, and has no part in the attempt under way */
};

/* What stays set over a restart. */
enum message_flag {
    MESSAGE_SMTPUTF8 = 1 << 0,
    MESSAGE_REQUIRETLS = 1 << 1,
    MESSAGE_HELD_FOR_ACCOUNT = 1 << 2, /* before there were the others: for whatever reason */
    MESSAGE_LARGE = 1 << 3,         /* the body is a file of its own */
    MESSAGE_DELAY_NOTICED = 1 << 4, /* the sender was told that it takes long */
    MESSAGE_OURS = 1 << 5,          /* a notice or bounce made here */
    MESSAGE_HELD_FOR_RULE = 1 << 6,
    MESSAGE_HELD_FOR_ROUTE = 1 << 7,
    MESSAGE_HELD_FOR_OPERATOR = 1 << 8,
};
#define MESSAGE_HELD                                                                               \
    (MESSAGE_HELD_FOR_ACCOUNT | MESSAGE_HELD_FOR_RULE | MESSAGE_HELD_FOR_ROUTE |                   \
     MESSAGE_HELD_FOR_OPERATOR)
#define MESSAGE_FLAGS_ALL 0x1ffu

/* Between bits of enum hold_reason and flags. */
unsigned message_held_for(unsigned flags);
uint16_t message_flags_with(unsigned flags, unsigned held_for);

struct message {
    uint64_t id;
    uint64_t account;
    struct ipaddr client_ip;
    struct view login;
    struct view pool;
    struct view sender; /* "": the null reverse-path */
    struct view envid;  /* xtext */
    struct view findings; /* of scoring, lines "NAME POINTS"; never words of the message */
    uint8_t body_type;  /* enum params_body */
    uint8_t dsn_ret;    /* enum params_ret */
    uint16_t flags;     /* of enum message_flag */
    int64_t arrival_ms; /* wall clock, like the next two */
    int64_t hold_until_ms; /* FUTURERELEASE, or when it was released last: its age counts from there; 0: none */
    int64_t next_attempt_ms;
    int64_t score_milli;
    uint32_t attempt_count;
    uint32_t rcpt_count;
    struct message_rcpt *rcpts;
    uint64_t header_bytes; /* of the content, prepended fields included, without the empty line */
    struct content content;
    struct view signature; /* DKIM-Signature fields of the attempt under way: sent in front of the content */
    struct view signed_by; /* for the log: "example.jp/s1,e1" */
    struct arena arena; /* every view above points into it, or to constants */
};

/* An empty message; NULL: out of memory. */
struct message *message_new(void);
void message_free(struct message **m); /* NULL is fine; the content's descriptor is closed */

/* From an accept question. `fd` is the message's from here on, also on failure; -1 where the body came
 * in the question. MSA_EPROTO when the fields contradict each other or a path could break a command
 * line; MSA_ENOMEM. Arrival is now. */
int message_from_accept(struct view payload, int fd, struct message **out);

/* True when `v` may stand in a command line: no control character, nothing that ends it. */
bool message_is_safe_path(struct view v);

/* Answers of the attempt under way. `text` is cut to MESSAGE_ANSWER_MAX and made printable; without
 * memory it is lost, not the code. "Open" is a recipient of this attempt without an answer in it. */
static inline bool message_is_tried(const struct message_rcpt *r)
{
    return r->state == RCPT_PENDING && !r->is_left;
}
void message_clear_answers(struct message *m);
void message_answer(struct message *m, struct message_rcpt *r, uint16_t code, const char *enhanced,
                    struct view text);
void message_answer_open(struct message *m, uint16_t code, const char *enhanced, struct view text);

/* Turns what the smarthost said into states: 2xx delivered, 5xx failed, everything else stays pending. */
void message_settle(struct message *m);

/* Before it is settled: every recipient was told to come again, and none for a reason of his own. */
bool message_asks_for_less(const struct message *m);

uint32_t message_count(const struct message *m, enum rcpt_state state);

static inline bool message_has(const struct message *m, unsigned flag)
{
    return (m->flags & flag) != 0;
}

/* What is sent: the signature and the content; by piece as content_piece does it. */
uint64_t message_bytes(const struct message *m);
int message_piece(const struct message *m, uint64_t offset, char *scratch, size_t scratch_bytes,
                  struct view *piece_out);

/* True when something in the envelope or the header is not ASCII, so that a next hop without SMTPUTF8
 * cannot take it (RFC 6531 section 3.4). Reads the header from the content. */
bool message_needs_smtputf8(const struct message *m);

#endif
