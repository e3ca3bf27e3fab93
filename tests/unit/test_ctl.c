/* msactl: command line, tables, passwords from a descriptor. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/console/ops.h"
#include "msa/ctl/command.h"
#include "msa/ctl/grid.h"
#include "msa/ctl/prompt.h"
#include "msa/ctl/settings.h"
#include "msa/ctl/show.h"

TestSuite(ctl, .timeout = 20);

#define ARGS_MAX 16

static int parse(const char *text, struct ctl_line *out, char error[COMMAND_ERROR_MAX])
{
    static char copy[256];
    static char *argv[ARGS_MAX + 2];
    int argc = 0;
    char *at = copy;
    snprintf(copy, sizeof copy, "%s", text);
    while (at && argc < ARGS_MAX) {
        argv[argc++] = at;
        at = strchr(at, ' ');
        if (at)
            *at++ = '\0';
    }
    argv[argc] = NULL;
    error[0] = '\0';
    return ctl_command_parse(argc, argv, out, error);
}

Test(ctl, options_may_stand_anywhere)
{
    static const char *const lines[] = {
        "msactl -f x.conf --json account add taro@example.jp --stdin",
        "msactl account -fx.conf add --stdin taro@example.jp --json",
        "msactl --stdin --json -f x.conf account add -- taro@example.jp",
    };
    for (size_t i = 0; i < 3; i++) {
        struct ctl_line line;
        char error[COMMAND_ERROR_MAX];
        cr_assert_eq(parse(lines[i], &line, error), MSA_OK, "%s: %s", lines[i], error);
        cr_assert_str_eq(line.command->op, "account.add");
        cr_assert_str_eq(line.file, "x.conf");
        cr_assert(line.is_json);
        cr_assert_eq(line.options, COMMAND_OPT_STDIN);
        cr_assert_eq(line.word_count, 1);
        cr_assert_str_eq(line.words[0], "taro@example.jp");
    }
}

Test(ctl, wrong_lines_say_what_would_be_right)
{
    static const struct {
        const char *line;
        const char *said;
    } cases[] = {
        {"msactl account add", "msactl account add LOGIN"},
        {"msactl account add a b", "msactl account add LOGIN"},
        {"msactl account", "it is: msactl account add|passwd|show"},
        {"msactl account frob x", "|remove|import"},
        {"msactl acount list", "(did you mean 'account'?)"},
        {"msactl queue show", "msactl queue show ID"},
        {"msactl mailbox report a", "msactl mailbox report LOGIN IP"},
        {"msactl mailbox report a 192.0.2.1 x", "msactl mailbox report LOGIN IP"},
        {"msactl status now", "msactl status"},
        {"msactl status --stdin", "takes no --stdin; it is: msactl status"},
        {"msactl account list --nte x", "(did you mean '--note'?)"},
        {"msactl --password=x account add a", "--password=x"},
        {"msactl account add a -f", "'-f' needs a value"},
        {"msactl -x", "'-x'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ctl_line line;
        char error[COMMAND_ERROR_MAX];
        cr_assert_lt(parse(cases[i].line, &line, error), 0, "%s", cases[i].line);
        cr_assert(strstr(error, cases[i].said), "%s: %s", cases[i].line, error);
    }
}

Test(ctl, help_needs_no_command)
{
    static const char *const lines[] = {"msactl", "msactl help", "msactl help me", "msactl --json"};
    for (size_t i = 0; i < 4; i++) {
        struct ctl_line line;
        char error[COMMAND_ERROR_MAX];
        cr_assert_eq(parse(lines[i], &line, error), MSA_OK);
        cr_assert_null(line.command);
    }
}

Test(ctl, a_lone_dash_is_a_word)
{
    struct ctl_line line;
    char error[COMMAND_ERROR_MAX];
    cr_assert_eq(parse("msactl account import - --replace", &line, error), MSA_OK);
    cr_assert_str_eq(line.words[0], "-");
    cr_assert_eq(line.options, COMMAND_OPT_REPLACE);
}

/* What people do at their own page, and the desk for them over the API. */
static bool is_of_a_page(const char *op)
{
    return strcmp(op, "totp.begin") == 0 || strcmp(op, "totp.confirm") == 0 ||
           strcmp(op, "account.sign-in-rules") == 0;
}

