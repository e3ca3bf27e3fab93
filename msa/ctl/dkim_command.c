#include "msa/ctl/dkim_command.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/config/config.h"
#include "msa/ctl/ctl_private.h"
#include "relay/dkim/key.h"

#define OUTPUT_MAX   (16u << 20)
#define FILE_BYTES_MAX (256u << 10) /* room for a reader that asks for 64 KiB at once */
#define BITS_DEFAULT 2048u

static const char usage[] =
    "usage: msactl dkim keygen --domain DOMAIN --selector NAME --out FILE [--type rsa|ed25519] [--bits N]\n"
    "       msactl [-f CONFIG] dkim dns [--json]\n"
    "\n"
    "keygen makes a private key in FILE (which must not be there yet; mode 0600) and prints the TXT\n"
    "record that publishes its other half; dns prints those of all keys in the configuration.\n"
    "\n"
    "  --type T     rsa (the default) or ed25519; have both, for not everybody knows the second\n"
    "  --bits N     of an RSA key, 2048 to 4096 (default 2048)\n"
    "  -f CONFIG    the configuration (default " COMMAND_DEFAULT_FILE ")\n"
    "  --json       the records as JSON\n";

struct dkim_options {
    const char *config, *domain, *selector, *type, *bits, *out;
    bool is_json, is_help;
};

bool dkim_command_is_asked(int argc, char *const argv[])
{
    int at = 1;
    while (at < argc && (strcmp(argv[at], "--json") == 0 || strcmp(argv[at], "-f") == 0))
        at += argv[at][1] == 'f' ? 2 : 1;
    return at < argc && strcmp(argv[at], "dkim") == 0;
}

/* ---- a record ---- */

static void add_strings(struct view text, struct buf *out)
{
    while (text.n > 0) {
        struct view string = view_slice(text, 0, DKIM_TEXT_STRING_MAX);
        buf_add_cstr(out, " \"");
        buf_add(out, string);
        buf_add_cstr(out, "\"");
        text = view_slice(text, string.n, text.n);
    }
}

/* In the form of a zone file, in one line. */
static void add_zone_line(const char *domain, const char *selector, struct view text, struct buf *out)
{
    buf_addf(out, "%s._domainkey.%s. IN TXT (", selector, domain);
    add_strings(text, out);
    buf_add_cstr(out, " )\n");
}

/* ---- keygen ---- */

static bool read_kind(const struct dkim_options *o, enum dkim_algorithm *algorithm, unsigned *bits)
{
    uint64_t n = BITS_DEFAULT;
    *algorithm = o->type && strcmp(o->type, "ed25519") == 0 ? DKIM_ED25519_SHA256 : DKIM_RSA_SHA256;
    if (o->type && strcmp(o->type, "ed25519") != 0 && strcmp(o->type, "rsa") != 0)
        return false;
    if (o->bits && (*algorithm != DKIM_RSA_SHA256 ||
                    !view_parse_u64(view_cstr(o->bits), DKIM_RSA_BITS_MAX, &n) || n < DKIM_RSA_BITS_WEAK))
        return false;
    *bits = (unsigned)n;
    return true;
}

static bool write_all(int fd, struct view v)
{
    while (v.n > 0) {
        ssize_t n = write(fd, v.p, v.n);
        if (n == -1 && errno != EINTR)
            return false;
        v = view_slice(v, n > 0 ? (size_t)n : 0, v.n);
    }
    return fsync(fd) == 0;
}

/* Never over another key. */
static int write_new(const char *path, struct view text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool is_good = fd != -1 && write_all(fd, text);
    if (!is_good)
        fprintf(stderr, "msactl: %s: %s\n", path, strerror(errno));
    if (fd != -1)
        close(fd);
    if (fd != -1 && !is_good)
        unlink(path);
    return is_good ? CTL_EXIT_OK : CTL_EXIT_LOCAL;
}

static int keygen(const struct dkim_options *o, struct buf *out)
{
    enum dkim_algorithm algorithm;
    unsigned bits;
    char why[DKIM_KEY_WHY_MAX];
    struct buf pem, record;
    if (!o->domain || !o->selector || !o->out || !read_kind(o, &algorithm, &bits)) {
        fputs(usage, stderr);
        return CTL_EXIT_USAGE;
    }
    struct dkim_key *key = dkim_key_generate(algorithm, bits, why);
    if (!key)
        return ctl_complain(CTL_EXIT_LOCAL, why);
    buf_init_secret(&pem, CONFIG_DKIM_KEY_MAX_BYTES);
    buf_init(&record, DKIM_RECORD_MAX);
    bool is_good = dkim_key_pem(key, &pem) == MSA_OK && dkim_key_record(key, &record) == MSA_OK;
    int rc = is_good ? write_new(o->out, buf_view(&pem)) : ctl_complain(CTL_EXIT_LOCAL, "out of memory");
    if (rc == CTL_EXIT_OK)
        add_zone_line(o->domain, o->selector, buf_view(&record), out);
    buf_fini(&pem);
    buf_fini(&record);
    dkim_key_free(&key);
    return rc;
}

