/* A configuration back to text: for people (-T), and for the children. Both are the same walk over
 * the schema; its depth is the schema's, three. */
#include "msa/base/err.h"
#include "msa/config/private.h"

#define INDENT        4
#define ORIGIN_COLUMN 56

struct dumper {
    const struct config *cfg;
    struct buf *out;
    unsigned role; /* only keys that this role may know; 0: all but secrets */
    bool with_origin;
    unsigned depth;
};

static bool is_shown(const struct dumper *d, const struct schema_key *key)
{
    if (d->role == 0)
        return !(key->flags & SCHEMA_SECRET);
    return (key->roles & d->role) != 0;
}

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

static void dump_value(struct dumper *d, const struct schema_key *key, const char *object)
{
    size_t line_start = buf_len(d->out);
    const void *field = object + key->offset;
    add_spaces(d->out, d->depth * INDENT);
    buf_addf(d->out, "%s ", key->name);
    value_format(key, field, d->out);
    buf_add_char(d->out, ';');
    if (d->with_origin)
        add_origin(d, field, line_start);
    buf_add_char(d->out, '\n');
}

static void dump_keys(struct dumper *d, const struct schema_block *block, const char *object);

static void dump_block(struct dumper *d, const struct schema_key *key, const char *object)
{
    const struct schema_key *label = key->block->label;
    add_spaces(d->out, d->depth * INDENT);
    buf_addf(d->out, "%s ", key->name);
    if (label) {
        value_format(label, object + label->offset, d->out);
        buf_add_char(d->out, ' ');
    }
    buf_add_cstr(d->out, "{\n");
    d->depth++;
    dump_keys(d, key->block, object);
    d->depth--;
    add_spaces(d->out, d->depth * INDENT);
    buf_add_cstr(d->out, "}\n");
}

static void dump_keys(struct dumper *d, const struct schema_block *block, const char *object)
{
    for (size_t i = 0; i < block->key_count; i++) {
        const struct schema_key *key = &block->keys[i];
        if (!is_shown(d, key))
            continue;
        if (key->type == SCHEMA_BLOCKS) {
            const char *item = *(const char *const *)(const void *)(object + key->offset);
            uint32_t count = *(const uint32_t *)(const void *)(object + key->count_offset);
            for (; count > 0; count--, item += key->block->bytes)
                dump_block(d, key, item);
        } else if (key->type == SCHEMA_BLOCK) {
            dump_block(d, key, object + key->offset);
        } else {
            dump_value(d, key, object);
        }
    }
}

static int dump(struct dumper *d)
{
    dump_keys(d, &schema_root, (const char *)d->cfg);
    return buf_failed(d->out) ? MSA_ETOOBIG : MSA_OK;
}

int config_dump(const struct config *cfg, bool with_origin, struct buf *out)
{
    struct dumper d = {.cfg = cfg, .out = out, .with_origin = with_origin};
    return dump(&d);
}

int config_serialize(const struct config *cfg, enum config_role role, struct buf *out)
{
    struct dumper d = {.cfg = cfg, .out = out, .role = role};
    return dump(&d);
}
