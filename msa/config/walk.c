/* All settings in the order of the schema. The depth is the schema's, three. */
#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/config/private.h"

struct walker {
    unsigned role;
    const struct walk_visitor *visitor;
    void *arg;
};

static bool is_shown(const struct walker *w, const struct schema_key *key)
{
    if (w->role == 0)
        return !(key->flags & SCHEMA_SECRET);
    return (key->roles & w->role) != 0;
}

static void walk_keys(const struct walker *w, const struct schema_block *block, const char *object);

static void walk_block(const struct walker *w, const struct schema_key *key, const char *object)
{
    w->visitor->begin(w->arg, key, object);
    walk_keys(w, key->block, object);
    w->visitor->end(w->arg);
}

static void walk_keys(const struct walker *w, const struct schema_block *block, const char *object)
{
    for (size_t i = 0; i < block->key_count; i++) {
        const struct schema_key *key = &block->keys[i];
        if (!is_shown(w, key))
            continue;
        if (key->type == SCHEMA_BLOCKS) {
            const char *item = *(const char *const *)(const void *)(object + key->offset);
            uint32_t count = *(const uint32_t *)(const void *)(object + key->count_offset);
            for (; count > 0; count--, item += key->block->bytes)
                walk_block(w, key, item);
        } else if (key->type == SCHEMA_BLOCK) {
            walk_block(w, key, object + key->offset);
        } else {
            w->visitor->value(w->arg, key, object + key->offset);
        }
    }
}

void walk_settings(const struct config *cfg, unsigned role, const struct walk_visitor *visitor, void *arg)
{
    const struct walker w = {.role = role, .visitor = visitor, .arg = arg};
    walk_keys(&w, &schema_root, (const char *)cfg);
}

void walk_format_block(const struct schema_key *key, const char *object, struct buf *out)
{
    const struct schema_key *label = key->block->label;
    buf_add_cstr(out, key->name);
    if (!label)
        return;
    buf_add_char(out, ' ');
    value_format(label, object + label->offset, out);
}

/* ---- for those who want data and not text ---- */

#define DEPTH_MAX 8

struct lister {
    const struct config *cfg;
    config_setting_fn *fn;
    void *arg;
    struct buf block, value;
    size_t ends[DEPTH_MAX]; /* of the names that stand in `block` */
    unsigned depth;
};

static void tell(struct lister *l, const char *name, const struct schema_key *key, const void *field,
                 const struct place *at)
{
    buf_reset(&l->value);
    value_format(key, field, &l->value);
    const struct config_setting s = {
        .block = buf_view(&l->block),
        .key = name,
        .value = buf_view(&l->value),
        .file = at ? at->file : NULL,
        .line = at ? at->line : 0,
    };
    l->fn(l->arg, &s);
}

static void list_value(void *arg, const struct schema_key *key, const void *field)
{
    struct lister *l = arg;
    tell(l, key->name, key, field, origin_find(l->cfg->priv, field, false));
}

/* The label of a block is a setting where it stands: "smarthost", in "pool main". */
static void list_begin(void *arg, const struct schema_key *key, const char *object)
{
    struct lister *l = arg;
    const struct schema_key *label = key->block->label;
    MSA_ASSERT(l->depth < DEPTH_MAX);
    if (label)
        tell(l, key->name, label, object + label->offset, origin_find(l->cfg->priv, object, true));
    l->ends[l->depth++] = buf_len(&l->block);
    if (buf_len(&l->block) > 0)
        buf_add_cstr(&l->block, " / ");
    walk_format_block(key, object, &l->block);
}

static void list_end(void *arg)
{
    struct lister *l = arg;
    buf_truncate(&l->block, l->ends[--l->depth]);
}

int config_each(const struct config *cfg, config_setting_fn *fn, void *arg)
{
    static const struct walk_visitor visitor = {list_value, list_begin, list_end};
    struct lister l = {.cfg = cfg, .fn = fn, .arg = arg};
    buf_init(&l.block, CONFIG_TEXT_MAX_BYTES);
    buf_init(&l.value, CONFIG_TEXT_MAX_BYTES);
    walk_settings(cfg, 0, &visitor, &l);
    int err = buf_failed(&l.block) || buf_failed(&l.value) ? MSA_ETOOBIG : MSA_OK;
    buf_fini(&l.block);
    buf_fini(&l.value);
    return err;
}
