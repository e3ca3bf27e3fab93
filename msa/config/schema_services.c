/* The table of settings: services that the score process asks. */
#include "msa/config/config.h"
#include "msa/config/schema.h"

static const struct schema_word act_words[] = {
    {"none", CONFIG_ACT_NONE},   {"score", CONFIG_ACT_SCORE},   {"hold", CONFIG_ACT_HOLD},
    {"defer", CONFIG_ACT_DEFER}, {"refuse", CONFIG_ACT_REFUSE}, {0}};

/* rspamd's score counts anyway. */
static const struct schema_word rspamd_act_words[] = {{"none", CONFIG_ACT_NONE},
                                                      {"hold", CONFIG_ACT_HOLD},
                                                      {"defer", CONFIG_ACT_DEFER},
                                                      {"refuse", CONFIG_ACT_REFUSE},
                                                      {0}};

#define NAME_LABEL(object)                                                                         \
    {                                                                                              \
        .name = "name", .type = SCHEMA_NAME, SCHEMA_FIELD(object, common.name),                    \
        .roles = FOR_SCORE,                                                                        \
        .doc = "Its name in log lines, in findings (`NAME/SYMBOL`) and in `msactl status`.",       \
    }

#define ACT_KEY(object, field, words_, initial_, text)                                             \
    {.name = #field,                                                                               \
     .type = SCHEMA_CHOICE,                                                                        \
     SCHEMA_FIELD(object, field),                                                                  \
     .words = words_,                                                                              \
     .initial = initial_,                                                                          \
     .roles = FOR_SCORE,                                                                           \
     .doc = text}

#define COMMON_KEYS(object, deadline_, max_bytes_, weight_doc)                                     \
    {.name = "socket",                                                                             \
     .type = SCHEMA_TEXT,                                                                          \
     SCHEMA_FIELD(object, common.socket),                                                          \
     .max = 255,                                                                                   \
     .roles = FOR_SCORE,                                                                           \
     .flags = SCHEMA_REQUIRED,                                                                     \
     .doc = "Where it listens: an address with port, or the path of a Unix socket that the user "  \
            "of the score process may write to."},                                                 \
    {.name = "weight",                                                                             \
     .type = SCHEMA_DECIMAL,                                                                       \
     SCHEMA_FIELD(object, common.weight_milli),                                                    \
     .initial = "1.0",                                                                             \
     .min = 0,                                                                                     \
     .max = 1000000,                                                                               \
     .roles = FOR_SCORE,                                                                           \
     .doc = weight_doc},                                                                           \
    {.name = "deadline",                                                                           \
     .type = SCHEMA_TIME,                                                                          \
     SCHEMA_FIELD(object, common.deadline_ms),                                                     \
     .initial = deadline_,                                                                         \
     .min = 10,                                                                                    \
     .max = 300000,                                                                                \
     .roles = FOR_SCORE,                                                                           \
     .doc = "How long a message waits for it, in its queue and for its answer; then it goes on "   \
            "without. Shorter than `deadline` of block `score`."},                                 \
    {.name = "max_bytes",                                                                          \
     .type = SCHEMA_SIZE64,                                                                        \
     SCHEMA_FIELD(object, common.max_bytes),                                                       \
     .initial = max_bytes_,                                                                        \
     .min = 1024,                                                                                  \
     .max = INT64_C(2) << 30,                                                                      \
     .roles = FOR_SCORE,                                                                           \
     .doc = "Larger messages are not sent to it."},                                                \
    {.name = "on_too_big",                                                                         \
     .type = SCHEMA_CHOICE,                                                                        \
     SCHEMA_FIELD(object, common.on_too_big),                                                      \
     .words = act_words,                                                                           \
     .initial = "none",                                                                            \
     .roles = FOR_SCORE,                                                                           \
     .doc = "What becomes of them."},                                                              \
    {.name = "concurrency",                                                                        \
     .type = SCHEMA_COUNT,                                                                         \
     SCHEMA_FIELD(object, common.concurrency_count),                                               \
     .initial = "8",                                                                               \
     .min = 1,                                                                                     \
     .max = 64,                                                                                    \
     .roles = FOR_SCORE,                                                                           \
     .doc = "Messages that each score process has there at once; more wait."},                     \
    {.name = "waiting",                                                                            \
     .type = SCHEMA_COUNT,                                                                         \
     SCHEMA_FIELD(object, common.waiting_count),                                                   \
     .initial = "64",                                                                              \
     .min = 0,                                                                                     \
     .max = 10000,                                                                                 \
     .roles = FOR_SCORE,                                                                           \
     .doc = "How many may wait; beyond it a message goes on at once without this service."},       \
    {.name = "failures",                                                                           \
     .type = SCHEMA_COUNT,                                                                         \
     SCHEMA_FIELD(object, common.failure_count),                                                   \
     .initial = "5",                                                                               \
     .min = 1,                                                                                     \
     .max = 1000,                                                                                  \
     .roles = FOR_SCORE,                                                                           \
     .doc = "So many failures one after the other open its circuit breaker: it is not asked any "  \
            "more, and no message waits for it."},                                                 \
    {.name = "pause",                                                                              \
     .type = SCHEMA_TIME,                                                                          \
     SCHEMA_FIELD(object, common.pause_ms),                                                        \
     .initial = "10s",                                                                             \
     .min = 100,                                                                                   \
     .max = 3600000,                                                                               \
     .roles = FOR_SCORE,                                                                           \
     .doc = "How long the breaker stays open before one message tries again."}

