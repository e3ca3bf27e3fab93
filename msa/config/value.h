/* Within msa/config: one value, or a list, from text and back to its canonical text.
 *
 * value_types holds what is peculiar to a type; parsing twice what was formatted gives the same. */
#ifndef MSA_CONFIG_VALUE_H
#define MSA_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "msa/config/report.h"
#include "msa/config/schema.h"
#include "msa/config/tree.h"

struct value_site { /* where values are being parsed */
    struct arena *arena; /* for what the values point to */
    struct config_errors *errs;
    bool is_out_of_memory;
};

/* Parses one word into `out` (the type's field). False with one report, or is_out_of_memory. */
typedef bool value_parse_fn(struct value_site *site, const struct schema_key *key,
                            const struct tree_word *word, void *out);
typedef void value_format_fn(const struct schema_key *key, const void *field, struct buf *out);

struct value_type {
    const char *what;  /* for messages and the reference: "a time" … */
    const char *usage; /* what would be right: "such as 30s" … */
    size_t bytes;      /* of one field */
    value_parse_fn *parse;
    value_format_fn *format;
};

extern const struct value_type value_types[SCHEMA_TYPE_COUNT];

struct value_list { /* the common shape of struct config_prefixes and its kind */
    const void *items;
    uint32_t count;
};

/* What `node` says, or the key's default, into `field`. False as above. */
bool value_set(struct value_site *site, const struct schema_key *key,
               const struct tree_node *node, void *field);
bool value_set_default(struct value_site *site, const struct schema_key *key, void *field);

/* One word. A word that is_bad fails without a further report. */
bool value_parse(struct value_site *site, const struct schema_key *key,
                 const struct tree_word *word, void *out);

/* The canonical text of a field: words separated by spaces, "none" for an empty list. */
void value_format(const struct schema_key *key, const void *field, struct buf *out);

/* A bound of the key in its type's own units. */
void value_format_bound(const struct schema_key *key, int64_t bound, struct buf *out);

/* `text` between quotes, escaped as the lexer undoes it. */
void value_quote(struct view text, struct buf *out);

/* Helpers of the parsers, value_number.c and value_text.c. */
bool value_fail(struct value_site *site, const struct schema_key *key,
                const struct tree_word *word);                      /* "'x' is not a time …" */
bool value_fail_range(struct value_site *site, const struct schema_key *key,
                      const struct tree_word *word);
char *value_keep(struct value_site *site, struct view text);        /* NULL: out of memory */
bool value_parse_port(struct view text, uint16_t *out); /* 1 to 65535 */
bool value_find_word(const struct schema_word *words, struct view text, uint32_t *value_out);
const char *value_word(const struct schema_word *words, uint32_t value); /* NULL: none has it */

value_parse_fn value_parse_count, value_parse_size, value_parse_size64, value_parse_time;
value_parse_fn value_parse_date, value_parse_rate, value_parse_decimal;
value_format_fn value_format_count, value_format_size, value_format_size64, value_format_time;
value_format_fn value_format_date, value_format_rate, value_format_decimal;

value_parse_fn value_parse_text, value_parse_name, value_parse_domain, value_parse_path;
value_parse_fn value_parse_mailbox, value_parse_sender, value_parse_host;
value_parse_fn value_parse_address, value_parse_prefix, value_parse_endpoint;
value_format_fn value_format_text, value_format_host;
value_format_fn value_format_address, value_format_prefix, value_format_endpoint;

#endif
