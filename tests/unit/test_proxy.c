#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/io/proxy.h"

TestSuite(proxy, .timeout = 20);

#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define V4  "\xC0\x00\x02\x01" "\xC6\x33\x64\x02" "\xC3\x50" "\x02\x4B" /* 192.0.2.1:50000 198.51.100.2:587 */
#define V6_A "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define V6_B "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"

struct vector {
    const char *name;
    struct view input;
    int want;
    bool is_local;
    const char *source; /* NULL: none */
    uint16_t source_port;
    const char *destination;
    uint16_t destination_port;
};

#define NOTHING .is_local = false
#define LOCAL .is_local = true
#define FROM_V4 .source = "192.0.2.1", .source_port = 50000, .destination = "198.51.100.2", .destination_port = 587
#define FROM_V6 .source = "2001:db8::1", .source_port = 50000, .destination = "2001:db8::2", .destination_port = 465

static const struct vector vectors[] = {
    {"v1 tcp4", VIEW_LIT("PROXY TCP4 192.0.2.1 198.51.100.2 50000 587\r\n"), MSA_OK, FROM_V4},
    {"v1 tcp6", VIEW_LIT("PROXY TCP6 2001:db8::1 2001:db8::2 50000 465\r\n"), MSA_OK, FROM_V6},
    {"v1 unknown", VIEW_LIT("PROXY UNKNOWN\r\n"), MSA_OK, LOCAL},
    {"v1 unknown with more",
     VIEW_LIT("PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n"), MSA_OK, LOCAL},
    {"v1 v6 addresses under tcp4", VIEW_LIT("PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n"), MSA_EPROTO, NOTHING},
    {"v1 v4 addresses under tcp6", VIEW_LIT("PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"), MSA_EPROTO, NOTHING},
    {"v1 mixed families", VIEW_LIT("PROXY TCP6 2001:db8::1 192.0.2.2 1 2\r\n"), MSA_EPROTO, NOTHING},
    {"v1 lower case", VIEW_LIT("PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n"), MSA_EPROTO, NOTHING},
    {"v1 port too large", VIEW_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n"), MSA_EPROTO, NOTHING},
    {"v1 port with sign", VIEW_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n"), MSA_EPROTO, NOTHING},
    {"v1 port missing", VIEW_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"), MSA_EPROTO, NOTHING},
    {"v1 one word too many", VIEW_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"), MSA_EPROTO, NOTHING},
    {"v1 double space", VIEW_LIT("PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"), MSA_EPROTO, NOTHING},
    {"v1 bare LF", VIEW_LIT("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n"), MSA_EPROTO, NOTHING},
    {"v1 nothing behind the word", VIEW_LIT("PROXY \r\n"), MSA_EPROTO, NOTHING},
    {"v1 bad address", VIEW_LIT("PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n"), MSA_EPROTO, NOTHING},
    {"v2 tcp4", VIEW_LIT(SIG "\x21\x11\0\x0c" V4), MSA_OK, FROM_V4},
    {"v2 tcp4 with a TLV", VIEW_LIT(SIG "\x21\x11\0\x11" V4 "\x04\0\x02xx"), MSA_OK, FROM_V4},
    {"v2 tcp6", VIEW_LIT(SIG "\x21\x21\0\x24" V6_A V6_B "\xC3\x50\x01\xD1"), MSA_OK, FROM_V6},
    {"v2 local", VIEW_LIT(SIG "\x20\0\0\0"), MSA_OK, LOCAL},
    {"v2 local with addresses to skip", VIEW_LIT(SIG "\x20\x11\0\x0c" V4), MSA_OK, LOCAL},
    {"v2 unspecified", VIEW_LIT(SIG "\x21\0\0\0"), MSA_OK, LOCAL},
    {"v2 tcp4 too short", VIEW_LIT(SIG "\x21\x11\0\x0b" "12345678901"), MSA_EPROTO, NOTHING},
    {"v2 tcp6 too short", VIEW_LIT(SIG "\x21\x21\0\x0c" V4), MSA_EPROTO, NOTHING},
    {"v2 udp4", VIEW_LIT(SIG "\x21\x12\0\x0c" V4), MSA_EPROTO, NOTHING},
    {"v2 unknown command", VIEW_LIT(SIG "\x22\x11\0\x0c" V4), MSA_EPROTO, NOTHING},
    {"version 3", VIEW_LIT(SIG "\x31\x11\0\x0c" V4), MSA_EPROTO, NOTHING},
    {"v2 longer than we take", VIEW_LIT(SIG "\x21\x11\x04\x00" V4), MSA_EPROTO, NOTHING},
    {"SMTP", VIEW_LIT("EHLO me\r\n"), MSA_EPROTO, NOTHING},
    {"TLS", VIEW_LIT("\x16\x03\x01\x02\x00"), MSA_EPROTO, NOTHING},
};

#define COUNT (sizeof vectors / sizeof vectors[0])

static void check_address(const struct vector *v, const char *want, const struct ipaddr *got)
{
    struct ipaddr a = {0};
    if (want)
        cr_assert(ipaddr_parse(view_cstr(want), &a));
    cr_assert(ipaddr_eq(&a, got), "%s", v->name);
}

static void check(const struct vector *v, const struct proxy_header *h)
{
    cr_assert_eq(h->length, v->input.n, "%s", v->name);
    cr_assert_eq(h->is_local, v->is_local, "%s", v->name);
    check_address(v, v->source, &h->source);
    check_address(v, v->destination, &h->destination);
    cr_assert_eq(h->source_port, v->source_port, "%s", v->name);
    cr_assert_eq(h->destination_port, v->destination_port, "%s", v->name);
}

Test(proxy, vectors_give_what_they_say)
{
    for (size_t i = 0; i < COUNT; i++) {
        struct proxy_header h;
        cr_assert_eq(proxy_parse(vectors[i].input, PROXY_ANY, &h), vectors[i].want, "%s",
                     vectors[i].name);
        if (vectors[i].want == MSA_OK)
            check(&vectors[i], &h);
    }
}

/* A part is never good, and what is good with more behind it is the same header. */
Test(proxy, good_headers_need_every_byte_and_no_more)
{
    for (size_t i = 0; i < COUNT; i++) {
        const struct vector *v = &vectors[i];
        if (v->want != MSA_OK)
            continue;
        struct proxy_header h;
        for (size_t n = 0; n < v->input.n; n++) {
            char *exact = malloc(n + 1);
            memcpy(exact, v->input.p, n);
            cr_assert_eq(proxy_parse(view_of(exact, n), PROXY_ANY, &h), MSA_EAGAIN, "%s at %zu",
                         v->name, n);
            free(exact);
        }
        char longer[256] = {0};
        memcpy(longer, v->input.p, v->input.n);
        memset(longer + v->input.n, '\n', 20);
        cr_assert_eq(proxy_parse(view_of(longer, v->input.n + 20), PROXY_ANY, &h), MSA_OK);
        check(v, &h);
    }
}

Test(proxy, bad_beginnings_are_refused_at_once)
{
    struct proxy_header h;
    cr_assert_eq(proxy_parse(VIEW_LIT("E"), PROXY_ANY, &h), MSA_EPROTO);
    cr_assert_eq(proxy_parse(VIEW_LIT("PROXX"), PROXY_ANY, &h), MSA_EPROTO);
    cr_assert_eq(proxy_parse(VIEW_LIT("\r\n\r\nQ"), PROXY_ANY, &h), MSA_EPROTO);
}

Test(proxy, versions_can_be_forbidden)
{
    struct proxy_header h;
    struct view v1 = VIEW_LIT("PROXY UNKNOWN\r\n"), v2 = VIEW_LIT(SIG "\x20\0\0\0");
    cr_assert_eq(proxy_parse(v1, PROXY_V1, &h), MSA_OK);
    cr_assert_eq(proxy_parse(v1, PROXY_V2, &h), MSA_EPROTO);
    cr_assert_eq(proxy_parse(v2, PROXY_V2, &h), MSA_OK);
    cr_assert_eq(proxy_parse(v2, PROXY_V1, &h), MSA_EPROTO);
}

Test(proxy, v1_line_is_bounded)
{
    struct proxy_header h;
    char line[200];
    memset(line, 'x', sizeof line);
    memcpy(line, "PROXY UNKNOWN ", 14);
    cr_assert_eq(proxy_parse(view_of(line, 106), PROXY_ANY, &h), MSA_EAGAIN);
    cr_assert_eq(proxy_parse(view_of(line, 107), PROXY_ANY, &h), MSA_EPROTO);
    line[105] = '\r';
    line[106] = '\n';
    cr_assert_eq(proxy_parse(view_of(line, 200), PROXY_ANY, &h), MSA_OK);
    cr_assert_eq(h.length, 107);
    line[105] = 'x';
    line[106] = '\r';
    line[107] = '\n';
    cr_assert_eq(proxy_parse(view_of(line, 200), PROXY_ANY, &h), MSA_EPROTO);
}
