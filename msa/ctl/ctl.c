#include "msa/ctl/ctl_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/config/config.h"
#include "msa/ctl/dkim_command.h"
#include "msa/ctl/prompt.h"
#include "msa/ctl/replay_command.h"
#include "msa/ctl/show.h"

#define API            "/api/v1/"
#define OUTPUT_MAX     (256u << 20)
#define PORTION_LINES  1000
#define PORTION_BYTES  (500u * 1024) /* well below what account.import takes, JSON's quotes included */

int ctl_complain(int status, const char *text)
{
    fprintf(stderr, "msactl: %s\n", text);
    return status;
}

void ctl_print(FILE *to, const struct buf *b)
{
    struct view v = buf_view(b);
    if (v.n > 0)
        fwrite(v.p, 1, v.n, to);
}

/* ---- one operation ---- */

static int refuse(struct ctl *ctl, const json_t *problem, unsigned status)
{
    struct buf text;
    if (ctl->line.is_json && problem) {
        json_dumpf(problem, stdout, JSON_COMPACT);
        putchar('\n');
    }
    buf_init(&text, OUTPUT_MAX);
    show_problem(problem, status, &text);
    ctl_print(stderr, &text);
    buf_fini(&text);
    return CTL_EXIT_REFUSED;
}

int ctl_call(struct ctl *ctl, const char *op, const json_t *args, json_t **answer_out)
{
    char path[128];
    char error[TRANSPORT_ERROR_MAX];
    unsigned status = 0;
    struct buf answer;
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    struct view body = view_cstr(text);
    snprintf(path, sizeof path, API "%s", op);
    buf_init_secret(&answer, TRANSPORT_ANSWER_MAX); /* may hold mail */
    int err =
        transport_call(ctl->transport, path, args ? &body : NULL, &status, &answer, error);
    if (text)
        secret_wipe(text, body.n); /* may hold a password */
    free(text);
    if (err < 0) {
        buf_fini(&answer);
        return ctl_complain(CTL_EXIT_UNREACHABLE, error);
    }
    *answer_out = json_loadb(buf_view(&answer).p, buf_len(&answer), 0, NULL);
    buf_fini(&answer);
    if (status < 300 && *answer_out)
        return CTL_EXIT_OK;
    int rc = refuse(ctl, *answer_out, status);
    json_decref(*answer_out);
    *answer_out = NULL;
    return rc;
}

void ctl_show(struct ctl *ctl, const json_t *answer)
{
    char *text;
    if (!ctl->line.is_json) {
        ctl->line.command->show(answer, &ctl->out);
        return;
    }
    text = json_dumps(answer, JSON_COMPACT);
    if (text)
        buf_addf(&ctl->out, "%s\n", text);
    free(text);
}

static int call_and_show(struct ctl *ctl, json_t *args)
{
    json_t *answer = NULL;
    int rc = ctl_call(ctl, ctl->line.command->op, args, &answer);
    if (rc == CTL_EXIT_OK)
        ctl_show(ctl, answer);
    json_decref(answer);
    json_decref(args);
    return rc;
}

/* ---- the forms of commands ---- */

static int do_status(struct ctl *ctl)
{
    json_t *answer = NULL;
    int rc = ctl_call(ctl, "status", NULL, &answer);
    if (rc == CTL_EXIT_OK)
        ctl_show(ctl, answer);
    json_decref(answer);
    return rc;
}

static int do_password(struct ctl *ctl)
{
    struct buf password;
    char error[PROMPT_ERROR_MAX];
    const char *login = ctl->line.words[0];
    buf_init_secret(&password, PROMPT_PASSWORD_MAX);
    int err = ctl->line.options & COMMAND_OPT_STDIN
                  ? prompt_read_line(STDIN_FILENO, &password, error)
                  : prompt_password(login, &password, error);
    struct view v = buf_view(&password);
    json_t *args = ctl_command_args(&ctl->line, login);
    if (err == MSA_OK && json_object_set_new(args, "password", json_stringn(v.p, v.n)) < 0) {
        snprintf(error, sizeof error, "the password is not UTF-8");
        err = MSA_EINVAL;
    }
    buf_fini(&password);
    if (err == MSA_OK)
        return call_and_show(ctl, args);
    json_decref(args);
    return ctl_complain(CTL_EXIT_LOCAL, error);
}

