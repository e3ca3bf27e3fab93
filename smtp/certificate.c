#include "smtp/certificate.h"

#include <string.h>

#include "msa/config/config.h"

struct view certificate_map_find(struct view map, struct view common_name)
{
    struct view found = VIEW_EMPTY;
    while (map.n > 0) {
        struct view line = view_cut(&map, '\n');
        if (line.n > 0 && line.p[line.n - 1] == '\r')
            line.n--;
        struct view name = view_trim(line);
        if (name.n == 0 || name.p[0] == '#')
            continue;
        struct view login = view_cut(&name, ' ');
        if (!view_eq(view_trim(name), common_name) || common_name.n == 0)
            continue;
        if (found.n > 0)
            return VIEW_EMPTY;
        found = login;
    }
    return found;
}

static const struct config_client_certificates *settings_of(const struct smtp_session *s)
{
    const struct config *c = s->site->config;
    for (uint32_t i = 0; i < c->listener_count; i++)
        if (strcmp(c->listeners[i].name, s->listener) == 0)
            return &c->listeners[i].client_certificates;
    return NULL; /* a reload took it away */
}

bool certificate_login(const struct smtp_session *s, char out[CERTIFICATE_LOGIN_SIZE])
{
    const struct config_client_certificates *set = settings_of(s);
    out[0] = '\0';
    if (!set || set->ca_pem[0] == '\0' || !(s->flags & SMTP_TLS))
        return false;
    const struct tls_facts *tls = s->site->host->tls_facts(s);
    if (!tls || !tls->client)
        return false;
    struct view login = set->map[0] != '\0' ? certificate_map_find(view_cstr(set->map), view_cstr(tls->client->name))
                                            : view_cstr(tls->client->mail);
    return view_to_cstr(login, out, CERTIFICATE_LOGIN_SIZE) && out[0] != '\0';
}
