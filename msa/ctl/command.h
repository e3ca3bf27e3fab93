/* The commands of msactl, and what a command line says. Pure: nothing is opened or asked here. */
#ifndef MSA_CTL_COMMAND_H
#define MSA_CTL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "msa/base/buf.h"

#define COMMAND_DEFAULT_FILE "/etc/msad/msad.conf"
#define COMMAND_ERROR_MAX    160

/* What stands behind the command's words. */
enum command_form {
    COMMAND_PLAIN = 0, /* nothing */
    COMMAND_LOGIN,     /* one LOGIN */
    COMMAND_ACCESS,    /* one LOGIN and one IP */
    COMMAND_PASSWORD,  /* one LOGIN, and a password that is asked for */
    COMMAND_IDS,       /* one ID or more: one operation each */
    COMMAND_ID,        /* one ID */
    COMMAND_MAYBE_IDS, /* any number of IDs; none: all */
    COMMAND_PAGES,     /* nothing; the list comes in pages */
    COMMAND_LINES,     /* FILE or -: its lines, in portions */
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
};

#define COMMAND_OPTION_COUNT 11

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

struct ctl_line {
    const struct ctl_command *command; /* NULL: only help was asked for */
    const char *file;              /* NULL: the default one */
    const char *socket;            /* NULL: as the configuration says */
    bool is_json;
    unsigned options;              /* bits of enum command_option */
    const char *values[COMMAND_OPTION_COUNT]; /* of those that have one, by number of the bit */
    char *const *words;            /* behind the command's own; in argv */
    size_t word_count;
};

/* 0, or MSA_EINVAL with a text in `error`. Moves argv's words to its front. */
int ctl_command_parse(int argc, char *argv[], struct ctl_line *out, char error[COMMAND_ERROR_MAX]);

/* The operation's argument object for one word (a LOGIN or an ID; NULL: none); a new reference. The IP
 * of COMMAND_ACCESS stands in it, too. */
json_t *ctl_command_args(const struct ctl_line *line, const char *word);

void ctl_command_help(struct buf *out);

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_command_count;

#endif
