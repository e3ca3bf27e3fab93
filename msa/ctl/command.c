#include "msa/ctl/command.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/config/suggest.h"
#include "msa/ctl/show.h"

const struct ctl_command ctl_commands[] = {
    {"account", "add", COMMAND_PASSWORD, COMMAND_OPT_STDIN | COMMAND_OPT_DISABLED, "account.add",
     NULL, show_done, "LOGIN [--stdin] [--disabled]", "make an account"},
    {"account", "passwd", COMMAND_PASSWORD, COMMAND_OPT_STDIN, "account.passwd", NULL, show_done,
     "LOGIN [--stdin]", "give it another password"},
    {"account", "show", COMMAND_ACCOUNT, 0, "account.show", NULL, show_pairs, "LOGIN",
     "what is known of it: its settings and what stands against it, too"},
    {"account", "settings", COMMAND_LOGIN, 0, "settings.show", NULL, show_pairs, "LOGIN",
     "its settings alone"},
    {"account", "set", COMMAND_SET, COMMAND_OPTS_SETTINGS, "settings.set", NULL, show_pairs,
     "LOGIN SETTING...", "change them; shows what they are now"},
    {"account", "set-many", COMMAND_SET_MANY,
     COMMAND_OPTS_SETTINGS | COMMAND_OPT_ALL_OF_CLASS | COMMAND_OPT_DRY_RUN, "settings.set-many",
     NULL, show_changes, "FILE|-|--all-of-class C [--dry-run] SETTING...",
     "the same for many logins, one on each line"},
    {"account", "import-senders", COMMAND_SENDERS, COMMAND_OPT_DRY_RUN, "settings.set", NULL,
     show_changes, "FILE|- [--dry-run]", "let them use the senders of Postfix's sender_login_maps"},
    {"account", "list", COMMAND_PAGES, 0, "account.list", "accounts", show_accounts, "",
     "all of them"},
    {"account", "enable", COMMAND_LOGIN, 0, "account.enable", NULL, show_done, "LOGIN",
     "let it sign in again"},
    {"account", "disable", COMMAND_LOGIN, 0, "account.disable", NULL, show_done, "LOGIN",
     "let it sign in no more"},
    {"account", "suspend", COMMAND_LOGIN, COMMAND_OPT_NOTE, "restriction.suspend", NULL, show_done,
     "LOGIN --note TEXT", "shut it out until its restriction is released"},
    {"account", "lock", COMMAND_LOGIN, COMMAND_OPT_NOTE, "restriction.lock", NULL, show_done,
     "LOGIN [--note TEXT]", "the same until its owner changes the password at the page"},
    {"account", "risk", COMMAND_LOGIN, 0, "risk.show", NULL, show_pairs, "LOGIN",
     "whether a route keeps its mail in another pool, by which score and until when"},
    {"account", "clear-risk", COMMAND_LOGIN, COMMAND_OPT_NOTE, "risk.clear", NULL, show_done,
     "LOGIN --note TEXT", "let its mail leave by the pools of everybody else again"},
    {"account", "remove", COMMAND_LOGIN, 0, "account.remove", NULL, show_done, "LOGIN",
     "delete it and its password"},
    {"account", "import", COMMAND_LINES, COMMAND_OPT_REPLACE, "account.import", NULL, show_import,
     "FILE|- [--replace]", "make accounts from lines of login:hash"},
    {"queue", "list", COMMAND_PAGES,
     COMMAND_OPT_STATE | COMMAND_OPT_USER | COMMAND_OPT_SENDER | COMMAND_OPT_RECIPIENT |
         COMMAND_OPT_POOL | COMMAND_OPT_HELD,
     "queue.list", "messages", show_queue, "[FILTER...]", "what waits, oldest first"},
    {"queue", "show", COMMAND_ID, 0, "queue.show", NULL, show_pairs, "ID",
     "envelope and history of a message"},
    {"queue", "cat", COMMAND_ID, 0, "queue.cat", NULL, show_content, "ID", "its text"},
    {"queue", "flush", COMMAND_MAYBE_IDS, 0, "queue.flush", NULL, show_done, "[ID...]",
     "try now; without ID everything"},
    {"queue", "hold", COMMAND_IDS, 0, "queue.hold", NULL, show_done, "ID...", "try no more"},
    {"queue", "release", COMMAND_IDS, 0, "queue.release", NULL, show_done, "ID...",
     "let go what is held, for whatever reason"},
    {"queue", "delete", COMMAND_IDS, 0, "queue.delete", NULL, show_done, "ID...",
     "throw away, without a notice to its sender"},
    {"queue", "return", COMMAND_IDS, COMMAND_OPT_TEXT, "queue.return", NULL, show_done,
     "ID... [--text TEXT]", "give it back to its sender, with a sentence of yours"},
    {"outcome", "report", COMMAND_OUTCOME, COMMAND_OPT_CODE | COMMAND_OPT_STATUS | COMMAND_OPT_RECIPIENT,
     "outcome.report", NULL, show_done, "LOGIN|ID|<MESSAGE-ID> --code N --status S [--recipient A]",
     "a receiver refused the mail later on: count it"},
    {"outcome", "import", COMMAND_OUTCOMES, COMMAND_OPT_USER, "outcome.report", NULL, show_done,
     "FILE|- [--user LOGIN]", "the same from a bounce (RFC 3464), or from JSON objects, one a line"},
    {"pool", "list", COMMAND_PLAIN, 0, "pool.list", NULL, show_pools, "",
     "connections, queue and health of each way out"},
    {"pool", "show", COMMAND_ID, 0, "pool.show", NULL, show_pairs, "NAME",
     "one of them: its smarthosts, and each destination's limits and health"},
    {"mailbox", "check", COMMAND_ACCESS, COMMAND_OPT_PROTOCOL, "mailbox.allow", NULL, show_done,
     "LOGIN IP [--protocol P]", "may it read its mail from there?"},
    {"mailbox", "report", COMMAND_ACCESS, COMMAND_OPT_PROTOCOL, "mailbox.report", NULL, show_done,
     "LOGIN IP [--protocol P]", "say that it read its mail from there"},
    {"notice", "test", COMMAND_LOGIN, 0, "notice.test", NULL, show_done, "LOGIN",
     "send a sample of each notice to the customer, the desk and the webhooks"},
    {"access", "list", COMMAND_LOGIN, 0, "access.list", NULL, show_accesses, "LOGIN",
     "which operator looked at it or changed it, newest first"},
    {"usage", "show", COMMAND_LOGIN, 0, "usage.show", NULL, show_usage, "LOGIN",
     "how much of its limits it has used"},
    {"rules", "list", COMMAND_PLAIN, 0, "rules.list", NULL, show_rules, "", "what each says, and how often it acted"},
    {"restriction", "trend", COMMAND_PLAIN, COMMAND_OPT_DAYS, "restriction.trend", NULL, show_trend, "[--days N]",
     "how many began on each day, by rule"},
    {"sign-in", "list", COMMAND_LOGIN, 0, "sign-in.list", NULL, show_sign_ins, "LOGIN",
     "when, from where and by which program it signed in or was refused"},
    {"app-password", "add", COMMAND_NAMED, COMMAND_OPT_SCOPE | COMMAND_OPT_WHY, "app-password.add", NULL, show_pairs,
     "LOGIN NAME --scope smtp,imap,pop [--why TEXT]", "a password for one device; it is shown this once"},
    {"app-password", "list", COMMAND_LOGIN, 0, "app-password.list", NULL, show_app_passwords, "LOGIN",
     "its devices, and when each was last used"},
    {"app-password", "remove", COMMAND_LOGIN_ID, COMMAND_OPT_WHY, "app-password.remove", NULL, show_done,
     "LOGIN ID [--why TEXT]", "take it back"},
    {"totp", "off", COMMAND_LOGIN, COMMAND_OPT_WHY, "totp.off", NULL, show_done, "LOGIN [--why TEXT]",
     "ask for codes of an authenticator no more"},
    {"token", "add", COMMAND_PLAIN,
     COMMAND_OPT_ROLE | COMMAND_OPT_SCOPE | COMMAND_OPT_NOTE | COMMAND_OPT_DAYS, "token.add", NULL, show_pairs,
     "--role R --note TEXT [--scope S,S] [--days N]", "a bearer token for the API; it is shown this once"},
    {"token", "list", COMMAND_PLAIN, 0, "token.list", NULL, show_tokens, "", "those that were given out"},
    {"token", "remove", COMMAND_ID, COMMAND_OPT_WHY, "token.remove", NULL, show_done, "ID [--why TEXT]",
     "take it back, and end what it signed in"},
    {"audit", "list", COMMAND_PAGES, COMMAND_OPT_TARGET, "audit.list", "audit", show_audit, "[--target T]",
     "every change: who, from where, what, whose, why; newest first"},
    {"geo", "lookup", COMMAND_IP, 0, "geo.lookup", NULL, show_pairs, "IP",
     "the country of an address, and by which databases"},
    {"restriction", "list", COMMAND_LOGIN_PAGES, COMMAND_OPT_ALL, "restriction.list",
     "restrictions", show_restrictions, "[LOGIN] [--all]", "who is shut out now, and why; with --all what ever was"},
    {"restriction", "show", COMMAND_ID, 0, "restriction.show", NULL, show_pairs, "ID",
     "the whole story of one"},
    {"restriction", "release", COMMAND_ID, COMMAND_OPT_NOTE, "restriction.release", NULL, show_done,
     "ID --note TEXT", "lift it; the note stays with it"},
    {"score", "check", COMMAND_MESSAGES, COMMAND_OPT_SENDER, "score.check", NULL, show_score,
     "FILE|-... [--sender ADDRESS]", "what score a message would get, and why"},
    {"score", "train", COMMAND_SORTED, 0, "score.train", NULL, show_training,
     "[--ham|--spam PATH...]...", "learn from mail that people have sorted"},
    {"score", "learn", COMMAND_SORTED, 0, "score.learn", NULL, show_training, "--ham|--spam FILE|-...",
     "the same for a verdict on single messages; the last word on one counts"},
    {"score", "train-status", COMMAND_PLAIN, 0, "score.train-status", NULL, show_pairs, "",
     "how far a training is, and how the last one ended"},
    {"score", "forget", COMMAND_PLAIN, 0, "score.forget", NULL, show_done, "", "all that was learnt"},
    {"status", NULL, COMMAND_PLAIN, 0, NULL, NULL, show_status, "", "how every process is"},
    {"events", NULL, COMMAND_FOLLOW, 0, NULL, NULL, NULL, "", "what happens, as it happens, until Ctrl-C"},
    {"config", "show", COMMAND_PLAIN, COMMAND_OPT_ALL, "supervisor.config", NULL, show_config, "[--all]",
     "what is in force, and which line says it; with --all defaults, too"},
    {"reload", NULL, COMMAND_PLAIN, 0, "supervisor.reload", NULL, show_reload, "",
     "read the configuration and the certificates again"},
};

