/* Within msa/config: tokens to a tree of statements, includes put in their place.
 *
 *     key word "string"...;          a leaf
 *     key word... { statements }     a block
 *
 * The tree says nothing about which keys exist; bind.c compares it with the schema. Parsing is a loop
 * over a stack of files, never a recursion, so that no input can exhaust the stack. */
#ifndef MSA_CONFIG_TREE_H
#define MSA_CONFIG_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "msa/base/arena.h"
#include "msa/base/view.h"
#include "msa/config/report.h"

struct tree_word {
    struct tree_word *next;
    struct view text;
    struct place at;
    bool is_quoted;
    bool is_bad; /* reported already */
};

struct tree_node {
    struct tree_node *parent; /* NULL for the root */
    struct tree_node *next;
    struct tree_node *first_child;
    struct tree_node *last_child;
    struct view key;
    struct place at;
    struct tree_word *words;
    struct tree_word *last_word;
    uint32_t word_count;
    bool is_block;
};

#define TREE_MAX_BYTES (32u << 20) /* what one parse may take for statements and texts */

struct tree {
    struct tree_node root;
    struct arena arena;  /* statements, words, file texts */
    struct arena *names; /* where file names live: the configuration's arena */
    struct config_errors *errs;
    bool has_files;        /* include is allowed */
    bool is_out_of_memory;
};

/* Parses `text`, called `name`. With `st` it is what was read from the file `name`, and include is
 * allowed. Mistakes go to `errs`; what could be understood is in the root in any case. tree_fini
 * always. */
void tree_parse(struct tree *tree, struct view text, const char *name, const struct stat *st,
                struct arena *names, struct config_errors *errs);
void tree_fini(struct tree *tree); /* wipes: a snapshot holds secrets */

#endif
