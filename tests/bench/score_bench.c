/* score_bench: what the built-in score of a message costs in CPU time, on one core, all together: reading it out of a
 * descriptor, rules, fingerprints, and a classifier that has learnt.
 *
 * Without files: of a message of 4 KiB of plain text, of one with plain text and HTML, of one of 10 MiB with an attachment, and
 * of one of 10 MiB of text; with --mail, whose ham/ and spam/ it learns from, also of all of these between 3.5 and 4.5 KiB: the
 * mean. Prints one line of JSON. With files: the score of each, and why, a line each; what a set of rules does to
 * much mail is seen with it. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/config/config.h"
#include "policy/score/scan.h"
#include "tests/bench/score_bench/letters.h"
#include "tests/bench/score_bench/taught.h"

static const char help[] = "usage: score_bench [--rules FILE] [--mail DIR] [--only KIND] [--seconds S] [FILE...]\n";

#define RULES_MAX ((size_t)1 << 20)

#define MESSAGES_MAX 1000

struct message {
    int fd;
    size_t bytes;
};

struct messages {
    struct message items[MESSAGES_MAX];
    size_t count;
    size_t bytes;
};

struct bench {
    struct scanner *scanner;
    struct score_rules *rules;
    double seconds;   /* for each kind of message */
    const char *only; /* of the kinds; NULL: all */
    bool has_printed;
    struct messages messages;
};

static struct score_rules *load_rules(const char *path)
{
    char *text = calloc(1, RULES_MAX);
    FILE *f = path ? fopen(path, "r") : NULL;
    struct config *config = NULL;
    struct config_errors errs;
    if (!text || (path && (!f || fread(text, 1, RULES_MAX - 1, f) == 0)))
        die("the rules cannot be read");
    if (f)
        fclose(f);
    config_errors_init(&errs);
    if (config_parse_snapshot(view_cstr(text), CONFIG_ROLE_SCORE, &config, &errs) < 0)
        die(errs.count ? errs.items[0].text : "the rules are not sound");
    struct score_rules *r = score_rules_new(config);
    if (!r)
        die("out of memory");
    config_errors_fini(&errs);
    config_free(&config);
    free(text);
    return r;
}

static void score(struct scanner *s, const struct score_rules *rules, int fd, size_t bytes,
                  struct scan_result *out)
{
    const struct scan_request request = {
        .fd = fd, .message_bytes = bytes, .sender = VIEW_LIT("taro@example.jp"), .recipient_count = 1};
    scan_result_init(out);
    if (scanner_run(s, rules, &request, out) < 0)
        die("a message could not be read");
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of `messages`, one after the other, each time: the mean. The fastest round of many: what other programs of the machine
 * take is not its cost. */
static double measure(struct bench *b, const struct messages *m)
{
    double best = 1e9, end = cpu_seconds() + b->seconds;
    for (int i = 0; i < 5 || cpu_seconds() < end; i++) {
        double began = cpu_seconds();
        for (size_t k = 0; k < m->count; k++) {
            struct scan_result r;
            score(b->scanner, b->rules, m->items[k].fd, m->items[k].bytes, &r);
            scan_result_fini(&r);
        }
        double took = (cpu_seconds() - began) / (double)m->count;
        best = took < best ? took : best;
    }
    return best;
}

static void add_message(struct messages *m, struct view message)
{
    if (m->count == MESSAGES_MAX)
        return;
    int fd = memfd_create("message", MFD_CLOEXEC);
    if (fd == -1 || write(fd, message.p, message.n) != (ssize_t)message.n)
        die("no memory for a message");
    m->items[m->count++] = (struct message){fd, message.n};
    m->bytes += message.n;
}

static void add_if_small(void *arg, struct view message, bool is_spam)
{
    (void)is_spam;
    if (message.n >= LETTER_SMALL - LETTER_SMALL / 8 && message.n <= LETTER_SMALL + LETTER_SMALL / 8)
        add_message(arg, message);
}

/* Measures what stands in b->messages, and drops it. */
static void report(struct bench *b, const char *name, double unit)
{
    struct messages *m = &b->messages;
    if (m->count > 0 && (!b->only || strcmp(b->only, name) == 0)) {
        printf("%s\"%s_count\": %zu, \"%s_bytes\": %zu, \"%s_%s\": %.*f", b->has_printed ? ", " : "{", name, m->count, name,
               m->bytes / m->count, name, unit < 1e6 ? "ms" : "us", unit < 1e6 ? 2 : 1, measure(b, m) * unit);
        b->has_printed = true;
    }
    while (m->count > 0)
        close(m->items[--m->count].fd);
    m->bytes = 0;
}

static void measure_all(struct bench *b, const char *mail)
{
    static const struct {
        const char *name;
        letter_fn *make;
        double unit;
    } letters[] = {{"text", letter_text, 1e6},
                   {"html", letter_html, 1e6},
                   {"large_attached", letter_attached, 1e3},
                   {"large_text", letter_text_large, 1e3}};
    struct buf letter;
    buf_init(&letter, LETTER_BYTES_MAX);
    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        buf_reset(&letter);
        letters[i].make(&letter);
        add_message(&b->messages, buf_view(&letter));
        report(b, letters[i].name, letters[i].unit);
    }
    buf_fini(&letter);
    if (mail)
        each_mail(mail, add_if_small, &b->messages);
    report(b, "mail", 1e6);
    printf("}\n");
}

static void score_file(struct bench *b, const char *path)
{
    struct stat st;
    struct scan_result r;
    struct buf findings;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1 || fstat(fd, &st) == -1)
        die(path);
    score(b->scanner, b->rules, fd, (size_t)st.st_size, &r);
    buf_init(&findings, 4096);
    findings_sort(&r.findings);
    findings_write_short(&r.findings, &findings);
    printf("%.3f %s %.*s\n", (double)r.findings.total_milli / 1000.0, path, (int)buf_len(&findings),
           buf_view(&findings).p);
    buf_fini(&findings);
    scan_result_fini(&r);
    close(fd);
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {{"rules", required_argument, NULL, 'r'},
                                            {"mail", required_argument, NULL, 'm'},
                                            {"only", required_argument, NULL, 'o'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {0}};
    static struct bench b = {.seconds = 1};
    const char *rules = NULL, *mail = NULL;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'r')
            rules = optarg;
        else if (c == 'm')
            mail = optarg;
        else if (c == 'o')
            b.only = optarg;
        else if (c == 's')
            b.seconds = strtod(optarg, NULL);
        else
            die(help);
    }
    b.rules = load_rules(rules);
    b.scanner = scanner_new(1);
    if (!b.scanner)
        die("out of memory");
    scanner_set_model(b.scanner, taught(mail));
    for (int i = optind; i < argc; i++)
        score_file(&b, argv[i]);
    if (optind == argc)
        measure_all(&b, mail);
    scanner_free(&b.scanner);
    score_rules_unref(&b.rules);
    return 0;
}