/* ---- rspamd ---------------------------------------------------------------------------------- */

static const struct schema_key rspamd_label = NAME_LABEL(config_rspamd);

static const struct schema_key rspamd_keys[] = {
    COMMON_KEYS(config_rspamd, "3s", "20M",
                "What its score is multiplied by before it is added to that of the message."),
    {.name = "settings_id",
     .type = SCHEMA_NAME,
     SCHEMA_FIELD(config_rspamd, settings_id),
     .roles = FOR_SCORE,
     .doc = "Settings of rspamd's by which it judges (`Settings-ID`). Empty: its own choice."},
    {.name = "add_headers",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_rspamd, add_headers),
     .initial = "yes",
     .roles = FOR_SCORE,
     .doc = "Add the header fields that it wants added, above those of the message. It cannot take any out."},
    ACT_KEY(config_rspamd, on_reject, rspamd_act_words, "refuse", "What its action `reject` does."),
    ACT_KEY(config_rspamd, on_soft_reject, rspamd_act_words, "defer",
            "What its action `soft reject` does, that of its rate limits."),
    ACT_KEY(config_rspamd, on_add_header, rspamd_act_words, "none",
            "What its action `add header` does, besides what the score does."),
    ACT_KEY(config_rspamd, on_rewrite_subject, rspamd_act_words, "none",
            "What its action `rewrite subject` does; the subject stays as it is."),
    ACT_KEY(config_rspamd, on_greylist, rspamd_act_words, "none",
            "What its action `greylist` does. Mail programs do not come again by themselves."),
};

const struct schema_block schema_rspamd = {SCHEMA_KEYS(rspamd_keys),
                                           .label = &rspamd_label,
                                           .bytes = sizeof(struct config_rspamd)};

/* ---- clamd ----------------------------------------------------------------------------------- */

static const struct schema_key clamd_label = NAME_LABEL(config_clamd);

static const struct schema_key clamd_keys[] = {
    COMMON_KEYS(config_clamd, "4s", "25M", "What `score` adds."),
    ACT_KEY(config_clamd, on_virus, act_words, "refuse", "What becomes of a message with a virus in it."),
    ACT_KEY(config_clamd, on_heuristic, act_words, "hold",
            "What becomes of a message in which clamd sees something by its heuristics (`Heuristics.…`: an encrypted "
            "archive, a macro, a disguised link), where those are on."),
};

const struct schema_block schema_clamd = {
    SCHEMA_KEYS(clamd_keys), .label = &clamd_label, .bytes = sizeof(struct config_clamd)};

/* ---- milters --------------------------------------------------------------------------------- */

static const struct schema_key milter_label = NAME_LABEL(config_milter);

static const struct schema_key milter_keys[] = {
    COMMON_KEYS(config_milter, "4s", "25M", "What `score` adds."),
    {.name = "add_headers",
     .type = SCHEMA_BOOL,
     SCHEMA_FIELD(config_milter, add_headers),
     .initial = "yes",
     .roles = FOR_SCORE,
     .doc = "Add the header fields that it adds or inserts, above those of the message. Whatever else it wants changed "
            "is not, and the log says so."},
    ACT_KEY(config_milter, on_reject, act_words, "refuse", "What its reject, or a reply 5xx, does."),
    ACT_KEY(config_milter, on_tempfail, act_words, "defer", "What its tempfail, or a reply 4xx, does."),
    ACT_KEY(config_milter, on_discard, act_words, "hold",
            "What its discard does: nobody's mail vanishes behind a 250."),
    ACT_KEY(config_milter, on_quarantine, act_words, "hold", "What its quarantine does."),
};

const struct schema_block schema_milter = {
    SCHEMA_KEYS(milter_keys), .label = &milter_label, .bytes = sizeof(struct config_milter)};
