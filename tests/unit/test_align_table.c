/* Every row of the shared table of From fields on the whole way: header scan, author_read, decision. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "tests/unit/align_fixture.h"
#include "tests/unit/shared_data.h"

TestSuite(align_table, .timeout = 20);

static size_t unescape(char *s)
{
    size_t n = 0;
    for (char *p = s; *p; p++) {
        char c = *p;
        if (c == '\\') {
            c = *++p;
            if (c == 'x') {
                char hex[3] = {p[1], p[2], '\0'};
                c = (char)strtoul(hex, NULL, 16);
                p += 2;
            } else if (c != '\\') {
                c = c == 'r' ? '\r' : c == 'n' ? '\n' : '\t';
            }
        }
        s[n++] = c;
    }
    return n;
}

/* The strings of a JSON list, one a line, as mailboxes in canonical form. */
static void read_list(const char *json, struct buf *out)
{
    struct buf one;
    bool in_string = false;
    buf_init(&one, 1000);
    for (; *json; json++) {
        if (*json == '"') {
            struct path path;
            char canonical[PATH_CANONICAL_SIZE];
            in_string = !in_string;
            if (!in_string && path_parse_address(buf_view(&one), &path) == MSA_OK &&
                path_canonical(&path, canonical) > 0)
                buf_addf(out, "%s\n", canonical);
            buf_reset(&one);
        } else if (in_string) {
            json += *json == '\\';
            buf_add_char(&one, *json);
        }
    }
    buf_fini(&one);
}

/* Rows that are sound, and whose form is refused all the same: groups, a route, a stray
 * comma, a literal, "From :", several authors without Sender. */
static bool is_refused_form(const char *id)
{
    static const char *const ids[] = {"d003", "d004", "d005", "d006", "d009", "d010",
                                      "d012", "d050", "d051", "d054", "d058", "d068"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    return false;
}

/* With the account being each of those who could be meant, and nothing being checked but
 * the form. */
static void expect_nobody(const struct config *cfg, const char *id, struct view header,
                          struct view victims)
{
    struct align_who who = {.login = VIEW_LIT("nobody@nowhere.example"), .age_ms = -1};
    if (strcmp(id, "d061") == 0)
        return; /* names nobody; see align/refuses_no_author_where_the_header_is_checked */
    cr_expect(align_judge(cfg, &who, header).is_refused, "%s", id);
    while (victims.n > 0) {
        who.login = view_cut(&victims, '\n');
        cr_expect(align_judge(cfg, &who, header).is_refused, "%s as %.*s", id, (int)who.login.n,
                  who.login.p);
    }
}

static void expect_authors(const struct config *cfg, const char *id, struct view header,
                           struct view want)
{
    struct align_fixture f;
    struct align_answer a;
    struct align_who who = {.login = view_slice(want, 0, view_find(want, '\n')),
                            .senders = want,
                            .age_ms = -1};
    align_read_header(&f, header, who.login);
    cr_expect(view_eq(f.m.authors, want), "%s: %.*s", id, (int)f.m.authors.n,
              f.m.authors.p);
    cr_expect_eq(f.m.findings & HEADER_FINDING_FROM_INVALID, 0, "%s", id);
    if (strcmp(id, "d014") == 0)
        who.senders = VIEW_LIT("mjones@machine.example\n"); /* its Sender */
    align_message(cfg, &who, &f.m, &a);
    cr_expect_eq(a.is_refused, is_refused_form(id), "%s: %s", id,
                 align_reason_name(a.reason));
    who.login = VIEW_LIT("thief@nowhere.example");
    who.senders = VIEW_EMPTY;
    align_message(cfg, &who, &f.m, &a);
    cr_expect(a.is_refused, "%s: a stranger passes", id);
    align_forget(&f);
}

static void check_row(const struct config *strict, const struct config *off, char *line)
{
    char *field[7];
    struct buf authors, victims;
    for (int i = 0; i < 7; i++) {
        field[i] = strsep(&line, "\t");
        cr_assert_not_null(field[i]);
    }
    buf_init(&authors, 1000);
    buf_init(&victims, 1000);
    read_list(field[2], &authors);
    read_list(field[3], &victims);
    struct view header = view_of(field[4], unescape(field[4]));
    if (strcmp(field[1], "bad") == 0)
        expect_nobody(off, field[0], header, buf_view(&victims));
    else
        expect_authors(strict, field[0], header, buf_view(&authors));
    buf_fini(&authors);
    buf_fini(&victims);
}

Test(align_table, lets_nobody_pass_as_somebody_else_in_the_shared_table)
{
    FILE *f = shared_data_open("from_cases.tsv");
    struct config *strict = align_settings("");
    struct config *off = align_settings("align all { check off; }");
    char *line = NULL;
    size_t cap = 0, rows = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, f)) > 0) {
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\n")] = '\0';
        check_row(strict, off, line);
        rows++;
    }
    free(line);
    fclose(f);
    config_free(&strict);
    config_free(&off);
    cr_assert_eq(rows, 77);
}
