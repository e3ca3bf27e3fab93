/* The settings of scoring: how long, by how many, and the rules that look at a message. Conventions as in
 * settings.h. */
#ifndef MSA_CONFIG_SETTINGS_SCORE_H
#define MSA_CONFIG_SETTINGS_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/settings_rules.h"
#include "msa/config/settings_services.h"

/* What a message is like, as a rule may ask for it: bits, each with its word in schema_score.c. */
enum config_score_fact {
    CONFIG_FACT_HTML_ONLY = 1 << 0,
    CONFIG_FACT_IMAGE_ONLY = 1 << 1,
    CONFIG_FACT_NO_TEXT = 1 << 2,           /* nothing to read, nor an attachment */
    CONFIG_FACT_HIDDEN_TEXT = 1 << 3,
    CONFIG_FACT_SPLIT_WORDS = 1 << 4,       /* by comments or unknown tags */
    CONFIG_FACT_NUMBERED_LETTERS = 1 << 5,  /* &#97; for "a" */
    CONFIG_FACT_ZERO_WIDTH = 1 << 6,        /* characters without a width between letters */
    CONFIG_FACT_FORM = 1 << 7,
    CONFIG_FACT_SCRIPT = 1 << 8,
    CONFIG_FACT_ATTACHMENT = 1 << 9,
    CONFIG_FACT_EXECUTABLE = 1 << 10,       /* by its first bytes, whatever it is called */
    CONFIG_FACT_TWO_EXTENSIONS = 1 << 11,   /* invoice.pdf.exe */
    CONFIG_FACT_MESSAGE = 1 << 12,          /* one inside */
    CONFIG_FACT_ENCRYPTED = 1 << 13,
    CONFIG_FACT_SIGNED = 1 << 14,
    CONFIG_FACT_BAD_CHARSET = 1 << 15,
    CONFIG_FACT_UNDECLARED_8BIT = 1 << 16,
    CONFIG_FACT_HEADER_8BIT = 1 << 17,      /* and not UTF-8 */
    CONFIG_FACT_BAD_HEADER_LINE = 1 << 18,
    CONFIG_FACT_BAD_ENCODING = 1 << 19,
    CONFIG_FACT_UNCLOSED = 1 << 20,
    CONFIG_FACT_NO_MIME_VERSION = 1 << 21,
    CONFIG_FACT_TOO_DEEP = 1 << 22,         /* or too many parts */
    CONFIG_FACT_REPLY_ELSEWHERE = 1 << 23,  /* Reply-To is of another domain than From */
    CONFIG_FACT_SHOUTING = 1 << 24,         /* a subject without a small letter */
    CONFIG_FACT_NAME_IS_ADDRESS = 1 << 25,  /* From shows another domain's address as a name */
};

enum config_score_link { /* of one link, all of them */
    CONFIG_LINK_IP = 1 << 0,
    CONFIG_LINK_NUMBER_HOST = 1 << 1,
    CONFIG_LINK_ESCAPED_HOST = 1 << 2,
    CONFIG_LINK_8BIT_HOST = 1 << 3,
    CONFIG_LINK_PUNYCODE = 1 << 4,
    CONFIG_LINK_HOST_DIFFERS = 1 << 5,
    CONFIG_LINK_HIDDEN = 1 << 6,
    CONFIG_LINK_USERINFO = 1 << 7,
    CONFIG_LINK_PORT = 1 << 8,
    CONFIG_LINK_SCRIPT = 1 << 9,
    CONFIG_LINK_FORM = 1 << 10,
    CONFIG_LINK_IMAGE = 1 << 11,
    CONFIG_LINK_MAILTO = 1 << 12,
    CONFIG_LINK_HTTPS = 1 << 13,
};

struct config_score {
    int32_t neutral_score_milli;
    int64_t deadline_ms; /* the session waits no longer for an answer */
    struct config_services services;
    uint32_t thread_count; /* 0: one per core */
    uint32_t job_count;
    struct config_strings known_hosts;
    int32_t classifier_weight_milli; /* 0: what was learnt does not count */
};

/* All that is set must hold. */
struct config_score_rule {
    const char *name;
    struct config_strings missing;
    struct config_strings present;
    struct config_strings repeated;
    struct config_strings field;
    struct config_strings matches;
    struct config_strings phrases;
    uint32_t at_least;
    uint32_t fact; /* bits of enum config_score_fact, all of them */
    uint32_t link; /* bits of enum config_score_link */
    struct config_strings link_host;
    struct config_strings attachment;
    struct config_strings media_type;
    struct config_strings charset;
    uint32_t min_links;
    uint32_t max_links;
    uint32_t min_recipients;
    uint32_t min_text_bytes;
    uint32_t max_text_bytes;
    uint64_t min_bytes;
    uint64_t max_bytes;
    struct config_strings all_of; /* names of rules before this one */
    struct config_strings any_of;
    struct config_strings none_of;
    int32_t add_milli;
    const char *describe; /* one sentence for the support desk */
};

#define CONFIG_SCORE_RULES_MAX 512
#define CONFIG_SCORE_JOBS_MAX  10000

#endif
