/* Sign-ins of every mechanism on several worker threads at once, beside a writer: for
 * ThreadSanitizer, under which Criterion does not run. `make test-race`. Ends with 1 if an
 * exchange got lost or ended wrongly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth/exchange.h"
#include "auth/password.h"
#include "auth/sasl.h"
#include "auth/upgrade.h"
#include "msa/base/err.h"
#include "msa/config/settings.h"

#define EXCHANGES 400
#define ROWS      6 /* kinds of exchange; 0, 1 and 3 know the password */

static struct {
    struct loop *loop;
    struct threads *workers, *writer;
    struct verify_env env;
    struct exchanges *x;
    unsigned done_count, good_count, challenge_count;
} race;

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "auth_race: %s\n", what);
    exit(1);
}

static void on_challenge(void *arg, void *peer, uint64_t session, struct view challenge)
{
    (void)arg, (void)challenge;
    struct msg_auth_step m = {.session = session, .response = VIEW_LIT("pencil")};
    race.challenge_count++;
    must(exchanges_step(race.x, peer, &m) == MSA_OK, "a step was refused");
}

static void on_done(void *arg, void *peer, const struct msg_auth_done *m)
{
    (void)arg, (void)peer;
    race.done_count++;
    race.good_count += m->result == AUTH_OK;
}

/* Whatever is written, the record changes under the readers. */
static void on_upgrade(void *arg, const char *login, const struct account *account)
{
    (void)arg;
    upgrade_submit(race.writer, race.env.store, login, account);
}

static void add_account(const char *login, const char *hash)
{
    char why[128];
    struct store_change change;
    struct account a = {.generation = 1};
    if (hash) {
        a.kind = hash_kind_of(view_cstr(hash));
        must(view_to_cstr(view_cstr(hash), a.secret, sizeof a.secret), "hash");
    } else {
        must(password_store(VIEW_LIT("pencil"), 4096, true, &a, why, sizeof why) == MSA_OK, why);
    }
    store_begin(race.env.store, &change);
    must(store_add(&change, view_cstr(login), &a) == MSA_OK, "store_add");
    must(store_commit(&change) == MSA_OK, "store_commit");
}

static void set_up(const char *path)
{
    static const struct exchange_owner owner = {on_challenge, on_done, on_upgrade, NULL, NULL};
    const struct verify_rules rules = {
        .mechanisms = CONFIG_MECH_PLAIN | CONFIG_MECH_LOGIN | CONFIG_MECH_SCRAM_SHA_256 |
                      CONFIG_MECH_CRAM_MD5,
        .scram_iteration_count = 4096,
        .cache_life_ms = 1000,
        .default_domain = "example.jp",
        .hostname = "mx.example.jp",
    };
    const struct exchange_limits limits = {1000, 1000, 1000, 60000};
    char error[256] = "";
    must(sasl_library_open(error, sizeof error) == MSA_OK, error);
    race.env.store = store_open(path, error, sizeof error);
    must(race.env.store != NULL, error);
    race.env.cache = cache_new(16); /* small, so that it is full */
    race.loop = loop_new();
    race.workers = threads_new(race.loop, 4, 1000);
    race.writer = threads_new(race.loop, 1, 1000);
    race.x = exchanges_new(race.loop, race.workers, &race.env, &owner);
    must(race.x && exchanges_configure(race.x, &rules, &limits) == MSA_OK, "no memory");
    add_account("taro@example.jp", NULL);
    add_account("old@example.jp", "$2b$05$CCCCCCCCCCCCCCCCCCCCC.ThbqWIWsyNQG40LT5B7LrnncmuqVy8C");
}

static void start(uint64_t session, void *peer)
{
    static const struct {
        const char *mechanism;
        char initial[48];
        size_t n;
    } rows[] = {
        {"PLAIN", "\0taro\0pencil", 12},
        {"PLAIN", "\0old\0pencil", 11},
        {"PLAIN", "\0taro\0wrong", 11},
        {"LOGIN", "taro", 4},
        {"SCRAM-SHA-256", "n,,n=taro,r=abcdefghij", 22},
        {"CRAM-MD5", "", 0},
    };
    _Static_assert(sizeof rows / sizeof rows[0] == ROWS, "rows");
    size_t i = session % ROWS;
    struct msg_auth_start m = {.session = session,
                               .mechanism = view_cstr(rows[i].mechanism),
                               .has_initial = rows[i].n > 0,
                               .initial = view_of(rows[i].initial, rows[i].n)};
    must(exchanges_start(race.x, peer, &m) == MSA_OK, "a start was refused");
}

int main(void)
{
    char dir[] = "/tmp/msad-race-XXXXXX", path[64], lock[80];
    char peers[2];
    unsigned aborted = 0, good = 0;
    must(mkdtemp(dir) != NULL, dir);
    snprintf(path, sizeof path, "%s/accounts.mdb", dir);
    snprintf(lock, sizeof lock, "%s-lock", path);
    set_up(path);
    for (uint64_t i = 0; i < EXCHANGES; i++) {
        start(i, &peers[i % 2]);
        if (i % 13 == 0) {
            exchanges_abort(race.x, &peers[i % 2], i);
            aborted++;
        } else {
            good += i % ROWS == 0 || i % ROWS == 1 || i % ROWS == 3;
        }
        if (i % 3 == 0)
            loop_run_once(race.loop, false);
    }
    while (exchanges_running(race.x) > 0)
        loop_run_once(race.loop, true);
    threads_free(&race.workers);
    threads_free(&race.writer);
    exchanges_free(&race.x);
    loop_free(&race.loop);
    store_close(&race.env.store);
    cache_free(&race.env.cache);
    sasl_library_close();
    unlink(path);
    unlink(lock);
    rmdir(dir);
    printf("auth_race: %u ended, %u good, %u aborted\n", race.done_count, race.good_count, aborted);
    must(race.done_count + aborted == EXCHANGES, "an exchange got lost");
    must(race.good_count == good, "an exchange ended wrongly");
    return 0;
}
