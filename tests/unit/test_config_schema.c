/* The table itself: every key complete, every default sound, every page made from it up to date. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "msa/config/config.h"
#include "msa/config/schema.h"
#include "msa/config/value.h"

TestSuite(config_schema, .timeout = 20);

typedef void key_fn(const struct schema_key *key, const struct schema_block *block);

/* Every key of every block. The schema is three blocks deep; four would be seen here. */
static unsigned each_key(const struct schema_block *block, key_fn *fn)
{
    const struct schema_block *stack[64] = {block};
    unsigned depth = 1, count = 0;
    while (depth > 0) {
        const struct schema_block *b = stack[--depth];
        for (size_t i = 0; i < b->key_count; i++, count++) {
            fn(&b->keys[i], b);
            cr_assert(depth < 63);
            if (schema_is_block(&b->keys[i]))
                stack[depth++] = b->keys[i].block;
        }
        if (b->label)
            fn(b->label, b);
    }
    return count;
}

static void has_text_and_role(const struct schema_key *key, const struct schema_block *block)
{
    (void)block;
    size_t n = key->doc ? strlen(key->doc) : 0;
    cr_expect(n > 15, "'%s' lacks documentation", key->name);
    cr_expect(n == 0 || strchr(".;", key->doc[n - 1]), "'%s': no full stop", key->name);
    cr_expect(key->roles & CONFIG_ROLE_SUPERVISOR, "'%s' is hidden from the supervisor", key->name);
    cr_expect(strspn(key->name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(key->name), "'%s'",
              key->name);
    cr_expect(strcmp(key->name, "include") != 0 && strcmp(key->name, "none") != 0);
}

static size_t wanted_bytes(const struct schema_key *key)
{
    if (key->type == SCHEMA_BLOCK)
        return key->block->bytes;
    if (key->type == SCHEMA_BLOCKS)
        return sizeof(void *);
    return key->flags & SCHEMA_LIST ? sizeof(struct value_list) : value_types[key->type].bytes;
}

static void fits_its_field(const struct schema_key *key, const struct schema_block *block)
{
    cr_expect(key->field_bytes == wanted_bytes(key), "'%s': field of %zu bytes, type of %zu",
              key->name, key->field_bytes, wanted_bytes(key));
    cr_expect(key->offset + key->field_bytes <= block->bytes, "'%s' lies outside", key->name);
    cr_expect(key->type != SCHEMA_BLOCKS || key->count_offset > 0, "'%s' has no count", key->name);
    cr_expect(schema_find(block, view_cstr(key->name)) == key || block->label == key,
              "'%s' is there twice", key->name);
}

static void is_its_own_field(const struct schema_key *key, const struct schema_block *block)
{
    for (size_t i = 0; i < block->key_count; i++) {
        const struct schema_key *other = &block->keys[i];
        bool apart = key == other || other->offset >= key->offset + key->field_bytes ||
                     key->offset >= other->offset + other->field_bytes;
        cr_expect(apart, "'%s' and '%s' share bytes", key->name, other->name);
    }
}

static void default_is_sound(const struct schema_key *key, const struct schema_block *block)
{
    struct config_errors errs;
    struct arena arena;
    max_align_t field[8] = {0};
    (void)block;
    if (schema_is_block(key))
        return;
    cr_assert(key->field_bytes <= sizeof field);
    config_errors_init(&errs);
    arena_init(&arena, 1 << 16);
    struct value_site site = {.arena = &arena, .errs = &errs};
    if (key->type <= SCHEMA_DECIMAL && !(key->flags & SCHEMA_LIST))
        cr_expect(key->initial != NULL, "'%s' has no default", key->name);
    if (key->type >= SCHEMA_COUNT && key->type <= SCHEMA_DECIMAL)
        cr_expect(key->min < key->max, "'%s' has no bounds", key->name);
    if (key->type != SCHEMA_HOST)
        cr_expect(value_set_default(&site, key, field), "'%s': bad default", key->name);
    for (uint32_t i = 0; i < errs.count; i++)
        cr_log_error("%s", errs.items[i].text);
    config_errors_fini(&errs);
    arena_fini(&arena);
}

Test(config_schema, every_key_is_documented_and_has_roles)
{
    cr_assert(each_key(&schema_root, has_text_and_role) > 100);
}

Test(config_schema, every_key_fits_its_field)
{
    each_key(&schema_root, fits_its_field);
    each_key(&schema_root, is_its_own_field);
}

Test(config_schema, every_default_is_within_its_own_bounds)
{
    each_key(&schema_root, default_is_sound);
}

static void read_file(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "r");
    char piece[4096];
    size_t n;
    cr_assert(f != NULL, "cannot open %s: run from the top of the repository", path);
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        cr_assert(eq(int, buf_append(out, piece, n), 0));
    fclose(f);
}

