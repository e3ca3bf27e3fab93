/* The command line of msad. The long options are internal: the supervisor gives them to itself when
 * it starts a role. */
#ifndef MSA_PROC_OPTIONS_H
#define MSA_PROC_OPTIONS_H

#include "msa/ipc/messages.h"

#define OPTIONS_DEFAULT_FILE "/etc/msad/msad.conf"

enum options_action {
    OPTIONS_SERVE = 0, /* -f FILE, in the foreground */
    OPTIONS_CHECK,     /* -t */
    OPTIONS_DUMP,      /* -T */
    OPTIONS_VERSION,   /* -V */
    OPTIONS_HELP,      /* -h */
    OPTIONS_ROLE,      /* --role */
};

struct options {
    enum options_action action;
    const char *file;
    enum role role;        /* with OPTIONS_ROLE */
    unsigned index;
    const char *state_dir; /* NULL: the role has none */
};

#define OPTIONS_ERROR_MAX 128

/* 0, or MSA_EINVAL with a text for people in `error`. Strings point into argv. Uses getopt's globals:
 * main thread only. */
int options_parse(int argc, char *const argv[], struct options *out, char error[OPTIONS_ERROR_MAX]);

/* Internal options for a role, as an argument list that ends in NULL; the texts live in `store`. */
struct options_argv {
    const char *argv[8];
    char index[12];
};

void options_argv_make(enum role role, unsigned index, const char *state_dir,
                       struct options_argv *out);

extern const char options_help[];

#endif
