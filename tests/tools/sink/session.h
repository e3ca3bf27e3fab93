/* A client's session at the sink, and what all sessions share. One thread, one loop. */
#ifndef TESTS_TOOLS_SINK_SESSION_H
#define TESTS_TOOLS_SINK_SESSION_H

#include <ev.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "tests/common/stream.h"
#include "tests/tools/sink/faults.h"
#include "tests/tools/sink/message.h"

enum feature {
    FEATURE_PIPELINING = 0,
    FEATURE_CHUNKING,
    FEATURE_8BITMIME,
    FEATURE_BINARYMIME,
    FEATURE_SMTPUTF8,
    FEATURE_DSN,
    FEATURE_SIZE,
    FEATURE_REQUIRETLS,
    FEATURE_ENHANCEDSTATUSCODES,
    FEATURE_STARTTLS,
    FEATURE_AUTH,
    FEATURE_COUNT,
};

struct counts {
    uint64_t sessions;
    uint64_t open_sessions;
    uint64_t tls_sessions;
    uint64_t transactions; /* MAIL taken */
    uint64_t messages;     /* accepted and recorded */
    uint64_t recipients;   /* of accepted messages */
    uint64_t bytes;
    uint64_t refused; /* replies 4xx and 5xx */
    uint64_t bare_line_ends; /* CR or LF, in accepted messages; with NUL and bad dots a strict client has none */
    uint64_t nuls;
    uint64_t bad_dots;
    uint64_t early_input; /* bytes sent before their turn: behind DATA, STARTTLS, or without PIPELINING */
};

struct sink {
    struct ev_loop *loop;
    SSL_CTX *tls; /* NULL: no TLS */
    bool has_feature[FEATURE_COUNT];
    bool requires_tls;
    const char *auth; /* "user:password" that a client must give, or NULL */
    uint64_t size_max_bytes;
    uint64_t rcpt_max_count;
    uint64_t session_max_count;
    bool wants_details;
    const char *store_dir;
    int hash_fd; /* -1: none */
    bool is_demo;
    int64_t started_ms;
    struct faults faults;
    struct counts counts;
    struct list sessions;
};

enum session_state { STATE_COMMAND = 0, STATE_AUTH, STATE_DATA, STATE_BDAT };

struct session {
    struct sink *sink;
    struct list link;
    struct stream stream;
    struct ev_timer timer;
    uint64_t number;
    char peer[64];
    enum session_state state;
    char helo[256];
    bool is_esmtp;
    bool is_authenticated;
    bool starts_tls;  /* once the reply is out */
    bool is_quitting; /* once the reply is out */
    bool is_doomed;   /* closed at once; with a reset if `resets` */
    bool resets;
    bool is_stuck; /* says nothing more, and forgets what it reads */
    bool has_begun_body;
    bool drops_bdat;         /* the chunk has no transaction; it is read and refused */
    uint64_t bdat_left_bytes;
    bool bdat_is_last;
    struct buf delayed; /* an answer that a timer sends */
    bool doom_after_delay;
    struct message message;
};

/* A client has connected. `tls_at_once`: the listener speaks TLS from the first byte. */
void session_start(struct sink *sink, int fd, bool tls_at_once);
void sessions_end(struct sink *sink); /* drops them all */

enum outcome { TAKEN, NOT_TAKEN };

/* Sends the usual answer, or what a fault makes of it. TAKEN if the client was told what usual says
 * (by its first digit), so that the command takes effect. */
enum outcome session_answer(struct session *s, enum phase phase, struct view address,
                            const char *usual);
enum outcome session_answer_by(struct session *s, const struct fault *f, const char *usual);
void session_reply(struct session *s, const char *reply); /* without CRLF; never subject to faults */

/* commands.c: one line without its CRLF; the end of a message. */
void command_line(struct session *s, struct view line);
void command_end_of_message(struct session *s);

/* store.c: writes the message where the options say; false on an error. */
bool store_message(struct session *s);
void counts_print(const struct sink *sink);

#endif
