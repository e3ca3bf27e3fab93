#include "msa/ctl/replay_command.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/ctl/command.h"
#include "msa/ctl/ctl.h"
#include "msa/ctl/replay.h"
#include "msa/ctl/replay_input.h"
#include "msa/ctl/replay_sweep.h"
#include "policy/rules.h"

static const char usage[] =
    "usage: msactl [-f CONFIG] replay [OPTIONS] FILE...\n"
    "\n"
    "Runs the rules over old logs and says whom they would have stopped, when, and who "
    "would have\n"
    "noticed. Asks nothing of msad. FILE is a log of msad, Postfix, Dovecot or Exim, or "
    "a trace of\n"
    "JSON lines; plain or packed by gzip, - for standard input. Several are read side by "
    "side.\n"
    "\n"
    "  -f CONFIG         the configuration whose rules are tried\n"
    "                    (default " COMMAND_DEFAULT_FILE ")\n"
    "  --rules FILE      these rules instead: a file that the configuration includes\n"
    "  --accounts FILE   tab-separated: account, created (seconds since 1970); others do "
    "not exist\n"
    "  --labels FILE     tab-separated: account, legit or abused, scenario, abused since "
    "(seconds)\n"
    "  --mmdb FILE       a country database, where the log does not say the country\n"
    "  --year YEAR       of the first line, for logs that have no year\n"
    "  --zone +HH:MM     of times without a zone (default: this machine's)\n"
    "  --sweep RULE.limit=FROM..TO[/STEP]\n"
    "                    the rule with each of these limits, as a table\n"
    "  --alone           no other rule than the swept one\n"
    "  --svg FILE        the sweep as a picture\n"
    "  --json            the answer as JSON\n"
    "  --quiet           no progress on the terminal\n";

struct options {
    const char *config, *rules, *accounts, *labels, *mmdb, *sweep, *svg;
    struct log_clock clock;
    bool is_json, is_alone, is_quiet;
    char *const *files;
    int file_count;
};

struct command {
    struct options options;
    struct sweep sweep;
    struct config *config;
    struct config_geo geo_settings;
    struct geo *geo;
    struct replay replay;
    struct replay_input *input;
    struct sweep_result sweep_result;
};

bool replay_is_asked(int argc, char *const argv[])
{
    int at = 1;
    if (argc > 3 && strcmp(argv[1], "-f") == 0)
        at = 3;
    return argc > at && strcmp(argv[at], "replay") == 0;
}

static int complain(int rc, const char *what, const char *why)
{
    fprintf(stderr, "msactl: %s%s%s\n", what, why ? ": " : "", why ? why : "");
    return rc;
}

/* ---- options ---- */

enum {
    OPT_RULES = 256,
    OPT_ACCOUNTS,
    OPT_LABELS,
    OPT_MMDB,
    OPT_YEAR,
    OPT_ZONE,
    OPT_SWEEP,
    OPT_ALONE,
    OPT_SVG,
    OPT_JSON,
    OPT_QUIET,
    OPT_HELP
};

static const struct option long_options[] = {
    {"rules", required_argument, NULL, OPT_RULES},
    {"accounts", required_argument, NULL, OPT_ACCOUNTS},
    {"labels", required_argument, NULL, OPT_LABELS},
    {"mmdb", required_argument, NULL, OPT_MMDB},
    {"year", required_argument, NULL, OPT_YEAR},
    {"zone", required_argument, NULL, OPT_ZONE},
    {"sweep", required_argument, NULL, OPT_SWEEP},
    {"alone", no_argument, NULL, OPT_ALONE},
    {"svg", required_argument, NULL, OPT_SVG},
    {"json", no_argument, NULL, OPT_JSON},
    {"quiet", no_argument, NULL, OPT_QUIET},
    {"help", no_argument, NULL, OPT_HELP},
    {0},
};

static bool take_year(struct options *o)
{
    uint64_t year;
    if (!view_parse_u64(view_cstr(optarg), 9999, &year) || year < 1970)
        return false;
    o->clock.year = (int)year;
    return true;
}

static bool take_zone(struct options *o)
{
    o->clock.has_zone = true;
    return log_zone_parse(view_cstr(optarg), &o->clock.zone_s);
}

static bool take_option(struct options *o, int option)
{
    switch (option) {
    case 'f':
        o->config = optarg;
        return true;
    case OPT_RULES:
        o->rules = optarg;
        return true;
    case OPT_ACCOUNTS:
        o->accounts = optarg;
        return true;
    case OPT_LABELS:
        o->labels = optarg;
        return true;
    case OPT_MMDB:
        o->mmdb = optarg;
        return true;
    case OPT_YEAR:
        return take_year(o);
    case OPT_ZONE:
        return take_zone(o);
    case OPT_SWEEP:
        o->sweep = optarg;
        return true;
    case OPT_ALONE:
        o->is_alone = true;
        return true;
    case OPT_SVG:
        o->svg = optarg;
        return true;
    case OPT_JSON:
        o->is_json = true;
        return true;
    case OPT_QUIET:
        o->is_quiet = true;
        return true;
    default:
        return false;
    }
}

