/* The settings of alignment: which senders an account may name, in the envelope and in
 * the header. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_ALIGN_H
#define MSA_CONFIG_SETTINGS_ALIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/config/settings_rules.h"

enum config_align_check { /* bits */
                          CONFIG_ALIGN_OFF = 0,
                          CONFIG_ALIGN_ENVELOPE = 1 << 0,
                          CONFIG_ALIGN_HEADER = 1 << 1,
                          CONFIG_ALIGN_BOTH = CONFIG_ALIGN_ENVELOPE | CONFIG_ALIGN_HEADER,
};

enum config_align_mismatch {
    CONFIG_MISMATCH_REFUSE = 0,
    CONFIG_MISMATCH_ADD_SENDER, /* let pass; Sender names the login */
    CONFIG_MISMATCH_REWRITE,    /* the same, and the envelope sender becomes the login */
    CONFIG_MISMATCH_SCORE,
};

enum config_align_doubt {
    CONFIG_DOUBT_REFUSE = 0,
    CONFIG_DOUBT_SCORE,
    CONFIG_DOUBT_ACCEPT
};

struct config_align_when { /* all that is set must hold; the words are those of a rule */
    enum config_rule_origin origin;
    struct config_strings countries;
    struct config_strings classes;
    int64_t younger_than_ms; /* 0: any age */
    int64_t older_than_ms;
    const char *listener;
};

struct config_align {
    const char *name;
    struct config_align_when when;
    enum config_align_check check;
    enum config_align_mismatch mismatch;
    struct config_strings senders; /* in the form of msa/mail/sender_pattern.h */
    const char *subaddress;        /* each character is a separator */
    bool allow_null_sender;
    enum config_align_doubt shown_addresses;
    enum config_align_doubt lookalikes;
    int32_t add_score_milli;
};

#define CONFIG_ALIGN_MAX 64

#endif
