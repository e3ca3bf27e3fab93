#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "msa/base/err.h"
#include "msa/mail/address.h"
#include "msa/mail/header.h"
#include "tests/unit/shared_data.h"

TestSuite(address, .timeout = 20);

#define MAX_ADDRESSES 1000

/* The addresses of `list`, one a line. */
static void join(const struct address_list *list, struct buf *out)
{
    for (const struct mailbox *m = list->first; m; m = m->next) {
        buf_add(out, m->address);
        buf_add_char(out, '\n');
    }
}

struct expected {
    struct view body;
    const char *addresses; /* one a line */
    unsigned findings;
};

static const struct expected expectations[] = {
    {VIEW_LIT(" a@b.example"), "a@b.example\n", 0},
    {VIEW_LIT(" A B <a@b.example>"), "a@b.example\n", 0},
    {VIEW_LIT("<a@b.example>"), "a@b.example\n", 0},
    {VIEW_LIT("A\r\n <a@b.example>"), "a@b.example\n", 0},
    {VIEW_LIT("\"a@c\" <a@b.example>"), "a@b.example\n", ADDRESS_NAME_HAS_AT},
    {VIEW_LIT("J. Doe <a@b.example>"), "a@b.example\n", ADDRESS_DOT_IN_NAME},
    {VIEW_LIT("\"a\\\"b\"@c.example"), "\"a\\\"b\"@c.example\n", 0},
    {VIEW_LIT("\"a\r\n b\"@c.example"), "\"a b\"@c.example\n", 0},
    {VIEW_LIT("\"a\".b@c.example"), "a.b@c.example\n", 0},
    {VIEW_LIT("\"\"@c.example"), "\"\"@c.example\n", 0},
    {VIEW_LIT("a@b.example, c@d.example"), "a@b.example\nc@d.example\n", 0},
    {VIEW_LIT("G: a@b.example;"), "a@b.example\n", ADDRESS_GROUP},
    {VIEW_LIT("G: a@b.example, X <c@d.example>;, e@f.example"),
     "a@b.example\nc@d.example\ne@f.example\n", ADDRESS_GROUP},
    {VIEW_LIT("G:;"), "", ADDRESS_GROUP},
    {VIEW_LIT("G: ,a@b.example,;"), "a@b.example\n", ADDRESS_GROUP | ADDRESS_EMPTY_MEMBER},
    {VIEW_LIT("G: a@b.example"), "a@b.example\n", ADDRESS_GROUP | ADDRESS_UNCLOSED},
    {VIEW_LIT("G: H: a@b.example;;"), "", ADDRESS_GROUP | ADDRESS_SYNTAX},
    {VIEW_LIT(": a@b.example;"), "", ADDRESS_GROUP | ADDRESS_SYNTAX},
    {VIEW_LIT("G: a@b.example; c@d.example"), "a@b.example\n", ADDRESS_GROUP | ADDRESS_SYNTAX},
    {VIEW_LIT(",a@b.example"), "a@b.example\n", ADDRESS_EMPTY_MEMBER},
    {VIEW_LIT("a@b.example,"), "a@b.example\n", ADDRESS_EMPTY_MEMBER},
    {VIEW_LIT("a@b.example,,c@d.example"), "a@b.example\nc@d.example\n", ADDRESS_EMPTY_MEMBER},
    {VIEW_LIT(","), "", ADDRESS_EMPTY_MEMBER | ADDRESS_EMPTY},
    {VIEW_LIT(""), "", ADDRESS_EMPTY},
    {VIEW_LIT(" (nobody)"), "", ADDRESS_EMPTY | ADDRESS_COMMENT},
    {VIEW_LIT("a@b.example (x)"), "a@b.example\n", ADDRESS_COMMENT},
    {VIEW_LIT("a(x)@b.example"), "a@b.example\n", ADDRESS_COMMENT | ADDRESS_COMMENT_IN_ADDR},
    {VIEW_LIT("a@(x)b.example"), "a@b.example\n", ADDRESS_COMMENT | ADDRESS_COMMENT_IN_ADDR},
    {VIEW_LIT("<(x)a@b.example>"), "a@b.example\n", ADDRESS_COMMENT | ADDRESS_COMMENT_IN_ADDR},
    {VIEW_LIT("<a@b.example(x)>"), "a@b.example\n", ADDRESS_COMMENT | ADDRESS_COMMENT_IN_ADDR},
    {VIEW_LIT("(a (b \\) c) d) a@b.example"), "a@b.example\n", ADDRESS_COMMENT},
    {VIEW_LIT("(a (b) a@b.example"), "", ADDRESS_COMMENT | ADDRESS_UNCLOSED | ADDRESS_EMPTY},
    {VIEW_LIT("a@b.example) x"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("a @ b . example"), "a@b.example\n", ADDRESS_SPACE_IN_ADDR},
    {VIEW_LIT("< a@b.example >"), "a@b.example\n", 0},
    {VIEW_LIT("<@c,@d:a@b.example>"), "a@b.example\n", ADDRESS_ROUTE},
    {VIEW_LIT("<,@c:a@b.example>"), "a@b.example\n", ADDRESS_ROUTE},
    {VIEW_LIT("<@c a@b.example>"), "", ADDRESS_ROUTE | ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("<@c:>"), "", ADDRESS_ROUTE | ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("a@[192.0.2.1]"), "a@[192.0.2.1]\n", ADDRESS_LITERAL},
    {VIEW_LIT("a@[ 192.0.2.1 ]"), "a@[192.0.2.1]\n", ADDRESS_LITERAL},
    {VIEW_LIT("a@[x]"), "a@[x]\n", ADDRESS_LITERAL | ADDRESS_BAD_DOMAIN},
    {VIEW_LIT("a@[192.0.2.1"), "", ADDRESS_UNCLOSED | ADDRESS_EMPTY},
    {VIEW_LIT("a@[[192.0.2.1]]"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("a@b_c.example"), "a@b_c.example\n", ADDRESS_BAD_DOMAIN},
    {VIEW_LIT("=?utf-8?q?a?=@b.example"), "=?utf-8?q?a?=@b.example\n", ADDRESS_ENCODED_WORD},
    {VIEW_LIT("\"=?utf-8?q?a@x?=\"@b.example"), "\"=?utf-8?q?a@x?=\"@b.example\n",
     ADDRESS_ENCODED_WORD},
    {VIEW_LIT("=?utf-8?q?a?= <a@b.example>"), "a@b.example\n", 0},
    {VIEW_LIT("a"), "", ADDRESS_NO_DOMAIN | ADDRESS_EMPTY},
    {VIEW_LIT("a b c"), "", ADDRESS_NO_DOMAIN | ADDRESS_EMPTY},
    {VIEW_LIT("a@b.example, c"), "a@b.example\n", ADDRESS_NO_DOMAIN},
    {VIEW_LIT("X <a>"), "", ADDRESS_NO_DOMAIN | ADDRESS_EMPTY},
    {VIEW_LIT("X <>"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("X <a@b.example"), "", ADDRESS_UNCLOSED | ADDRESS_EMPTY},
    {VIEW_LIT("<<a@b.example>>"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("<a@b.example> x"), "a@b.example\n", ADDRESS_SYNTAX},
    {VIEW_LIT("<a@b.example>, x <c@d.example> <e@f.example>"), "a@b.example\nc@d.example\n",
     ADDRESS_SYNTAX},
    {VIEW_LIT("a@b@c.example"), "a@b\n", ADDRESS_SYNTAX},
    {VIEW_LIT("@b.example"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("a@"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("a@.b"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("a b@c.example"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("a\"b\"@c.example"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT(". <a@b.example>"), "", ADDRESS_SYNTAX | ADDRESS_DOT_IN_NAME | ADDRESS_EMPTY},
    {VIEW_LIT("\"a <a@b.example>"), "", ADDRESS_UNCLOSED | ADDRESS_EMPTY},
    {VIEW_LIT("a\\b@c.example"), "", ADDRESS_SYNTAX | ADDRESS_EMPTY},
    {VIEW_LIT("\"a\x01\" <a@b.example>"), "a@b.example\n", ADDRESS_CONTROL},
    {VIEW_LIT("\"a\\\0\" <a@b.example>"), "a@b.example\n", ADDRESS_CONTROL},
    {VIEW_LIT("(\r) a@b.example"), "a@b.example\n", ADDRESS_CONTROL | ADDRESS_COMMENT},
    {VIEW_LIT("a@b.example\r\nBcc: c@d.example"), "", ADDRESS_CONTROL | ADDRESS_EMPTY},
    {VIEW_LIT("\"\xe3\x81\" <a@b.example>"), "a@b.example\n", ADDRESS_BAD_UTF8},
};

Test(address, reads_lists_and_says_what_it_met)
{
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        const struct expected *e = &expectations[i];
        struct arena arena;
        struct address_list list;
        struct buf got;
        arena_init(&arena, ADDRESS_ARENA_BYTES(e->body.n, MAX_ADDRESSES));
        buf_init(&got, 1000);
        cr_assert_eq(address_parse(e->body, MAX_ADDRESSES, &arena, &list), MSA_OK);
        join(&list, &got);
        cr_expect(view_eq(buf_view(&got), view_cstr(e->addresses)), "case %zu [%.*s]: [%.*s]", i,
                  (int)e->body.n, e->body.p, (int)buf_len(&got), got.data);
        cr_expect_eq(list.findings, e->findings, "case %zu [%.*s]: %x not %x", i,
                     (int)e->body.n, e->body.p, list.findings, e->findings);
        buf_fini(&got);
        arena_fini(&arena);
    }
}

Test(address, takes_names_and_parts_out)
{
    struct arena arena;
    struct address_list list;
    arena_init(&arena, 10000);
    const struct view body = VIEW_LIT("First\" \\\"M.\\\" \"Last (x)\r\n Jr. <\"t o\"@B.example>");
    cr_assert_eq(address_parse(body, 10, &arena, &list), MSA_OK);
    cr_assert_eq(list.count, 1);
    cr_assert(view_eq(list.first->name, VIEW_LIT("First \"M.\" Last Jr.")));
    cr_assert(view_eq(list.first->local, VIEW_LIT("t o")));
    cr_assert(view_eq(list.first->domain, VIEW_LIT("B.example")));
    char canonical[PATH_CANONICAL_SIZE];
    cr_assert_eq(mailbox_canonical(list.first, canonical), 15);
    cr_assert_str_eq(canonical, "\"t o\"@b.example");
    arena_fini(&arena);
}

Test(address, stops_at_the_maximum)
{
    struct arena arena;
    struct address_list list;
    arena_init(&arena, 10000);
    const struct view three = VIEW_LIT("a@b.example,c@b.example,d@b.example");
    cr_assert_eq(address_parse(three, 3, &arena, &list), MSA_OK);
    cr_assert(list.count == 3 && list.findings == 0);
    cr_assert_eq(address_parse(three, 2, &arena, &list), MSA_OK);
    cr_assert(list.count == 2 && list.findings == ADDRESS_TOO_MANY);
    arena_fini(&arena);
}

Test(address, reports_a_full_arena)
{
    const struct view two = VIEW_LIT("Name <a@b.example>, Other <c@d.example>");
    int last = MSA_ENOMEM;
    for (size_t room = 0; room < 2000; room += 8) {
        struct arena arena;
        struct address_list list;
        arena_init(&arena, room);
        int err = address_parse(two, 10, &arena, &list);
        cr_assert(err == MSA_OK || (err == MSA_ENOMEM && last == MSA_ENOMEM));
        cr_assert(err == MSA_ENOMEM || list.count == 2);
        last = err;
        arena_fini(&arena);
    }
    cr_assert_eq(last, MSA_OK);
}

/* ---- hostile sizes
 * ----------------------------------------------------------------------------- */

static double seconds_for(const char *head, const char *unit, size_t times, const char *tail)
{
    size_t unit_n = strlen(unit);
    struct buf text;
    struct arena arena;
    struct address_list list;
    buf_init(&text, unit_n * times + 100);
    buf_add_cstr(&text, head);
    for (size_t i = 0; i < times; i++)
        buf_append(&text, unit, unit_n);
    buf_add_cstr(&text, tail);
    arena_init(&arena, ADDRESS_ARENA_BYTES(buf_len(&text), MAX_ADDRESSES));
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    cr_assert_eq(address_parse(buf_view(&text), MAX_ADDRESSES, &arena, &list), MSA_OK, "%s", unit);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    cr_assert_neq(list.findings, 0);
    arena_fini(&arena);
    buf_fini(&text);
    return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

Test(address, takes_linear_time)
{
    cr_assert_lt(seconds_for("", "(", 200000, ""), 1.0);
    cr_assert_lt(seconds_for("a@b.example", "(x)", 200000, ""), 1.0);
    cr_assert_lt(seconds_for("", ",", 500000, "a@b.example"), 1.0);
    cr_assert_lt(seconds_for("", "\"", 400000, "@b.example"), 1.0);
    cr_assert_lt(seconds_for("", "\\", 400000, ""), 1.0);
    cr_assert_lt(seconds_for("", "a@b,", 200000, ""), 1.0);
    cr_assert_lt(seconds_for("", "a.", 400000, "@b"), 1.0);
    cr_assert_lt(seconds_for("a@", "b.", 400000, "c"), 1.0);
    cr_assert_lt(seconds_for("<", "@a,", 400000, ":a@b>"), 1.0);
    cr_assert_lt(seconds_for("=?", "?", 400000, "=@b"), 1.0);
    cr_assert_lt(seconds_for("", "=?", 200000, "@b"), 1.0);
    cr_assert_lt(seconds_for("G:", "G:", 200000, ""), 1.0);
}

/* ---- the shared table of From fields
 * --------------------------------------------------------------- */

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

/* A JSON list of strings, one a line. */
static void read_authors(const char *json, struct buf *out)
{
    bool in_string = false;
    for (; *json; json++) {
        if (*json == '"') {
            in_string = !in_string;
            if (!in_string)
                buf_add_char(out, '\n');
        } else if (in_string) {
            json += *json == '\\';
            buf_add_char(out, *json);
        }
    }
}

/* The authors of a header section: one From field, its list read. */
static unsigned authors_of(struct view text, struct buf *out, unsigned *header_defects)
{
    struct header h;
    struct arena arena;
    struct address_list list = {.findings = 0};
    const struct view from = VIEW_LIT("From");
    header_init(&h, HEADER_LIMITS_DEFAULT);
    header_feed(&h, &text);
    header_finish(&h);
    *header_defects = h.defects;
    if (header_count(&h, from) == 1) {
        struct view body = header_field_body(&h, header_find(&h, from, NULL));
        arena_init(&arena, ADDRESS_ARENA_BYTES(body.n, MAX_ADDRESSES));
        cr_assert_eq(address_parse(body, MAX_ADDRESSES, &arena, &list), MSA_OK);
        join(&list, out);
        arena_fini(&arena);
    } else {
        list.findings = ADDRESS_EMPTY;
    }
    header_fini(&h);
    return list.findings;
}

static void check_row(char *row)
{
    char *field[7];
    for (size_t i = 0; i < 7; i++)
        field[i] = strsep(&row, "\t");
    cr_assert_not_null(field[6]);
    struct buf want, got;
    unsigned defects;
    buf_init(&want, 2000);
    buf_init(&got, 2000);
    read_authors(field[2], &want);
    unsigned findings = authors_of(view_of(field[4], unescape(field[4])), &got, &defects);
    if (strcmp(field[1], "bad") == 0) {
        cr_expect(findings & ADDRESS_INVALID, "%s: %s", field[0], field[6]);
    } else {
        cr_expect_eq(findings & ADDRESS_INVALID, 0, "%s: findings %x", field[0], findings);
        cr_expect_eq(defects & HEADER_AMBIGUOUS, 0, "%s: defects %x", field[0], defects);
        cr_expect(view_eq(buf_view(&got), buf_view(&want)), "%s: %.*s", field[0],
                  (int)buf_len(&got), got.data);
    }
    buf_fini(&want);
    buf_fini(&got);
}

Test(address, agrees_with_the_shared_table)
{
    FILE *f = shared_data_open("from_cases.tsv");
    char *line = NULL;
    size_t cap = 0, rows = 0;
    ssize_t n;
    while ((n = getline(&line, &cap, f)) > 0) {
        if (line[0] == '#')
            continue;
        line[strcspn(line, "\n")] = '\0';
        check_row(line);
        rows++;
    }
    free(line);
    fclose(f);
    cr_assert_eq(rows, 77);
}
