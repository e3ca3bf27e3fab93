/* The tree meets the schema: every statement fills its field, every field that none filled has its
 * default.
 *
 * For each key of a block the statements are looked through, so a block costs keys × statements;
 * the statements are bounded by the size of a file, the keys by the table. Recursion follows the
 * schema, three deep, never the input: a block that the schema does not know is not entered. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/config/private.h"

struct binder {
    struct value_site *site;
    struct config_private *priv;
    unsigned role; /* 0: a whole configuration */
    bool is_good;
};

static bool is_visible(const struct binder *b, const struct schema_key *key)
{
    if (b->role == 0)
        return !(key->flags & SCHEMA_SNAPSHOT_ONLY);
    return (key->roles & b->role) != 0;
}

static void *field_of(void *object, const struct schema_key *key)
{
    return (char *)object + key->offset;
}

static const struct tree_node *next_of(const struct tree_node *node, const struct schema_key *key)
{
    while (node && !view_eq(node->key, view_cstr(key->name)))
        node = node->next;
    return node;
}

static const struct tree_node *first_of(const struct tree_node *block,
                                        const struct schema_key *key)
{
    return block ? next_of(block->first_child, key) : NULL;
}

static void note_origin(struct binder *b, const void *object, bool is_block,
                        const struct place *at)
{
    if (b->role == 0)
        origin_add(b->priv, object, is_block, at, &b->site->is_out_of_memory);
}

/* ---- what must not be there ------------------------------------------------------------------ */

/* The other block that knows the key, for "belongs into"; looks one level below the root. */
static const char *home_of(struct view name)
{
    for (size_t i = 0; i < schema_root.key_count; i++) {
        const struct schema_key *key = &schema_root.keys[i];
        if (schema_is_block(key) && schema_find(key->block, name))
            return key->name;
    }
    return NULL;
}

static void report_unknown(struct binder *b, const struct schema_block *block,
                           const struct tree_node *node)
{
    struct config_errors *errs = b->site->errs;
    b->is_good = false;
    if (report_is_full(errs)) {
        errs->dropped_count++;
        return;
    }
    struct suggest near = {.word = node->key};
    for (size_t i = 0; i < block->key_count; i++)
        if (is_visible(b, &block->keys[i]))
            suggest_offer(&near, block->keys[i].name);
    const char *hint = suggest_text(&near);
    const char *home = hint[0] ? NULL : home_of(node->key);
    const char *what = node->is_block ? "block" : "setting";
    struct view within = node->parent->parent ? node->parent->key : VIEW_EMPTY;
    const char *in = within.n > 0 ? " in block '" : " at the top level";
    report_add(errs, &node->at, "unknown %s '%.*s'%s%.*s%s%s%s%s%s", what, SHOWN(node->key), in,
               SHOWN(within), within.n > 0 ? "'" : "", hint,
               home ? " (it belongs into block '" : "", home ? home : "", home ? "')" : "");
}

static void reject_unknown(struct binder *b, const struct schema_block *block,
                           const struct tree_node *node)
{
    for (const struct tree_node *child = node->first_child; child; child = child->next) {
        const struct schema_key *key = schema_find(block, child->key);
        if (key && is_visible(b, key))
            continue;
        if (key && b->role == 0) {
            report_add(b->site->errs, &child->at,
                       "'%s' may not stand in a file, use '%s_file' to name one that holds it",
                       key->name, key->name);
            b->is_good = false;
        } else {
            report_unknown(b, block, child);
        }
    }
}

static void reject_second(struct binder *b, const struct schema_key *key,
                          const struct tree_node *first)
{
    const struct tree_node *node = next_of(first->next, key);
    for (; node; node = next_of(node->next, key)) {
        report_add(b->site->errs, &node->at, "'%s' is already set at %s:%u", key->name,
                   first->at.file, first->at.line);
        b->is_good = false;
    }
}

/* ---- settings -------------------------------------------------------------------------------- */

static bool fail_kind(struct binder *b, const struct schema_key *key, const struct tree_node *node)
{
    if (schema_is_block(key))
        report_add(b->site->errs, &node->at, "'%s' is a block: %s%s { … }", key->name, key->name,
                   key->block->label ? " NAME" : "");
    else if (node->words && node->words->next && node->words->next->at.line > node->at.line)
        report_add(b->site->errs, &node->words->at, "';' is missing behind '%.*s'",
                   SHOWN(node->words->text));
    else
        report_add(b->site->errs, &node->at, "'%s' is not a block: %s VALUE;", key->name,
                   key->name);
    b->is_good = false;
    return false;
}