const size_t ctl_command_count = sizeof ctl_commands / sizeof ctl_commands[0];

/* An option is the argument's key in the operation, but for --stdin, which is ours, and for settings. */
static const struct {
    const char *name;
    const char *key;
    bool has_value;
} options[COMMAND_OPTION_COUNT] = {
    {"--stdin", NULL, false},           {"--disabled", "disabled", false},
    {"--replace", "replace", false},    {"--state", "state", true},
    {"--user", "user", true},           {"--sender", "sender", true},
    {"--recipient", "recipient", true}, {"--pool", "pool", true},
    {"--protocol", "protocol", true},
    {"--all", "all", false},            {"--note", "note", true},
    {"--class", NULL, true},            {"--overseas", NULL, true},
    {"--home", NULL, true},             {"--travel", NULL, true},
    {"--no-travel", NULL, true},        {"--limit", NULL, true},
    {"--no-sender", NULL, true},        {"--consent", NULL, true},
    {"--language", NULL, true},         {"--all-of-class", "class", true},
    {"--dry-run", "dry_run", false},    {"--held", "held", false},
    {"--text", "text", true},           {"--role", "role", true},
    {"--scope", "scopes", true},        {"--days", "days", true},
    {"--target", "target", true},       {"--why", "why", true},
    {"--code", "code", true},           {"--status", "status", true},
};

