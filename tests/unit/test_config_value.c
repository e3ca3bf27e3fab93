/* Single values: what each type takes, what it is written back as, and what it refuses. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "msa/config/settings_relay.h"
#include "msa/config/value.h"

TestSuite(config_value, .timeout = 20);

union field { /* room and alignment for any type */
    bool flag;
    uint32_t number;
    uint64_t wide;
    struct config_rate rate;
    struct config_host host;
    struct config_endpoint endpoint;
    struct ipprefix prefix;
    struct value_list list;
};

static const struct schema_word colours[] = {{"red", 1}, {"green", 2}, {"blue", 4}, {0}};
static const struct schema_word automatic[] = {{"auto", 0}, {0}};

static const struct schema_key flag_key = {.name = "k", .type = SCHEMA_BOOL};
static const struct schema_key choice_key = {
    .name = "k", .type = SCHEMA_CHOICE, .words = colours};
static const struct schema_key choices_key = {
    .name = "k", .type = SCHEMA_CHOICES, .words = colours};
static const struct schema_key count_key = {
    .name = "k", .type = SCHEMA_COUNT, .min = 5, .max = UINT32_MAX, .words = automatic};
static const struct schema_key size_key = {.name = "k", .type = SCHEMA_SIZE, .max = UINT32_MAX};
static const struct schema_key size64_key = {
    .name = "k", .type = SCHEMA_SIZE64, .min = 10, .max = INT64_MAX};
static const struct schema_key time_key = {.name = "k", .type = SCHEMA_TIME, .max = INT64_MAX};
static const struct schema_key date_key = {
    .name = "k", .type = SCHEMA_DATE, .max = INT64_C(4102444800000), .words = automatic};
static const struct schema_key rate_key = {
    .name = "k", .type = SCHEMA_RATE, .max = UINT32_MAX};
static const struct schema_key decimal_key = {
    .name = "k", .type = SCHEMA_DECIMAL, .min = -2000, .max = INT32_MAX};
static const struct schema_key text_key = {.name = "k", .type = SCHEMA_TEXT, .max = 8};
static const struct schema_key name_key = {.name = "k", .type = SCHEMA_NAME};
static const struct schema_key domain_key = {.name = "k", .type = SCHEMA_DOMAIN};
static const struct schema_key path_key = {.name = "k", .type = SCHEMA_PATH};
static const struct schema_key mailbox_key = {.name = "k", .type = SCHEMA_MAILBOX};
static const struct schema_key host_key = {.name = "k", .type = SCHEMA_HOST};
static const struct schema_key address_key = {.name = "k", .type = SCHEMA_ADDRESS};
static const struct schema_key prefix_key = {.name = "k", .type = SCHEMA_PREFIX};
static const struct schema_key endpoint_key = {
    .name = "k", .type = SCHEMA_ENDPOINT, .flags = SCHEMA_LISTEN};
static const struct schema_key server_key = {
    .name = "k", .type = SCHEMA_ENDPOINT, .default_port = 53};
static const struct schema_key list_key = {
    .name = "k", .type = SCHEMA_PREFIX, .flags = SCHEMA_LIST};
static const struct schema_key full_list_key = {
    .name = "k", .type = SCHEMA_TIME, .max = INT64_MAX, .flags = SCHEMA_LIST | SCHEMA_NONEMPTY};

static struct config_errors errs;

/* Words are split at spaces; "" is one empty, quoted word. */
static struct tree_node node_of(const char *text, struct tree_word words[8])
{
    struct tree_node node = {.at = {.file = "f", .line = 1, .column = 1}};
    struct view rest = view_cstr(text);
    do {
        struct tree_word *word = &words[node.word_count];
        *word = (struct tree_word){.text = view_cut(&rest, ' '), .at = node.at};
        if (node.word_count++ > 0)
            words[node.word_count - 2].next = word;
    } while (rest.n > 0);
    node.words = words;
    return node;
}

/* Parses `text`; what it is written back as must be `want`, and be read to the same again.
 * `want` NULL: it must be refused with exactly one message. */
