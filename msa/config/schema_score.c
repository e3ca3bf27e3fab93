/* The table of settings: scoring. */
#include "msa/config/config.h"
#include "msa/config/schema_when.h"

static const struct schema_word core_words[] = {{"auto", 0}, {0}};

/* Hosts that lawful mail links to by the thousand: mail, search, social networks, shops, maps, what carries images and
 * style sheets of everybody. */
#define KNOWN_HOSTS                                                                                \
    "google.com google.co.jp goo.gl gstatic.com googleapis.com googleusercontent.com gmail.com "   \
    "youtube.com youtu.be doubleclick.net microsoft.com office.com office365.com outlook.com "     \
    "live.com sharepoint.com bing.com apple.com icloud.com yahoo.com yahoo.co.jp yimg.jp "         \
    "amazon.com amazon.co.jp amazonaws.com cloudfront.net media-amazon.com rakuten.co.jp "         \
    "facebook.com instagram.com whatsapp.com twitter.com x.com t.co linkedin.com line.me "         \
    "lin.ee tiktok.com pinterest.com wikipedia.org github.com akamaihd.net cloudflare.com "        \
    "fbcdn.net licdn.com twimg.com w3.org adobe.com zoom.us dropbox.com wa.me tabelog.com "        \
    "docomo.ne.jp au.com softbank.jp nifty.com biglobe.ne.jp ocn.ne.jp goo.ne.jp"

static const struct schema_key score_keys[] = {
    {.name = "neutral_score",
     .type = SCHEMA_DECIMAL,
     SCHEMA_FIELD(config_score, neutral_score_milli),
     .initial = "0.0",
     .min = -1000000,
     .max = 1000000,
     .roles = FOR_SCORE | FOR_SMTP | FOR_POLICY,
     .doc = "The score of a message that could not be looked at."},
    {.name = "deadline",
     .type = SCHEMA_TIME,
     SCHEMA_FIELD(config_score, deadline_ms),
     .initial = "5s",
     .min = 10,
     .max = 300000,
     .roles = FOR_SCORE | FOR_SMTP,
     .doc = "How long a message waits for its score. What has not answered by then counts nothing, and is named "
            "among the findings; if nothing has, or the score process is away, the message goes on with "
            "`neutral_score`."},
    {.name = "threads",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_score, thread_count),
     .words = core_words,
     .initial = "auto",
     .min = 1,
     .max = 64,
     .roles = FOR_SCORE,
     .doc = "Threads of one score process that read messages; `auto` is one per core. Read at the start only."},
    {.name = "jobs",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_score, job_count),
     .initial = "512",
     .min = 1,
     .max = CONFIG_SCORE_JOBS_MAX,
     .roles = FOR_SCORE,
     .doc = "Messages that one score process has under way at once. One more goes on with `neutral_score` at once."},
    {.name = "known_hosts",
     .type = SCHEMA_DOMAIN,
     SCHEMA_FIELD(config_score, known_hosts),
     .initial = KNOWN_HOSTS,
     .roles = FOR_SCORE,
     .flags = SCHEMA_LIST,
     .doc = "Hosts that everybody links to, and those below them: they are no sign that two messages are of one "
            "campaign (rules `per fingerprint`)."},
    {.name = "classifier_weight",
     .type = SCHEMA_DECIMAL,
     SCHEMA_FIELD(config_score, classifier_weight_milli),
     .initial = "1.0",
     .min = 0,
     .max = 10000,
     .roles = FOR_SCORE,
     .doc = "What the points of the classifier (finding `BAYES`) are multiplied by; 0: it is not asked. Its own score, 0 "
            "to 10, becomes -2.5 points for the most common ham, +5 where its spam begins (a third of a percent of the ham "
            "that was learnt from lies above), and at most +7.5. Nothing before `msactl score train`."},
    {.name = "rspamd",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config_score, services.rspamds),
     .count_offset = offsetof(struct config_score, services.rspamd_count),
     .block = &schema_rspamd,
     .max = CONFIG_SERVICES_MAX,
     .roles = FOR_SCORE,
     .doc = "An rspamd that judges each message (`/checkv2`)."},
    {.name = "clamd",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config_score, services.clamds),
     .count_offset = offsetof(struct config_score, services.clamd_count),
     .block = &schema_clamd,
     .max = CONFIG_SERVICES_MAX,
     .roles = FOR_SCORE,
     .doc = "A clamd that looks for viruses (`INSTREAM`)."},
    {.name = "milter",
     .type = SCHEMA_BLOCKS,
     SCHEMA_FIELD(config_score, services.milters),
     .count_offset = offsetof(struct config_score, services.milter_count),
     .block = &schema_milter,
     .max = CONFIG_SERVICES_MAX,
     .roles = FOR_SCORE,
     .doc = "A milter that sees each message, as a mail server would show it."},
};

