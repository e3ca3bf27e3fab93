/* Exchanges and somebody outside who is asked for them: an oracle, which answers when the test says so. */
#ifndef TESTS_ASKED_FIXTURE_H
#define TESTS_ASKED_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/exchange.h"
#include "auth_fixture.h"

struct asked_fixture {
    struct auth_fixture auth;
    struct loop *loop;
    struct threads *workers;
    struct exchanges *exchanges;
    char peer; /* by its address: whose the exchanges are */
    struct {
        size_t done_count, challenge_count, upgrade_count;
        enum auth_result result;
        uint64_t account, wrong_password;
        char login[64], refusal[64];
    } seen;
    struct {
        bool is_prompt; /* answers from inside */
        struct finding finding;
        size_t asked, cancelled;
        char login[64], secret[64];
        finding_fn *fn;
        void *arg;
    } oracle;
};
extern struct asked_fixture ax;

/* All of it asserts. Between these two come the accounts, and what ax.auth.rules shall be. */
void ax_open(void);
void ax_serve(enum authority_kind kind);
void ax_configure(void); /* the rules have changed */
void ax_close(void);

/* `initial` empty: none. */
void ax_start(uint64_t session, const char *mechanism, struct view initial);
void ax_step(uint64_t session, struct view response);
void ax_run_until(const size_t *count, size_t want);
/* One message, whole. */
enum auth_result ax_sign_in(const char *mechanism, struct view message);
/* Of account 1. */
void ax_refuse_main_password(void);

#endif
