#include "policy/score/jobs.h"

#include <stdlib.h>
#include <unistd.h>

#include "msa/base/arena.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "msa/io/threads.h"
#include "policy/score/scan.h"
#include "policy/score/services/services.h"

#define JOB_ARENA_MAX   (32u << 10) /* the sender, and what services add to a message */
#define LOGGED_BYTES_MAX 512 /* of the findings; the weightiest */
#define ANSWER_SLACK_MS 100  /* the session's own deadline is as long, and began earlier */

struct score_jobs {
    struct loop *loop;
    struct scanner *scanner;
    struct services *services;
    struct threads *threads;
    unsigned thread_count;
    struct score_rules *rules;
    int64_t deadline_ms;
    int32_t neutral_milli;
    uint32_t jobs_max;
    struct list open; /* of struct score_job */
    struct score_jobs_counts counts;
    score_jobs_idle_fn *idle_fn; /* NULL: nobody waits */
    void *idle_arg;
    bool is_closing;
};

struct score_job {
    struct job scan; /* in the pool until on_scanned */
    struct list link;
    struct score_jobs *jobs;
    struct arena arena;
    uint64_t message;
    int fd;
    int64_t began_ms;
    struct timer deadline;
    score_verdict_fn *fn; /* NULL: the verdict was given, or nobody waits for it */
    void *arg;
    const void *peer;
    uint64_t question;
    struct score_rules *rules;
    struct scan_request request;
    struct scan_result result; /* the worker's while `is_scanning` */
    int scan_err;
    bool is_scanning;
    struct service_ask *asking; /* NULL: there are no services, or they have answered */
    struct findings of_services;
    bool has_services, is_scored_by_services;
    uint32_t missing_count; /* services that did not answer */
    enum score_action action;
    struct view text;
    struct view added_header;
};

/* ---- the end of a job ---- */

static void tell_idle(struct score_jobs *j)
{
    score_jobs_idle_fn *fn = j->idle_fn;
    if (j->counts.open > 0 || !fn)
        return;
    j->idle_fn = NULL;
    fn(j->idle_arg);
}

static void job_free(struct score_job *job)
{
    struct score_jobs *j = job->jobs;
    timer_stop(&job->deadline);
    list_remove(&job->link);
    services_cancel(&job->asking);
    findings_fini(&job->of_services);
    scan_result_fini(&job->result);
    score_rules_unref(&job->rules);
    arena_fini(&job->arena);
    close(job->fd);
    free(job);
    j->counts.open--;
}

/* A job that somebody waits for, or that a worker has, stays. */
static void job_free_if_over(struct score_job *job)
{
    struct score_jobs *j = job->jobs;
    if (job->fn || job->is_scanning)
        return;
    job_free(job);
    tell_idle(j);
}

/* ---- the verdict ---- */

static enum score_class class_of(int64_t score_milli)
{
    return score_milli >= SCORE_SPAM_MILLI ? SCORE_SPAM : score_milli >= SCORE_SUSPECT_MILLI ? SCORE_SUSPECT : SCORE_CLEAN;
}

static void count_verdict(struct score_jobs *j, const struct score_verdict *v)
{
    j->counts.scored += v->is_scored;
    j->counts.neutral += !v->is_scored;
    j->counts.late += v->is_late;
    if (v->is_scored && v->message != 0)
        j->counts.of_class[class_of(v->score_milli)]++;
}

static void log_verdict(const struct score_verdict *v)
{
    struct log_line l;
    struct buf findings;
    char id[MSGID_TEXT_MAX];
    msgid_format(v->message, id);
    buf_init(&findings, LOGGED_BYTES_MAX);
    findings_write_short(v->findings, &findings);
    log_begin(&l, LOG_LEVEL_INFO, "scored");
    log_str(&l, "msg", id);
    log_num(&l, "score_milli", v->score_milli);
    log_view(&l, "findings", buf_view(&findings));
    if (!v->is_scored)
        log_num(&l, "neutral", 1);
    if (v->is_late)
        log_num(&l, "late", 1);
    log_num(&l, "ms", v->took_ms);
    log_end(&l);
    buf_fini(&findings);
}

/* What the scan has found, or that it has not. */
static void take_scan(struct score_job *job, struct findings *out, struct score_verdict *v)
{
    if (job->is_scanning) {
        v->is_late = true;
        findings_add(out, VIEW_LIT("late:scan"), 0,
                     VIEW_LIT("The message could not be read within the time for its score."));
    } else if (job->scan_err < 0) {
        findings_add(out, VIEW_LIT("failed:scan"), 0, VIEW_LIT("The message could not be read."));
    } else {
        v->is_scored = true;
        v->is_cut = job->result.is_cut;
        v->fingerprints = &job->result.fingerprints;
        findings_join(out, &job->result.findings);
    }
}

