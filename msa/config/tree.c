/* The parser. What recovers after a mistake: a statement ends at the first of ; { } or the end of its
 * file, and each file closes exactly the blocks that it opened, so that one forgotten brace is
 * reported once, with the line that opened the block. */
#include "msa/config/tree.h"

#include <glob.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/config/file.h"
#include "msa/config/lexer.h"

#define FILES_MAX         256
#define INCLUDE_DEPTH_MAX 8

/* A file being read. Those to come lie below it: the last one pushed is read first. */
struct source {
    struct source *below;
    const struct source *includer;
    struct lexer lexer;
    struct tree_node *base; /* the block it stands in: what it opens it must close */
    unsigned depth;
    dev_t dev; /* identity, to see a file include itself */
    ino_t ino;
};

struct parser {
    struct tree *tree;
    struct source *source;
    struct tree_node *block; /* innermost open block */
    unsigned file_count;
};

static void *take(struct parser *p, size_t n)
{
    void *memory = arena_alloc(&p->tree->arena, n);
    if (!memory)
        p->tree->is_out_of_memory = true;
    return memory;
}

/* ---- statements ------------------------------------------------------------------------------ */

static struct tree_node *add_node(struct parser *p, const struct token *key)
{
    struct tree_node *node = take(p, sizeof *node);
    if (!node)
        return NULL;
    *node = (struct tree_node){.parent = p->block, .key = key->text, .at = key->at};
    if (p->block->last_child)
        p->block->last_child->next = node;
    else
        p->block->first_child = node;
    p->block->last_child = node;
    return node;
}

static void add_word(struct parser *p, struct tree_node *node, const struct token *t)
{
    struct tree_word *word = take(p, sizeof *word);
    if (!word)
        return;
    *word = (struct tree_word){.text = t->text,
                               .at = t->at,
                               .is_quoted = t->kind == TOKEN_STRING,
                               .is_bad = t->is_bad};
    if (node->last_word)
        node->last_word->next = word;
    else
        node->words = word;
    node->last_word = word;
    node->word_count++;
}

static void close_block(struct parser *p, const struct token *t)
{
    if (p->block == p->source->base) {
        report_add(p->tree->errs, &t->at, "'}' without a block that it could close");
        return;
    }
    p->block = p->block->parent;
}

/* At the end of a file: blocks that it opened and did not close. */
static void end_source(struct parser *p)
{
    struct source *source = p->source;
    for (; p->block != source->base; p->block = p->block->parent)
        report_add(p->tree->errs, &p->block->at,
                   "block '%.*s' opened here is not closed at the end of the file, add a '}'",
                   SHOWN(p->block->key));
    if (source->lexer.is_out_of_memory)
        p->tree->is_out_of_memory = true;
    p->source = source->below;
}

/* ---- include --------------------------------------------------------------------------------- */

static bool includes_itself(const struct source *includer, const struct stat *st)
{
    for (; includer; includer = includer->includer)
        if (includer->dev == st->st_dev && includer->ino == st->st_ino)
            return true;
    return false;
}

static void push_source(struct parser *p, const struct source *includer, struct view text,
                        const char *name, const struct stat *st)
{
    struct source *source = take(p, sizeof *source);
    if (!source)
        return;
    *source = (struct source){.below = p->source, .includer = includer, .base = p->block};
    source->depth = includer ? includer->depth + 1 : 0;
    if (st) {
        source->dev = st->st_dev;
        source->ino = st->st_ino;
    }
    lexer_init(&source->lexer, text, name, &p->tree->arena, p->tree->errs);
    p->source = source;
}

static void include_file(struct parser *p, const struct source *includer,
                         const struct place *at, const char *path)
{
    if (++p->file_count > FILES_MAX) {
        report_add(p->tree->errs, at, "more than %d files included", FILES_MAX);
        return;
    }
    const char *name = arena_strdup(p->tree->names, path);
    if (!name) {
        p->tree->is_out_of_memory = true;
        return;
    }
    struct view text;
    struct stat st;
    char why[FILE_WHY_MAX];
    if (file_read(name, FILE_MAX_BYTES, &p->tree->arena, &text, &st, why) < 0)
        report_add(p->tree->errs, at, "cannot include %s: %s", name, why);
    else if (includes_itself(includer, &st))
        report_add(p->tree->errs, at, "%s includes itself", name);
    else
        push_source(p, includer, text, name, &st);
}

/* A relative pattern begins at the directory of the file it stands in. NULL without memory. */
static const char *pattern_from(struct parser *p, const struct tree_word *word)
{
    const char *slash = strrchr(word->at.file, '/');
    if ((word->text.n > 0 && word->text.p[0] == '/') || !slash)
        return arena_strview(&p->tree->arena, word->text);
    return arena_printf(&p->tree->arena, "%.*s/%.*s", (int)(slash - word->at.file),
                        word->at.file, (int)word->text.n, word->text.p);
}