/* CTL_EXIT_OK with files to read, or without when only help was asked for. */
static int take_options(struct options *o, int argc, char *argv[])
{
    int option;
    log_clock_init(&o->clock, 0);
    o->is_quiet = !isatty(STDERR_FILENO);
    while ((option = getopt_long(argc, argv, "f:", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(usage, stdout);
            return CTL_EXIT_OK;
        }
        if (!take_option(o, option)) {
            if (option != '?')
                complain(CTL_EXIT_USAGE, "no such value", optarg);
            return CTL_EXIT_USAGE;
        }
    }
    o->files = argv + optind + 1; /* behind the word "replay" */
    o->file_count = argc - optind - 1;
    if (o->file_count > 0)
        return CTL_EXIT_OK;
    fputs(usage, stderr);
    return CTL_EXIT_USAGE;
}

/* ---- rules ---- */

/* Stands before the text of --rules on its first line, so that the lines of mistakes are
 * the file's. */
#define REST_OF_CONFIGURATION                                                           \
    "hostname replay.invalid; listener l { address 127.0.0.1:1; auth_without_tls yes; " \
    "} "                                                                                \
    "pool p { smarthost 127.0.0.1:1; } "

static int load_rules_file(const char *path, struct config **out,
                           struct config_errors *errs)
{
    struct buf text;
    char block[4096];
    size_t n;
    FILE *f = fopen(path, "r");
    if (!f)
        return complain(MSA_EIO, path, strerror(errno));
    buf_init(&text, CONFIG_TEXT_MAX_BYTES);
    buf_add_cstr(&text, REST_OF_CONFIGURATION);
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        buf_append(&text, block, n);
    int err = ferror(f) || buf_failed(&text)
                  ? complain(MSA_EIO, path, "cannot be read whole")
                  : config_parse_text(buf_view(&text), path, out, errs);
    fclose(f);
    buf_fini(&text);
    return err;
}

static int load_config(struct command *c)
{
    const char *path = c->options.config ? c->options.config : COMMAND_DEFAULT_FILE;
    struct config_errors errs;
    struct buf report;
    config_errors_init(&errs);
    buf_init(&report, 1u << 20);
    int err = c->options.rules ? load_rules_file(c->options.rules, &c->config, &errs)
                               : config_load_public(path, &c->config, &errs);
    config_errors_print(&errs, &report);
    if (buf_len(&report) > 0)
        fwrite(buf_view(&report).p, 1, buf_len(&report), stderr);
    config_errors_fini(&errs);
    buf_fini(&report);
    if (err < 0)
        return CTL_EXIT_LOCAL;
    return c->config->rule_count > 0
               ? CTL_EXIT_OK
               : complain(CTL_EXIT_LOCAL, "there are no rules to try", NULL);
}

/* ---- what is read ---- */

typedef int read_fn(struct replay *r, struct log_file *in);

static int read_list(struct replay *r, const char *path, read_fn *fn)
{
    if (!path)
        return CTL_EXIT_OK;
    struct log_file *in = log_file_open(path);
    if (!in || fn(r, in) < 0) {
        log_file_close(&in);
        return complain(CTL_EXIT_LOCAL, path, strerror(errno));
    }
    log_file_close(&in);
    return CTL_EXIT_OK;
}

static int open_geo(struct command *c)
{
    if (!c->options.mmdb && c->options.rules)
        return CTL_EXIT_OK;
    c->geo = geo_new();
    if (!c->geo)
        return complain(CTL_EXIT_LOCAL, "out of memory", NULL);
    c->geo_settings = c->config->geo;
    if (c->options.mmdb)
        c->geo_settings.country_file = c->options.mmdb;
    geo_take(c->geo, &c->geo_settings); /* says itself what it cannot load */
    c->replay.geo = c->geo;
    return CTL_EXIT_OK;
}

static int open_input(struct command *c)
{
    c->input = replay_input_new(&c->options.clock);
    if (!c->input)
        return complain(CTL_EXIT_LOCAL, "out of memory", NULL);
    for (int i = 0; i < c->options.file_count; i++) {
        int err = replay_input_add(c->input, c->options.files[i]);
        if (err < 0)
            return complain(CTL_EXIT_LOCAL, c->options.files[i],
                            err == MSA_EIO ? strerror(errno) : msa_strerror(err));
    }
    return CTL_EXIT_OK;
}

#define EVENTS_PER_REPORT 16384

static void show_progress(const struct command *c)
{
    if (!c->options.is_quiet && c->replay.event_count % EVENTS_PER_REPORT == 0)
        fprintf(stderr, "\r%3u %%  %" PRIu64 " events ",
                replay_input_done_permille(c->input) / 10, c->replay.event_count);
}

static void end_progress(const struct command *c)
{
    if (!c->options.is_quiet)
        fputs("\r\033[K", stderr);
}

static int read_events(struct command *c)
{
    const struct trace_event *t;
    int n, err = MSA_OK;
    while ((n = replay_input_next(c->input, &t)) > 0 && err == MSA_OK) {
        err = replay_event(&c->replay, t);
        show_progress(c);
    }
    end_progress(c);
    c->replay.bad_line_count += replay_input_bad_lines(c->input);
    if (err < 0 || n < 0)
        return complain(CTL_EXIT_LOCAL, "not read to the end",
                        msa_strerror(err < 0 ? err : n));
    return c->replay.event_count > 0
               ? CTL_EXIT_OK
               : complain(CTL_EXIT_LOCAL,
                          "no line of these files is an event that rules count", NULL);
}

/* ---- what is said ---- */

static void show_sweep_progress(unsigned done, unsigned total, void *arg)
{
    const struct command *c = arg;
    if (c->options.is_quiet)
        return;
    if (done < total)
        fprintf(stderr, "\rlimit %u of %u ", done + 1, total);
    else
        end_progress(c);
}

static int plot(const struct command *c)
{
    if (!c->options.svg)
        return CTL_EXIT_OK;
    FILE *f = fopen(c->options.svg, "w");
    if (f)
        sweep_plot(&c->sweep_result, f);
    if (!f || fclose(f) != 0)
        return complain(CTL_EXIT_LOCAL, c->options.svg, strerror(errno));
    return CTL_EXIT_OK;
}

static int sweep(struct command *c)
{
    int err = sweep_run(&c->replay, &c->sweep, show_sweep_progress, c, &c->sweep_result);
    if (err == MSA_ENOENT)
        return complain(CTL_EXIT_USAGE, "there is no such rule", c->sweep.rule);
    return err < 0 ? complain(CTL_EXIT_LOCAL, msa_strerror(err), NULL) : plot(c);
}

static int print_json(struct command *c)
{
    json_t *o = replay_json(&c->replay);
    if (o && c->options.sweep)
        json_object_set_new(o, "sweep", sweep_json(&c->sweep_result));
    int rc =
        o && json_dumpf(o, stdout, JSON_INDENT(1)) == 0 ? CTL_EXIT_OK : CTL_EXIT_LOCAL;
    json_decref(o);
    putchar('\n');
    return rc;
}

static int print(struct command *c)
{
    if (c->options.is_json)
        return print_json(c);
    if (c->options.sweep)
        sweep_print(&c->sweep_result, stdout);
    else if (replay_print(&c->replay, stdout) < 0)
        return complain(CTL_EXIT_LOCAL, "out of memory", NULL);
    return CTL_EXIT_OK;
}

/* ---- all of it ---- */

static int prepare(struct command *c)
{
    const struct options *o = &c->options;
    if (replay_init(&c->replay, c->config) < 0)
        return complain(CTL_EXIT_LOCAL, "out of memory", NULL);
    c->replay.keeps_steps = o->sweep != NULL;
    if (o->is_alone && !rules_keep_only(c->replay.rules, view_cstr(c->sweep.rule)))
        return complain(CTL_EXIT_USAGE, "there is no such rule", c->sweep.rule);
    int rc = open_geo(c);
    if (rc == CTL_EXIT_OK)
        rc = read_list(&c->replay, o->accounts, replay_read_accounts);
    if (rc == CTL_EXIT_OK)
        rc = read_list(&c->replay, o->labels, replay_read_labels);
    return rc == CTL_EXIT_OK ? open_input(c) : rc;
}

static int run(struct command *c, int argc, char *argv[])
{
    int rc = take_options(&c->options, argc, argv);
    if (rc != CTL_EXIT_OK || c->options.file_count == 0)
        return rc;
    if (c->options.sweep && sweep_parse(view_cstr(c->options.sweep), &c->sweep) < 0)
        return complain(CTL_EXIT_USAGE,
                        "a sweep is RULE.limit=FROM..TO[/STEP], up to 200 limits",
                        c->options.sweep);
    if (!c->options.sweep && (c->options.svg || c->options.is_alone))
        return complain(CTL_EXIT_USAGE, "--svg and --alone go with --sweep", NULL);
    rc = load_config(c);
    if (rc == CTL_EXIT_OK)
        rc = prepare(c);
    if (rc == CTL_EXIT_OK)
        rc = read_events(c);
    if (rc == CTL_EXIT_OK && c->options.sweep)
        rc = sweep(c);
    return rc == CTL_EXIT_OK ? print(c) : rc;
}

int replay_command(int argc, char *argv[])
{
    struct command *c = calloc(1, sizeof *c);
    if (!c)
        return complain(CTL_EXIT_LOCAL, "out of memory", NULL);
    log_setup("msactl", 0, LOG_LEVEL_WARN);
    int rc = run(c, argc, argv);
    replay_input_free(&c->input);
    replay_fini(&c->replay);
    geo_free(&c->geo);
    config_free(&c->config);
    free(c);
    if (fflush(stdout) != 0 && rc == CTL_EXIT_OK)
        rc = complain(CTL_EXIT_LOCAL, "cannot write to standard output", NULL);
    return rc;
}
