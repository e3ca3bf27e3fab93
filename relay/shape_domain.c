/* From a recipient to the destination that the configuration has for his domain. */
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/domain.h"
#include "relay/shape_impl.h"

struct gate_limits shape_limits(const struct config_towards *t)
{
    return (struct gate_limits){
        .connection_count = t->connection_count,
        .messages_per_minute = t->messages_per_minute,
        .rcpts_per_minute = t->recipients_per_minute,
        .messages_per_connection = t->messages_per_connection_count,
    };
}

static bool lower(struct view text, char out[SHAPE_NAME_SIZE])
{
    if (text.n >= SHAPE_NAME_SIZE)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if ((unsigned char)c > 127)
            return false;
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return true;
}

struct view shape_domain_of(struct view path, char out[SHAPE_NAME_SIZE])
{
    struct view domain = path;
    for (size_t i = path.n; i > 0; i--) {
        if (path.p[i - 1] != '@')
            continue;
        domain = view_slice(path, i, path.n);
        break;
    }
    if (lower(domain, out))
        return view_of(out, domain.n);
    char canonical[DOMAIN_SIZE];
    int n = domain_canonical(domain, canonical);
    if (n < 0)
        return view_slice(domain, 0, SHAPE_NAME_SIZE - 1);
    memcpy(out, canonical, (size_t)n);
    return view_of(out, (size_t)n);
}

static struct shape_domain *find_domain(const struct shapes *all, struct view name)
{
    struct table_entry *found = table_find(&all->domains, name);
    return found ? CONTAINER_OF(found, struct shape_domain, by_name) : NULL;
}

/* The nearest: itself, then the domains above it. */
const struct shape_domain *shapes_group_of(const struct shapes *all, struct view domain)
{
    if (all->domains.count == 0)
        return NULL;
    const struct shape_domain *found = find_domain(all, domain);
    for (size_t i = 1; i < domain.n && !found; i++) {
        if (domain.p[i] == '.')
            found = find_domain(all, view_slice(domain, i, domain.n));
    }
    return found;
}

static void free_domain(struct table_entry *e, void *arg)
{
    struct shapes *all = arg;
    table_remove(&all->domains, e);
    free(CONTAINER_OF(e, struct shape_domain, by_name));
}

void shapes_clear_domains(struct shapes *all)
{
    table_each(&all->domains, free_domain, all);
}

static int add_domain(struct shapes *all, const char *destination, struct view text)
{
    char canonical[DOMAIN_SIZE];
    bool is_below = text.n > 0 && text.p[0] == '.';
    int n = domain_canonical(view_slice(text, is_below, text.n), canonical);
    if (n < 0)
        return MSA_OK; /* the configuration's check has seen it */
    size_t total = (size_t)n + is_below;
    struct shape_domain *d = calloc(1, sizeof *d + total + 1);
    if (!d)
        return MSA_ENOMEM;
    d->destination = destination;
    d->name[0] = '.';
    memcpy(d->name + is_below, canonical, (size_t)n);
    d->by_name.key = view_of(d->name, total);
    int err = table_insert(&all->domains, &d->by_name);
    if (err < 0)
        free(d);
    return err == MSA_EEXIST ? MSA_OK : err;
}

int shapes_set_domains(struct shapes *all, const struct config *config)
{
    int err = MSA_OK;
    shapes_clear_domains(all);
    for (uint32_t i = 0; i < config->destination_count && err == MSA_OK; i++) {
        const struct config_destination *d = &config->destinations[i];
        for (uint32_t k = 0; k < d->domains.count && err == MSA_OK; k++)
            err = add_domain(all, d->name, view_cstr(d->domains.items[k]));
    }
    return err;
}

void shape_destination(const struct shapes *all, struct view path, char out[SHAPE_NAME_SIZE], bool *is_group)
{
    char domain[SHAPE_NAME_SIZE];
    struct view name = shape_domain_of(path, domain);
    const struct shape_domain *group = shapes_group_of(all, name);
    *is_group = group != NULL;
    if (group)
        name = view_cstr(group->destination);
    view_to_cstr(view_slice(name, 0, SHAPE_NAME_SIZE - 1), out, SHAPE_NAME_SIZE);
}
