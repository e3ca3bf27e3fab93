#include "tests/bench/load/stats.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/common/json.h"

/* Digits behind the code are blanked, so that queue ids and times do not make kinds of their own. */
void stats_error(struct stats *s, const char *phase, struct view reply)
{
    char what[sizeof s->kinds[0].what];
    size_t i = 0;
    snprintf(what, sizeof what, "%s: %.*s", phase, (int)(reply.n < 70 ? reply.n : 70),
             reply.n > 0 ? reply.p : "");
    for (char *at = what + strlen(phase) + 2; *at; at++)
        if (ascii_is_digit(*at) && at >= what + strlen(phase) + 11)
            *at = '#';
    s->errors++;
    while (i < s->kind_count && strcmp(s->kinds[i].what, what) != 0)
        i++;
    if (i == s->kind_count) {
        if (s->kind_count == ERROR_KINDS_MAX)
            return; /* counted in `errors` only */
        memcpy(s->kinds[s->kind_count++].what, what, sizeof what);
    }
    s->kinds[i].count++;
}

static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

void stats_json(struct stats *s, struct buf *json, int64_t began_us)
{
    int64_t end_us = s->last_us > began_us ? s->last_us : now_us();
    double seconds = (double)(end_us - began_us) / 1e6;
    put_json_real(json, "seconds", seconds);
    put_json_num(json, "sessions", (int64_t)s->sessions_done);
    put_json_num(json, "held", (int64_t)s->sessions_held);
    put_json_num(json, "handshakes", (int64_t)s->handshakes);
    put_json_num(json, "messages", (int64_t)s->messages);
    put_json_num(json, "recipients", (int64_t)s->recipients);
    put_json_num(json, "bytes", (int64_t)s->bytes);
    put_json_num(json, "auth_failures", (int64_t)s->auth_failures);
    put_json_real(json, "messages_per_s", (double)s->messages / seconds);
    put_json_real(json, "mib_per_s", (double)s->bytes / seconds / 1048576);
    put_json_real(json, "auth_failures_per_s", (double)s->auth_failures / seconds);
    samples_json(&s->eod, json, "eod_ms");
    samples_json(&s->session, json, "session_ms");
    samples_json(&s->auth, json, "auth_ms");
    put_json_real(json, "client_cpu_s", cpu_seconds());
    put_json_real(json, "client_cpu_share", cpu_seconds() / seconds);
    put_json_num(json, "error_count", (int64_t)s->errors);
    put_json_key(json, "errors");
    buf_add_char(json, '{');
    for (size_t i = 0; i < s->kind_count; i++)
        put_json_num(json, s->kinds[i].what, (int64_t)s->kinds[i].count);
    buf_add_char(json, '}');
}

void stats_fini(struct stats *s)
{
    samples_fini(&s->eod);
    samples_fini(&s->session);
    samples_fini(&s->auth);
}