Test(config_schema, the_reference_page_is_up_to_date)
{
    struct buf made, kept;
    buf_init(&made, CONFIG_TEXT_MAX_BYTES);
    buf_init(&kept, CONFIG_TEXT_MAX_BYTES);
    cr_assert(eq(int, config_reference(&made), 0));
    read_file("conf/REFERENCE.md", &kept);
    cr_assert(view_eq(buf_view(&made), buf_view(&kept)),
              "run build/tests/config_reference > conf/REFERENCE.md");
    buf_fini(&made);
    buf_fini(&kept);
}

static struct buf reference;

static void stands_in_reference(const struct schema_key *key, const struct schema_block *block)
{
    char wanted[80];
    (void)block;
    if (key->flags & SCHEMA_SNAPSHOT_ONLY || (block->label == key))
        return;
    snprintf(wanted, sizeof wanted, schema_is_block(key) ? "%s" : "**`%s`**", key->name);
    cr_expect(strstr(buf_view(&reference).p, wanted) != NULL, "'%s' is not there", key->name);
    cr_expect(strstr(buf_view(&reference).p, key->doc) != NULL, "'%s': no text", key->name);
}

Test(config_schema, the_reference_page_has_every_key)
{
    buf_init(&reference, CONFIG_TEXT_MAX_BYTES);
    cr_assert(eq(int, config_reference(&reference), 0));
    buf_add_char(&reference, '\0');
    each_key(&schema_root, stands_in_reference);
    cr_assert(strstr(buf_view(&reference).p, "`password`") == NULL);
    buf_fini(&reference);
}

Test(config_schema, the_sample_is_a_good_configuration)
{
    struct config_errors errs;
    struct config *cfg = NULL;
    config_errors_init(&errs);
    cr_assert(eq(int, config_load("conf/msad.conf", &cfg, &errs), 0));
    cr_assert(eq(u32, cfg->listener_count, 2));
    cr_assert(eq(u32, cfg->tls.certificate_count, 2));
    cr_assert(eq(u32, cfg->pool_count, 2));
    cr_assert(eq(u32, cfg->pools[0].smarthost_count, 3));
    config_free(&cfg);
    config_errors_fini(&errs);
}

/* A comment that ends like a statement is one that the reader may want. */
static bool is_statement(struct view comment)
{
    struct view text = view_trim(view_cut(&comment, '#'));
    return text.n > 0 && strchr(";{}", text.p[text.n - 1]) != NULL;
}

Test(config_schema, what_the_sample_comments_out_is_good_too)
{
    struct buf sample, text;
    struct config_errors errs;
    struct config *cfg = NULL;
    unsigned uncommented = 0;
    buf_init(&sample, 1 << 20);
    buf_init(&text, 1 << 20);
    read_file("conf/msad.conf", &sample);
    for (struct view rest = buf_view(&sample); rest.n > 0;) {
        struct view line = view_trim(view_cut(&rest, '\n'));
        struct view comment = view_slice(line, 1, line.n);
        bool is_wanted = line.n > 0 && line.p[0] == '#' && is_statement(comment);
        uncommented += is_wanted;
        buf_add(&text, is_wanted ? comment : line);
        buf_add_char(&text, '\n');
    }
    config_errors_init(&errs);
    config_parse_text(buf_view(&text), "sample", &cfg, &errs);
    for (uint32_t i = 0; i < errs.count; i++) /* those that need files */
        cr_expect(strstr(errs.items[i].text, "works") != NULL, "%s", errs.items[i].text);
    cr_assert(eq(u32, errs.count, 10));
    cr_assert(uncommented > 8);
    config_free(&cfg);
    config_errors_fini(&errs);
    buf_fini(&sample);
    buf_fini(&text);
}
