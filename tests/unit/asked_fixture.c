#include "asked_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "auth/factors.h"
#include "msa/base/err.h"

struct asked_fixture ax;

static void oracle_ask(void *self, const struct question *q, finding_fn *fn, void *arg, uint64_t *id_out)
{
    (void)self;
    ax.oracle.asked++;
    cr_assert(view_to_cstr(q->login, ax.oracle.login, sizeof ax.oracle.login));
    cr_assert(view_to_cstr(q->secret, ax.oracle.secret, sizeof ax.oracle.secret));
    *id_out = ax.oracle.is_prompt ? 0 : 77;
    ax.oracle.fn = fn;
    ax.oracle.arg = arg;
    if (ax.oracle.is_prompt)
        fn(arg, &ax.oracle.finding);
}

static void oracle_cancel(void *self, uint64_t id)
{
    (void)self;
    cr_assert(eq(u64, id, 77));
    ax.oracle.cancelled++;
}

static void on_challenge(void *arg, void *p, uint64_t session, struct view challenge)
{
    (void)arg, (void)p, (void)session, (void)challenge;
    ax.seen.challenge_count++;
}

/* None of these mechanisms has a last word of the server's. */
static void on_done(void *arg, void *p, const struct msg_auth_done *m)
{
    (void)arg, (void)p;
    ax.seen.done_count++;
    ax.seen.result = (enum auth_result)m->result;
    ax.seen.account = m->account;
    ax.seen.wrong_password = m->wrong_password;
    view_to_cstr(m->login, ax.seen.login, sizeof ax.seen.login);
    view_to_cstr(m->refusal_challenge, ax.seen.refusal, sizeof ax.seen.refusal);
    cr_assert(eq(sz, m->final_challenge.n, 0));
}

static void on_upgrade(void *arg, const char *login, const struct account *account)
{
    (void)arg, (void)login, (void)account;
    ax.seen.upgrade_count++;
}

void ax_open(void)
{
    auth_fixture_open(&ax.auth);
}

void ax_configure(void)
{
    const struct exchange_limits limits = {100, 100, 3, 60000};
    cr_assert(eq(int, exchanges_configure(ax.exchanges, &ax.auth.rules, &limits), MSA_OK));
}

void ax_serve(enum authority_kind kind)
{
    const struct exchange_owner owner = {on_challenge, on_done, on_upgrade, NULL, NULL};
    const struct authority authority = {oracle_ask, oracle_cancel, NULL};
    ax.loop = loop_new();
    ax.workers = threads_new(ax.loop, 2, 1000);
    ax.exchanges = exchanges_new(ax.loop, ax.workers, &ax.auth.env, &owner);
    exchanges_set_authority(ax.exchanges, kind, &authority);
    ax_configure();
    ax.oracle.is_prompt = true;
}

void ax_close(void)
{
    exchanges_drop_all(ax.exchanges);
    threads_free(&ax.workers);
    exchanges_free(&ax.exchanges);
    loop_free(&ax.loop);
    auth_fixture_close(&ax.auth);
}

void ax_start(uint64_t session, const char *mechanism, struct view initial)
{
    struct msg_auth_start m = {
        .session = session,
        .mechanism = view_cstr(mechanism),
        .has_initial = initial.n > 0,
        .initial = initial,
        .is_tls = true,
    };
    cr_assert(ipaddr_parse(VIEW_LIT("192.0.2.1"), &m.client_ip));
    cr_assert(eq(int, exchanges_start(ax.exchanges, &ax.peer, &m), MSA_OK));
}

void ax_step(uint64_t session, struct view response)
{
    const struct msg_auth_step m = {.session = session, .response = response};
    cr_assert(eq(int, exchanges_step(ax.exchanges, &ax.peer, &m), MSA_OK));
}

void ax_run_until(const size_t *count, size_t want)
{
    while (*count < want)
        loop_run_once(ax.loop, true);
    cr_assert(eq(sz, *count, want));
}

enum auth_result ax_sign_in(const char *mechanism, struct view message)
{
    size_t before = ax.seen.done_count;
    ax_start(1, mechanism, message);
    ax_run_until(&ax.seen.done_count, before + 1);
    return ax.seen.result;
}

void ax_refuse_main_password(void)
{
    struct store_change change;
    struct factors factors = {.app_passwords_only = true};
    store_begin(ax.auth.env.store, &change);
    store_put_factors(&change, 1, &factors);
    cr_assert(eq(int, store_commit(&change), MSA_OK));
}