/* Both tables name the same operations, but for the roles' own status, which stands in "status". */
Test(ctl, every_operation_of_the_api_has_a_command_and_the_other_way_round)
{
    for (size_t i = 0; i < ctl_command_count; i++)
        if (ctl_commands[i].op)
            cr_assert(console_op_find(view_cstr(ctl_commands[i].op)), "%s", ctl_commands[i].op);
    for (size_t k = 0; k < console_op_count; k++) {
        bool is_there = strstr(console_ops[k].name, ".status") != NULL || console_op_is_internal(&console_ops[k]) ||
                        is_of_a_page(console_ops[k].name);
        for (size_t i = 0; i < ctl_command_count; i++)
            is_there = is_there || (ctl_commands[i].op &&
                                    strcmp(ctl_commands[i].op, console_ops[k].name) == 0);
        cr_assert(is_there, "%s", console_ops[k].name);
    }
}

Test(ctl, help_shows_every_command)
{
    struct buf help;
    buf_init(&help, 65536);
    ctl_command_help(&help);
    buf_append(&help, "", 1);
    for (size_t i = 0; i < ctl_command_count; i++) {
        char words[80];
        snprintf(words, sizeof words, "  %s %s", ctl_commands[i].group,
                 ctl_commands[i].verb ? ctl_commands[i].verb : "");
        cr_assert(strstr(buf_view(&help).p, words), "%s", words);
    }
    buf_fini(&help);
}

Test(ctl, arguments_are_an_object_of_what_was_said)
{
    struct ctl_line line;
    char error[COMMAND_ERROR_MAX];
    parse("msactl account add taro --disabled", &line, error);
    json_t *args = ctl_command_args(&line, "taro");
    char *text = json_dumps(args, JSON_COMPACT);
    cr_assert_str_eq(text, "{\"login\":\"taro\",\"disabled\":true}");
    free(text);
    json_decref(args);
    parse("msactl queue flush", &line, error);
    args = ctl_command_args(&line, NULL);
    text = json_dumps(args, JSON_COMPACT);
    cr_assert_str_eq(text, "{\"all\":true}"); /* what relay wants to hear, not an id left out */
    free(text);
    json_decref(args);
}

/* ---- output ---- */

static void cr_assert_shown(void (*fn)(const json_t *, struct buf *), const char *json,
                            const char *want)
{
    struct buf out;
    json_t *answer = json_loads(json, 0, NULL);
    cr_assert(answer, "%s", json);
    buf_init(&out, 65536);
    fn(answer, &out);
    buf_append(&out, "", 1);
    cr_assert_str_eq(buf_view(&out).p, want);
    buf_fini(&out);
    json_decref(answer);
}

static void show_problem_200(const json_t *problem, struct buf *out)
{
    show_problem(problem, 200, out);
}

Test(ctl, columns_are_aligned)
{
    struct grid g;
    struct buf out;
    buf_init(&out, 4096);
    grid_init(&g, "NAME >SIZE LAST");
    grid_begin_row(&g);
    grid_add(&g, VIEW_LIT("a long name"));
    grid_addf(&g, "%d", 7);
    grid_add(&g, VIEW_LIT("x"));
    grid_begin_row(&g);
    grid_add(&g, VIEW_LIT("日本"));
    grid_addf(&g, "%d", 12345);
    grid_add(&g, VIEW_EMPTY);
    grid_write(&g, &out);
    buf_append(&out, "", 1);
    cr_assert_str_eq(buf_view(&out).p, "NAME          SIZE  LAST\n"
                                       "a long name      7  x\n"
                                       "日本           12345  -\n");
    grid_fini(&g);
    buf_fini(&out);
}

Test(ctl, strangers_cannot_write_to_the_terminal)
{
    cr_assert_shown(show_done, "{\"sender\":\"a\\u001b[31m\\u0007b\"}", "sender=a [31m b\n");
    cr_assert_shown(show_problem_200, "{\"detail\":\"x\\u001by\"}", "msactl: x y\n");
}

