/* rspamd, over HTTP: POST /checkv2 with the envelope in header fields and the message, from its descriptor, as body. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "policy/score/services/rspamd_answer.h"
#include "policy/score/services/service_private.h"

#define RECIPIENTS_MAX 500 /* that it is told */
#define FIELDS_MAX     (RECIPIENTS_MAX + 12)

struct rspamd_job {
    uint64_t fetch;
};

/* ---- the question ---- */

struct fields {
    struct arena arena;
    const char *lines[FIELDS_MAX];
    size_t count;
    bool has_failed;
};

/* What a client says must not become a field of its own. */
static void clean(char *line)
{
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
}

static void add(struct fields *f, const char *name, struct view value)
{
    if (value.n == 0 || f->count == FIELDS_MAX)
        return;
    char *line = arena_printf(&f->arena, "%s: %.*s", name, (int)value.n, value.p);
    f->has_failed = f->has_failed || !line;
    if (!line)
        return;
    clean(line);
    f->lines[f->count++] = line;
}

static void add_recipients(struct fields *f, struct view list)
{
    struct view item;
    for (unsigned n = 0; n < RECIPIENTS_MAX && items_next(&list, &item); n++) {
        struct msg_recipient r;
        if (msg_recipient_decode(item, &r) == MSA_OK)
            add(f, "Rcpt", r.path);
    }
}

static void add_all(struct fields *f, const struct job *j)
{
    const struct service_request *r = &j->ask->request;
    char ip[IPADDR_TEXT_MAX], id[MSGID_TEXT_MAX];
    ipaddr_format(&r->client_ip, ip);
    msgid_format(r->message, id);
    add(f, "Content-Type", VIEW_LIT("message/rfc822"));
    add(f, "User-Agent", VIEW_LIT("msad"));
    add(f, "IP", ipaddr_is_none(&r->client_ip) ? VIEW_EMPTY : view_cstr(ip));
    add(f, "Helo", r->helo);
    add(f, "User", r->login);
    add(f, "From", r->sender.n > 0 ? r->sender : VIEW_LIT("<>"));
    add(f, "Queue-Id", view_cstr(id));
    add(f, "MTA-Name", view_cstr(j->service->owner->hostname));
    add(f, "Settings-ID", view_cstr(j->service->set.rspamd.settings_id));
    add_recipients(f, r->recipients);
}

/* ---- the answer ---- */

static void log_left_out(const struct job *j, unsigned count)
{
    struct log_line l;
    char id[MSGID_TEXT_MAX];
    if (count == 0)
        return;
    msgid_format(j->ask->request.message, id);
    log_begin(&l, LOG_LEVEL_INFO, "service-not-applied");
    log_str(&l, "service", j->service->set.common.name);
    log_str(&l, "kind", j->service->kind->name);
    log_str(&l, "msg", id);
    log_textf(&l, "text", "%u changes of the message", count);
    log_end(&l);
}

static void on_fetched(void *arg, const struct fetch_result *result)
{
    struct job *j = arg;
    struct rspamd_job *r = j->impl;
    unsigned left_out = 0;
    char why[64];
    r->fetch = 0;
    if (result->err != MSA_OK) {
        job_failed(j, result->text);
        return;
    }
    if (result->status != 200) {
        snprintf(why, sizeof why, "it answers %u", result->status);
        job_failed(j, why);
        return;
    }
    if (rspamd_answer_take(result->body, &j->service->set.rspamd, &j->judgement, &left_out) < 0) {
        job_failed(j, "its answer cannot be understood");
        return;
    }
    log_left_out(j, left_out);
    job_answered(j);
}

/* ---- life ---- */

static const char *url_of(const struct service *s, char *out, size_t size)
{
    char ip[IPADDR_TEXT_MAX];
    ipaddr_format(&s->at.ip, ip);
    if (s->at.path)
        snprintf(out, size, "http://localhost/checkv2");
    else
        snprintf(out, size, ipaddr_is_v4(&s->at.ip) ? "http://%s:%u/checkv2" : "http://[%s]:%u/checkv2",
                 ip, s->at.port);
    return out;
}

static int fetch(struct job *j, const struct fields *f, uint64_t *id_out)
{
    char url[IPADDR_TEXT_MAX + 32];
    const struct service_request *r = &j->ask->request;
    const struct fetch_request request = {
        .url = url_of(j->service, url, sizeof url),
        .unix_socket = j->service->at.path,
        .more_headers = f->lines,
        .more_header_count = f->count,
        .is_file = true,
        .file_fd = r->fd,
        .file_bytes = r->body_bytes,
        .timeout_ms = j->service->set.common.deadline_ms, /* the job's own may end it before */
        .answer_max_bytes = RSPAMD_ANSWER_MAX_BYTES,
    };
    return fetch_start(j->service->owner->fetcher, &request, on_fetched, j, id_out);
}

static int rspamd_start(struct job *j)
{
    struct fields f = {.count = 0};
    struct rspamd_job *r = calloc(1, sizeof *r);
    int err = MSA_ENOMEM;
    if (!r)
        return err;
    arena_init(&f.arena, 1u << 20);
    add_all(&f, j);
    if (!f.has_failed)
        err = fetch(j, &f, &r->fetch);
    arena_fini(&f.arena);
    if (err < 0)
        free(r);
    else
        j->impl = r;
    return err;
}

static void rspamd_stop(struct job *j)
{
    struct rspamd_job *r = j->impl;
    if (r->fetch != 0)
        fetch_cancel(j->service->owner->fetcher, r->fetch);
    free(r);
    j->impl = NULL;
}

const struct service_kind service_rspamd = {"rspamd", rspamd_start, rspamd_stop};
