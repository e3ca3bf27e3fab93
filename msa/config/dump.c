/* A configuration back to text: for people (-T), and for the children. */
#include "msa/base/err.h"
#include "msa/config/private.h"

#define INDENT        4
#define ORIGIN_COLUMN 56

struct dumper {
    const struct config *cfg;
    struct buf *out;
    bool with_origin;
    unsigned depth;
};

static void add_spaces(struct buf *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        buf_add_char(out, ' ');
}

static void add_origin(struct dumper *d, const void *field, size_t line_start)
{
    const struct place *at = origin_find(d->cfg->priv, field, false);
    size_t width = buf_len(d->out) - line_start;
    add_spaces(d->out, width < ORIGIN_COLUMN ? ORIGIN_COLUMN - width : 1);
    if (at)
        buf_addf(d->out, "# %s:%u", at->file, at->line);
    else
        buf_add_cstr(d->out, "# default");
}

static void dump_value(void *arg, const struct schema_key *key, const void *field)
{
    struct dumper *d = arg;
    size_t line_start = buf_len(d->out);
    add_spaces(d->out, d->depth * INDENT);
    buf_addf(d->out, "%s ", key->name);
    value_format(key, field, d->out);
    buf_add_char(d->out, ';');
    if (d->with_origin)
        add_origin(d, field, line_start);
    buf_add_char(d->out, '\n');
}

static void dump_begin(void *arg, const struct schema_key *key, const char *object)
{
    struct dumper *d = arg;
    add_spaces(d->out, d->depth * INDENT);
    walk_format_block(key, object, d->out);
    buf_add_cstr(d->out, " {\n");
    d->depth++;
}

static void dump_end(void *arg)
{
    struct dumper *d = arg;
    d->depth--;
    add_spaces(d->out, d->depth * INDENT);
    buf_add_cstr(d->out, "}\n");
}

static int dump(struct dumper *d, unsigned role)
{
    static const struct walk_visitor visitor = {dump_value, dump_begin, dump_end};
    walk_settings(d->cfg, role, &visitor, d);
    return buf_failed(d->out) ? MSA_ETOOBIG : MSA_OK;
}

int config_dump(const struct config *cfg, bool with_origin, struct buf *out)
{
    struct dumper d = {.cfg = cfg, .out = out, .with_origin = with_origin};
    return dump(&d, 0);
}

int config_serialize(const struct config *cfg, enum config_role role, struct buf *out)
{
    struct dumper d = {.cfg = cfg, .out = out};
    return dump(&d, role);
}
