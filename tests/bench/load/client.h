/* The client's side of one SMTP session under load, and what all sessions of a run share. */
#ifndef TESTS_BENCH_LOAD_CLIENT_H
#define TESTS_BENCH_LOAD_CLIENT_H

#include <ev.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "msa/base/list.h"
#include "tests/bench/load/stats.h"
#include "tests/common/stream.h"

enum tls_mode { TLS_STARTTLS = 0, TLS_IMPLICIT, TLS_PLAIN };

enum goal {
    GOAL_MESSAGES = 0, /* messages_per_session each */
    GOAL_IDLE,         /* authenticate and stay */
    GOAL_WRONG,        /* as many wrong passwords as messages_per_session says */
    GOAL_HELLO,        /* TLS, EHLO and QUIT: what every session costs */
};

struct account {
    char *user;
    char *password;
};

struct run {
    struct ev_loop *loop;
    struct sockaddr_storage to;
    socklen_t to_len;
    SSL_CTX *tls;
    enum tls_mode tls_mode;
    enum goal goal;
    const struct account *accounts;
    size_t account_count; /* 0: no AUTH */
    uint64_t messages_per_session;
    uint64_t size_bytes;
    uint64_t rcpt_count;
    uint64_t message_budget; /* left to start; UINT64_MAX: no such limit */
    bool is_over;            /* no new session, no new message */
    const char *sender;      /* NULL: the account's name */
    const char *rcpt_format; /* with one %llu, counted up */
    uint64_t next_number;
    char run_id[24];
    struct list clients;
    uint64_t client_count;
    struct stats stats;
    void (*on_session_end)(struct run *run, bool is_good);
};

/* Connects one more. `scheduled_us`: when it should have started, for an open loop; 0: now. */
void client_start(struct run *run, int64_t scheduled_us);

void clients_end(struct run *run); /* drops all that are left; not counted as errors */

#endif