/* All files that fit, in the order of their names; they are pushed backwards for that. */
static void include_pattern(struct parser *p, const struct tree_word *word)
{
    const char *pattern = pattern_from(p, word);
    if (!pattern) {
        p->tree->is_out_of_memory = true;
        return;
    }
    glob_t found;
    const struct source *includer = p->source;
    int rc = glob(pattern, GLOB_NOMAGIC, NULL, &found); /* without * ? [ the name itself */
    if (rc == 0) {
        for (size_t i = found.gl_pathc; i-- > 0 && !p->tree->is_out_of_memory;)
            include_file(p, includer, &word->at, found.gl_pathv[i]);
        globfree(&found);
    } else if (rc == GLOB_NOSPACE) {
        p->tree->is_out_of_memory = true;
    } else if (rc != GLOB_NOMATCH) {
        report_add(p->tree->errs, &word->at, "cannot read the directory of '%s'", pattern);
    }
}

static void include(struct parser *p, const struct tree_node *node)
{
    const struct tree_word *word = node->words;
    if (!p->tree->has_files)
        report_add(p->tree->errs, &node->at, "include works only in a file");
    else if (node->word_count != 1 || word->text.n == 0)
        report_add(p->tree->errs, &node->at, "include takes one value: include \"conf.d/*.conf\";");
    else if (p->source->depth == INCLUDE_DEPTH_MAX)
        report_add(p->tree->errs, &node->at, "files include each other more than %d deep",
                   INCLUDE_DEPTH_MAX);
    else
        include_pattern(p, word);
}

/* Takes the include statement out of the tree again: what it stands for comes behind it. */
static void finish_include(struct parser *p, struct tree_node *node, struct tree_node *before)
{
    if (before)
        before->next = NULL;
    else
        p->block->first_child = NULL;
    p->block->last_child = before;
    include(p, node);
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void report_missing_semicolon(struct parser *p, const struct tree_node *node)
{
    struct view last = node->last_word ? node->last_word->text : node->key;
    if (node->last_word && node->last_word->is_bad)
        return; /* an open string has swallowed it */
    report_add(p->tree->errs, node->last_word ? &node->last_word->at : &node->at,
               "';' is missing behind '%.*s'", SHOWN(last));
}

/* From the key to what ends the statement. A '}' or the end of the file stand for a missing ';'. */
static void parse_statement(struct parser *p, const struct token *key)
{
    struct tree_node *before = p->block->last_child;
    struct tree_node *node = add_node(p, key);
    if (!node)
        return;
    struct token t = lexer_next(&p->source->lexer);
    for (; t.kind == TOKEN_WORD || t.kind == TOKEN_STRING; t = lexer_next(&p->source->lexer))
        add_word(p, node, &t);
    if (t.kind == TOKEN_OPEN) {
        node->is_block = true;
        p->block = node;
        return;
    }
    if (t.kind != TOKEN_SEMICOLON)
        report_missing_semicolon(p, node);
    if (t.kind == TOKEN_CLOSE)
        close_block(p, &t);
    else if (t.kind == TOKEN_SEMICOLON && view_eq(node->key, VIEW_LIT("include")))
        finish_include(p, node, before);
}

/* '{' without a key opens a block all the same, so that its '}' does not close another one. */
static void parse_bare_block(struct parser *p, const struct token *t)
{
    report_add(p->tree->errs, &t->at, "'{' without the name of a block before it");
    struct token key = {.kind = TOKEN_WORD, .text = VIEW_LIT("{"), .at = t->at};
    struct tree_node *node = add_node(p, &key);
    if (!node)
        return;
    node->is_block = true;
    p->block = node;
}

static void parse_next(struct parser *p)
{
    struct token t = lexer_next(&p->source->lexer);
    switch (t.kind) {
    case TOKEN_END:
        end_source(p);
        break;
    case TOKEN_WORD:
    case TOKEN_STRING:
        parse_statement(p, &t);
        break;
    case TOKEN_OPEN:
        parse_bare_block(p, &t);
        break;
    case TOKEN_CLOSE:
        close_block(p, &t);
        break;
    case TOKEN_SEMICOLON:
        report_add(p->tree->errs, &t.at, "';' without a setting before it");
        break;
    }
}

void tree_parse(struct tree *tree, struct view text, const char *name, const struct stat *st,
                struct arena *names, struct config_errors *errs)
{
    *tree = (struct tree){.names = names, .errs = errs, .has_files = st != NULL};
    arena_init_secret(&tree->arena, TREE_MAX_BYTES);
    tree->root.is_block = true;
    tree->root.at.file = name;
    struct parser p = {.tree = tree, .block = &tree->root};
    push_source(&p, NULL, text, name, st);
    while (p.source && !tree->is_out_of_memory)
        parse_next(&p);
    if (tree->is_out_of_memory)
        report_add(errs, &tree->root.at, "out of memory, or more than %u MiB of statements",
                   TREE_MAX_BYTES >> 20);
}

void tree_fini(struct tree *tree)
{
    arena_fini(&tree->arena);
}