/* ---- options ---- */

static int refuse_option(const char *word, char error[COMMAND_ERROR_MAX])
{
    struct suggest near = {.word = view_cstr(word)};
    suggest_offer(&near, "--json");
    for (size_t i = 0; i < COMMAND_OPTION_COUNT; i++)
        suggest_offer(&near, options[i].name);
    snprintf(error, COMMAND_ERROR_MAX, "there is no option '%.40s'%s", word, suggest_text(&near));
    return MSA_EINVAL;
}

/* How many arguments it was, or negative. */
static int take_long(int argc, char *argv[], int at, struct ctl_line *out,
                     char error[COMMAND_ERROR_MAX])
{
    if (strcmp(argv[at], "--json") == 0) {
        out->is_json = true;
        return 1;
    }
    for (size_t i = 0; i < COMMAND_OPTION_COUNT; i++) {
        if (strcmp(argv[at], options[i].name) != 0)
            continue;
        out->options |= 1u << i;
        if (!options[i].has_value)
            return 1;
        if (at + 1 == argc) {
            snprintf(error, COMMAND_ERROR_MAX, "option '%s' needs a value", argv[at]);
            return MSA_EINVAL;
        }
        if (out->given_count == COMMAND_GIVEN_MAX) {
            snprintf(error, COMMAND_ERROR_MAX, "these are too many options");
            return MSA_EINVAL;
        }
        out->given[out->given_count++] = (struct ctl_given){1u << i, argv[at + 1]};
        out->values[i] = argv[at + 1];
        return 2;
    }
    return refuse_option(argv[at], error);
}

