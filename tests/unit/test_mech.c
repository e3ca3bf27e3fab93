#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "auth/mech.h"
#include "msa/config/settings.h"

TestSuite(mech, .timeout = 20);

#define ALL_MECHANISMS 0xffu

static const struct mech_bindings none;
static const struct mech_bindings both = {{"exporterexporter", 16}, {NULL, 0}, {"endpoint", 8}};
static const struct mech_bindings end_point_only = {{NULL, 0}, {NULL, 0}, {"endpoint", 8}};
static const struct mech_bindings of_tls12 = {{NULL, 0}, {"unique", 6}, {NULL, 0}};

Test(mech, finds_what_is_configured_in_any_case)
{
    static const char *const names[] = {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS",
                                        "CRAM-MD5", "OAUTHBEARER", "XOAUTH2", "EXTERNAL"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct mech *m = mech_find(view_cstr(names[i]), 1u << i, &both);
        cr_assert(m != NULL);
        cr_assert(eq(str, (char *)m->name, (char *)names[i]));
        cr_assert(eq(uint, m->config_bit, 1u << i));
        cr_assert(mech_find(view_cstr(names[i]), ALL_MECHANISMS & ~(1u << i), &both) == NULL);
    }
    cr_assert(mech_find(VIEW_LIT("plain"), ALL_MECHANISMS, &none) != NULL);
    cr_assert(mech_find(VIEW_LIT("Scram-Sha-256"), ALL_MECHANISMS, &none) != NULL);
}

