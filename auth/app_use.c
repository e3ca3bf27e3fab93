#include "auth/app_use.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"

#define DAY_MS INT64_C(86400000)

bool app_use_is_due(int64_t used_ms, const char *used_from, int64_t now_ms, const char *country)
{
    return now_ms / DAY_MS != used_ms / DAY_MS || strcmp(used_from, country) != 0;
}

struct app_use {
    struct job job;
    struct store *store;
    uint64_t account, app_id;
    int64_t at_ms;
    char country[3];
    int err;
};

/* The writer's thread. */
static void run(struct job *job)
{
    struct app_use *u = CONTAINER_OF(job, struct app_use, job);
    struct store_change change;
    struct factors f;
    store_begin(u->store, &change);
    bool is_there = store_get_factors(&change, u->account, &f) == MSA_FOUND;
    struct app_password *app = is_there ? factors_app(&f, u->app_id) : NULL;
    if (app) { /* else it was taken away since */
        app->used_ms = u->at_ms;
        memcpy(app->used_from, u->country, sizeof app->used_from);
        store_put_factors(&change, u->account, &f);
        u->err = store_commit(&change);
    }
    store_abort(&change);
    factors_wipe(&f);
}

static void on_done(struct job *job)
{
    struct app_use *u = CONTAINER_OF(job, struct app_use, job);
    if (u->err < 0)
        log_msg(LOG_LEVEL_WARN, "app-use-lost", "%s", msa_strerror(u->err));
    free(u);
}

void app_use_submit(struct threads *writer, struct store *store, uint64_t account, uint64_t app_id,
                    const char *country)
{
    struct app_use *u = calloc(1, sizeof *u);
    if (!u)
        return;
    *u = (struct app_use){
        .job = {.run = run, .done = on_done},
        .store = store,
        .account = account,
        .app_id = app_id,
        .at_ms = clock_wall_ms(),
    };
    (void)view_to_cstr(view_cstr(country), u->country, sizeof u->country);
    if (threads_submit(writer, &u->job) < 0)
        free(u);
}
