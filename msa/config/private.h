/* Within msa/config: what a struct config owns besides its settings, and the steps of a parse. */
#ifndef MSA_CONFIG_PRIVATE_H
#define MSA_CONFIG_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/config/config.h"
#include "msa/config/report.h"
#include "msa/config/tree.h"
#include "msa/config/value.h"

/* Where a setting was made. Keyed by the address of its field, which never moves; a block has its
 * own, because its first field has the same address. */
struct origin {
    struct origin *next;
    const void *object;
    bool is_block;
    struct place at;
};

#define CONFIG_ARENA_MAX_BYTES (32u << 20)

struct config_private {
    struct arena arena; /* everything the configuration points to, itself included; a secret */
    struct origin *origins;
    struct origin **sorted; /* by object and is_block; after origins_sort */
    size_t origin_count;
    struct place top; /* the text as a whole */
};

void origin_add(struct config_private *priv, const void *object, bool is_block,
                const struct place *at, bool *is_out_of_memory);
/* MSA_OK or MSA_ENOMEM. Look-ups come after it. */
int origins_sort(struct config_private *priv);
/* The place, or NULL: it was not written, a default holds. */
const struct place *origin_find(const struct config_private *priv, const void *object,
                                bool is_block);

/* Fills `cfg` from the tree and the defaults. `role` 0: the text is a whole configuration;
 * otherwise a snapshot for that role. False when there was a mistake (reported) or memory ran out. */
bool bind_tree(struct config *cfg, const struct tree_node *root, unsigned role,
               struct value_site *site);

/* The one walk over all settings. `role` 0: all but secrets; else those that it may know. `object` holds the block,
 * `field` the value. */
struct walk_visitor {
    void (*value)(void *arg, const struct schema_key *key, const void *field);
    void (*begin)(void *arg, const struct schema_key *key, const char *object);
    void (*end)(void *arg);
};
void walk_settings(const struct config *cfg, unsigned role, const struct walk_visitor *visitor, void *arg);
void walk_format_block(const struct schema_key *key, const char *object, struct buf *out); /* "pool main" */

/* Fills what follows from other settings: users, names, ports. */
void derive_settings(struct config *cfg, struct value_site *site);

/* Reports what is wrong between settings. Strings may be empty where binding failed. */
void check_settings(const struct config *cfg, struct config_errors *errs);

#endif