Test(mech, knows_no_others)
{
    static const char *const names[] = {"",           "EXTERN",     "ANONYMOUS", "NTLM",      "GSSAPI",
                                        "DIGEST-MD5", "SCRAM-SHA-1", "PLAIN ",    "PLAINPLAIN", "XOAUTH"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        cr_assert(mech_find(view_cstr(names[i]), ALL_MECHANISMS, &both) == NULL, "%s", names[i]);
}

Test(mech, plus_needs_something_to_bind_to)
{
    struct view plus = VIEW_LIT("SCRAM-SHA-256-PLUS");
    cr_assert(mech_find(plus, ALL_MECHANISMS, &none) == NULL);
    cr_assert(mech_find(plus, ALL_MECHANISMS, &end_point_only) != NULL);
    cr_assert(mech_find(plus, ALL_MECHANISMS, &of_tls12) != NULL);
}

Test(mech, plain_has_exactly_two_nuls)
{
    static const struct {
        char bytes[16];
        size_t n;
        enum auth_result want;
    } rows[] = {
        {"", 0, AUTH_MALFORMED},         {"u", 1, AUTH_MALFORMED},
        {"\0u", 2, AUTH_MALFORMED},      {"\0u\0p", 4, AUTH_OK},
        {"z\0u\0p", 5, AUTH_OK},         {"\0\0", 2, AUTH_OK},
        {"\0u\0p\0", 5, AUTH_MALFORMED}, {"\0u\0p\0q", 6, AUTH_MALFORMED},
        {"\0\0\0", 3, AUTH_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert(eq(int, (int)mech_check_plain(view_of(rows[i].bytes, rows[i].n)),
                     (int)rows[i].want),
                  "row %zu", i);
}

/* The table of RFC 5802 §6 and of what libsasl2 forgets. */
Test(mech, first_message_of_scram)
{
    static const struct {
        char message[48];
        bool is_plus, is_plus_offered;
        enum auth_result want;
        char binding[24];
    } rows[] = {
        {"n,,n=u,r=abc", false, true, AUTH_OK, ""},
        {"n,a=z,n=u,r=abc", false, true, AUTH_OK, ""},
        {"y,,n=u,r=abc", false, false, AUTH_OK, ""},
        {"y,,n=u,r=abc", false, true, AUTH_BAD_CREDENTIALS, ""}, /* a downgrade */
        {"p=tls-exporter,,n=u,r=abc", true, true, AUTH_OK, "tls-exporter"},
        {"p=tls-server-end-point,,n=u,r=a", true, true, AUTH_OK, "tls-server-end-point"},
        {"p=tls-unique,,n=u,r=abc", true, true, AUTH_BAD_CREDENTIALS, ""},
        {"p=,,n=u,r=abc", true, true, AUTH_BAD_CREDENTIALS, ""},
        {"p=TLS-EXPORTER,,n=u,r=abc", true, true, AUTH_BAD_CREDENTIALS, ""},
        {"n,,n=u,r=abc", true, true, AUTH_MALFORMED, ""}, /* libsasl2 would go on */
        {"y,,n=u,r=abc", true, true, AUTH_MALFORMED, ""},
        {"p=tls-exporter,,n=u,r=abc", false, true, AUTH_MALFORMED, ""},
        {"", false, true, AUTH_MALFORMED, ""},
        {"n", false, true, AUTH_MALFORMED, ""},
        {"x,,n=u,r=abc", false, true, AUTH_MALFORMED, ""},
        {"nn,,n=u,r=abc", false, true, AUTH_MALFORMED, ""},
        {"N,,n=u,r=abc", false, true, AUTH_MALFORMED, ""},
        {",,n=u,r=abc", false, true, AUTH_MALFORMED, ""},
        {"p=tls-exporter", true, true, AUTH_MALFORMED, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = rows[i].is_plus ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
        const struct mech *m = mech_find(view_cstr(name), ALL_MECHANISMS, &both);
        const char *binding = "?";
        cr_assert(eq(int,
                     (int)mech_check_scram_first(m, view_cstr(rows[i].message),
                                                 rows[i].is_plus_offered, &both, &binding),
                     (int)rows[i].want),
                  "%s", rows[i].message);
        cr_assert(eq(str, (char *)(binding ? binding : ""), (char *)rows[i].binding));
    }
}

Test(mech, tls_unique_where_the_connection_has_it)
{
    const struct mech *m = mech_find(VIEW_LIT("SCRAM-SHA-256-PLUS"), ALL_MECHANISMS, &of_tls12);
    struct view message = VIEW_LIT("p=tls-unique,,n=u,r=a");
    const char *binding;
    cr_assert(eq(int, (int)mech_check_scram_first(m, message, true, &of_tls12, &binding), (int)AUTH_OK));
    cr_assert(eq(str, (char *)binding, "tls-unique"));
}

Test(mech, a_binding_without_data_is_not_chosen)
{
    const struct mech *m = mech_find(VIEW_LIT("SCRAM-SHA-256-PLUS"), ALL_MECHANISMS, &both);
    const char *binding;
    cr_assert(eq(int,
                 (int)mech_check_scram_first(m, VIEW_LIT("p=tls-exporter,,n=u,r=a"), true,
                                             &end_point_only, &binding),
                 (int)AUTH_BAD_CREDENTIALS));
    cr_assert(eq(int,
                 (int)mech_check_scram_first(m, view_of("p=tls-exporter,,n=u\0,r=a", 24), true, &both,
                                             &binding),
                 (int)AUTH_MALFORMED));
}

Test(mech, outline_of_the_last_message_of_scram)
{
    static const struct {
        char message[32];
        enum auth_result want;
    } rows[] = {
        {"c=biws,r=abc,p=AAAA", AUTH_OK},     {"c=biws,r=abc,x=1,p=AAAA", AUTH_OK},
        {"c=biws,r=abc,p=", AUTH_MALFORMED},  {"c=biws,r=abc", AUTH_MALFORMED},
        {"c=biws,p=AAAA", AUTH_MALFORMED},    {"r=abc,c=biws,p=AAAA", AUTH_MALFORMED},
        {"", AUTH_MALFORMED},                 {",,,,", AUTH_MALFORMED},
        {"p=AAAA", AUTH_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert(eq(int, (int)mech_check_scram_final(view_cstr(rows[i].message)),
                     (int)rows[i].want),
                  "%s", rows[i].message);
}
