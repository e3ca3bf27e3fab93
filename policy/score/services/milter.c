/* A milter, spoken to as the MTA's side does, one connection a message. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "policy/score/services/milter_private.h"

#define OUTPUT_MAX_BYTES  (256u << 10)
#define OUTPUT_HIGH_BYTES (64u << 10) /* beyond it nothing more is said until it has left */

/* As large as the settings allow. */
#define HEADER_LIMITS_MAX                                                                          \
    ((struct header_limits){                                                                       \
        .block_bytes = 16u << 20, .field_bytes = 16u << 20, .field_count = 100000})

/* ---- ends ---- */

static void log_ignored(const struct milter_job *m)
{
    static const char *const names[] = {"fields changed", "body", "sender",
                                        "recipients",     "fields added", "a long field cut"};
    struct log_line l;
    struct buf text;
    char id[MSGID_TEXT_MAX];
    if (m->ignored == 0)
        return;
    buf_init(&text, 256);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (m->ignored & (1u << i))
            buf_addf(&text, "%s%s", buf_len(&text) > 0 ? ", " : "", names[i]);
    msgid_format(m->job->ask->request.message, id);
    log_begin(&l, LOG_LEVEL_INFO, "service-not-applied");
    log_str(&l, "service", m->job->service->set.common.name);
    log_str(&l, "kind", m->job->service->kind->name);
    log_str(&l, "msg", id);
    log_view(&l, "text", buf_view(&text));
    log_end(&l);
    buf_fini(&text);
}

/* `m` is gone after each of these. */

static void end_well(struct milter_job *m)
{
    log_ignored(m);
    milter_send_quit(m);
    m->is_over = true;
    job_answered(m->job);
}

static void end_badly(struct milter_job *m, const char *why)
{
    static const char *const names[MILTER_STEP_COUNT] = {
        "options", "connect", "helo", "mail", "rcpt", "data", "header", "end of header", "body", "end"};
    char text[160];
    snprintf(text, sizeof text, "%s (at %s)", why, names[m->step]);
    job_failed(m->job, text);
}

/* ---- the course ---- */

static bool has_many(enum milter_step step)
{
    return step == MILTER_STEP_RCPT || step == MILTER_STEP_HEADER || step == MILTER_STEP_BODY;
}

/* One thing after the other, until a reply is due or enough is on its way. A piece of the body wants the descriptor
 * for itself. False: `m` is gone. */
static bool go_on(struct milter_job *m)
{
    while (!m->is_waiting) {
        size_t high = m->step == MILTER_STEP_BODY ? 0 : OUTPUT_HIGH_BYTES;
        if (conn_output_len(m->conn) > high)
            return true;
        int sent = milter_step_is_wanted(m) ? milter_send_next(m) : 0;
        if (sent < 0) {
            end_badly(m, msa_strerror(sent));
            return false;
        }
        if (sent > 0)
            m->is_waiting = milter_step_is_replied(m);
        if (sent == 0 || (!has_many(m->step) && !m->is_waiting))
            m->step++;
    }
    return true;
}

/* Each of these: false: `m` is gone. */

static bool on_replied(struct milter_job *m, bool is_step_over)
{
    m->is_waiting = false;
    if (is_step_over || !has_many(m->step))
        m->step++;
    return go_on(m);
}

static bool take_frame(struct milter_job *m, const struct milter_frame *f)
{
    struct milter_reply r;
    if (milter_reply_parse(f, &r) < 0) {
        end_badly(m, "its reply cannot be understood");
        return false;
    }
    switch (milter_take(m, &r)) {
    case MILTER_TAKEN_WAIT: return true;
    case MILTER_TAKEN_NEXT: return on_replied(m, false);
    case MILTER_TAKEN_BODY_OVER: return on_replied(m, true);
    case MILTER_TAKEN_OVER: end_well(m); return false;
    case MILTER_TAKEN_BROKEN: break;
    }
    end_badly(m, "its reply is out of place");
    return false;
}

/* ---- the connection ---- */

static void on_connected(void *owner)
{
    struct job *j = owner;
    (void)go_on(j->impl);
}

static void on_output_drained(void *owner)
{
    struct job *j = owner;
    (void)go_on(j->impl);
}

static void on_input(void *owner)
{
    struct job *j = owner;
    struct milter_job *m = j->impl;
    struct milter_frame f;
    for (;;) {
        struct buf *in = conn_in(m->conn);
        int n = milter_frame_parse(buf_view(in), &f);
        if (n < 0)
            end_badly(m, "its reply cannot be understood");
        if (n <= 0 || !take_frame(m, &f))
            return;
        buf_take(in, (size_t)n);
    }
}

static void on_closed(void *owner, enum conn_end end)
{
    struct job *j = owner;
    struct milter_job *m = j->impl;
    char why[128];
    snprintf(why, sizeof why, "connection ended (%s) %s", conn_end_name(end), conn_error(m->conn));
    m->conn = NULL; /* it dies by itself */
    end_badly(m, why);
}

static const struct conn_events events = {
    .on_connected = on_connected,
    .on_input = on_input,
    .on_output_drained = on_output_drained,
    .on_closed = on_closed,
};

/* ---- life ---- */

/* Fields are told one by one, so the header, which has a maximum of its own, is read at once. */
static int load_header(struct milter_job *m)
{
    const struct service_request *r = &m->job->ask->request;
    char piece[16384];
    uint64_t at = 0;
    while (at < r->header_bytes) {
        uint64_t left = r->header_bytes - at;
        ssize_t n = pread(r->fd, piece, left < sizeof piece ? (size_t)left : sizeof piece, (off_t)at);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return MSA_EIO;
        struct view run = view_of(piece, (size_t)n);
        int step = header_feed(&m->header, &run);
        if (step < 0)
            return step;
        at += (uint64_t)n;
    }
    int step = header_finish(&m->header);
    return step < 0 ? step : MSA_OK;
}

static void milter_free(struct milter_job *m)
{
    header_fini(&m->header);
    free(m);
}

static int milter_start(struct job *j)
{
    static const struct conn_limits limits = {.input_max_bytes = MILTER_FRAME_MAX,
                                              .output_max_bytes = OUTPUT_MAX_BYTES};
    struct milter_job *m = calloc(1, sizeof *m);
    if (!m)
        return MSA_ENOMEM;
    m->job = j;
    m->recipients_left = j->ask->request.recipients;
    m->body_at = j->ask->request.header_bytes + 2; /* behind the empty line */
    if (m->body_at > j->ask->request.body_bytes)
        m->body_at = j->ask->request.body_bytes;
    header_init(&m->header, HEADER_LIMITS_MAX);
    int err = load_header(m);
    if (err == MSA_OK && !(m->conn = service_connect(j, &limits, &events)))
        err = MSA_ENOMEM;
    if (err < 0)
        milter_free(m);
    else
        j->impl = m;
    return err;
}

/* To abort the connection of one that has heard QUIT could take the word from it. */
static void milter_stop(struct job *j)
{
    struct milter_job *m = j->impl;
    if (m->is_over)
        conn_close(&m->conn);
    else
        conn_abort(&m->conn);
    milter_free(m);
    j->impl = NULL;
}

const struct service_kind service_milter = {"milter", milter_start, milter_stop};