/* -f FILE and -s SOCKET. How many arguments it was, 0 when it is neither, or negative. */
static int take_value(int argc, char *argv[], int at, struct ctl_line *out,
                      char error[COMMAND_ERROR_MAX])
{
    const char *arg = argv[at];
    if (arg[1] != 'f' && arg[1] != 's')
        return 0;
    const char *value = arg[2] ? arg + 2 : at + 1 < argc ? argv[at + 1] : NULL;
    if (!value) {
        snprintf(error, COMMAND_ERROR_MAX, "option '%s' needs a value", arg);
        return MSA_EINVAL;
    }
    if (arg[1] == 'f')
        out->file = value;
    else
        out->socket = value;
    return arg[2] ? 1 : 2;
}

/* See COMMAND_SORTED. */
static bool is_kind(const char *word)
{
    return strcmp(word, "--ham") == 0 || strcmp(word, "--spam") == 0;
}

/* Words go to the front of argv; the number of them, or negative. */
static int sort_out(int argc, char *argv[], struct ctl_line *out, char error[COMMAND_ERROR_MAX])
{
    int word_count = 0;
    bool is_words_only = false;
    for (int i = 1; i < argc; i++) {
        if (is_words_only || argv[i][0] != '-' || argv[i][1] == '\0' || is_kind(argv[i])) {
            argv[1 + word_count++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            is_words_only = true;
        } else {
            int taken = take_value(argc, argv, i, out, error);
            if (taken == 0)
                taken = take_long(argc, argv, i, out, error);
            if (taken < 0)
                return MSA_EINVAL;
            i += taken - 1;
        }
    }
    return word_count;
}

/* ---- command ---- */

static const struct ctl_command *find(char *const words[], size_t word_count)
{
    for (size_t i = 0; i < ctl_command_count; i++) {
        const struct ctl_command *c = &ctl_commands[i];
        if (strcmp(c->group, words[0]) == 0 &&
            (!c->verb || (word_count > 1 && strcmp(c->verb, words[1]) == 0)))
            return c;
    }
    return NULL;
}

static bool has_kinds(const struct ctl_line *line)
{
    bool is_sorted = line->command->form == COMMAND_SORTED;
    if (is_sorted && line->word_count > 0)
        return line->word_count > 1 && is_kind(line->words[0]);
    for (size_t i = 0; i < line->word_count; i++)
        if (is_kind(line->words[i]))
            return false;
    return !is_sorted || strcmp(line->command->verb, "train") == 0; /* which may go by what is known */
}

/* How a command is written. */
static void say_usage(const struct ctl_command *c, const char *before, char error[COMMAND_ERROR_MAX])
{
    snprintf(error, COMMAND_ERROR_MAX, "%sit is: msactl %s%s%s%s%s", before, c->group, c->verb ? " " : "",
             c->verb ? c->verb : "", c->words[0] ? " " : "", c->words);
}

static int check_options(const struct ctl_line *line, char error[COMMAND_ERROR_MAX])
{
    char before[64];
    unsigned unknown = line->options & ~line->command->options;
    for (size_t i = 0; unknown && i < COMMAND_OPTION_COUNT; i++) {
        if (!(unknown & (1u << i)))
            continue;
        snprintf(before, sizeof before, "this command takes no %s; ", options[i].name);
        say_usage(line->command, before, error);
        return MSA_EINVAL;
    }
    return MSA_OK;
}

static int check_words(const struct ctl_line *line, char error[COMMAND_ERROR_MAX])
{
    static const struct {
        size_t least;
        size_t most;
    } counts[] = {
        [COMMAND_PLAIN] = {0, 0},
        [COMMAND_FOLLOW] = {0, 0},
        [COMMAND_LOGIN] = {1, 1},
        [COMMAND_OUTCOME] = {1, 1},
        [COMMAND_ACCESS] = {2, 2},
        [COMMAND_NAMED] = {2, 2},
        [COMMAND_LOGIN_ID] = {2, 2},
        [COMMAND_PASSWORD] = {1, 1},
        [COMMAND_IDS] = {1, SIZE_MAX},
        [COMMAND_ID] = {1, 1},
        [COMMAND_MAYBE_IDS] = {0, SIZE_MAX},
        [COMMAND_PAGES] = {0, 0},
        [COMMAND_LOGIN_PAGES] = {0, 1},
        [COMMAND_LINES] = {1, 1},
        [COMMAND_IP] = {1, 1},
        [COMMAND_ACCOUNT] = {1, 1},
        [COMMAND_SET] = {1, 1},
        [COMMAND_SET_MANY] = {0, 1},
        [COMMAND_SENDERS] = {1, 1},
        [COMMAND_OUTCOMES] = {1, 1},
        [COMMAND_MESSAGES] = {1, SIZE_MAX},
        [COMMAND_SORTED] = {0, SIZE_MAX},
    };
    const struct ctl_command *c = line->command;
    if (line->word_count < counts[c->form].least || line->word_count > counts[c->form].most || !has_kinds(line)) {
        say_usage(c, "", error);
        return MSA_EINVAL;
    }
    return check_options(line, error);
}

/* Of a known group its verbs; else what was meant. */
static int refuse_command(const char *group, char error[COMMAND_ERROR_MAX])
{
    struct suggest near = {.word = view_cstr(group)};
    size_t used = 0;
    for (size_t i = 0; i < ctl_command_count; i++) {
        const struct ctl_command *c = &ctl_commands[i];
        suggest_offer(&near, c->group);
        if (strcmp(c->group, group) != 0 || used >= COMMAND_ERROR_MAX)
            continue;
        int n = used == 0 ? snprintf(error, COMMAND_ERROR_MAX, "it is: msactl %s %s", group, c->verb)
                          : snprintf(error + used, COMMAND_ERROR_MAX - used, "|%s", c->verb);
        used += n > 0 ? (size_t)n : 0;
    }
    if (used == 0)
        snprintf(error, COMMAND_ERROR_MAX, "there is no command '%.40s'%s: see msactl help", group,
                 suggest_text(&near));
    return MSA_EINVAL;
}

int ctl_command_parse(int argc, char *argv[], struct ctl_line *out, char error[COMMAND_ERROR_MAX])
{
    *out = (struct ctl_line){0};
    int n = sort_out(argc, argv, out, error);
    if (n < 0)
        return n;
    if (n == 0 || strcmp(argv[1], "help") == 0)
        return MSA_OK;
    out->command = find(argv + 1, (size_t)n);
    if (!out->command)
        return refuse_command(argv[1], error);
    int own = out->command->verb ? 2 : 1;
    out->words = argv + 1 + own;
    out->word_count = (size_t)(n - own);
    return check_words(out, error);
}

/* The id that msad gave a message, its Message-ID in brackets, or whose it was. */
static const char *outcome_key(const char *word)
{
    uint64_t id;
    if (word[0] == '<')
        return "message_id";
    return msgid_parse(view_cstr(word), &id) ? "id" : "login";
}

/* What the first word is to the operation. */
static const char *word_key(enum command_form form, const char *word)
{
    switch (form) {
    case COMMAND_OUTCOME: return outcome_key(word);
    case COMMAND_LOGIN:
    case COMMAND_PASSWORD:
    case COMMAND_ACCESS:
    case COMMAND_NAMED:
    case COMMAND_LOGIN_ID:
    case COMMAND_LOGIN_PAGES:
    case COMMAND_ACCOUNT:
    case COMMAND_SET: return "login";
    case COMMAND_IP: return "ip";
    default: return "id";
    }
}

static bool takes_settings(enum command_form form)
{
    return form == COMMAND_SET || form == COMMAND_SET_MANY;
}

/* "a.read,b.write" as a list; a number as one; else the text, or that it was given. */
static json_t *option_value(size_t i, const char *value)
{
    uint64_t n;
    struct view rest = view_cstr(value);
    if (!options[i].has_value)
        return json_true();
    if ((COMMAND_OPT_DAYS | COMMAND_OPT_CODE) & (1u << i) && view_parse_u64(rest, INT32_MAX, &n))
        return json_integer((json_int_t)n);
    if ((1u << i) != COMMAND_OPT_SCOPE)
        return json_string(value);
    json_t *list = json_array();
    while (rest.n > 0) {
        struct view one = view_cut(&rest, ',');
        json_array_append_new(list, json_stringn(one.p, one.n));
    }
    return list;
}

json_t *ctl_command_args(const struct ctl_line *line, const char *word)
{
    json_t *args = json_object();
    enum command_form form = line->command->form;
    if (word)
        json_object_set_new(args, word_key(form, word), json_string(word));
    else if (form == COMMAND_MAYBE_IDS)
        json_object_set_new(args, "all", json_true());
    if (form == COMMAND_ACCESS)
        json_object_set_new(args, "ip", json_string(line->words[1]));
    if (form == COMMAND_NAMED)
        json_object_set_new(args, "name", json_string(line->words[1]));
    if (form == COMMAND_LOGIN_ID)
        json_object_set_new(args, "id", json_string(line->words[1]));
    for (size_t i = 0; i < COMMAND_OPTION_COUNT; i++) {
        if (!(line->options & (1u << i)) || !options[i].key ||
            (takes_settings(form) && (COMMAND_OPTS_SETTINGS & (1u << i))))
            continue;
        json_object_set_new(args, options[i].key, option_value(i, line->values[i]));
    }
    return args;
}

void ctl_command_help(struct buf *out)
{
    buf_add_cstr(out, "usage: msactl [-f FILE | -s SOCKET] [--json] COMMAND\n\n");
    for (size_t i = 0; i < ctl_command_count; i++) {
        const struct ctl_command *c = &ctl_commands[i];
        char words[80];
        snprintf(words, sizeof words, "%s %s%s%s", c->group, c->verb ? c->verb : "",
                 c->verb ? " " : "", c->words);
        buf_addf(out, "  %-45s %s\n", words, c->help);
    }
    buf_addf(out, "  %-45s %s\n", "replay [OPTIONS] FILE...",
             "try the rules on old logs: see replay --help");
    buf_addf(out, "  %-45s %s\n", "dkim keygen|dns [OPTIONS]",
             "make a key that signs mail; print the DNS records: see dkim --help");
    buf_add_cstr(out,
                 "\n"
                 "  -f FILE    msad's configuration, which says where its socket is\n"
                 "             (default " COMMAND_DEFAULT_FILE ")\n"
                 "  -s SOCKET  the socket itself\n"
                 "  --json     print msad's answer as it is\n"
                 "  --stdin    take the password from standard input: one line\n"
                 "  FILTER     --state ready|active|waiting|held (--held for short), --user LOGIN,\n"
                 "             --sender ADDRESS, --recipient ADDRESS, --pool NAME\n"
                 "  P          imap (the default) or pop3\n"
                 "  R          operator, support or portal; S what it may, such as accounts.read\n"
                 "             (GET /api/v1/openapi.json names them all); none: all of its role\n"
                 "  SETTING    --class NAME (\"\": none), --overseas allow|block|default,\n"
                 "             --home JP,US (or default), --travel [FR][:FROM..UNTIL] with days such\n"
                 "             as 2026-12-01 in local time, the last one included, --no-travel with\n"
                 "             the same or all, --limit RULE=NUMBER|off|default, --sender PATTERN,\n"
                 "             --no-sender PATTERN|all, --consent yes|no|default,\n"
                 "             --language ja|en|default, --note TEXT. --travel, --no-travel, --limit\n"
                 "             and both for senders may be repeated\n"
                 "  PATH       a message, a mailbox (mbox) or a directory (*.eml, Maildir). Mail may be as it was\n"
                 "             received or as it was submitted: of its header only Subject, From, To, Reply-To,\n"
                 "             Date, Message-ID and the name of the mail program count, not what servers add\n"
                 "\n"
                 "A password is asked for at the terminal, twice; it never stands on a command line.\n"
                 "Exit status: 0 done, 1 refused by msad, 2 wrong usage, 3 msad cannot be reached,\n"
                 "4 a file or the terminal here cannot be used.\n");
}
