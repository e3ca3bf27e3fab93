#include "auth/upgrade.h"

#include <stdlib.h>
#include <string.h>

#include "auth/scram.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/secret.h"

struct upgrade {
    struct job job;
    struct store *store;
    char login[STORE_LOGIN_MAX + 1];
    struct account account;
    enum hash_kind kind_before;
    int err;
    bool is_done;
};

/* Two sign-ins at once both bring an upgrade; the second finds the first one's work. */
static bool is_done_already(const struct account *now, const struct account *wanted)
{
    struct scram_verifier a, b;
    bool is_same = scram_parse(view_cstr(now->secret), &a) == MSA_OK &&
                   scram_parse(view_cstr(wanted->secret), &b) == MSA_OK &&
                   a.iteration_count == b.iteration_count && now->has_cram == wanted->has_cram;
    secret_wipe(&a, sizeof a);
    secret_wipe(&b, sizeof b);
    return is_same;
}

/* The writer's thread. */
static void run_upgrade(struct job *job)
{
    struct upgrade *u = CONTAINER_OF(job, struct upgrade, job);
    struct store_change change;
    struct account now;
    struct view login = view_cstr(u->login);
    store_begin(u->store, &change);
    enum msa_lookup found = store_get(&change, login, &now);
    if (found == MSA_FOUND && now.id == u->account.id &&
        now.generation == u->account.generation && !is_done_already(&now, &u->account)) {
        u->kind_before = now.kind;
        now.kind = u->account.kind;
        memcpy(now.secret, u->account.secret, sizeof now.secret);
        now.has_cram = u->account.has_cram;
        memcpy(now.cram, u->account.cram, sizeof now.cram);
        store_replace(&change, login, &now);
        u->err = store_commit(&change);
        u->is_done = u->err == MSA_OK;
    }
    store_abort(&change);
    account_wipe(&now);
}

static void on_upgraded(struct job *job)
{
    struct upgrade *u = CONTAINER_OF(job, struct upgrade, job);
    struct log_line l;
    if (u->is_done || u->err < 0) {
        log_begin(&l, u->is_done ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "account-upgrade");
        log_str(&l, "user", u->login);
        log_str(&l, "from", hash_kind_name(u->kind_before));
        log_str(&l, "to", hash_kind_name(u->account.kind));
        log_str(&l, "text", u->err < 0 ? msa_strerror(u->err) : NULL);
        log_end(&l);
    }
    secret_wipe(u, sizeof *u);
    free(u);
}

void upgrade_submit(struct threads *writer, struct store *store, const char *login,
                    const struct account *account)
{
    struct upgrade *u = calloc(1, sizeof *u);
    if (!u || !view_to_cstr(view_cstr(login), u->login, sizeof u->login)) {
        free(u);
        return;
    }
    u->job = (struct job){.run = run_upgrade, .done = on_upgraded};
    u->store = store;
    u->account = *account;
    if (threads_submit(writer, &u->job) < 0) {
        secret_wipe(u, sizeof *u);
        free(u);
    }
}
