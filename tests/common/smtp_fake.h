/* struct fake: an SMTP session with a made-up world around it: no sockets, no other roles. Questions are written
 * down and answered by fake_pump, kindly unless told otherwise. Dialogs, unit tests and fuzzers share it. */
#ifndef TESTS_COMMON_SMTP_FAKE_H
#define TESTS_COMMON_SMTP_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "smtp/session.h"

enum fake_kind {
    FAKE_CONNECT,
    FAKE_AUTH,
    FAKE_LOGIN,
    FAKE_MAIL,
    FAKE_QUOTA,
    FAKE_BODY,
    FAKE_SCORE,
    FAKE_ROUTE,
    FAKE_ACCEPT,
    FAKE_KIND_COUNT
};

extern const char *const fake_kind_names[FAKE_KIND_COUNT];
int fake_kind_of(struct view name); /* -1: none */

/* What the next question of a kind is answered; afterwards the kind is friendly again. */
struct fake_answer {
    bool is_set;
    bool is_lost;  /* no answer: the channel broke or its time was over */
    unsigned code; /* verdict, auth_result or relay_result */
    uint32_t delay_ms;
    char text[1024]; /* words; for a score its header fields, for a mail answer another sender */
    uint16_t foreign_code;
    char enhanced[16];
    int64_t score_milli;
    uint8_t sender_field;
    bool is_held;
    bool may_score;
    bool may_normalize;
};

struct fake {
    struct smtp_session session;
    struct smtp_site site;
    struct buf in;
    struct buf out;
    bool is_started;
    bool is_over;   /* host->over was called */
    bool is_closed; /* the client is cut off */
    bool is_abort;
    bool fails_tls;
    unsigned write_count;
    size_t output_len; /* what host->output_len says; 0 unless a test wants a slow reader */

    enum fake_kind open; /* the question under way; FAKE_KIND_COUNT: none */
    bool is_away[FAKE_KIND_COUNT];
    uint64_t credential;           /* which password it is that is right */
    bool is_held[FAKE_KIND_COUNT]; /* fake_pump does not answer */
    struct fake_answer answers[FAKE_KIND_COUNT];
    struct buf asked; /* a line for each question */

    bool wants_large;
    bool is_disk_full; /* descriptors take no byte */
    unsigned auth_step;
    char auth_mechanism[64];
    char auth_name[64];
    struct buf auth_input;
    struct tls_facts tls;

    uint64_t transactions;      /* that policy was asked about */
    uint64_t transactions_over; /* of which it was told the end */
    int64_t asked_score_milli;
    uint64_t reserved;   /* reservations made */
    uint64_t kept;       /* settled as used */
    uint64_t given_back;
    unsigned disconnects;
    unsigned auth_aborts;
    int body_fds; /* handed out, not back or closed is not seen */
    int accept_fd; /* the last message given to relay, duplicated; -1: none */
    struct buf prepend;
    uint64_t header_bytes;
    uint64_t body_bytes;
};

#define FAKE_ACCOUNT  7 /* who signs in */

/* `config` stays the caller's. */
void fake_init(struct fake *f, const struct config *config);
void fake_fini(struct fake *f); /* checks that everything was settled and freed */

void fake_start(struct fake *f, unsigned flags, const char *ip); /* flags of enum smtp_flag */
void fake_send(struct fake *f, struct view bytes);   /* the client sends; nothing is answered yet */
void fake_pump(struct fake *f);                      /* answers until nothing is open */
void fake_answer_open(struct fake *f);               /* one answer, also to a held question */
void fake_lose(struct fake *f, enum fake_kind kind); /* the role breaks down */
void fake_finish_tls(struct fake *f);
void fake_eof(struct fake *f);
void fake_pass(struct fake *f, int64_t ms); /* time goes by, deadlines run */

#endif
