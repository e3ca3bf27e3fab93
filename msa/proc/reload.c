/* A new configuration while msad serves. Nothing happens to what is in force until the new file, its
 * certificates and its sockets were all good here. Then every role is given the new one, and if one
 * refuses, all get the old one back: the roles never differ for longer than that takes.
 *
 *   begin ─ load fails ───────────────────────────────→ finish (refused)
 *     └─ hand out → all took it → commit ─────────────→ finish (taken)
 *                 └ one refused → hand the old one out → finish (refused) */
#include "msa/proc/supervisor_private.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/ipc/admin.h"

#define TOLD_MAX 1024

/* ---- the end of it ---- */

static json_t *report_lines(struct view report)
{
    json_t *lines = json_array();
    while (report.n > 0) {
        struct view line = view_cut(&report, '\n');
        json_array_append_new(lines, json_stringn(line.p, line.n));
    }
    return lines;
}

static void answer_asker(struct supervisor *sup, bool is_taken)
{
    struct reload *r = &sup->reload;
    if (!r->asker)
        return;
    if (is_taken)
        admin_reply(r->asker, r->asker_id, 200,
                    json_pack("{s:I}", "generation", (json_int_t)sup->generation_number));
    else
        admin_reply(r->asker, r->asker_id, 422,
                    json_pack("{s:s, s:o}", "detail", "the old configuration stays in force",
                              "errors", report_lines(buf_view(&r->report))));
}

static void log_result(struct supervisor *sup, bool is_taken)
{
    struct log_line l;
    struct view report = buf_view(&sup->reload.report);
    if (is_taken) {
        log_begin(&l, LOG_LEVEL_INFO, "reload-taken");
        log_num(&l, "generation", (int64_t)sup->generation_number);
        log_end(&l);
    }
    while (report.n > 0) {
        struct view line = view_cut(&report, '\n');
        log_begin(&l, LOG_LEVEL_ERROR, "reload-refused");
        log_view(&l, "text", line);
        log_end(&l);
    }
}

/* Of what is wrong with the file the first few lines: who watches is told to look. */
static void tell_result(struct supervisor *sup, bool is_taken)
{
    struct view report = buf_view(&sup->reload.report);
    if (is_taken)
        news_tell(&sup->news, NEWS_CONFIG_TAKEN,
                   json_pack("{s:I}", "generation", (json_int_t)sup->generation_number));
    else
        news_tell(&sup->news, NEWS_CONFIG_REFUSED,
                   json_pack("{s:o}", "errors", report_lines(view_slice(report, 0, TOLD_MAX))));
}

static void finish(struct supervisor *sup, bool is_taken)
{
    struct reload *r = &sup->reload;
    log_result(sup, is_taken);
    tell_result(sup, is_taken);
    answer_asker(sup, is_taken);
    systemd_notify(sup->notify_fd, "READY=1");
    generation_free(&r->next);
    sockets_close(&r->next_sockets);
    buf_fini(&r->report);
    *r = (struct reload){0};
    for (size_t i = 0; i < sup->worker_count; i++) /* who became ready while this went on */
        supervisor_catch_up(&sup->workers[i]);
    reload_begin_if_due(sup);
}

/* ---- commit ---- */

static bool is_other_user(const struct config *was, const struct config *is)
{
    for (size_t i = 0; i < role_spec_count; i++)
        if (strcmp(role_user(&role_specs[i], was), role_user(&role_specs[i], is)) != 0)
            return true;
    return false;
}

static void warn_if(bool is_changed, const char *what)
{
    if (is_changed)
        log_msg(LOG_LEVEL_WARN, "reload-needs-restart", "%s changes only when msad starts anew", what);
}

/* What is decided once: who believes that it is in force should learn that it is not. */
static void warn_of_fixed(const struct config *was, const struct config *is)
{
    warn_if(strcmp(was->state_dir, is->state_dir) != 0, "state_dir");
    warn_if(strcmp(was->runtime_dir, is->runtime_dir) != 0, "runtime_dir");
    warn_if(strcmp(was->console.socket, is->console.socket) != 0, "console { socket }");
    warn_if(is_other_user(was, is), "the user of a process");
    warn_if(was->worker_count != is->worker_count || was->score_worker_count != is->score_worker_count,
            "the number of workers");
    warn_if(was->auth.thread_count != is->auth.thread_count || was->score.thread_count != is->score.thread_count,
            "the number of threads");
    warn_if(was->sandbox != is->sandbox, "sandbox");
    warn_if(was->queue.bytes < is->queue.bytes, "a larger 'max_bytes' of the queue's database");
    warn_if(was->counters.file_bytes != is->counters.file_bytes, "counters { size }");
}

