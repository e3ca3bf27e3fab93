/* The settings of DKIM signing: what is a mistake, and where key files go. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dkim_keys.h"
#include "msa/base/err.h"
#include "msa/config/config.h"
#include "msa/proc/generation.h"

static char directory[] = "/tmp/msad-test-XXXXXX";

static void begin(void)
{
    cr_assert(mkdtemp(directory) != NULL);
}

static void end(void)
{
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    cr_assert_eq(system(command), 0);
}

TestSuite(config_dkim, .timeout = 60, .init = begin, .fini = end);

#define BASE                                                                                       \
    "hostname mx.example.jp;\nlistener lo { address 127.0.0.1:10587; auth_without_tls yes; }\n"    \
    "pool main { smarthost 127.0.0.1:10025; }\n"

static void put(const char *name, const char *text, unsigned mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
    cr_assert_eq(chmod(path, mode), 0);
}

/* '%' in the text is the directory. What loading it says, "" for nothing; warnings behind it. */
static const char *load(const char *dkim)
{
    static char said[8192];
    char text[8192] = BASE, path[256];
    size_t n = strlen(text);
    struct generation *g;
    struct buf report;
    for (; *dkim; dkim++) {
        char one[2] = {*dkim, '\0'};
        n += (size_t)snprintf(text + n, sizeof text - n, "%s", *dkim == '%' ? directory : one);
    }
    put("msad.conf", text, 0600);
    snprintf(path, sizeof path, "%s/msad.conf", directory);
    buf_init(&report, GENERATION_REPORT_MAX);
    int err = generation_load(path, &g, &report);
    struct view v = err < 0 ? buf_view(&report) : buf_view(&g->warnings);
    snprintf(said, sizeof said, "%s%.*s", err < 0 ? "" : "good ", (int)v.n, v.n > 0 ? v.p : "");
    generation_free(&g);
    buf_fini(&report);
    return said;
}

static void expect(const char *dkim, const char *want)
{
    const char *said = load(dkim);
    cr_expect_not_null(strstr(said, want), "%s\nsaid: %s", dkim, said);
}

static void put_keys(void)
{
    put("ed.pem", DKIM_TEST_ED25519, 0600);
    put("rsa.pem", DKIM_TEST_RSA_1024, 0640);
    put("open.pem", DKIM_TEST_ED25519, 0644);
    put("short.pem", DKIM_TEST_RSA_768, 0600);
    put("none.pem", "", 0600);
    put("locked.pem", DKIM_TEST_ENCRYPTED, 0600);
}

#define ED "selector e1 { key_file %/ed.pem; }"

Test(config_dkim, mistakes)
{
    put_keys();
    cr_expect_str_eq(load("dkim example.jp { " ED " }"), "good ");
    expect("dkim example.jp { }", "msad.conf:4:1: dkim 'example.jp' has no key");
    expect("dkim example.jp { selector e1 { } }", "key_file");
    expect("dkim { " ED " }", "takes one name");
    expect("dkim a..b { " ED " }", "'a..b' is not a host name");
    expect("dkim example.jp { " ED " } dkim EXAMPLE.jp { " ED " }", "is already there");
    expect("dkim example.jp { " ED ED " }", "'e1' is already defined");
    expect("dkim example.jp { selector a_b { key_file %/ed.pem; } }", "'a_b' is no selector");
    expect("dkim example.jp { selector a..b { key_file %/ed.pem; } }", "'a..b' is no selector");
    cr_expect_str_eq(load("dkim example.jp { selector 2027.a-b { key_file %/ed.pem; } }"), "good ");
    expect("dkim example.jp { " ED " oversign To; }", "'oversign' must name From");
    expect("dkim example.jp { " ED " oversign From Received; }", "'Received' cannot be signed");
    expect("dkim example.jp { " ED " oversign From X x; sign none; }", "'x' is listed twice");
    expect("dkim example.jp { " ED " oversign From; sign A FROM; }", "'FROM' is listed twice");
    expect("dkim example.jp { " ED " expire 1m; }", "expire");
}

