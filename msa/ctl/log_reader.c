#include "msa/ctl/log_reader.h"

#include <string.h>

#include "msa/base/err.h"

#define JOINED_MAX 200000

int log_reader_init(struct log_reader *r, int year)
{
    log_clock_init(&r->clock, year);
    r->join = log_join_new(JOINED_MAX);
    return r->join ? MSA_OK : MSA_ENOMEM;
}

void log_reader_fini(struct log_reader *r)
{
    log_join_free(&r->join);
}

size_t log_find(struct view v, const char *needle)
{
    const char *at = memmem(v.p ? v.p : "", v.n, needle, strlen(needle));
    return at ? (size_t)(at - v.p) : v.n;
}

struct view log_value(struct view line, const char *key, const char *ends)
{
    size_t at = log_find(line, key);
    if (at == line.n)
        return VIEW_EMPTY;
    struct view v = view_slice(line, at + strlen(key), line.n);
    size_t n = 0;
    while (n < v.n && !strchr(ends, v.p[n]))
        n++;
    return view_slice(v, 0, n);
}

int log_reader_line(struct log_reader *r, struct view line, struct trace_event *out)
{
    int64_t at_ms;
    if (line.n > 0 && line.p[0] == '{')
        return trace_parse_json(line, out);
    trace_event_init(out);
    if (!log_time_take(&r->clock, &line, &at_ms))
        return MSA_EINVAL;
    out->at_ms = at_ms;
    if (log_msad_line(r, line, out) || log_postfix_line(r, line, out) ||
        log_dovecot_line(line, out) || log_exim_line(line, out))
        return MSA_OK;
    return MSA_ENOENT;
}
