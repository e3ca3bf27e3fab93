/* For the tests of services: peers of a few lines in the same loop, questions, and what came of them. The clock
 * stands still. */
#ifndef TESTS_UNIT_SERVICES_FIXTURE_H
#define TESTS_UNIT_SERVICES_FIXTURE_H

#include "policy/score/services/services.h"

#define SF_CLIENTS_MAX 32

struct sf_peer;

struct sf_client {
    struct sf_peer *peer;
    int fd; /* -1: none */
    struct watch *watch;
    struct buf heard;
    struct buf to_say; /* peer->piece_bytes of it a turn */
    bool is_ending;    /* after to_say */
    unsigned said_count; /* for the script */
};

typedef void sf_hear_fn(struct sf_client *c); /* something new has come, or the client: `heard` is empty then */

struct sf_peer {
    int listener;
    uint16_t port;
    char socket[64]; /* "127.0.0.1:PORT" */
    struct watch *watch;
    sf_hear_fn *hear;  /* NULL: silence */
    bool is_deaf;      /* reads nothing */
    size_t piece_bytes;
    const char *answer; /* for the script */
    size_t answer_bytes;
    unsigned accepted_count;
    unsigned open_count;
    unsigned most_open_count;
    size_t heard_bytes;
    struct sf_client clients[SF_CLIENTS_MAX];
};

#define SF_RESULTS_MAX 64

struct sf_seen {
    bool is_there;
    uint32_t asked, answered;
    bool is_scored;
    int64_t score_milli;
    enum score_action action;
    char text[IPC_REPLY_MAX + 1];
    char findings[4096]; /* "NAME MILLI\n" … */
    char header[JUDGEMENT_HEADER_MAX + 1];
};

extern struct loop *sf_loop;
extern struct services *sf_services;
extern struct config sf_config; /* zeroed but for the host name; the test puts services in */
extern struct sf_seen sf_seen[SF_RESULTS_MAX];
extern unsigned sf_answer_count;

void sf_set_up(void);
void sf_tear_down(void);
void sf_start(void); /* makes sf_services by sf_config */

void sf_peer_open(struct sf_peer *p, sf_hear_fn *hear);
void sf_peer_close(struct sf_peer *p); /* nobody listens there any more */
void sf_say(struct sf_client *c, const void *bytes, size_t n);
void sf_say_text(struct sf_client *c, const char *text);
void sf_end(struct sf_client *c);  /* when all is said */
void sf_drop(struct sf_client *c); /* at once */

/* What all services of the tests have. */
struct config_service sf_common(const char *name, const char *socket);

/* Asks about a message; its number for sf_seen. */
unsigned sf_ask(const char *message);
unsigned sf_ask_fd(int fd, uint64_t header_bytes, uint64_t bytes);
struct service_ask **sf_handle(unsigned number);
int sf_file(const void *bytes, size_t n);

/* Turns until `condition`; a failed assertion after ten seconds. */
#define SF_WAIT(condition)                                                                         \
    do {                                                                                           \
        for (unsigned sf_i = 0; !(condition) && sf_i < 20000; sf_i++)                              \
            sf_turn();                                                                             \
        cr_assert(condition, "waited in vain: %s", #condition);                                    \
    } while (0)
#define SF_WAIT_ANSWER(number) SF_WAIT(sf_seen[number].is_there)
void sf_turn(void);
void sf_pass(int64_t ms); /* time */

/* A number, or text, of the only service's status. */
int64_t sf_status(const char *key);
const char *sf_status_text(const char *key);

#endif