Test(config_dkim, key_files)
{
    put_keys();
    expect("dkim a.test { selector s { key_file %/gone.pem; } }", "key file");
    expect("dkim a.test { selector s { key_file %/gone.pem; } }", "No such file");
    expect("dkim a.test { selector s { key_file %/open.pem; } }", "is open to everyone: chmod 600 it");
    expect("dkim a.test { selector s { key_file %/none.pem; } }", "holds no text");
    expect("dkim a.test { selector s { key_file %/msad.conf; } }", "no private key in PEM form");
    expect("dkim a.test { selector s { key_file %/short.pem; } }", "an RSA key of 768 bits");
    expect("dkim a.test { selector s { key_file %/locked.pem; } }", "has a passphrase");
    expect("dkim a.test { selector s { key_file %/rsa.pem; } }",
           "/rsa.pem: an RSA key of 1024 bits; 2048 are wanted");
    expect("dkim a.test { " ED " selector e2 { key_file %/ed.pem; } }",
           "selector 'e1' has a key for ed25519-sha256 in use, too");
    cr_expect_str_eq(load("dkim a.test { " ED " selector e2 { key_file %/ed.pem; use no; } }"), "good ");
    expect("dkim a.test { selector s { key_pem x; key_file %/ed.pem; } }", "key_pem");
}

static bool knows(const struct config *config, enum config_role role, const char *what)
{
    struct buf text;
    buf_init_secret(&text, CONFIG_TEXT_MAX_BYTES);
    cr_assert_eq(config_serialize(config, role, &text), MSA_OK);
    buf_add_char(&text, '\0');
    bool found = strstr(buf_view(&text).p, what) != NULL;
    buf_fini(&text);
    return found;
}

Test(config_dkim, relay_alone_learns_the_keys_and_no_dump_shows_them)
{
    static const enum config_role others[] = {CONFIG_ROLE_SMTP, CONFIG_ROLE_AUTH, CONFIG_ROLE_POLICY,
                                              CONFIG_ROLE_SCORE, CONFIG_ROLE_CONSOLE};
    static const char secret[] = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v";
    char path[256];
    struct generation *g;
    struct buf report, dump;
    put_keys();
    cr_assert_str_eq(load("dkim example.jp { " ED " subdomains yes; }"), "good ");
    snprintf(path, sizeof path, "%s/msad.conf", directory);
    buf_init(&report, GENERATION_REPORT_MAX);
    buf_init(&dump, CONFIG_TEXT_MAX_BYTES);
    cr_assert_eq(generation_load(path, &g, &report), MSA_OK);
    cr_expect(knows(g->config, CONFIG_ROLE_RELAY, secret));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        cr_expect_not(knows(g->config, others[i], secret));
    cr_assert_eq(config_dump(g->config, false, &dump), MSA_OK);
    buf_add_char(&dump, '\0');
    cr_expect_null(strstr(buf_view(&dump).p, secret));

    struct buf text;
    struct config *copy = NULL;
    struct config_errors errs;
    buf_init_secret(&text, CONFIG_TEXT_MAX_BYTES);
    config_errors_init(&errs);
    cr_assert_eq(config_serialize(g->config, CONFIG_ROLE_RELAY, &text), MSA_OK);
    cr_assert_eq(config_parse_snapshot(buf_view(&text), CONFIG_ROLE_RELAY, &copy, &errs), MSA_OK);
    cr_assert_eq(copy->dkim_count, 1);
    cr_expect_str_eq(copy->dkim[0].domain, "example.jp");
    cr_expect(copy->dkim[0].subdomains);
    cr_assert_eq(copy->dkim[0].selector_count, 1);
    cr_expect_str_eq(copy->dkim[0].selectors[0].key_pem, DKIM_TEST_ED25519);
    cr_expect(copy->dkim[0].selectors[0].use);
    config_free(&copy);
    config_errors_fini(&errs);
    generation_free(&g);
    buf_fini(&text);
    buf_fini(&report);
    buf_fini(&dump);
}
