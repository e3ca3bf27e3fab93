/* Contradictions in the settings of the services that the score process asks. */
#include <string.h>
#include <sys/un.h>

#include "msa/config/check.h"
#include "msa/config/value.h"

bool config_service_address(const char *text, struct config_service_address *out)
{
    struct view v = view_cstr(text), host;
    *out = (struct config_service_address){.port = 0};
    if (v.n > 0 && v.p[0] == '/') {
        out->path = text;
        return v.n < sizeof((struct sockaddr_un *)0)->sun_path;
    }
    if (v.n > 0 && v.p[0] == '[') {
        size_t close = view_find(v, ']');
        host = view_slice(v, 1, close);
        v = view_slice(v, close + 1, v.n);
        return view_take_char(&v, ':') && ipaddr_parse(host, &out->ip) &&
               !ipaddr_is_v4(&out->ip) && value_parse_port(v, &out->port);
    }
    host = view_cut(&v, ':');
    return ipaddr_parse(host, &out->ip) && value_parse_port(v, &out->port);
}

static void check_service(const struct checker *c, const struct config_service *s)
{
    struct config_service_address at;
    if (s->socket[0] && !config_service_address(s->socket, &at))
        report_add(c->errs, check_place(c, &s->socket, s),
                   "'%s' is no socket: an address with port, such as 127.0.0.1:11333 or [::1]:11333, or "
                   "an absolute path of at most %zu bytes",
                   s->socket, sizeof((struct sockaddr_un *)0)->sun_path - 1);
    if (s->deadline_ms >= c->cfg->score.deadline_ms)
        report_add(c->errs, check_place(c, &s->deadline_ms, s),
                   "'deadline' of '%s' must be shorter than 'deadline' of block 'score' (%lld ms), or "
                   "its answer comes too late to count",
                   s->name, (long long)c->cfg->score.deadline_ms);
}

static const struct config_service *service_at(const struct config_services *s, uint32_t i)
{
    if (i < s->rspamd_count)
        return &s->rspamds[i].common;
    i -= s->rspamd_count;
    if (i < s->clamd_count)
        return &s->clamds[i].common;
    i -= s->clamd_count;
    return i < s->milter_count ? &s->milters[i].common : NULL;
}

void check_services(const struct checker *c)
{
    const struct config_services *all = &c->cfg->score.services;
    const struct config_service *s, *other;
    for (uint32_t i = 0; (s = service_at(all, i)) != NULL; i++) {
        check_service(c, s);
        for (uint32_t k = 0; k < i && (other = service_at(all, k)) != NULL; k++)
            if (strcmp(s->name, other->name) == 0)
                report_add(c->errs, check_place(c, s, s),
                           "two services are called '%s': findings could not be told apart", s->name);
    }
}
