/* A service: how many it is asked at once, who waits, what its failures mean. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "policy/score/services/service.h"

#define SERVICE_ARENA_MAX 16384

/* ---- the log ---- */

static void begin(struct log_line *l, const struct service *s)
{
    log_str(l, "service", s->set.common.name);
    log_str(l, "kind", s->kind->name);
}

static void log_failed(const struct job *j, const char *why)
{
    struct log_line l;
    char id[MSGID_TEXT_MAX];
    msgid_format(j->ask->request.message, id);
    log_begin(&l, LOG_LEVEL_WARN, "service-failed");
    begin(&l, j->service);
    log_str(&l, "msg", id);
    log_str(&l, "text", why);
    log_end(&l);
}

static void tell(const struct service *s, enum news_kind kind, const char *why)
{
    if (s->owner->news)
        news_tell(s->owner->news, kind,
                   json_pack("{s:s, s:s, s:s}", "service", s->set.common.name, "service_kind", s->kind->name, "text",
                             why));
}

static void say_down(const struct service *s, const char *why)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_ERROR, "service-down");
    begin(&l, s);
    log_num(&l, "failures", s->breaker.failures);
    log_num(&l, "pause_ms", s->breaker.pause_ms);
    log_str(&l, "text", why);
    log_end(&l);
    tell(s, NEWS_SERVICE_DOWN, why);
}

static void say_up(const struct service *s)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_INFO, "service-up");
    begin(&l, s);
    log_end(&l);
    tell(s, NEWS_SERVICE_UP, "");
}

/* ---- life ---- */

static bool keep(struct service *s, const char **text)
{
    *text = arena_strdup(&s->arena, *text);
    return *text != NULL;
}

struct service *service_new(struct services *owner, const struct service_kind *kind,
                            const void *settings, size_t settings_bytes)
{
    struct service *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->owner = owner;
    s->kind = kind;
    memcpy(&s->set, settings, settings_bytes);
    arena_init(&s->arena, SERVICE_ARENA_MAX);
    list_init(&s->link);
    list_init(&s->waiting);
    list_init(&s->running);
    breaker_init(&s->breaker, s->set.common.failure_count, s->set.common.pause_ms);
    if (keep(s, &s->set.common.name) && keep(s, &s->set.common.socket) &&
        (kind != &service_rspamd || keep(s, &s->set.rspamd.settings_id)) &&
        config_service_address(s->set.common.socket, &s->at))
        return s;
    service_free(&s);
    return NULL;
}

void service_free(struct service **s)
{
    if (!*s)
        return;
    MSA_ASSERT((*s)->waiting_count + (*s)->running_count == 0);
    list_remove(&(*s)->link);
    arena_fini(&(*s)->arena);
    free(*s);
    *s = NULL;
}

static bool is_same_text(const char **a, const char **b)
{
    bool is_same = strcmp(*a, *b) == 0;
    *a = *b = NULL;
    return is_same;
}

/* The settings come from zeroed memory, padding too, and are copied byte by byte. */
bool service_is_same(const struct service *a, const struct service *b)
{
    struct service x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return x.kind == y.kind && is_same_text(&x.set.common.name, &y.set.common.name) &&
           is_same_text(&x.set.common.socket, &y.set.common.socket) &&
           (x.kind != &service_rspamd ||
            is_same_text(&x.set.rspamd.settings_id, &y.set.rspamd.settings_id)) &&
           memcmp(&x.set, &y.set, sizeof x.set) == 0;
}

struct conn *service_connect(struct job *j, const struct conn_limits *limits,
                             const struct conn_events *events)
{
    const struct config_service_address *at = &j->service->at;
    struct loop *loop = j->service->owner->loop;
    if (at->path)
        return conn_new_outgoing_unix(loop, at->path, limits, events, j);
    return conn_new_outgoing(loop, &at->ip, at->port, NULL, limits, events, j);
}

/* ---- a question ends ---- */

static void on_ask_over(void *arg)
{
    struct service_ask *ask = arg;
    loop_hook_remove(&ask->hook);
    ask_report(ask);
}

void ask_close_if_over(struct service_ask *ask)
{
    if (ask->open_count == 0 && !loop_hook_is_on(&ask->hook))
        loop_hook_add(ask->owner->loop, LOOP_STAGE_WORK, &ask->hook, on_ask_over, ask);
}

/* Out of its service's lists, and its kind has let go. */
static void leave(struct job *j)
{
    struct service *s = j->service;
    timer_stop(&j->deadline);
    list_remove(&j->link);
    if (j->state == JOB_WAITING)
        s->waiting_count--;
    else if (j->state == JOB_RUNNING) {
        s->kind->stop(j);
        s->running_count--;
    }
    j->state = JOB_DONE;
}

