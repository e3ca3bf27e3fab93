/* All services together: the set of them, and a question to all. */
#include "policy/score/services/services.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/services/service.h"

#define ASK_ARENA_MAX      ((8u << 20) + (64u << 10)) /* a recipient list is up to IPC_ITEMS_MAX */
#define CONNECTIONS_MAX    (CONFIG_SERVICES_MAX * 64)
#define TO_ONE_HOST_MAX    64 /* the most that `concurrency` allows */

/* ---- the set ---- */

static void free_all(struct list *head)
{
    struct service *s;
    while ((s = LIST_FIRST(head, struct service, link)) != NULL)
        service_free(&s);
}

static bool add(struct services *all, struct list *to, const struct service_kind *kind,
                const void *settings, size_t bytes)
{
    struct service *s = service_new(all, kind, settings, bytes);
    if (s)
        list_append(to, &s->link);
    return s != NULL;
}

static bool make_all(struct services *all, const struct config_services *set, struct list *to)
{
    bool is_good = true;
    for (uint32_t i = 0; i < set->rspamd_count; i++)
        is_good = is_good && add(all, to, &service_rspamd, &set->rspamds[i], sizeof set->rspamds[i]);
    for (uint32_t i = 0; i < set->clamd_count; i++)
        is_good = is_good && add(all, to, &service_clamd, &set->clamds[i], sizeof set->clamds[i]);
    for (uint32_t i = 0; i < set->milter_count; i++)
        is_good = is_good && add(all, to, &service_milter, &set->milters[i], sizeof set->milters[i]);
    return is_good;
}

/* Those of `next` that are in force already are taken from there. */
static void keep_unchanged(struct services *all, struct list *next)
{
    struct service *s, *tmp, *old, *old_tmp;
    LIST_FOREACH(s, tmp, next, struct service, link)
    {
        LIST_FOREACH(old, old_tmp, &all->active, struct service, link)
        {
            if (!service_is_same(s, old))
                continue;
            list_remove(&old->link);
            list_insert_before(&s->link, &old->link);
            service_free(&s);
            break;
        }
    }
}

static void sweep(struct services *all)
{
    struct service *s, *tmp;
    LIST_FOREACH(s, tmp, &all->retired, struct service, link)
    {
        if (s->running_count + s->waiting_count == 0)
            service_free(&s);
    }
}

int services_reconfigure(struct services *all, const struct config *config)
{
    struct list next, *l;
    list_init(&next);
    if (!make_all(all, &config->score.services, &next)) {
        free_all(&next);
        return MSA_ENOMEM;
    }
    keep_unchanged(all, &next);
    list_move_all(&all->retired, &all->active);
    list_move_all(&all->active, &next);
    all->active_count = 0;
    for (l = all->active.next; l != &all->active; l = l->next)
        all->active_count++;
    snprintf(all->hostname, sizeof all->hostname, "%s", config->hostname);
    sweep(all);
    return MSA_OK;
}

void services_set_teller(struct services *s, struct news_teller *news)
{
    s->news = news;
}

size_t services_count(const struct services *s)
{
    return s->active_count;
}

struct services *services_new(struct loop *loop, const struct config *config)
{
    struct services *all = calloc(1, sizeof *all);
    if (!all)
        return NULL;
    all->loop = loop;
    list_init(&all->active);
    list_init(&all->retired);
    list_init(&all->asks);
    all->fetcher = fetcher_new(loop);
    if (all->fetcher)
        fetcher_limit(all->fetcher, CONNECTIONS_MAX, TO_ONE_HOST_MAX);
    if (!all->fetcher || services_reconfigure(all, config) < 0)
        services_free(&all);
    return all;
}

void services_free(struct services **s)
{
    struct service_ask *ask;
    if (!*s)
        return;
    while ((ask = LIST_FIRST(&(*s)->asks, struct service_ask, link)) != NULL)
        services_cancel(&ask);
    free_all(&(*s)->active);
    free_all(&(*s)->retired);
    fetcher_free(&(*s)->fetcher);
    free(*s);
    *s = NULL;
}

/* ---- a question ---- */

static void ask_free(struct service_ask *ask)
{
    struct services *all = ask->owner;
    for (uint32_t i = 0; i < ask->job_count; i++) {
        service_drop(&ask->jobs[i]);
        judgement_fini(&ask->jobs[i].judgement);
    }
    loop_hook_remove(&ask->hook);
    list_remove(&ask->link);
    arena_fini(&ask->arena);
    free(ask->jobs);
    free(ask);
    sweep(all);
}

static bool keep(struct arena *a, struct view *text)
{
    size_t n = text->n;
    *text = arena_copy(a, *text);
    return text->n == n;
}

static uint32_t count_items(struct view list)
{
    struct view item;
    uint32_t n = 0;
    while (items_next(&list, &item))
        n++;
    return n;
}

