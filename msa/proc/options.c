#include "msa/proc/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/view.h"

const char options_help[] =
    "usage: msad [-f FILE] [-t | -T | -V | -h]\n"
    "\n"
    "  -f FILE  configuration (default " OPTIONS_DEFAULT_FILE ")\n"
    "  -t       check the configuration, its certificates and keys, and stop\n"
    "  -T       print the settings in force, each with its origin, and stop\n"
    "  -V       print the version and stop\n"
    "  -h       print this text and stop\n"
    "\n"
    "msad stays in the foreground. SIGHUP reads the configuration again, SIGUSR1 opens the log\n"
    "file again, SIGTERM or SIGINT finish what is under way and end it.\n";

enum { OPT_ROLE = 256, OPT_INDEX, OPT_STATE_DIR };

static const struct option long_options[] = {
    {"role", required_argument, NULL, OPT_ROLE},
    {"index", required_argument, NULL, OPT_INDEX},
    {"state-dir", required_argument, NULL, OPT_STATE_DIR},
    {NULL, 0, NULL, 0},
};

static int parse_role(const char *name, enum role *out)
{
    for (unsigned i = 1; i < ROLE_COUNT; i++) {
        enum role role = (enum role)(1u << i);
        if (strcmp(role_name(role), name) == 0) {
            *out = role;
            return MSA_OK;
        }
    }
    return MSA_EINVAL;
}

static int take_option(int option, struct options *out)
{
    uint64_t n = 0;
    switch (option) {
    case 'f': out->file = optarg; return MSA_OK;
    case 't': out->action = OPTIONS_CHECK; return MSA_OK;
    case 'T': out->action = OPTIONS_DUMP; return MSA_OK;
    case 'V': out->action = OPTIONS_VERSION; return MSA_OK;
    case 'h': out->action = OPTIONS_HELP; return MSA_OK;
    case OPT_ROLE: out->action = OPTIONS_ROLE; return parse_role(optarg, &out->role);
    case OPT_STATE_DIR: out->state_dir = optarg; return MSA_OK;
    case OPT_INDEX:
        if (!view_parse_u64(view_cstr(optarg), UINT16_MAX, &n))
            return MSA_EINVAL;
        out->index = (unsigned)n;
        return MSA_OK;
    default: return MSA_EINVAL;
    }
}

int options_parse(int argc, char *const argv[], struct options *out, char error[OPTIONS_ERROR_MAX])
{
    int option;
    *out = (struct options){.file = OPTIONS_DEFAULT_FILE};
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:f:tTVh", long_options, NULL)) != -1) {
        if (take_option(option, out) == MSA_OK)
            continue;
        const char *given = argv[optind - 1];
        snprintf(error, OPTIONS_ERROR_MAX,
                 option == ':' ? "option '%.40s' needs a value" : "cannot use option '%.40s'", given);
        return MSA_EINVAL;
    }
    if (optind < argc) {
        snprintf(error, OPTIONS_ERROR_MAX, "unexpected '%.40s': the file is given with -f",
                 argv[optind]);
        return MSA_EINVAL;
    }
    return MSA_OK;
}

void options_argv_make(enum role role, unsigned index, const char *state_dir,
                       struct options_argv *out)
{
    unsigned n = 0;
    snprintf(out->index, sizeof out->index, "%u", index);
    out->argv[n++] = "msad";
    out->argv[n++] = "--role";
    out->argv[n++] = role_name(role);
    out->argv[n++] = "--index";
    out->argv[n++] = out->index;
    if (state_dir) {
        out->argv[n++] = "--state-dir";
        out->argv[n++] = state_dir;
    }
    out->argv[n] = NULL;
}
