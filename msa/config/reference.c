/* conf/REFERENCE.md: the table for people. */
#include <stdio.h>

#include "msa/base/err.h"
#include "msa/config/private.h"

#define PATH_MAX_TEXT 96 /* "pool / smarthost" */

static const char introduction[] =
    "# Settings of msad\n"
    "\n"
    "Made from the table in `msa/config/schema*.c` by `build/tests/config_reference`; do not\n"
    "edit.\n"
    "\n"
    "A file is a list of `key value…;` and `block [NAME] { … }`. `#` opens a comment up to the end\n"
    "of the line. A value that holds spaces or any of `{ } ; #` stands between \"quotes\" with the\n"
    "escapes `\\\"`, `\\\\`, `\\t` and `\\xNN`. `include \"conf.d/*.conf\";` puts other files in its\n"
    "place, relative to the file that it stands in; each must close the blocks that it opens. A\n"
    "setting stands once; order matters only among repeated blocks.\n"
    "\n"
    "`msad -t -f FILE` checks a file and shows all mistakes at once; `msad -T -f FILE` prints every\n"
    "setting in force with the line that it comes from. SIGHUP (or `msactl reload`) takes a new\n"
    "file into force without dropping a session; one with mistakes changes nothing.\n"
    "\n"
    "| kind of value | how it is written |\n"
    "| --- | --- |\n";

static void add_types(struct buf *out)
{
    buf_add_cstr(out, "| yes or no | `yes`, `no` |\n");
    for (int t = 0; t < SCHEMA_TYPE_COUNT; t++)
        if (value_types[t].usage[0] != '\0' && t != SCHEMA_SIZE64)
            buf_addf(out, "| %s | %s |\n", value_types[t].what, value_types[t].usage);
    buf_add_cstr(out, "| a list | values separated by spaces, or `none` |\n");
}

static void add_words(const struct schema_key *key, const char *before, struct buf *out)
{
    for (const struct schema_word *w = key->words; w && w->text; w++)
        buf_addf(out, "%s`%s`", w == key->words ? before : ", ", w->text);
}

static void add_kind(const struct schema_key *key, struct buf *out)
{
    if (key->type == SCHEMA_CHOICE)
        add_words(key, "one of ", out);
    else if (key->type == SCHEMA_CHOICES)
        add_words(key, "some of ", out);
    else
        buf_addf(out, "%s%s", key->flags & SCHEMA_LIST ? "list: " : "",
                 value_types[key->type].what);
    if (key->type >= SCHEMA_COUNT && key->type <= SCHEMA_DECIMAL && key->type != SCHEMA_RATE) {
        buf_add_cstr(out, ", ");
        value_format_bound(key, key->min, out);
        buf_add_cstr(out, " to ");
        value_format_bound(key, key->max, out);
        add_words(key, ", or ", out);
    }
}

static void add_default(const struct schema_key *key, struct buf *out)
{
    if (key->flags & SCHEMA_REQUIRED)
        buf_add_cstr(out, "required");
    else if (key->initial)
        buf_addf(out, "default `%s`", key->initial);
    else if (key->flags & SCHEMA_LIST)
        buf_add_cstr(out, "default `none`");
    else
        buf_add_cstr(out, "default empty");
}

static void add_setting(const struct schema_key *key, struct buf *out)
{
    buf_addf(out, "- **`%s`** — ", key->name);
    add_kind(key, out);
    buf_add_cstr(out, "; ");
    add_default(key, out);
    buf_addf(out, ".  \n  %s\n", key->doc);
}

/* The settings of one block; its own blocks follow under headings of theirs. */
static void add_block(const struct schema_block *block, const char *path, struct buf *out)
{
    for (size_t i = 0; i < block->key_count; i++)
        if (!schema_is_block(&block->keys[i]) &&
            !(block->keys[i].flags & SCHEMA_SNAPSHOT_ONLY))
            add_setting(&block->keys[i], out);
    for (size_t i = 0; i < block->key_count; i++) {
        const struct schema_key *key = &block->keys[i];
        if (!schema_is_block(key))
            continue;
        char inner[PATH_MAX_TEXT];
        snprintf(inner, sizeof inner, "%s%s%s", path, path[0] ? " / " : "", key->name);
        buf_addf(out, "\n## %s%s\n\n%s%s\n\n", inner, key->block->label ? " NAME" : "", key->doc,
                 key->type == SCHEMA_BLOCKS ? " May be repeated." : "");
        if (key->block->label)
            buf_addf(out, "- **NAME** — %s; required.  \n  %s\n",
                     value_types[key->block->label->type].what, key->block->label->doc);
        add_block(key->block, inner, out);
    }
}

int config_reference(struct buf *out)
{
    buf_add_cstr(out, introduction);
    add_types(out);
    buf_add_cstr(out, "\n## Top level\n\n");
    add_block(&schema_root, "", out);
    return buf_failed(out) ? MSA_ETOOBIG : MSA_OK;
}
