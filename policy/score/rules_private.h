/* Inside of rules.c and judge.c: the rules as they are made ready. */
#ifndef POLICY_SCORE_RULES_PRIVATE_H
#define POLICY_SCORE_RULES_PRIVATE_H

#include <stdatomic.h>

#include "msa/base/arena.h"
#include "policy/score/phrases.h"
#include "policy/score/rules.h"

#define FIELD_NAMES_MAX 128 /* different ones that rules ask for the value of */

struct texts {
    const struct view *items;
    uint32_t count;
};

struct numbers {
    const uint16_t *items;
    uint32_t count;
};

struct score_rule {
    struct view name;
    struct view describe;
    int32_t add_milli;
    struct texts missing, present, repeated;
    struct numbers fields;  /* of score_rules.field_names */
    struct texts matches;   /* folded, like all patterns */
    struct numbers phrases; /* of score_rules.phrases */
    uint32_t at_least;
    uint32_t fact, link;
    struct texts link_host, attachment, media_type, charset;
    uint32_t min_links, max_links, min_recipients, min_text_bytes, max_text_bytes;
    uint64_t min_bytes, max_bytes;
    struct numbers all, any, none; /* rules before this one */
};

struct score_rules {
    atomic_uint reference_count;
    struct arena arena;
    struct score_rule *items;
    uint32_t count;
    struct texts known_hosts;
    int32_t classifier_weight_milli;
    struct view field_names[FIELD_NAMES_MAX];
    uint32_t field_name_count;
    struct phrases *phrases;
};

/* The first field names, always there. */
enum { FIELD_SUBJECT = 0, FIELD_FROM, FIELD_REPLY_TO };

#endif