static void take_services(struct score_job *job, struct findings *out, struct score_verdict *v)
{
    if (job->asking || job->missing_count > 0) {
        v->is_late = true;
        findings_add(out, VIEW_LIT("missing:services"), 0,
                     VIEW_LIT("Not every service answered within the time for the score."));
    }
    v->is_scored = v->is_scored || job->is_scored_by_services;
    v->action = job->action;
    v->text = job->text;
    v->added_header = job->added_header;
    findings_join(out, &job->of_services);
}

static void give_verdict(struct score_job *job)
{
    static const struct fingerprints none;
    struct findings findings;
    struct score_verdict v = {
        .message = job->message,
        .findings = &findings,
        .fingerprints = &none,
        .took_ms = clock_mono_ms() - job->began_ms,
    };
    score_verdict_fn *fn = job->fn;
    findings_init(&findings);
    take_scan(job, &findings, &v);
    take_services(job, &findings, &v);
    findings_sort(&findings);
    v.score_milli = v.is_scored ? ipc_score_bounded(findings.total_milli) : job->jobs->neutral_milli;
    count_verdict(job->jobs, &v);
    if (v.message != 0) /* a check is no event */
        log_verdict(&v);
    job->fn = NULL;
    timer_stop(&job->deadline);
    services_cancel(&job->asking);
    fn(job->arg, job->peer, job->question, &v);
    findings_fini(&findings);
}

static void give_if_complete(struct score_job *job)
{
    if (job->fn && !job->is_scanning && !job->asking)
        give_verdict(job);
    job_free_if_over(job);
}

static void on_deadline(void *arg)
{
    struct score_job *job = arg;
    give_verdict(job);
    job_free_if_over(job);
}

/* ---- the scan ---- */

static void run_scan(struct job *scan)
{
    struct score_job *job = CONTAINER_OF(scan, struct score_job, scan);
    job->scan_err = scanner_run(job->jobs->scanner, job->rules, &job->request, &job->result);
}

static void on_scanned(struct job *scan)
{
    struct score_job *job = CONTAINER_OF(scan, struct score_job, scan);
    job->is_scanning = false;
    if (!scan->was_run)
        job->scan_err = MSA_ECLOSED;
    job->jobs->counts.failed += scan->was_run && job->scan_err < 0;
    give_if_complete(job);
}

/* ---- services ---- */

static void on_services(void *arg, const struct service_result *r)
{
    struct score_job *job = arg;
    int64_t shown_milli = 0;
    job->asking = NULL;
    for (size_t i = 0; i < r->finding_count; i++) {
        int64_t milli = r->findings[i].milli;
        findings_add(&job->of_services, view_cstr(r->findings[i].name), findings_bounded(milli),
                     VIEW_LIT("Found by a service."));
        shown_milli += findings_bounded(milli);
    }
    findings_add_total(&job->of_services, (r->is_scored ? r->score_milli : 0) - shown_milli);
    job->is_scored_by_services = r->is_scored;
    job->missing_count = r->asked_count - r->answered_count;
    job->action = r->action;
    job->text = arena_copy(&job->arena, view_cstr(r->text));
    job->added_header = arena_copy(&job->arena, r->added_header);
    give_if_complete(job);
}

/* They get a little less time, so that what has answered counts when another has not. */
static int ask_services(struct score_job *job, const struct msg_score_ask *ask, int64_t within_ms)
{
    const struct service_request request = {
        .message = ask->message,
        .login = ask->login,
        .client_ip = ask->client_ip,
        .helo = ask->helo,
        .sender = ask->sender,
        .recipients = ask->recipients,
        .fd = job->fd,
        .header_bytes = ask->header_bytes,
        .body_bytes = ask->body_bytes,
        .within_ms = within_ms - within_ms / 10,
    };
    if (services_count(job->jobs->services) == 0)
        return MSA_OK;
    return services_ask(job->jobs->services, &request, on_services, job, &job->asking);
}

/* ---- the beginning ---- */

static struct score_job *job_new(struct score_jobs *j, const struct msg_score_ask *ask, int fd)
{
    struct score_job *job = calloc(1, sizeof *job);
    if (!job)
        return NULL;
    job->jobs = j;
    job->fd = fd;
    job->message = ask->message;
    job->began_ms = clock_mono_ms();
    job->rules = score_rules_ref(j->rules);
    arena_init(&job->arena, JOB_ARENA_MAX);
    scan_result_init(&job->result);
    findings_init(&job->of_services);
    job->request = (struct scan_request){
        .fd = fd,
        .message_bytes = ask->body_bytes,
        .sender = arena_copy(&job->arena, ask->sender),
        .recipient_count = ask->recipient_count,
        .is_explained = ask->message == 0, /* a check: who asks has the message */
    };
    job->scan = (struct job){.run = run_scan, .done = on_scanned};
    timer_init(&job->deadline, on_deadline, job);
    list_append(&j->open, &job->link);
    j->counts.open++;
    return job;
}