static void commit(struct supervisor *sup)
{
    struct reload *r = &sup->reload;
    warn_of_fixed(sup->generation->config, r->next->config);
    generation_free(&sup->generation);
    sup->generation = r->next;
    r->next = NULL;
    generation_log_expiry(sup->generation);
    generation_log_warnings(sup->generation);
    for (size_t i = 0; i < sup->worker_count; i++) {
        struct worker *w = &sup->workers[i];
        if (w->state != WORKER_READY)
            continue;
        worker_drop_sockets(w, &sup->sockets, &r->next_sockets);
        worker_send_sockets(w, &r->next_sockets, true);
    }
    sockets_close(&sup->sockets);
    sup->sockets = r->next_sockets;
    r->next_sockets.count = 0;
    supervisor_reopen_log(sup);
}

/* ---- handing out ---- */

static void hand_out(struct supervisor *sup, const struct generation *g);

static void on_all_answered(struct supervisor *sup)
{
    struct reload *r = &sup->reload;
    if (r->is_going_back) {
        finish(sup, false);
    } else if (buf_len(&r->report) > 0) {
        r->is_going_back = true;
        hand_out(sup, sup->generation);
    } else {
        commit(sup);
        finish(sup, true);
    }
}

static void note_refusal(struct worker *w, struct view why_not)
{
    buf_addf(&w->sup->reload.report, "%s[%u]: %.*s\n", role_name(w->spec->role), w->index,
             (int)why_not.n, why_not.p);
}

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct worker *w = arg;
    struct supervisor *sup = w->sup;
    struct msg_boot_config_answer answer = {0};
    if (!sup->reload.is_on)
        return;
    if (!m)
        note_refusal(w, view_cstr(msa_strerror(err)));
    else if (msg_boot_config_answer_decode(m->payload, &answer) < 0)
        note_refusal(w, VIEW_LIT("its answer does not decode"));
    else if (!answer.is_taken)
        note_refusal(w, answer.why_not);
    else
        w->generation = answer.generation;
    if (--sup->reload.waiting_count == 0)
        on_all_answered(sup);
}

/* A role that is only starting has the old one and gets the new one when it is ready
 * (supervisor_on_ready). */
static void hand_out(struct supervisor *sup, const struct generation *g)
{
    struct reload *r = &sup->reload;
    sup->generation_number++;
    r->waiting_count = 1; /* ours, so that the count cannot reach 0 inside the loop */
    for (size_t i = 0; i < sup->worker_count; i++) {
        struct worker *w = &sup->workers[i];
        if (w->state != WORKER_READY)
            continue;
        int err = worker_send_config(w, g, sup->generation_number, on_answer);
        if (err < 0)
            note_refusal(w, view_cstr(msa_strerror(err)));
        else
            r->waiting_count++;
    }
    if (--r->waiting_count == 0)
        on_all_answered(sup);
}

static void notify_reloading(const struct supervisor *sup)
{
    char text[SYSTEMD_RELOADING_MAX];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    systemd_reloading_text((uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u, text);
    systemd_notify(sup->notify_fd, text);
}

static int prepare(struct supervisor *sup)
{
    struct reload *r = &sup->reload;
    char error[SOCKETS_ERROR_MAX];
    int err = generation_load(sup->path, &r->next, &r->report);
    if (err == MSA_OK) {
        err = sockets_prepare(&sup->sockets, &sup->given, r->next->config, &r->next_sockets, error);
        if (err < 0)
            buf_addf(&r->report, "%s\n", error);
    }
    return err;
}

void reload_begin(struct supervisor *sup, struct chan *asker, uint64_t asker_id)
{
    struct reload *r = &sup->reload;
    if (r->is_on || sup->phase != SUPERVISOR_SERVING) {
        if (asker)
            admin_refuse(asker, asker_id, 409, "msad is starting, reloading or ending");
        else
            sup->is_reload_due = true;
        return;
    }
    sup->is_reload_due = false;
    *r = (struct reload){.is_on = true, .asker = asker, .asker_id = asker_id};
    buf_init(&r->report, GENERATION_REPORT_MAX);
    notify_reloading(sup);
    if (prepare(sup) < 0)
        finish(sup, false);
    else
        hand_out(sup, r->next);
}

void reload_begin_if_due(struct supervisor *sup)
{
    if (sup->is_reload_due)
        reload_begin(sup, NULL, 0);
}

void reload_forget_asker(struct supervisor *sup, const struct chan *asker)
{
    if (sup->reload.asker == asker)
        sup->reload.asker = NULL;
}

void reload_abort(struct supervisor *sup)
{
    if (!sup->reload.is_on)
        return;
    buf_addf(&sup->reload.report, "msad is ending\n");
    finish(sup, false);
}
