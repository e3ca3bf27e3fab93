/* Asks the services of a configuration about messages, behind the walls of the score process, and prints what each
 * came to, a line of JSON each, and at last their status.
 *
 * usage: services_ask CONFIG FILE…     CRLF line ends; taro@example.test, signed in from 192.0.2.7, to two people */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/log.h"
#include "msa/proc/sandbox.h"
#include "policy/score/services/services.h"

#define FILES_MAX 64

static struct loop *loop;
static struct services *services;
static int files[FILES_MAX];
static uint64_t sizes[FILES_MAX];

static void die(const char *what, const char *why)
{
    fprintf(stderr, "services_ask: %s: %s\n", what, why);
    exit(2);
}

static struct config *load(const char *path)
{
    struct config *cfg;
    struct config_errors *errs = malloc(sizeof *errs);
    struct buf text;
    config_errors_init(errs);
    buf_init(&text, 1u << 20);
    if (config_load(path, &cfg, errs) < 0) {
        config_errors_print(errs, &text);
        buf_add_char(&text, '\0');
        die(path, buf_view(&text).p);
    }
    config_errors_fini(errs);
    buf_fini(&text);
    free(errs);
    return cfg;
}

static void print(json_t *line)
{
    char *text = json_dumps(line, JSON_SORT_KEYS);
    if (!text)
        die("answer", "out of memory");
    puts(text);
    fflush(stdout);
    free(text);
    json_decref(line);
}

static void on_done(void *arg, const struct service_result *r)
{
    static const char *const actions[] = {"none", "hold", "defer", "refuse"};
    json_t *findings = json_object();
    (void)arg;
    for (size_t i = 0; i < r->finding_count; i++)
        json_object_set_new(findings, r->findings[i].name, json_integer(r->findings[i].milli));
    print(json_pack("{s:i, s:i, s:b, s:I, s:s, s:s, s:o, s:s%}", "asked", (int)r->asked_count, "answered",
                    (int)r->answered_count, "scored", r->is_scored, "score_milli",
                    (json_int_t)r->score_milli, "action", actions[r->action], "text", r->text, "findings",
                    findings, "header", r->added_header.n > 0 ? r->added_header.p : "",
                    r->added_header.n));
    loop_stop(loop);
}

static uint64_t header_bytes_of(int fd)
{
    char head[65536];
    ssize_t n = pread(fd, head, sizeof head, 0);
    const char *end = n > 0 ? memmem(head, (size_t)n, "\r\n\r\n", 4) : NULL;
    return end ? (uint64_t)(end - head) + 2 : 0;
}

static void ask(int fd, uint64_t size)
{
    struct service_ask *handle;
    struct buf list;
    buf_init(&list, 4096);
    items_add_recipient(&list, &(struct msg_recipient){.path = VIEW_LIT("hana@example.net")});
    items_add_recipient(&list, &(struct msg_recipient){.path = VIEW_LIT("ken@example.org")});
    struct service_request r = {.message = 0x12345678,
                                .login = VIEW_LIT("taro@example.test"),
                                .helo = VIEW_LIT("pc.example.test"),
                                .sender = VIEW_LIT("taro@example.test"),
                                .recipients = buf_view(&list),
                                .fd = fd,
                                .header_bytes = header_bytes_of(fd),
                                .body_bytes = size};
    if (!ipaddr_parse(VIEW_LIT("192.0.2.7"), &r.client_ip))
        die("message", "no address");
    if (services_ask(services, &r, on_done, NULL, &handle) < 0)
        die("ask", "out of memory");
    loop_run(loop);
    buf_fini(&list);
}

static void open_message(int i, const char *path)
{
    struct stat st;
    files[i] = open(path, O_RDONLY | O_CLOEXEC);
    if (files[i] == -1 || fstat(files[i], &st) == -1)
        die(path, strerror(errno));
    sizes[i] = (uint64_t)st.st_size;
}

int main(int argc, char **argv)
{
    char error[SANDBOX_ERROR_MAX];
    if (argc < 3 || argc > FILES_MAX)
        die("usage", "services_ask CONFIG FILE…");
    log_setup("ask", 0, LOG_LEVEL_DEBUG);
    log_set_target(LOG_TO_FD, 2);
    struct config *cfg = load(argv[1]);
    for (int i = 2; i < argc; i++)
        open_message(i, argv[i]);
    setvbuf(stdout, NULL, _IOFBF, 65536); /* or its first use asks what kind of file it is */
    loop = loop_new();
    services = loop ? services_new(loop, cfg) : NULL;
    if (!services)
        die("services", "out of memory");
    tzset(); /* both as msa/proc/child.c does */
    json_object_seed(0);
    const struct sandbox_settings walls = {.rights = SANDBOX_CONNECT, .is_filtered = true};
    if (sandbox_close(&walls, error) < 0)
        die("sandbox", error);
    for (int i = 2; i < argc; i++)
        ask(files[i], sizes[i]);
    print(services_status(services));
    services_free(&services);
    loop_free(&loop);
    config_free(&cfg);
    log_flush();
    return 0;
}