static int64_t within_ms(const struct score_jobs *j)
{
    int64_t slack = j->deadline_ms / 5;
    return j->deadline_ms - (slack < ANSWER_SLACK_MS ? slack : ANSWER_SLACK_MS);
}

static int refuse(struct score_jobs *j, int fd, int err)
{
    close(fd);
    j->counts.neutral++;
    j->counts.full += err == MSA_EFULL;
    return err;
}

int score_jobs_start(struct score_jobs *j, const struct msg_score_ask *ask, int fd,
                     score_verdict_fn *fn, void *arg, const void *peer, uint64_t question)
{
    j->counts.asked++;
    j->counts.bytes += ask->body_bytes;
    if (j->counts.open >= j->jobs_max || !j->threads)
        return refuse(j, fd, MSA_EFULL);
    struct score_job *job = job_new(j, ask, fd);
    if (!job)
        return refuse(j, fd, MSA_ENOMEM);
    int err = timer_start(&job->deadline, j->loop, within_ms(j));
    if (err == MSA_OK)
        err = ask_services(job, ask, within_ms(j));
    if (err == MSA_OK)
        err = threads_submit(j->threads, &job->scan);
    if (err < 0) {
        job_free(job); /* closes fd */
        j->counts.neutral++;
        j->counts.full += err == MSA_EFULL;
        return err;
    }
    job->is_scanning = true;
    job->fn = fn;
    job->arg = arg;
    job->peer = peer;
    job->question = question;
    return MSA_OK;
}

static void job_drop(struct score_job *job)
{
    job->jobs->counts.dropped += job->fn && !job->jobs->is_closing;
    job->fn = NULL;
    timer_stop(&job->deadline);
    services_cancel(&job->asking);
    job_free_if_over(job);
}

void score_jobs_drop(struct score_jobs *j, const void *peer, uint64_t question)
{
    struct score_job *job, *next;
    LIST_FOREACH(job, next, &j->open, struct score_job, link)
        if (job->peer == peer && job->question == question && job->fn)
            job_drop(job);
}

void score_jobs_drop_peer(struct score_jobs *j, const void *peer)
{
    struct score_job *job, *next;
    LIST_FOREACH(job, next, &j->open, struct score_job, link)
        if (job->peer == peer && job->fn)
            job_drop(job);
}

/* ---- all of them ---- */

static unsigned core_count(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (unsigned)n : 1;
}

struct score_jobs *score_jobs_new(struct loop *loop, const struct config *config)
{
    struct score_jobs *j = calloc(1, sizeof *j);
    if (!j)
        return NULL;
    j->loop = loop;
    j->thread_count = config->score.thread_count > 0 ? config->score.thread_count : core_count();
    list_init(&j->open);
    j->scanner = scanner_new(j->thread_count);
    j->services = services_new(loop, config);
    if (!j->scanner || !j->services)
        score_jobs_free(&j);
    return j;
}

void score_jobs_set_teller(struct score_jobs *j, struct news_teller *news)
{
    services_set_teller(j->services, news);
}

/* The queue holds all jobs there can be: whether there is room is asked before. */
int score_jobs_serve(struct score_jobs *j)
{
    j->threads = threads_new(j->loop, j->thread_count, CONFIG_SCORE_JOBS_MAX);
    return j->threads ? MSA_OK : MSA_ENOMEM;
}

void score_jobs_free(struct score_jobs **jobs)
{
    struct score_jobs *j = *jobs;
    struct score_job *job, *next;
    *jobs = NULL;
    if (!j)
        return;
    j->is_closing = true;
    j->idle_fn = NULL;
    LIST_FOREACH(job, next, &j->open, struct score_job, link)
        job_drop(job);
    threads_free(&j->threads); /* on_scanned frees the rest */
    services_free(&j->services);
    scanner_free(&j->scanner);
    score_rules_unref(&j->rules);
    free(j);
}

int score_jobs_configure(struct score_jobs *j, const struct config *config)
{
    struct score_rules *rules = score_rules_new(config);
    if (!rules || services_reconfigure(j->services, config) < 0) {
        score_rules_unref(&rules);
        return MSA_ENOMEM;
    }
    score_rules_unref(&j->rules);
    j->rules = rules;
    j->deadline_ms = config->score.deadline_ms;
    j->neutral_milli = config->score.neutral_score_milli;
    j->jobs_max = config->score.job_count;
    return MSA_OK;
}

json_t *score_jobs_services(const struct score_jobs *j)
{
    return services_status(j->services);
}

void score_jobs_set_model(struct score_jobs *j, struct shared_model *model)
{
    scanner_set_model(j->scanner, model);
}

struct score_jobs_counts score_jobs_counts(const struct score_jobs *j)
{
    return j->counts;
}

void score_jobs_when_idle(struct score_jobs *j, score_jobs_idle_fn *fn, void *arg)
{
    j->idle_fn = fn;
    j->idle_arg = arg;
    tell_idle(j);
}