Test(ctl, pairs_carry_units)
{
    cr_assert_shown(show_pairs,
                    "{\"created_ms\":1763865180000,\"waited_ms\":1500,\"body_bytes\":20480,"
                    "\"enabled\":true,\"last\":null,\"list\":[\"a\",{\"b\":1}]}",
                    "created_ms: 2025-11-23T02:33:00Z\nwaited_ms: 1500\nbody_bytes: 20K\n"
                    "enabled: yes\nlast: -\nlist:\n  1: a\n  2:\n    b: 1\n");
}

Test(ctl, accounts_are_a_table)
{
    cr_assert_shown(show_accounts,
                    "{\"accounts\":[{\"login\":\"taro@example.jp\",\"id\":1,\"enabled\":true,"
                    "\"secret\":\"scram-sha-256\",\"created_ms\":1763865180000,"
                    "\"password_changed_ms\":0}]}",
                    "LOGIN            ID  STATE    SECRET         CREATED               CHANGED\n"
                    "taro@example.jp   1  enabled  scram-sha-256  2025-11-23T02:33:00Z  -\n");
}

Test(ctl, an_empty_answer_is_still_said)
{
    cr_assert_shown(show_done, "{}", "done\n");
    cr_assert_shown(show_queue, "{\"messages\":[]}",
                    "ID  STATE  SIZE  SCORE  ARRIVED  NEXT  TRIES  POOL  USER  SENDER  RCPTS  LAST\n");
}

Test(ctl, the_queue_is_a_table)
{
    cr_assert_shown(
        show_queue,
        "{\"messages\":[{\"id\":\"0saggm3t42000\",\"state\":\"held\",\"held_for\":[\"rule\",\"route\"],\"score\":5.25,\"pool\":\"main\","
        "\"user\":\"taro\",\"sender\":\"\",\"recipient_count\":2,\"bytes\":309,"
        "\"arrived_ms\":1763865180000,\"next_attempt_ms\":1763865210000,\"attempt_count\":3,"
        "\"last_code\":451,\"last_text\":\"try\\u001b later\"}]}",
        "ID             STATE            SIZE  SCORE  ARRIVED               NEXT                  TRIES  POOL  USER  "
        "SENDER  RCPTS  LAST\n"
        "0saggm3t42000  held:rule,route   309    5.2  2025-11-23T02:33:00Z  2025-11-23T02:33:30Z      3  main  taro  "
        "<>          2  451 try  later\n");
}

Test(ctl, a_message_is_shown_octet_for_octet)
{
    cr_assert_shown(show_content, "{\"content\":\"A: b\\r\\n\\r\\nc\\u001b\",\"is_cut\":false}",
                    "A: b\r\n\r\nc\033");
    cr_assert_shown(show_content, "{\"content_base64\":\"//8K\",\"is_cut\":false}", "\xff\xff\n");
}

Test(ctl, filters_become_arguments)
{
    struct ctl_line line;
    char error[COMMAND_ERROR_MAX];
    cr_assert_eq(parse("msactl queue --state held list --user taro", &line, error), MSA_OK);
    json_t *args = ctl_command_args(&line, NULL);
    char *text = json_dumps(args, JSON_COMPACT);
    cr_assert_str_eq(text, "{\"state\":\"held\",\"user\":\"taro\"}");
    free(text);
    json_decref(args);
    cr_assert_lt(parse("msactl queue list --pool", &line, error), 0);
    cr_assert_lt(parse("msactl queue flush --pool x", &line, error), 0);
}

Test(ctl, problems_list_their_errors)
{
    cr_assert_shown(show_problem_200,
                    "{\"title\":\"Unprocessable Content\",\"errors\":[\"a.conf:1:1: no\","
                    "{\"line\":3,\"detail\":\"bad hash\"}]}",
                    "msactl: Unprocessable Content\n  a.conf:1:1: no\n  line 3: bad hash\n");
    cr_assert_shown(show_problem_200, "[]", "msactl: HTTP status 200\n");
}

/* ---- passwords ---- */

static int read_line(const char *text, size_t n, struct buf *out, char error[PROMPT_ERROR_MAX])
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    cr_assert_eq(write(fds[1], text, n), (ssize_t)n);
    close(fds[1]);
    int err = prompt_read_line(fds[0], out, error);
    close(fds[0]);
    return err;
}