static void settle(struct job *j, bool is_answered)
{
    leave(j);
    j->is_answered = is_answered;
    if (!is_answered) {
        judgement_fini(&j->judgement);
        judgement_init(&j->judgement);
    }
    j->ask->open_count--;
    ask_close_if_over(j->ask);
}

static void skip(struct job *j)
{
    j->service->skipped++;
    settle(j, false);
}

/* Nobody waits for one that is down. */
static void skip_waiting(struct service *s)
{
    while (!list_is_empty(&s->waiting))
        skip(LIST_FIRST(&s->waiting, struct job, link));
}

/* The status is JSON, and `why` may quote what came. */
static void keep_error(struct service *s, const char *why)
{
    snprintf(s->last_error, sizeof s->last_error, "%s", why);
    for (char *c = s->last_error; *c; c++)
        if (*c < ' ' || *c >= 0x7f)
            *c = '?';
}

static void fail(struct job *j, const char *why)
{
    struct service *s = j->service;
    s->failed++;
    keep_error(s, why);
    log_failed(j, why);
    settle(j, false);
    if (breaker_failure(&s->breaker, clock_mono_ms()))
        say_down(s, s->last_error);
    if (s->breaker.state == BREAKER_OPEN)
        skip_waiting(s);
}

/* ---- a question begins ---- */

static void run(struct job *j)
{
    struct service *s = j->service;
    if (!breaker_take(&s->breaker, clock_mono_ms(), &j->is_probe)) {
        skip(j);
        return;
    }
    j->started_ms = clock_mono_ms();
    if (s->kind->start(j) < 0) {
        fail(j, "out of memory or descriptors");
        return;
    }
    list_remove(&j->link);
    list_append(&s->running, &j->link);
    if (j->state == JOB_WAITING)
        s->waiting_count--;
    s->running_count++;
    j->state = JOB_RUNNING;
}

static void run_waiting(struct service *s)
{
    while (s->running_count < s->set.common.concurrency_count && !list_is_empty(&s->waiting))
        run(LIST_FIRST(&s->waiting, struct job, link));
}

static void on_deadline(void *arg)
{
    struct job *j = arg;
    struct service *s = j->service;
    if (j->state == JOB_WAITING) {
        skip(j);
        return;
    }
    fail(j, "it did not answer in time");
    run_waiting(s);
}

static int64_t deadline_of(const struct job *j)
{
    int64_t own = j->service->set.common.deadline_ms, all = j->ask->request.within_ms;
    return all > 0 && all < own ? all : own;
}

static void end_too_big(struct job *j)
{
    const struct config_service *set = &j->service->set.common;
    j->service->too_big++;
    int64_t milli = judgement_act(&j->judgement, set->on_too_big, set->weight_milli,
                                VIEW_LIT("message is too large to be examined"));
    judgement_find(&j->judgement, set->name, VIEW_LIT("TOO_BIG"), milli);
    settle(j, true);
}

void service_take(struct service *s, struct job *j)
{
    const struct config_service *set = &s->set.common;
    timer_init(&j->deadline, on_deadline, j);
    s->asked++;
    if (j->ask->request.body_bytes > set->max_bytes)
        end_too_big(j);
    else if (timer_start(&j->deadline, s->owner->loop, deadline_of(j)) < 0)
        fail(j, "out of memory");
    else if (s->running_count < set->concurrency_count)
        run(j);
    else if (s->waiting_count >= set->waiting_count || s->breaker.state != BREAKER_CLOSED)
        skip(j);
    else {
        list_append(&s->waiting, &j->link);
        s->waiting_count++;
        j->state = JOB_WAITING;
    }
}

/* ---- what the kinds say ---- */

void job_answered(struct job *j)
{
    struct service *s = j->service;
    MSA_ASSERT(j->state == JOB_RUNNING);
    s->answered++;
    s->answer_ms += (uint64_t)(clock_mono_ms() - j->started_ms);
    settle(j, true);
    if (breaker_success(&s->breaker))
        say_up(s);
    run_waiting(s);
}

void job_failed(struct job *j, const char *why)
{
    struct service *s = j->service;
    MSA_ASSERT(j->state == JOB_RUNNING);
    fail(j, why);
    run_waiting(s);
}

void service_drop(struct job *j)
{
    struct service *s = j->service;
    bool was_running = j->state == JOB_RUNNING;
    if (j->state != JOB_WAITING && !was_running)
        return;
    leave(j);
    if (was_running && j->is_probe)
        breaker_abandon(&s->breaker, clock_mono_ms());
    if (was_running)
        run_waiting(s);
}