static void expect_value(const struct schema_key *key, const char *text, const char *want)
{
    struct arena arena;
    struct tree_word words[8];
    union field field;
    struct buf out;
    memset(&field, 0, sizeof field);
    arena_init(&arena, 1 << 20);
    config_errors_init(&errs);
    buf_init(&out, 4096);
    struct value_site site = {.arena = &arena, .errs = &errs};
    struct tree_node node = node_of(text, words);
    bool is_good = value_set(&site, key, &node, &field);
    cr_expect(is_good == (want != NULL), "'%s' was %s", text, is_good ? "taken" : "refused");
    cr_expect(errs.count == (is_good ? 0 : 1), "'%s': %u messages", text, errs.count);
    if (is_good && want) {
        value_format(key, &field, &out);
        buf_add_char(&out, '\0');
        cr_expect(strcmp(buf_view(&out).p, want) == 0, "'%s' became '%s', not '%s'", text,
                  buf_view(&out).p, want);
    }
    buf_fini(&out);
    config_errors_fini(&errs);
    arena_fini(&arena);
}

struct value_case {
    const struct schema_key *key;
    const char *text;
    const char *want;
};

static void expect_values(const struct value_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_value(cases[i].key, cases[i].text, cases[i].want);
}

#define EXPECT_VALUES(cases) expect_values(cases, sizeof(cases) / sizeof((cases)[0]))

Test(config_value, words)
{
    static const struct value_case cases[] = {
        {&flag_key, "yes", "yes"},
        {&flag_key, "no", "no"},
        {&flag_key, "true", NULL},
        {&flag_key, "YES", NULL},
        {&flag_key, "", NULL},
        {&choice_key, "green", "green"},
        {&choice_key, "gren", NULL},
        {&choice_key, "green blue", NULL},
        {&choices_key, "blue red", "red blue"},
        {&choices_key, "red red", "red"},
        {&choices_key, "red pink", NULL},
    };
    EXPECT_VALUES(cases);
}

Test(config_value, counts_and_sizes)
{
    static const struct value_case cases[] = {
        {&count_key, "5", "5"},
        {&count_key, "007", "7"},
        {&count_key, "auto", "auto"},
        {&count_key, "0", NULL},
        {&count_key, "4", NULL},
        {&count_key, "4294967295", "4294967295"},
        {&count_key, "4294967296", NULL},
        {&count_key, "18446744073709551621", NULL}, /* 5 modulo 2^64 */
        {&count_key, "99999999999999999999999999999", NULL},
        {&count_key, "-5", NULL},
        {&count_key, "+5", NULL},
        {&count_key, "5 ", "5"},
        {&count_key, "5K", NULL},
        {&count_key, "0x10", NULL},
        {&count_key, "5.0", NULL},
        {&size_key, "0", "0"},
        {&size_key, "512", "512"},
        {&size_key, "65536", "64K"},
        {&size_key, "64K", "64K"},
        {&size_key, "1024K", "1M"},
        {&size_key, "3G", "3G"},
        {&size_key, "4G", NULL},
        {&size_key, "25m", NULL},
        {&size_key, "25MB", NULL},
        {&size_key, "K", NULL},
        {&size64_key, "9", NULL},
        {&size64_key, "20G", "20G"},
        {&size64_key, "9223372036854775807", "9223372036854775807"},
        {&size64_key, "8589934591G", "8589934591G"},
        {&size64_key, "17179869184G", "9223372036854775807"}, /* saturates at this key's maximum */
    };
    EXPECT_VALUES(cases);
}

Test(config_value, times_rates_and_decimals)
{
    static const struct value_case cases[] = {
        {&time_key, "0", "0s"},
        {&time_key, "0ms", "0s"},
        {&time_key, "250ms", "250ms"},
        {&time_key, "90s", "90s"},
        {&time_key, "60s", "1m"},
        {&time_key, "24h", "1d"},
        {&time_key, "7d", "1w"},
        {&time_key, "30", NULL},
        {&time_key, "1h30m", NULL},
        {&time_key, "1 h", NULL},
        {&time_key, "s", NULL},
        {&time_key, "-1s", NULL},
        {&date_key, "auto", "auto"},
        {&date_key, "2026-12-01", "2026-12-01T00:00:00Z"},
        {&date_key, "2026-12-01T00:00:00+09:00", "2026-11-30T15:00:00Z"},
        {&date_key, "2026-12-01T00:00", NULL},
        {&date_key, "2026-13-01", NULL},
        {&date_key, "2026-02-30", NULL},
        {&date_key, "1969-12-31", NULL},
        {&date_key, "2100-01-02", NULL},
        {&date_key, "20261201", NULL},
        {&date_key, "2026-12-01T00:00:00.000000000000000000Z", NULL},
        {&rate_key, "100/1h", "100/1h"},
        {&rate_key, "100/h", "100/1h"},
        {&rate_key, "3/6h", "3/6h"},
        {&rate_key, "off", "off"},
        {&rate_key, "0/1h", NULL},
        {&rate_key, "100", NULL},
        {&rate_key, "100/", NULL},
        {&rate_key, "/1h", NULL},
        {&rate_key, "1/0", NULL},
        {&rate_key, "1/999ms", NULL},
        {&rate_key, "1/32d", NULL},
        {&rate_key, "4294967296/1h", NULL},
        {&rate_key, "1/1h/1h", NULL},
        {&decimal_key, "0", "0.0"},
        {&decimal_key, "1.5", "1.5"},
        {&decimal_key, "-1.25", "-1.25"},
        {&decimal_key, "-0.001", "-0.001"},
        {&decimal_key, "10.010", "10.01"},
        {&decimal_key, "-2", "-2.0"},
        {&decimal_key, "-2.001", NULL},
        {&decimal_key, "2147482.999", "2147482.999"},
        {&decimal_key, "2147483", NULL},
        {&decimal_key, "99999999999999999999", NULL},
        {&decimal_key, "1.", NULL},
        {&decimal_key, ".5", NULL},
        {&decimal_key, "1.2345", NULL},
        {&decimal_key, "1.-5", NULL},
        {&decimal_key, "1,5", NULL},
        {&decimal_key, "-", NULL},
    };
    EXPECT_VALUES(cases);
}