Test(ctl, a_password_is_one_line_of_stdin)
{
    static const struct {
        const char *text;
        const char *want; /* NULL: refused */
    } cases[] = {
        {"secret", "secret"},     {"secret\n", "secret"}, {"secret\r\n", "secret"},
        {" two words \n", " two words "}, {"", NULL},     {"\n", NULL},
        {"one\ntwo\n", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        char error[PROMPT_ERROR_MAX] = "";
        buf_init_secret(&out, PROMPT_PASSWORD_MAX);
        int err = read_line(cases[i].text, strlen(cases[i].text), &out, error);
        if (cases[i].want)
            cr_assert(view_eq(buf_view(&out), view_cstr(cases[i].want)), "case %zu", i);
        else
            cr_assert(err < 0 && error[0], "case %zu", i);
        buf_fini(&out);
    }
}

Test(ctl, a_password_without_end_is_refused)
{
    char text[PROMPT_PASSWORD_MAX + 1];
    char error[PROMPT_ERROR_MAX];
    struct buf out;
    memset(text, 'x', sizeof text);
    buf_init_secret(&out, PROMPT_PASSWORD_MAX);
    cr_assert_lt(read_line(text, sizeof text, &out, error), 0);
    buf_fini(&out);
}

/* ---- settings of an account ---- */

static void sets(const char *text, const char *want)
{
    struct ctl_line line;
    char error[COMMAND_ERROR_MAX];
    cr_assert_eq(parse(text, &line, error), MSA_OK, "%s", error);
    json_t *settings = json_object();
    int err = ctl_settings(&line, settings, error);
    char *said = json_dumps(settings, JSON_COMPACT);
    cr_assert_str_eq(err == MSA_OK ? said : error, want);
    free(said);
    json_decref(settings);
}

Test(ctl, settings_are_what_the_api_takes)
{
    setenv("TZ", "Asia/Tokyo", 1);
    sets("msactl account set taro --overseas block --class business --note hello",
         "{\"overseas\":\"block\",\"class\":\"business\",\"note\":\"hello\"}");
    sets("msactl account set --home JP,US taro", "{\"home\":[\"JP\",\"US\"]}");
    sets("msactl account set --home default taro", "{\"home\":[]}");
    sets("msactl account set taro --travel FR:2026-12-01..2026-12-10 --travel DE --no-travel :..2026-01-31",
         "{\"exceptions_add\":[{\"country\":\"FR\",\"from_ms\":1796050800000,\"until_ms\":1796914800000},"
         "{\"country\":\"DE\"}],\"exceptions_remove\":[{\"until_ms\":1769871600000}]}");
    sets("msactl account set taro --no-travel all --no-sender all", "{\"exceptions\":[],\"senders\":[]}");
    sets("msactl account set taro --limit hour=100 --limit day=off --limit week=default",
         "{\"limits\":{\"hour\":100,\"day\":\"off\",\"week\":\"default\"}}");
    sets("msactl account set taro --sender @a.example --sender b@c.example --no-sender d@e.example",
         "{\"senders_add\":[\"@a.example\",\"b@c.example\"],\"senders_remove\":[\"d@e.example\"]}");
    sets("msactl account set taro --consent yes --language ja",
         "{\"consent\":\"yes\",\"notice_language\":\"ja\"}");
}

Test(ctl, settings_that_make_no_sense_are_named)
{
    static const char *const lines[] = {
        "--travel FR:", "--travel :", "--travel FR:..", "--travel FR:2026-12-01", "--travel FR:2026-13-01..",
        "--travel FR:2026-02-30..", "--travel FR:2026-12-1x..", "--limit hour", "--limit =5", "--limit hour=-1", "--limit hour=many",
        "--json",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[128];
        struct ctl_line line;
        char error[COMMAND_ERROR_MAX];
        json_t *settings = json_object();
        snprintf(text, sizeof text, "msactl account set taro %s", lines[i]);
        cr_assert_eq(parse(text, &line, error), MSA_OK);
        cr_assert_eq(ctl_settings(&line, settings, error), MSA_EINVAL, "%s", lines[i]);
        cr_assert_neq(error[0], '\0');
        json_decref(settings);
    }
}
