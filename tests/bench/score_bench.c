/* score_bench: what the built-in score of a message costs in CPU time, on one core.
 *
 * Without files: of a message of 4 KiB with plain text and HTML, of one of 10 MiB with an attachment, and of one of
 * 10 MiB of text; prints one line of JSON. With files: the score of each, and why, a line each; what a set
 * of rules does to much mail is seen with it. */
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

static const char help[] = "usage: score_bench [--rules FILE] [--seconds S] [FILE...]\n";

#define MESSAGE_MAX ((size_t)16 << 20)
#define RULES_MAX   ((size_t)1 << 20)

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "score_bench: %s\n", what);
    exit(2);
}

/* ---- messages ---- */

static const char *const words[] = {"the",    "meeting", "of",      "tomorrow", "begins",  "at",   "ten",
                                    "please", "bring",   "numbers", "with",     "you",     "from", "spring",
                                    "and",    "order",   "price",   "report",   "thanks",  "for",  "letter",
                                    "無料",   "会議",    "資料",    "お願い",   "します。"};

static void add_words(struct buf *out, size_t bytes, const char *line_end)
{
    static unsigned random = 12345;
    size_t end = buf_len(out) + bytes, line = 0;
    while (buf_len(out) < end) {
        random = random * 1103515245u + 12345u;
        const char *word = words[(random >> 16) % (sizeof words / sizeof words[0])];
        buf_addf(out, "%s ", word);
        line += strlen(word) + 1;
        if (line > 65) {
            buf_add_cstr(out, line_end);
            line = 0;
        }
    }
    buf_add_cstr(out, line_end);
}

#define HEAD                                                                                       \
    "From: Taro Tanaka <taro@example.jp>\r\nTo: Hana <hana@example.com>, b@example.org\r\n"        \
    "Subject: =?UTF-8?B?5Lya6K2w44Gu6LOH5paZ?= for tomorrow\r\nDate: Mon, 1 Jun 2026 10:00:00 +0900\r\n" \
    "Message-ID: <1@example.jp>\r\nMIME-Version: 1.0\r\nUser-Agent: Mail 1.0\r\n"

static void make_small(struct buf *out)
{
    buf_add_cstr(out, HEAD "Content-Type: multipart/alternative; boundary=b\r\n\r\n"
                           "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    add_words(out, 1300, "\r\n");
    buf_add_cstr(out, "http://www.example.co.jp/agenda?id=7\r\n"
                      "--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>\r\n");
    for (int i = 0; i < 5; i++) {
        buf_add_cstr(out, "<p style=\"color:#333\">");
        add_words(out, 350, "<br>\r\n");
        buf_add_cstr(out, "<a href=\"http://www.example.co.jp/agenda?id=7\">agenda</a></p>\r\n");
    }
    buf_add_cstr(out, "</body></html>\r\n--b--\r\n");
}

static void make_attached(struct buf *out)
{
    buf_add_cstr(out, HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
                           "--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n");
    add_words(out, 2000, "\r\n");
    buf_add_cstr(out, "--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
                      "Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment\r\n\r\n");
    while (buf_len(out) < (size_t)10 << 20)
        buf_add_cstr(out, "JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSL0ZpbHRlci9GbGF0ZURl\r\n");
    buf_add_cstr(out, "--b--\r\n");
}

static void make_text(struct buf *out)
{
    buf_add_cstr(out, HEAD "Content-Type: text/html; charset=utf-8\r\n\r\n");
    while (buf_len(out) < (size_t)10 << 20) {
        add_words(out, 200, "<br>\r\n");
        buf_addf(out, "<a href=\"http://h%zu.example/\">x</a>\r\n", buf_len(out));
    }
}

/* ---- running ---- */

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

static int descriptor_of(const struct buf *message)
{
    int fd = memfd_create("message", MFD_CLOEXEC);
    struct view v = buf_view(message);
    if (fd == -1 || write(fd, v.p, v.n) != (ssize_t)v.n)
        die("no memory for a message");
    return fd;
}

/* The fastest of many: what other programs of the machine take is not its cost. */
static double measure(struct scanner *s, const struct score_rules *rules, void (*make)(struct buf *),
                      double seconds, size_t *bytes_out)
{
    struct buf message;
    struct scan_result r;
    double best = 1e9, end = cpu_seconds() + seconds;
    buf_init(&message, MESSAGE_MAX);
    make(&message);
    int fd = descriptor_of(&message);
    for (int i = 0; i < 5 || cpu_seconds() < end; i++) {
        double began = cpu_seconds();
        score(s, rules, fd, buf_len(&message), &r);
        double took = cpu_seconds() - began;
        best = took < best ? took : best;
        scan_result_fini(&r);
    }
    *bytes_out = buf_len(&message);
    close(fd);
    buf_fini(&message);
    return best;
}

static void score_file(struct scanner *s, const struct score_rules *rules, const char *path)
{
    struct stat st;
    struct scan_result r;
    struct buf findings;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1 || fstat(fd, &st) == -1)
        die(path);
    score(s, rules, fd, (size_t)st.st_size, &r);
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
                                            {"seconds", required_argument, NULL, 's'},
                                            {0}};
    const char *path = NULL;
    double seconds = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'r')
            path = optarg;
        else if (c == 's')
            seconds = strtod(optarg, NULL);
        else
            die(help);
    }
    struct score_rules *rules = load_rules(path);
    struct scanner *s = scanner_new(1);
    size_t small, attached, text;
    if (!s)
        die("out of memory");
    for (int i = optind; i < argc; i++)
        score_file(s, rules, argv[i]);
    if (optind == argc) {
        double small_s = measure(s, rules, make_small, seconds, &small);
        double attached_s = measure(s, rules, make_attached, seconds, &attached);
        double text_s = measure(s, rules, make_text, seconds, &text);
        printf("{\"small_bytes\": %zu, \"small_us\": %.1f, \"attached_bytes\": %zu, \"attached_ms\": %.2f, "
               "\"text_bytes\": %zu, \"text_ms\": %.2f}\n",
               small, small_s * 1e6, attached, attached_s * 1e3, text, text_s * 1e3);
    }
    scanner_free(&s);
    score_rules_unref(&rules);
    return 0;
}
