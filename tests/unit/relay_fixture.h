/* For tests of the whole relay role in one loop: the role, a channel as a session worker has it and one as
 * policy has it, and a smarthost on a loopback port. The clock is real unless a test sets it. */
#ifndef TESTS_UNIT_RELAY_FIXTURE_H
#define TESTS_UNIT_RELAY_FIXTURE_H

#include "fake_server.h"
#include "msa/ipc/chan.h"
#include "relay/state.h"

#define RX_MAILS_MAX 4096

struct rx_mail { /* that the smarthost has taken or refused at the final dot */
    char envelope[512]; /* MAIL and RCPT lines */
    char body[2048];
    size_t body_bytes;
};

struct rx_answer {
    bool is_here;
    struct msg_relay_accept_answer a; /* views are into `text` */
    char text[IPC_REPLY_MAX + 1];
    char enhanced[17];
};

struct relay_fixture {
    struct loop *loop;
    char dir[64];
    struct relay *relay;
    struct chan *session;   /* the session worker's end */
    struct chan *policy;
    struct chan *console;
    struct chan *relay_ends[3]; /* of these */
    uint16_t port;          /* of the smarthost */
    const struct smarthost_rule *rules; /* may be changed at any time: rx_set_rules */
    const char *offers;
    bool is_smarthost_mute; /* takes connections and says nothing */
    unsigned connection_count;
    struct rx_mail *mails;
    unsigned mail_count;
    char outcomes[1024];    /* what policy was told: "id:code,code " */
};

extern struct relay_fixture rx;

void rx_set_up(const char *pool_settings, const char *queue_settings); /* may be "" */
void rx_tear_down(void);
void rx_set_rules(const struct smarthost_rule *rules); /* all unused again */
void rx_start_smarthost(void);
void rx_stop_smarthost(void); /* its port refuses connections; live ones are cut */

/* A new configuration; the smarthost's port is the present one. */
void rx_reload(const char *pool_settings, const char *queue_settings);

/* The role ends without draining and starts anew on the same directory. */
void rx_restart(void);

struct rx_accept {
    uint64_t id;
    uint64_t account;
    const char *sender;
    const char *recipients; /* words; "!" before one: NOTIFY=NEVER, "+": SUCCESS,FAILURE */
    const char *content;    /* NULL: a small default */
    bool is_in_file;        /* a small body, in a memory file */
    size_t large_bytes;     /* > 0: a body of that size in a file of the spool */
    uint8_t held_for; /* bits of enum hold_reason */
    int64_t hold_until_ms;
    size_t missing_bytes; /* the body is said to be longer than it is */
};

/* Asks and waits for the answer, ten seconds at most. */
struct rx_answer rx_accept(const struct rx_accept *what);
/* Asks; the answer comes into *answer, later. */
void rx_accept_async(const struct rx_accept *what, struct rx_answer *answer);

/* Turns the loop until the condition holds; false after ten seconds. */
#define rx_wait(condition) ({                                                                      \
    int64_t rx_until = rx_now_ms() + 10000;                                                        \
    while (!(condition) && rx_now_ms() < rx_until)                                                 \
        rx_turn();                                                                                 \
    (condition);                                                                                   \
})
int64_t rx_now_ms(void);
void rx_turn(void); /* waits 2 ms at most */

uint64_t rx_queued(void); /* messages in the index */
uint64_t rx_in_state(enum queue_state state);

#endif
