/* The commands of msactl, and what a command line says. Pure: nothing is opened or asked here. */
#ifndef MSA_CTL_COMMAND_H
#define MSA_CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "msa/base/buf.h"

#define COMMAND_DEFAULT_FILE "/etc/msad/msad.conf"
#define COMMAND_ERROR_MAX    320

/* What stands behind the command's words. */
enum command_form {
    COMMAND_PLAIN = 0, /* nothing */
    COMMAND_LOGIN,     /* one LOGIN */
    COMMAND_OUTCOME,   /* one message by id or Message-ID, or one LOGIN */
    COMMAND_ACCESS,    /* one LOGIN and one IP */
    COMMAND_NAMED,     /* one LOGIN and one NAME */
    COMMAND_LOGIN_ID,  /* one LOGIN and one ID of what is the account's */
    COMMAND_PASSWORD,  /* one LOGIN, and a password that is asked for */
    COMMAND_IDS,       /* one ID or more: one operation each */
    COMMAND_ID,        /* one ID */
    COMMAND_MAYBE_IDS, /* any number of IDs; none: all */
    COMMAND_PAGES,     /* nothing; the list comes in pages */
    COMMAND_LOGIN_PAGES, /* one LOGIN or none; the list comes in pages */
    COMMAND_LINES,     /* FILE or -: its lines, in portions */
    COMMAND_IP,        /* one IP */
    COMMAND_ACCOUNT,   /* one LOGIN: all that every role knows of it */
    COMMAND_SET,       /* one LOGIN, and options that are settings */
    COMMAND_SET_MANY,  /* FILE or - with a LOGIN on each line, or --all-of-class; options that are settings */
    COMMAND_OUTCOMES,  /* FILE or -: a notification, or outcomes as JSON objects, one on each line */
    COMMAND_SENDERS,   /* FILE or -: the sender_login_maps of Postfix */
    COMMAND_MESSAGES,  /* FILE or -, one or more: a message each */
    COMMAND_FOLLOW,    /* nothing; the answer goes on */
    COMMAND_SORTED,    /* --ham or --spam, and what is of that kind behind it; these two are words, since their place counts */
};

enum command_option { /* bits: which options a command knows beside -f, -s and --json */
    COMMAND_OPT_STDIN = 1 << 0,
    COMMAND_OPT_DISABLED = 1 << 1,
    COMMAND_OPT_REPLACE = 1 << 2,
    COMMAND_OPT_STATE = 1 << 3,
    COMMAND_OPT_USER = 1 << 4,
    COMMAND_OPT_SENDER = 1 << 5,
    COMMAND_OPT_RECIPIENT = 1 << 6,
    COMMAND_OPT_POOL = 1 << 7,
    COMMAND_OPT_PROTOCOL = 1 << 8,
    COMMAND_OPT_ALL = 1 << 9,
    COMMAND_OPT_NOTE = 1 << 10,
    COMMAND_OPT_CLASS = 1 << 11,
    COMMAND_OPT_OVERSEAS = 1 << 12,
    COMMAND_OPT_HOME = 1 << 13,
    COMMAND_OPT_TRAVEL = 1 << 14,
    COMMAND_OPT_NO_TRAVEL = 1 << 15,
    COMMAND_OPT_LIMIT = 1 << 16,
    COMMAND_OPT_NO_SENDER = 1 << 17,
    COMMAND_OPT_CONSENT = 1 << 18,
    COMMAND_OPT_LANGUAGE = 1 << 19,
    COMMAND_OPT_ALL_OF_CLASS = 1 << 20,
    COMMAND_OPT_DRY_RUN = 1 << 21,
    COMMAND_OPT_HELD = 1 << 22,
    COMMAND_OPT_TEXT = 1 << 23,
    COMMAND_OPT_ROLE = 1 << 24,
    COMMAND_OPT_SCOPE = 1 << 25,
    COMMAND_OPT_DAYS = 1 << 26,
    COMMAND_OPT_TARGET = 1 << 27,
    COMMAND_OPT_WHY = 1 << 28,
    COMMAND_OPT_CODE = 1 << 29,
    COMMAND_OPT_STATUS = 1 << 30,
};

#define COMMAND_OPTION_COUNT 31
#define COMMAND_GIVEN_MAX    128

/* The options that are settings of an account; see settings.h. */
#define COMMAND_OPTS_SETTINGS                                                                      \
    (COMMAND_OPT_CLASS | COMMAND_OPT_OVERSEAS | COMMAND_OPT_HOME | COMMAND_OPT_TRAVEL |            \
     COMMAND_OPT_NO_TRAVEL | COMMAND_OPT_LIMIT | COMMAND_OPT_SENDER | COMMAND_OPT_NO_SENDER |      \
     COMMAND_OPT_CONSENT | COMMAND_OPT_LANGUAGE | COMMAND_OPT_NOTE)

typedef void ctl_show_fn(const json_t *answer, struct buf *out);

struct ctl_command {
    const char *group; /* "account" */
    const char *verb;  /* "add"; NULL: the group alone is the command */
    enum command_form form;
    unsigned options;
    const char *op;    /* path behind /api/v1/; NULL: GET status */
    const char *list;  /* COMMAND_PAGES: the answer's array */
    ctl_show_fn *show;
    const char *words; /* for the help: what stands behind it */
    const char *help;
};

/* An option with its value, as it was given. */
struct ctl_given {
    unsigned option; /* its bit */
    const char *value;
};

struct ctl_line {
    const struct ctl_command *command; /* NULL: only help was asked for */
    const char *file;              /* NULL: the default one */
    const char *socket;            /* NULL: as the configuration says */
    bool is_json;
    unsigned options;              /* bits of enum command_option */
    const char *values[COMMAND_OPTION_COUNT]; /* of those that have one, by number of the bit: the last */
    struct ctl_given given[COMMAND_GIVEN_MAX]; /* all that have one, in order; for those that may be repeated */
    size_t given_count;
    char *const *words;            /* behind the command's own; in argv */
    size_t word_count;
};

/* 0, or MSA_EINVAL with a text in `error`. Moves argv's words to its front. */
int ctl_command_parse(int argc, char *argv[], struct ctl_line *out, char error[COMMAND_ERROR_MAX]);

/* The operation's argument object for one word (a LOGIN, an ID or an IP; NULL: none); a new reference. The IP
 * of COMMAND_ACCESS stands in it, too. Options that are settings of an account are left to settings.h. */
json_t *ctl_command_args(const struct ctl_line *line, const char *word);

void ctl_command_help(struct buf *out);

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_command_count;

#endif