#define L63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

Test(config_value, texts_and_names)
{
    static const struct value_case cases[] = {
        {&text_key, "12345678", "\"12345678\""},
        {&text_key, "123456789", NULL},
        {&text_key, "a\"\\\t\x7f", "\"a\\\"\\\\\\x09\\x7f\""},
        {&text_key, "", "\"\""},
        {&name_key, "msad-smtp_1.x", "\"msad-smtp_1.x\""},
        {&name_key, "a/b", NULL},
        {&name_key, L63, "\"" L63 "\""},
        {&name_key, L63 "a", NULL},
        {&domain_key, "mx.example.jp", "\"mx.example.jp\""},
        {&domain_key, "localhost", "\"localhost\""},
        {&domain_key, "", "\"\""},
        {&domain_key, L63 ".b", "\"" L63 ".b\""},
        {&domain_key, L63 "a.b", NULL},
        {&domain_key, L63 "." L63 "." L63 "." L63, NULL},
        {&domain_key, "a..b", NULL},
        {&domain_key, ".a", NULL},
        {&domain_key, "a.", NULL},
        {&domain_key, "-a.b", NULL},
        {&domain_key, "a-.b", NULL},
        {&domain_key, "a b", NULL},
        {&domain_key, "\xe4\xbe\x8b.jp", NULL},
        {&path_key, "/etc/x", "\"/etc/x\""},
        {&path_key, "etc/x", NULL},
        {&mailbox_key, "post.master+x@example.jp", "\"post.master+x@example.jp\""},
        {&mailbox_key, "a@b@c", NULL},
        {&mailbox_key, "@b", NULL},
        {&mailbox_key, "a@", NULL},
        {&mailbox_key, "a", NULL},
        {&mailbox_key, "<a@b>", NULL},
    };
    EXPECT_VALUES(cases);
}

Test(config_value, hosts_and_addresses)
{
    static const struct value_case cases[] = {
        {&host_key, "mx.example.jp", "\"mx.example.jp\""},
        {&host_key, "mx.example.jp:25", "\"mx.example.jp:25\""},
        {&host_key, "192.0.2.1:2525", "\"192.0.2.1:2525\""},
        {&host_key, "[2001:db8::1]:25", "\"[2001:db8::1]:25\""},
        {&host_key, "[2001:db8::1]", "\"[2001:db8::1]\""},
        {&host_key, "2001:db8::1", "\"[2001:db8::1]\""},
        {&host_key, "[192.0.2.1]:25", NULL},
        {&host_key, "[2001:db8::1", NULL},
        {&host_key, "[2001:db8::1]25", NULL},
        {&host_key, "[]:25", NULL},
        {&host_key, "h:", NULL},
        {&host_key, "h:0", NULL},
        {&host_key, "h:65536", NULL},
        {&host_key, ":25", NULL},
        {&host_key, "h:25:25", NULL},
        {&address_key, "192.0.2.1", "192.0.2.1"},
        {&address_key, "2001:DB8:0::1", "2001:db8::1"},
        {&address_key, "192.0.2", NULL},
        {&address_key, "192.0.2.1/32", NULL},
        {&prefix_key, "10.0.0.0/8", "10.0.0.0/8"},
        {&prefix_key, "10.0.0.1", "10.0.0.1/32"},
        {&prefix_key, "2001:db8::/32", "2001:db8::/32"},
        {&prefix_key, "10.0.0.1/8", NULL},
        {&prefix_key, "10.0.0.0/33", NULL},
        {&endpoint_key, "*:587", "\"*:587\""},
        {&endpoint_key, "[::]:587", "\"*:587\""},
        {&endpoint_key, "0.0.0.0:587", "\"0.0.0.0:587\""},
        {&endpoint_key, "[::1]:465", "\"[::1]:465\""},
        {&endpoint_key, "587", NULL},
        {&endpoint_key, "*", NULL},
        {&endpoint_key, "localhost:587", NULL},
        {&server_key, "192.0.2.53", "\"192.0.2.53:53\""},
        {&server_key, "2001:db8::53", "\"[2001:db8::53]:53\""},
        {&server_key, "127.0.0.1:5353", "\"127.0.0.1:5353\""},
        {&server_key, "*:53", NULL},
    };
    EXPECT_VALUES(cases);
}