const struct schema_block schema_score = {SCHEMA_KEYS(score_keys),
                                          .bytes = sizeof(struct config_score)};

/* ---- rules ----------------------------------------------------------------------------------- */

static const struct schema_word fact_words[] = {
    {"any", 0},
    {"html-only", CONFIG_FACT_HTML_ONLY},
    {"image-only", CONFIG_FACT_IMAGE_ONLY},
    {"no-text", CONFIG_FACT_NO_TEXT},
    {"hidden-text", CONFIG_FACT_HIDDEN_TEXT},
    {"split-words", CONFIG_FACT_SPLIT_WORDS},
    {"numbered-letters", CONFIG_FACT_NUMBERED_LETTERS},
    {"zero-width", CONFIG_FACT_ZERO_WIDTH},
    {"form", CONFIG_FACT_FORM},
    {"script", CONFIG_FACT_SCRIPT},
    {"attachment", CONFIG_FACT_ATTACHMENT},
    {"executable", CONFIG_FACT_EXECUTABLE},
    {"two-extensions", CONFIG_FACT_TWO_EXTENSIONS},
    {"message", CONFIG_FACT_MESSAGE},
    {"encrypted", CONFIG_FACT_ENCRYPTED},
    {"signed", CONFIG_FACT_SIGNED},
    {"bad-charset", CONFIG_FACT_BAD_CHARSET},
    {"undeclared-8bit", CONFIG_FACT_UNDECLARED_8BIT},
    {"header-8bit", CONFIG_FACT_HEADER_8BIT},
    {"bad-header-line", CONFIG_FACT_BAD_HEADER_LINE},
    {"bad-encoding", CONFIG_FACT_BAD_ENCODING},
    {"unclosed", CONFIG_FACT_UNCLOSED},
    {"no-mime-version", CONFIG_FACT_NO_MIME_VERSION},
    {"too-deep", CONFIG_FACT_TOO_DEEP},
    {"reply-elsewhere", CONFIG_FACT_REPLY_ELSEWHERE},
    {"shouting", CONFIG_FACT_SHOUTING},
    {"name-is-address", CONFIG_FACT_NAME_IS_ADDRESS},
    {0}};

static const struct schema_word link_words[] = {{"any", 0},
                                                {"ip-address", CONFIG_LINK_IP},
                                                {"number-host", CONFIG_LINK_NUMBER_HOST},
                                                {"escaped-host", CONFIG_LINK_ESCAPED_HOST},
                                                {"8bit-host", CONFIG_LINK_8BIT_HOST},
                                                {"punycode", CONFIG_LINK_PUNYCODE},
                                                {"host-differs", CONFIG_LINK_HOST_DIFFERS},
                                                {"hidden", CONFIG_LINK_HIDDEN},
                                                {"userinfo", CONFIG_LINK_USERINFO},
                                                {"port", CONFIG_LINK_PORT},
                                                {"script", CONFIG_LINK_SCRIPT},
                                                {"form", CONFIG_LINK_FORM},
                                                {"image", CONFIG_LINK_IMAGE},
                                                {"mailto", CONFIG_LINK_MAILTO},
                                                {"https", CONFIG_LINK_HTTPS},
                                                {0}};

#define LIST_KEY(key, type_, bytes_max, text)                                                      \
    {.name = #key,                                                                                 \
     .type = type_,                                                                                \
     SCHEMA_FIELD(config_score_rule, key),                                                         \
     .max = bytes_max,                                                                             \
     .roles = FOR_SCORE,                                                                           \
     .flags = SCHEMA_LIST,                                                                         \
     .doc = text}

#define NUMBER_KEY(key, field_, type_, initial_, max_, text)                                       \
    {.name = #key,                                                                                 \
     .type = type_,                                                                                \
     SCHEMA_FIELD(config_score_rule, field_),                                                      \
     .words = schema_any_words,                                                                    \
     .initial = initial_,                                                                          \
     .min = 1,                                                                                     \
     .max = max_,                                                                                  \
     .roles = FOR_SCORE,                                                                           \
     .doc = text}

#define PATTERN_BYTES_MAX 200

static const struct schema_key rule_label = {
    .name = "name",
    .type = SCHEMA_NAME,
    SCHEMA_FIELD(config_score_rule, name),
    .max = 40,
    .roles = FOR_SCORE,
    .doc = "Its name among the findings, in log lines and for other rules; in capitals by custom."};