/* All of them, whatever becomes of one. */
static int do_each(struct ctl *ctl)
{
    int rc = CTL_EXIT_OK;
    for (size_t i = 0; i < ctl->line.word_count && rc != CTL_EXIT_UNREACHABLE; i++) {
        int one = call_and_show(ctl, ctl_command_args(&ctl->line, ctl->line.words[i]));
        rc = one != CTL_EXIT_OK ? one : rc;
    }
    if (ctl->line.word_count == 0)
        rc = call_and_show(ctl, ctl_command_args(&ctl->line, NULL));
    return rc;
}

/* Pages until there is no "next"; shown as one list. */
static int do_pages(struct ctl *ctl)
{
    const char *list = ctl->line.command->list;
    json_t *all = json_pack("{s:[]}", list);
    json_t *args = ctl_command_args(&ctl->line, ctl->line.word_count ? ctl->line.words[0] : NULL);
    int rc;
    for (;;) {
        json_t *page = NULL;
        rc = ctl_call(ctl, ctl->line.command->op, args, &page);
        if (rc != CTL_EXIT_OK)
            break;
        json_array_extend(json_object_get(all, list), json_object_get(page, list));
        json_t *next = json_incref(json_object_get(page, "next"));
        json_decref(page);
        if (!json_is_string(next)) {
            json_decref(next);
            break;
        }
        json_object_set_new(args, "after", next);
    }
    if (rc == CTL_EXIT_OK)
        ctl_show(ctl, all);
    json_decref(args);
    json_decref(all);
    return rc;
}

/* ---- import ---- */

int ctl_read_whole(const char *name, struct buf *out)
{
    int fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    int err = fd == -1 ? MSA_EIO : MSA_OK;
    for (ssize_t n = 1; err == MSA_OK && n > 0;) {
        char *at = buf_reserve(out, 65536);
        n = at ? read(fd, at, buf_room(out)) : -1;
        if (n > 0)
            buf_commit(out, (size_t)n);
        else if (n == -1)
            err = at ? MSA_EIO : MSA_ETOOBIG;
    }
    if (err < 0)
        fprintf(stderr, "msactl: %s: %s\n", name,
                err == MSA_ETOOBIG ? "too large" : strerror(errno));
    if (fd > STDIN_FILENO)
        close(fd);
    return err;
}

/* As many lines as fit one operation. */
static json_t *next_portion(struct view *rest)
{
    json_t *lines = json_array();
    size_t bytes = 0;
    while (rest->n > 0 && json_array_size(lines) < PORTION_LINES) {
        struct view ahead = *rest;
        struct view line = view_cut(&ahead, '\n');
        if (bytes > 0 && bytes + line.n > PORTION_BYTES)
            break;
        bytes += line.n + 4;
        if (json_array_append_new(lines, json_stringn(line.p, line.n)) < 0)
            json_array_append_new(lines, json_string("(not UTF-8)")); /* refused, with its number */
        *rest = ahead;
    }
    return lines;
}

/* Sums of the figures; line numbers are those of the whole file. */
static void add_portion(json_t *total, const json_t *part, size_t lines_before)
{
    static const char *const keys[] = {"added", "replaced", "skipped", "failed"};
    size_t i;
    json_t *e;
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
        json_object_set_new(total, keys[k],
                            json_integer(json_integer_value(json_object_get(total, keys[k])) +
                                         json_integer_value(json_object_get(part, keys[k]))));
    json_array_foreach(json_object_get(part, "errors"), i, e) {
        json_int_t line = json_integer_value(json_object_get(e, "line"));
        json_object_set_new(e, "line", json_integer(line + (json_int_t)lines_before));
        json_array_append(json_object_get(total, "errors"), e);
    }
}

static int import_all(struct ctl *ctl, struct view rest)
{
    json_t *total = json_pack("{s:[]}", "errors");
    size_t line_count = 0;
    int rc = CTL_EXIT_OK;
    while (rest.n > 0 && rc == CTL_EXIT_OK) {
        json_t *args = ctl_command_args(&ctl->line, NULL);
        json_t *lines = next_portion(&rest);
        json_t *part = NULL;
        size_t portion_count = json_array_size(lines);
        json_object_set_new(args, "lines", lines);
        rc = ctl_call(ctl, ctl->line.command->op, args, &part);
        add_portion(total, part, line_count);
        line_count += portion_count;
        json_decref(part);
        json_decref(args);
    }
    ctl_show(ctl, total);
    if (rc == CTL_EXIT_OK && json_array_size(json_object_get(total, "errors")) > 0)
        rc = CTL_EXIT_REFUSED;
    json_decref(total);
    return rc;
}