/* ---- dns ---- */

static void add_record(const struct config_dkim *d, const struct config_dkim_selector *s, struct view text,
                       json_t *list, struct buf *out)
{
    char name[512];
    snprintf(name, sizeof name, "%s._domainkey.%s", s->name, d->domain);
    if (list)
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b, s:s%}", "name", name, "domain", d->domain,
                                              "selector", s->name, "use", (int)s->use, "text", text.p,
                                              text.n));
    else
        add_zone_line(d->domain, s->name, text, out);
}

static int show_key(const struct config_dkim *d, const struct config_dkim_selector *s, json_t *list,
                    struct buf *out)
{
    struct buf pem, record;
    char why[DKIM_KEY_WHY_MAX] = "out of memory";
    buf_init_secret(&pem, FILE_BYTES_MAX);
    buf_init(&record, DKIM_RECORD_MAX);
    int rc = ctl_read_whole(s->key_file, &pem) < 0 ? CTL_EXIT_LOCAL : CTL_EXIT_OK;
    struct dkim_key *key = rc == CTL_EXIT_OK ? dkim_key_parse(buf_view(&pem), why) : NULL;
    if (key && dkim_key_record(key, &record) == MSA_OK) {
        add_record(d, s, buf_view(&record), list, out);
    } else if (rc == CTL_EXIT_OK) {
        fprintf(stderr, "msactl: %s: %s\n", s->key_file, why);
        rc = CTL_EXIT_LOCAL;
    }
    dkim_key_free(&key);
    buf_fini(&pem);
    buf_fini(&record);
    return rc;
}

static int show_all(const struct config *config, json_t *list, struct buf *out)
{
    int rc = CTL_EXIT_OK;
    for (uint32_t i = 0; i < config->dkim_count; i++) {
        const struct config_dkim *d = &config->dkim[i];
        for (uint32_t k = 0; k < d->selector_count; k++) {
            if (show_key(d, &d->selectors[k], list, out) != CTL_EXIT_OK)
                rc = CTL_EXIT_LOCAL;
        }
    }
    return rc;
}

static void print_json(json_t *list, struct buf *out)
{
    json_t *answer = json_pack("{s:O}", "records", list);
    char *text = json_dumps(answer, JSON_COMPACT);
    if (text)
        buf_addf(out, "%s\n", text);
    free(text);
    json_decref(answer);
}

static int dns(const struct dkim_options *o, struct buf *out)
{
    struct config *config = NULL;
    struct config_errors errs;
    config_errors_init(&errs);
    int rc = CTL_EXIT_LOCAL;
    if (config_load_public(o->config, &config, &errs) < 0) {
        struct buf report;
        buf_init(&report, OUTPUT_MAX);
        config_errors_print(&errs, &report);
        ctl_print(stderr, &report);
        buf_fini(&report);
    } else {
        json_t *list = o->is_json ? json_array() : NULL;
        rc = show_all(config, list, out);
        if (list)
            print_json(list, out);
        json_decref(list);
    }
    config_errors_fini(&errs);
    config_free(&config);
    return rc;
}

/* ---- the command line ---- */

static bool take_options(struct dkim_options *o, int argc, char *argv[])
{
    static const struct option known[] = {
        {"domain", required_argument, NULL, 'd'}, {"selector", required_argument, NULL, 's'},
        {"type", required_argument, NULL, 't'},   {"bits", required_argument, NULL, 'b'},
        {"out", required_argument, NULL, 'o'},    {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {0},
    };
    int option;
    o->config = COMMAND_DEFAULT_FILE;
    while ((option = getopt_long(argc, argv, "f:", known, NULL)) != -1) {
        switch (option) {
        case 'f': o->config = optarg; break;
        case 'd': o->domain = optarg; break;
        case 's': o->selector = optarg; break;
        case 't': o->type = optarg; break;
        case 'b': o->bits = optarg; break;
        case 'o': o->out = optarg; break;
        case 'j': o->is_json = true; break;
        case 'h': o->is_help = true; break;
        default: return false;
        }
    }
    return true;
}

int dkim_command(int argc, char *argv[])
{
    struct dkim_options o = {0};
    struct buf out;
    int rc = CTL_EXIT_USAGE;
    buf_init(&out, OUTPUT_MAX);
    const char *verb = take_options(&o, argc, argv) && argc - optind == 2 ? argv[optind + 1] : "";
    if (o.is_help) {
        fputs(usage, stdout);
        rc = CTL_EXIT_OK;
    } else if (strcmp(verb, "keygen") == 0) {
        rc = keygen(&o, &out);
    } else if (strcmp(verb, "dns") == 0) {
        rc = dns(&o, &out);
    } else {
        fputs(usage, stderr);
    }
    ctl_print(stdout, &out);
    buf_fini(&out);
    if (fflush(stdout) != 0 && rc == CTL_EXIT_OK)
        rc = ctl_complain(CTL_EXIT_LOCAL, "cannot write to standard output");
    return rc;
}