static struct service_ask *ask_new(struct services *all, const struct service_request *request)
{
    struct service_ask *ask = calloc(1, sizeof *ask);
    if (!ask)
        return NULL;
    ask->owner = all;
    ask->request = *request;
    list_init(&ask->link);
    arena_init(&ask->arena, ASK_ARENA_MAX);
    ask->jobs = calloc(all->active_count > 0 ? all->active_count : 1, sizeof *ask->jobs);
    struct service_request *r = &ask->request;
    if (ask->jobs && keep(&ask->arena, &r->login) && keep(&ask->arena, &r->helo) &&
        keep(&ask->arena, &r->sender) && keep(&ask->arena, &r->recipients))
        return ask;
    ask_free(ask);
    return NULL;
}

int services_ask(struct services *all, const struct service_request *request, service_done_fn *fn,
                 void *arg, struct service_ask **ask_out)
{
    struct service *s, *tmp;
    struct service_ask *ask = ask_new(all, request);
    *ask_out = ask;
    if (!ask)
        return MSA_ENOMEM;
    ask->fn = fn;
    ask->arg = arg;
    ask->recipient_count = count_items(ask->request.recipients);
    list_append(&all->asks, &ask->link);
    LIST_FOREACH(s, tmp, &all->active, struct service, link)
    {
        struct job *j = &ask->jobs[ask->job_count++];
        j->service = s;
        j->ask = ask;
        list_init(&j->link);
        judgement_init(&j->judgement);
        ask->open_count++;
    }
    for (uint32_t i = 0; i < ask->job_count; i++)
        service_take(ask->jobs[i].service, &ask->jobs[i]);
    ask_close_if_over(ask);
    return MSA_OK;
}

void services_cancel(struct service_ask **ask)
{
    if (*ask)
        ask_free(*ask);
    *ask = NULL;
}

/* ---- the answer ---- */

static int by_weight(const void *a, const void *b)
{
    int64_t x = llabs(((const struct service_finding *)a)->milli);
    int64_t y = llabs(((const struct service_finding *)b)->milli);
    return x < y ? 1 : x > y ? -1 : 0;
}

/* Without memory there are none. */
static struct service_finding *join_findings(const struct service_ask *ask, size_t *count_out)
{
    size_t n = 0;
    for (uint32_t i = 0; i < ask->job_count; i++)
        n += ask->jobs[i].judgement.finding_count;
    struct service_finding *all = n > 0 ? calloc(n, sizeof *all) : NULL;
    *count_out = 0;
    if (!all)
        return NULL;
    for (uint32_t i = 0; i < ask->job_count; i++) {
        const struct judgement *v = &ask->jobs[i].judgement;
        memcpy(all + *count_out, v->findings, v->finding_count * sizeof *all);
        *count_out += v->finding_count;
    }
    qsort(all, n, sizeof *all, by_weight);
    *count_out = n < SERVICE_RESULT_FINDINGS_MAX ? n : SERVICE_RESULT_FINDINGS_MAX;
    return all;
}

static void fold(const struct judgement *v, struct service_result *r, struct buf *header)
{
    r->is_scored = r->is_scored || v->is_scored;
    r->score_milli += v->score_milli;
    if (v->action > r->action) {
        r->action = v->action;
        r->text = v->text;
    }
    buf_add(header, buf_view(&v->header)); /* all of it, or nothing */
}

void ask_report(struct service_ask *ask)
{
    struct buf header;
    struct service_result r = {.asked_count = ask->job_count, .text = ""};
    buf_init(&header, JUDGEMENT_HEADER_MAX);
    for (uint32_t i = 0; i < ask->job_count; i++) {
        r.answered_count += ask->jobs[i].is_answered;
        fold(&ask->jobs[i].judgement, &r, &header);
    }
    struct service_finding *findings = join_findings(ask, &r.finding_count);
    r.findings = findings;
    r.added_header = buf_view(&header);
    ask->fn(ask->arg, &r);
    free(findings);
    buf_fini(&header);
    ask_free(ask);
}

/* ---- status ---- */

static json_t *status_of(const struct service *s)
{
    const struct config_service *set = &s->set.common;
    uint64_t mean_ms = s->answered > 0 ? s->answer_ms / s->answered : 0;
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "kind",
                     s->kind->name, "name", set->name, "socket", set->socket, "state",
                     breaker_state_name(s->breaker.state), "asked", (json_int_t)s->asked,
                     "answered", (json_int_t)s->answered, "failed", (json_int_t)s->failed,
                     "skipped", (json_int_t)s->skipped, "too_big", (json_int_t)s->too_big,
                     "running", (json_int_t)s->running_count, "waiting",
                     (json_int_t)s->waiting_count, "mean_ms", (json_int_t)mean_ms, "last_error",
                     s->last_error);
}

json_t *services_status(const struct services *all)
{
    json_t *array = json_array();
    for (const struct list *l = all->active.next; array && l != &all->active; l = l->next) {
        const struct service *s = CONTAINER_OF((struct list *)(uintptr_t)l, struct service, link);
        if (json_array_append_new(array, status_of(s)) < 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}