static int do_lines(struct ctl *ctl)
{
    struct buf text;
    buf_init_secret(&text, CTL_FILE_MAX);
    int err = ctl_read_whole(ctl->line.words[0], &text);
    int rc = err < 0 ? CTL_EXIT_LOCAL : import_all(ctl, buf_view(&text));
    buf_fini(&text);
    return rc;
}

/* ---- all of it ---- */

static int run_command(struct ctl *ctl)
{
    switch (ctl->line.command->form) {
    case COMMAND_PLAIN:
        return ctl->line.command->op ? call_and_show(ctl, ctl_command_args(&ctl->line, NULL))
                                     : do_status(ctl);
    case COMMAND_PASSWORD: return do_password(ctl);
    case COMMAND_ACCESS:
    case COMMAND_NAMED:
    case COMMAND_LOGIN_ID:
        return call_and_show(ctl, ctl_command_args(&ctl->line, ctl->line.words[0]));
    case COMMAND_LOGIN:
    case COMMAND_OUTCOME:
    case COMMAND_IP:
    case COMMAND_ID:
    case COMMAND_IDS:
    case COMMAND_MAYBE_IDS: return do_each(ctl);
    case COMMAND_PAGES:
    case COMMAND_LOGIN_PAGES: return do_pages(ctl);
    case COMMAND_LINES: return do_lines(ctl);
    case COMMAND_ACCOUNT: return ctl_account_show(ctl);
    case COMMAND_SET: return ctl_account_set(ctl);
    case COMMAND_SET_MANY: return ctl_account_set_many(ctl);
    case COMMAND_SENDERS: return ctl_account_import_senders(ctl);
    case COMMAND_OUTCOMES: return ctl_outcome_import(ctl);
    case COMMAND_MESSAGES: return ctl_score_check(ctl);
    case COMMAND_SORTED: return ctl_score_train(ctl);
    case COMMAND_FOLLOW: return ctl_events(ctl);
    }
    return CTL_EXIT_USAGE;
}

/* Where the socket is, as a copy. NULL after a complaint. */
static char *find_socket(const struct ctl_line *line)
{
    const char *file = line->file ? line->file : COMMAND_DEFAULT_FILE;
    struct config *cfg = NULL;
    struct config_errors errs;
    struct buf report;
    char *path = NULL;
    if (line->socket)
        return strdup(line->socket);
    config_errors_init(&errs);
    /* A file with mistakes will do: msad runs with the one before, and what asks it may be the reload. */
    (void)config_load_public(file, &cfg, &errs);
    if (cfg && cfg->console.socket && cfg->console.socket[0]) {
        path = strdup(cfg->console.socket);
    } else {
        buf_init(&report, OUTPUT_MAX);
        config_errors_print(&errs, &report);
        ctl_print(stderr, &report);
        buf_fini(&report);
        ctl_complain(CTL_EXIT_LOCAL, "no configuration: give it with -f FILE, or the socket with -s");
    }
    config_errors_fini(&errs);
    config_free(&cfg);
    return path;
}

static int connect_and_run(struct ctl *ctl)
{
    char *socket = find_socket(&ctl->line);
    if (!socket)
        return CTL_EXIT_LOCAL;
    ctl->transport = transport_new(socket);
    free(socket);
    if (!ctl->transport)
        return ctl_complain(CTL_EXIT_LOCAL, "out of memory");
    int rc = run_command(ctl);
    transport_free(&ctl->transport);
    return rc;
}

int ctl_main(int argc, char *argv[])
{
    struct ctl ctl = {0};
    char error[COMMAND_ERROR_MAX];
    int rc = CTL_EXIT_OK;
    if (replay_is_asked(argc, argv))
        return replay_command(argc, argv);
    if (dkim_command_is_asked(argc, argv))
        return dkim_command(argc, argv);
    if (ctl_command_parse(argc, argv, &ctl.line, error) < 0)
        return ctl_complain(CTL_EXIT_USAGE, error);
    buf_init_secret(&ctl.out, OUTPUT_MAX);
    if (ctl.line.command)
        rc = connect_and_run(&ctl);
    else
        ctl_command_help(&ctl.out);
    ctl_print(stdout, &ctl.out);
    buf_fini(&ctl.out);
    if (fflush(stdout) != 0 && rc == CTL_EXIT_OK)
        rc = ctl_complain(CTL_EXIT_LOCAL, "cannot write to standard output");
    return rc;
}