static void bind_value(struct binder *b, const struct schema_key *key,
                       const struct tree_node *block, void *object)
{
    void *field = field_of(object, key);
    const struct tree_node *node = first_of(block, key);
    /* The default first: a field keeps it when its statement is wrong, so that the checks between
     * settings always find something sound. */
    if (!value_set_default(b->site, key, field))
        b->is_good = false;
    if (!node) {
        if (block && (key->flags & SCHEMA_REQUIRED) && b->role == 0) {
            report_add(b->site->errs, &block->at, "'%s' is missing: %s, %s", key->name,
                       value_types[key->type].what, value_types[key->type].usage);
            b->is_good = false;
        }
        return;
    }
    reject_second(b, key, node);
    if (node->is_block)
        fail_kind(b, key, node);
    else if (!value_set(b->site, key, node, field))
        b->is_good = false;
    note_origin(b, field, false, &node->at);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

static void bind_block(struct binder *b, const struct schema_block *block,
                       const struct tree_node *node, void *object);

static void bind_single(struct binder *b, const struct schema_key *key,
                        const struct tree_node *parent, void *object)
{
    const struct tree_node *node = first_of(parent, key);
    if (node) {
        reject_second(b, key, node);
        note_origin(b, field_of(object, key), true, &node->at);
        if (!node->is_block) {
            fail_kind(b, key, node);
            node = NULL;
        } else if (node->word_count > 0) {
            report_add(b->site->errs, &node->words->at, "block '%s' has no name", key->name);
            b->is_good = false;
        }
    }
    bind_block(b, key->block, node, field_of(object, key));
}

static void bind_label(struct binder *b, const struct schema_key *key,
                       const struct tree_node *node, void *object)
{
    const struct schema_key *label = key->block->label;
    if (!label && node->word_count == 0)
        return;
    if (label) {
        void *field = field_of(object, label);
        *(const char **)field = ""; /* a text, or a host, which begins with one */
        if (node->word_count == 1 && node->words->text.n > 0) {
            if (!value_parse(b->site, label, node->words, field))
                b->is_good = false;
            return;
        }
    }
    report_add(b->site->errs, &node->at, "block '%s' takes %s", key->name,
               label ? "one name in front of its '{'" : "no name");
    b->is_good = false;
}

/* Names are compared pair by pair: there are at most a few hundred. */
static void reject_second_name(struct binder *b, const struct schema_key *key,
                               const struct tree_node *node)
{
    if (!key->block->label || key->block->label->type != SCHEMA_NAME || node->word_count != 1)
        return;
    const struct tree_node *other = first_of(node->parent, key);
    for (; other && other != node; other = next_of(other->next, key)) {
        if (other->word_count != 1 || !view_eq(other->words->text, node->words->text))
            continue;
        report_add(b->site->errs, &node->words->at, "%s '%.*s' is already defined at %s:%u",
                   key->name, SHOWN(node->words->text), other->at.file, other->at.line);
        b->is_good = false;
        return;
    }
}

static void bind_repeated_one(struct binder *b, const struct schema_key *key,
                              const struct tree_node *node, void *object)
{
    note_origin(b, object, true, &node->at);
    bool has_body = node->is_block || key->block->body_is_optional;
    if (!has_body)
        fail_kind(b, key, node);
    reject_second_name(b, key, node);
    bind_block(b, key->block, has_body ? node : NULL, object);
    bind_label(b, key, node, object);
}

static void bind_repeated(struct binder *b, const struct schema_key *key,
                          const struct tree_node *parent, void *object)
{
    uint32_t count = 0;
    const struct tree_node *node = first_of(parent, key);
    for (const struct tree_node *n = node; n; n = next_of(n->next, key))
        count++;
    if (count == 0)
        return;
    if (count > key->max) {
        report_add(b->site->errs, &node->at, "%u blocks '%s', at most %lld are possible", count,
                   key->name, (long long)key->max);
        b->is_good = false;
        return;
    }
    char *items = arena_alloc(b->site->arena, key->block->bytes * count);
    if (!items) {
        b->site->is_out_of_memory = true;
        return;
    }
    memcpy(field_of(object, key), &items, sizeof items);
    memcpy((char *)object + key->count_offset, &count, sizeof count);
    for (; node; node = next_of(node->next, key), items += key->block->bytes)
        bind_repeated_one(b, key, node, items);
}

/* `node` may be NULL: the block is not there, and all of it has its defaults. */
static void bind_block(struct binder *b, const struct schema_block *block,
                       const struct tree_node *node, void *object)
{
    if (node)
        reject_unknown(b, block, node);
    for (size_t i = 0; i < block->key_count && !b->site->is_out_of_memory; i++) {
        const struct schema_key *key = &block->keys[i];
        const struct tree_node *from = is_visible(b, key) ? node : NULL;
        if (key->type == SCHEMA_BLOCKS)
            bind_repeated(b, key, from, object);
        else if (key->type == SCHEMA_BLOCK)
            bind_single(b, key, from, object);
        else
            bind_value(b, key, from, object);
    }
}

bool bind_tree(struct config *cfg, const struct tree_node *root, unsigned role,
               struct value_site *site)
{
    struct binder b = {.site = site, .priv = cfg->priv, .role = role, .is_good = true};
    bind_block(&b, &schema_root, root, cfg);
    return b.is_good && !site->is_out_of_memory;
}