Test(config_value, lists)
{
    static const struct value_case cases[] = {
        {&list_key, "10.0.0.0/8 ::1", "10.0.0.0/8 ::1/128"},
        {&list_key, "none", "none"},
        {&list_key, "none 10.0.0.0/8", NULL},
        {&list_key, "10.0.0.0/8 x", NULL},
        {&full_list_key, "1s 2m", "1s 2m"},
        {&full_list_key, "none", NULL},
    };
    EXPECT_VALUES(cases);
}

Test(config_value, messages_say_what_would_be_right)
{
    static const struct {
        const struct schema_key *key;
        const char *text;
        const char *want;
    } cases[] = {
        {&count_key, "atuo",
         "'atuo' is not a number: digits only, such as 100 (did you mean 'auto'?)"},
        {&choice_key, "gren",
         "'gren' is no value of 'k', use red, green or blue (did you mean 'green'?)"},
        {&flag_key, "on", "'on' is no value of 'k', use no or yes"},
        {&count_key, "4", "'4' is out of range for 'k', use 5 to 4294967295"},
        {&size_key, "5G", "'5G' is out of range for 'k', use 0 to 4294967295"},
        {&rate_key, "5/1ms", "'5/1ms' is out of range for 'k', use 1 to 4294967295 in 1s to 31d"},
        {&text_key, "123456789", "'123456789' is out of range for 'k', use at most 8 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        struct tree_word words[8];
        union field field;
        arena_init(&arena, 1 << 16);
        config_errors_init(&errs);
        struct value_site site = {.arena = &arena, .errs = &errs};
        struct tree_node node = node_of(cases[i].text, words);
        cr_assert(not(value_set(&site, cases[i].key, &node, &field)));
        cr_assert(eq(str, (char *)errs.items[0].text, (char *)cases[i].want));
        config_errors_fini(&errs);
        arena_fini(&arena);
    }
}

Test(config_value, a_secret_is_not_quoted_in_a_message)
{
    static const struct schema_key secret_key = {
        .name = "k", .type = SCHEMA_TEXT, .max = 3, .flags = SCHEMA_SECRET};
    struct arena arena;
    struct tree_word words[8];
    union field field;
    arena_init(&arena, 1 << 16);
    config_errors_init(&errs);
    struct value_site site = {.arena = &arena, .errs = &errs};
    struct tree_node node = node_of("hunter2", words);
    cr_assert(not(value_set(&site, &secret_key, &node, &field)));
    cr_assert(eq(str, (char *)errs.items[0].text,
                 "'***' is out of range for 'k', use at most 3 bytes"));
    config_errors_fini(&errs);
    arena_fini(&arena);
}

Test(config_value, without_memory_nothing_is_reported_but_the_mark)
{
    struct arena arena;
    struct tree_word words[8];
    union field field;
    arena_init(&arena, 4);
    config_errors_init(&errs);
    struct value_site site = {.arena = &arena, .errs = &errs};
    struct tree_node node = node_of("longer", words);
    cr_assert(not(value_set(&site, &text_key, &node, &field)));
    cr_assert(site.is_out_of_memory);
    site.is_out_of_memory = false;
    node = node_of("10.0.0.0/8", words);
    cr_assert(not(value_set(&site, &list_key, &node, &field)));
    cr_assert(site.is_out_of_memory);
    cr_assert(eq(u32, errs.count, 0));
    config_errors_fini(&errs);
    arena_fini(&arena);
}
