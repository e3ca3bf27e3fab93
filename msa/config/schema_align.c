/* The table of settings: alignment of senders with accounts. */
#include "msa/config/config.h"
#include "msa/config/schema_when.h"

static const struct schema_word check_words[] = {{"both", CONFIG_ALIGN_BOTH},
                                                 {"envelope", CONFIG_ALIGN_ENVELOPE},
                                                 {"header", CONFIG_ALIGN_HEADER},
                                                 {"off", CONFIG_ALIGN_OFF},
                                                 {0}};

static const struct schema_word mismatch_words[] = {
    {"refuse", CONFIG_MISMATCH_REFUSE},
    {"add-sender", CONFIG_MISMATCH_ADD_SENDER},
    {"rewrite", CONFIG_MISMATCH_REWRITE},
    {"score", CONFIG_MISMATCH_SCORE},
    {0}};

static const struct schema_word doubt_words[] = {{"refuse", CONFIG_DOUBT_REFUSE},
                                                 {"score", CONFIG_DOUBT_SCORE},
                                                 {"accept", CONFIG_DOUBT_ACCEPT},
                                                 {0}};

static const struct schema_key when_keys[] = {
    SCHEMA_WHEN_KEYS(config_align_when),
    {.name = "listener",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_align_when, listener),
     .roles = FOR_POLICY,
     .doc = "The listener by which the client came, such as one for webmail alone."},
};

static const struct schema_block when_block = {SCHEMA_KEYS(when_keys),
                                               .bytes = sizeof(struct config_align_when)};

static const struct schema_key align_label = {
    .name = "align",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_align, name),
    .roles = FOR_POLICY,
    .doc = "In log and restriction records.",
};

static const struct schema_key align_keys[] = {
    {.name = "when",
     .type = SCHEMA_BLOCK,
     SCHEMA_FIELD(config_align, when),
     .block = &when_block,
     .roles = FOR_POLICY,
     .doc = "To whom this block applies; all that is written must hold. Without it: to "
            "everybody."},
    {.name = "check",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_align, check),
     .words = check_words,
     .initial = "both",
     .roles = FOR_POLICY,
     .doc = "What must name the account: the sender of the envelope (`MAIL FROM`), the "
            "header (`From`, "
            "`Sender`, `Resent-From`, `Resent-Sender`), both, or neither. A header that "
            "can be read in two "
            "ways is refused in any case."},
    {.name = "mismatch",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_align, mismatch),
     .words = mismatch_words,
     .initial = "refuse",
     .roles = FOR_POLICY,
     .doc = "What becomes of a message that names somebody else: `refuse` (550 5.7.1); "
            "`add-sender` lets it "
            "pass and names the account in `Sender` (RFC 6409 §8.1); `rewrite` does the "
            "same and makes the "
            "account the sender of the envelope; `score` adds `add_score`. An account "
            "whose login is no "
            "address cannot be named, and is refused."},
    {.name = "senders",
     .type = SCHEMA_SENDER,
     SCHEMA_FIELD(config_align, senders),
     .roles = FOR_POLICY,
     .flags = SCHEMA_LIST,
     .doc = "Lawful senders for all whom this block applies to, beside each account's "
            "own list: addresses, "
            "`@domain`, `.domain` for all domains below it; `delegated:` before one of "
            "them adds `Sender`."},
    {.name = "subaddress",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_align, subaddress),
     .initial = "+",
     .max = 8,
     .roles = FOR_POLICY,
     .doc = "Characters behind which a local part holds a detail: taro+news@example.jp "
            "belongs to "
            "taro@example.jp (RFC 5233). Empty: none."},
    {.name = "null_sender",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_align, allow_null_sender),
     .initial = "no",
     .roles = FOR_POLICY,
     .doc = "Allow `MAIL FROM:<>`, which some mail programs use for read receipts (RFC "
            "8098). The header is "
            "checked all the same."},
    {.name = "shown_addresses",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_align, shown_addresses),
     .words = doubt_words,
     .initial = "score",
     .roles = FOR_POLICY,
     .doc = "What becomes of a message whose `From` shows, in a display name or a "
            "comment, an address that the "
            "account may not use."},
    {.name = "lookalikes",
     .type = SCHEMA_CHOICE,
     SCHEMA_FIELD(config_align, lookalikes),
     .words = doubt_words,
     .initial = "score",
     .roles = FOR_POLICY,
     .doc = "What becomes of a message from an address that looks like another account's "
            "(rn for m, Cyrillic "
            "letters)."},
    {.name = "add_score",
     .type = SCHEMA_DECIMAL,
     SCHEMA_FIELD(config_align, add_score_milli),
     .initial = "5.0",
     .min = -1000000,
     .max = 1000000,
     .roles = FOR_POLICY,
     .doc = "What each `score` above adds to the score of a message."},
};

const struct schema_block schema_align = {SCHEMA_KEYS(align_keys), .label = &align_label,
                                          .bytes = sizeof(struct config_align)};
