/* The canonical forms of DKIM: the vectors of RFC 6376, whole, at every split and byte by byte, and all short bodies
 * against an implementation by lines. */
#include <criterion/criterion.h>

#include <string.h>

#include "relay/dkim/canon.h"

TestSuite(dkim_canon, .timeout = 60);

static void collect(void *arg, struct view run)
{
    cr_assert(run.n > 0);
    buf_add(arg, run);
}

/* In pieces that end at `cut` and every `step` bytes behind it. */
static void canon(struct view body, size_t cut, size_t step, struct buf *out)
{
    static struct dkim_body b;
    buf_reset(out);
    dkim_body_init(&b, collect, out);
    dkim_body_feed(&b, view_slice(body, 0, cut));
    for (size_t at = cut; at < body.n; at += step)
        dkim_body_feed(&b, view_slice(body, at, at + step));
    dkim_body_finish(&b);
}

static void expect(struct view body, struct view want)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    for (size_t cut = 0; cut <= body.n; cut++) {
        canon(body, cut, body.n + 1, &out);
        cr_expect(view_eq(buf_view(&out), want), "cut at %zu: '%.*s'", cut, (int)buf_len(&out),
                  buf_view(&out).p);
    }
    canon(body, 0, 1, &out);
    cr_expect(view_eq(buf_view(&out), want), "byte by byte");
    buf_fini(&out);
}

Test(dkim_canon, bodies)
{
    static const struct {
        struct view body;
        struct view want;
    } rows[] = {
        {VIEW_LIT(" C \r\nD \t E\r\n\r\n\r\n"), VIEW_LIT(" C\r\nD E\r\n")}, /* RFC 6376 section 3.4.5 */
        {VIEW_LIT(""), VIEW_LIT("")},
        {VIEW_LIT("\r\n"), VIEW_LIT("")},
        {VIEW_LIT("\r\n\r\n\r\n"), VIEW_LIT("")},
        {VIEW_LIT(" \t\r\n  \r\n"), VIEW_LIT("")},
        {VIEW_LIT("  "), VIEW_LIT("")},
        {VIEW_LIT("a"), VIEW_LIT("a\r\n")},
        {VIEW_LIT("a \t"), VIEW_LIT("a\r\n")},
        {VIEW_LIT("a\r\n \r\n"), VIEW_LIT("a\r\n")},
        {VIEW_LIT("\r\n\r\na\r\n\r\nb"), VIEW_LIT("\r\n\r\na\r\n\r\nb\r\n")},
        {VIEW_LIT("\t\ta\r\n"), VIEW_LIT(" a\r\n")},
        {VIEW_LIT(".a\r\n..\r\n"), VIEW_LIT(".a\r\n..\r\n")},
        {VIEW_LIT("a \rb\r"), VIEW_LIT("a \rb\r\r\n")},
        {VIEW_LIT("a \nb\n\r\n"), VIEW_LIT("a \nb\n\r\n")},
        {VIEW_LIT("a\r\r\nb\r\n"), VIEW_LIT("a\r\r\nb\r\n")},
        {VIEW_LIT("a\0 \0b\r\n"), VIEW_LIT("a\0 \0b\r\n")},
        {VIEW_LIT("\xe3\x81\x82 \xff\r\n"), VIEW_LIT("\xe3\x81\x82 \xff\r\n")},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(rows[i].body, rows[i].want);
}

/* Line by line, with all of the body at hand. */
static void by_lines(struct view body, struct buf *out)
{
    buf_reset(out);
    while (body.n > 0) {
        size_t n = 0;
        while (n < body.n && !(body.p[n] == '\r' && n + 1 < body.n && body.p[n + 1] == '\n'))
            n++;
        struct view line = view_slice(body, 0, n);
        body = view_slice(body, n + 2, body.n);
        while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t'))
            line.n--;
        for (size_t i = 0; i < line.n; i++) {
            bool is_space = line.p[i] == ' ' || line.p[i] == '\t';
            bool was_space = i > 0 && (line.p[i - 1] == ' ' || line.p[i - 1] == '\t');
            if (!is_space || !was_space)
                buf_add_char(out, is_space ? ' ' : line.p[i]);
        }
        buf_add_cstr(out, "\r\n");
    }
    while (buf_len(out) >= 2) {
        struct view v = buf_view(out);
        bool is_blank = v.n == 2 || (v.n >= 4 && memcmp(v.p + v.n - 4, "\r\n\r\n", 4) == 0);
        if (!is_blank || memcmp(v.p + v.n - 2, "\r\n", 2) != 0)
            break;
        buf_truncate(out, v.n - 2);
    }
}

Test(dkim_canon, all_bodies_up_to_seven_octets)
{
    static const char alphabet[] = "\r\n \ta";
    struct buf got, want;
    char text[7];
    buf_init(&got, 1024);
    buf_init(&want, 1024);
    for (size_t n = 0; n <= sizeof text; n++) {
        size_t count = 1;
        for (size_t i = 0; i < n; i++)
            count *= 5;
        for (size_t number = 0; number < count; number++) {
            for (size_t i = 0, rest = number; i < n; i++, rest /= 5)
                text[i] = alphabet[rest % 5];
            by_lines(view_of(text, n), &want);
            canon(view_of(text, n), number % (n + 1), 1 + number % 3, &got);
            cr_assert(view_eq(buf_view(&got), buf_view(&want)), "length %zu, number %zu", n, number);
        }
    }
    buf_fini(&got);
    buf_fini(&want);
}

Test(dkim_canon, longer_than_the_stage)
{
    static char text[5 * DKIM_CANON_STAGE_BYTES];
    struct buf out;
    memset(text, 'x', sizeof text);
    for (size_t i = 1000; i < sizeof text; i += 1000)
        memcpy(text + i - 3, "\t\r\n", 3);
    struct buf want;
    buf_init(&out, 1 << 20);
    buf_init(&want, 1 << 20);
    by_lines(view_of(text, sizeof text), &want);
    for (size_t step = 1; step < sizeof text; step = step * 3 + 1) {
        canon(view_of(text, sizeof text), 0, step, &out);
        cr_expect(view_eq(buf_view(&out), buf_view(&want)), "step %zu", step);
    }
    memset(text, 'x', sizeof text);
    canon(view_of(text, sizeof text), 0, sizeof text, &out);
    cr_expect_eq(buf_len(&out), sizeof text + 2);
    buf_fini(&out);
    buf_fini(&want);
}

Test(dkim_canon, fields)
{
    static const struct {
        const char *name;
        const char *body;
        const char *want;
    } rows[] = {
        {"A", " X", "a:X"}, /* RFC 6376 section 3.4.5, like the next */
        {"B", " Y\t\r\n\tZ  ", "b:Y Z"},
        {"SubJect", "", "subject:"},
        {"Subject", " \t ", "subject:"},
        {"Subject", "\r\n a\r\n b", "subject:a b"},
        {"Subject", "\r\n \r\n a", "subject:a"},
        {"X", " a\rb\nc ", "x:a\rb\nc"},
        {"X", " \xe3\x81\x82  \xff", "x:\xe3\x81\x82 \xff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out;
        buf_init(&out, 1024);
        cr_expect_eq(dkim_canon_field(view_cstr(rows[i].name), view_cstr(rows[i].body), &out), 0);
        cr_expect(view_eq(buf_view(&out), view_cstr(rows[i].want)), "row %zu: '%.*s'", i,
                  (int)buf_len(&out), buf_view(&out).p);
        buf_fini(&out);
    }
}