static const struct schema_key rule_keys[] = {
    LIST_KEY(missing, SCHEMA_NAME, 78, "Header fields of which none is there."),
    LIST_KEY(present, SCHEMA_NAME, 78, "Header fields that are all there."),
    LIST_KEY(repeated, SCHEMA_NAME, 78, "Header fields of which one is there more than once."),
    LIST_KEY(field, SCHEMA_NAME, 78,
             "Header fields that `matches`, or else `phrases`, is about. Their values are decoded, and the first "
             "kilobyte counts. `phrases` without it is about the subject and the text."),
    LIST_KEY(matches, SCHEMA_TEXT, PATTERN_BYTES_MAX,
             "Patterns of which one must match the whole value of one of the fields: `*` is any characters, `?` one, `#` "
             "a digit. There are no regular expressions: hostile mail could make them take forever. Neither case nor "
             "the width of letters, nor invisible characters, make a difference, here and in `phrases`."),
    LIST_KEY(phrases, SCHEMA_TEXT, PATTERN_BYTES_MAX,
             "Words or phrases, in any language. White space between them is of any kind, and of no account in "
             "scripts without spaces; Latin letters match whole words."),
    {.name = "at_least",
     .type = SCHEMA_COUNT,
     SCHEMA_FIELD(config_score_rule, at_least),
     .initial = "1",
     .min = 1,
     .max = 100,
     .roles = FOR_SCORE,
     .doc = "So many different `phrases` must be there."},
    {.name = "fact",
     .type = SCHEMA_CHOICES,
     SCHEMA_FIELD(config_score_rule, fact),
     .words = fact_words,
     .initial = "any",
     .roles = FOR_SCORE,
     .doc = "What the message is like, all of it. `executable` goes by the first bytes of an attachment; "
            "`reply-elsewhere`: Reply-To is of another domain than From; `shouting`: no small letter in the subject; "
            "`name-is-address`: From shows an address of another domain as a name."},
    {.name = "link",
     .type = SCHEMA_CHOICES,
     SCHEMA_FIELD(config_score_rule, link),
     .words = link_words,
     .initial = "any",
     .roles = FOR_SCORE,
     .doc = "There is a link that is all of this. `host-differs`: the text shown for it names another host; "
            "`number-host`: an address in disguise; `image`: loaded when the mail is read."},
    LIST_KEY(link_host, SCHEMA_TEXT, PATTERN_BYTES_MAX,
             "Patterns as in `matches` for the host of a link, the same one as `link` is about."),
    LIST_KEY(attachment, SCHEMA_TEXT, PATTERN_BYTES_MAX,
             "Patterns as in `matches` for the file name of an attachment."),
    LIST_KEY(media_type, SCHEMA_TEXT, PATTERN_BYTES_MAX,
             "Patterns as in `matches` for the media type of a part: `text/calendar`."),
    LIST_KEY(charset, SCHEMA_TEXT, PATTERN_BYTES_MAX,
             "Patterns as in `matches` for the charset that a part declares."),
    NUMBER_KEY(min_links, min_links, SCHEMA_COUNT, "any", 512,
               "At least so many links to different hosts, mail addresses aside."),
    NUMBER_KEY(max_links, max_links, SCHEMA_COUNT, "any", 512, "At most so many, and at least one."),
    NUMBER_KEY(min_recipients, min_recipients, SCHEMA_COUNT, "any", 100000,
               "At least so many recipients of the envelope."),
    NUMBER_KEY(min_text, min_text_bytes, SCHEMA_SIZE, "any", 1 << 20,
               "At least so many bytes of text to read."),
    NUMBER_KEY(max_text, max_text_bytes, SCHEMA_SIZE, "any", 1 << 20,
               "At most so many bytes of text to read."),
    NUMBER_KEY(min_size, min_bytes, SCHEMA_SIZE64, "any", INT64_C(1) << 40,
               "Messages of at least this size."),
    NUMBER_KEY(max_size, max_bytes, SCHEMA_SIZE64, "any", INT64_C(1) << 40,
               "Messages of at most this size."),
    LIST_KEY(all_of, SCHEMA_NAME, 40, "Rules that all hold; they stand before this one."),
    LIST_KEY(any_of, SCHEMA_NAME, 40, "Rules of which one holds."),
    LIST_KEY(none_of, SCHEMA_NAME, 40, "Rules of which none holds."),
    {.name = "add",
     .type = SCHEMA_DECIMAL,
     SCHEMA_FIELD(config_score_rule, add_milli),
     .initial = "0.0",
     .min = -100000,
     .max = 100000,
     .roles = FOR_SCORE,
     .doc = "What the rule adds to the score; less than nothing makes it less. One that adds nothing is no finding: "
            "it is there for other rules."},
    {.name = "describe",
     .type = SCHEMA_TEXT,
     SCHEMA_FIELD(config_score_rule, describe),
     .max = 160,
     .roles = FOR_SCORE,
     .doc = "One sentence for the support desk: what the rule has seen."},
};

const struct schema_block schema_score_rule = {SCHEMA_KEYS(rule_keys), .label = &rule_label,
                                               .bytes = sizeof(struct config_score_rule)};
