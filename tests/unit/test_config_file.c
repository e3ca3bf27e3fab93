/* Configuration in files: include, its bounds, and password files. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/config/config.h"

static char directory[] = "/tmp/msad-test-XXXXXX";
static struct config_errors errs;

static void begin(void)
{
    cr_assert(mkdtemp(directory) != NULL);
    cr_assert(eq(int, chdir(directory), 0));
    config_errors_init(&errs);
}

static void end(void)
{
    char command[64];
    config_errors_fini(&errs);
    snprintf(command, sizeof command, "rm -rf %s", directory);
    cr_assert(eq(int, chdir("/"), 0));
    cr_assert(eq(int, system(command), 0));
}

TestSuite(config_file, .timeout = 30, .init = begin, .fini = end);

#define BASE                                                                                       \
    "hostname mx.example.jp;\n"                                                                    \
    "listener lo { address 127.0.0.1:10587; auth_without_tls yes; }\n"                             \
    "pool main { smarthost 127.0.0.1:10025; }\n"

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
    cr_assert(eq(int, chmod(path, 0600), 0));
}

/* Loads f.conf; its mistakes must be `want`, "" for none. */
static void expect_errors(const char *want)
{
    struct config *cfg = NULL;
    struct buf said;
    buf_init(&said, 1 << 20);
    int err = config_load("f.conf", &cfg, &errs);
    config_errors_print(&errs, &said);
    buf_add_char(&said, '\0');
    bool is_good = want[0] == '\0';
    cr_expect(is_good == (err == 0));
    cr_expect(is_good == (cfg != NULL));
    cr_expect(strcmp(buf_view(&said).p, want) == 0, "said:\n%s--- wanted:\n%s", buf_view(&said).p,
              want);
    buf_fini(&said);
    config_free(&cfg);
}

Test(config_file, a_file_that_cannot_be_read)
{
    struct config *cfg = NULL;
    cr_assert(eq(int, config_load("f.conf", &cfg, &errs), MSA_ENOENT));
    cr_assert(eq(int, config_load(".", &cfg, &errs), MSA_EINVAL));
    cr_assert(eq(int, mkfifo("fifo", 0600), 0));
    cr_assert(eq(int, config_load("fifo", &cfg, &errs), MSA_EINVAL));
    cr_assert(cfg == NULL);
    cr_assert(eq(str, (char *)errs.items[0].text, "cannot open it: No such file or directory"));
    cr_assert(eq(str, (char *)errs.items[1].text, "not a regular file"));
    cr_assert(eq(u32, errs.count, 3));
}

Test(config_file, a_file_is_bounded)
{
    FILE *f = fopen("f.conf", "w");
    cr_assert(f != NULL);
    for (int i = 0; i < (1 << 20) + 1; i++)
        fputc('\n', f);
    cr_assert(eq(int, fclose(f), 0));
    expect_errors("f.conf: larger than 1048576 bytes\n");
    config_errors_fini(&errs);
    config_errors_init(&errs);
    cr_assert(eq(int, truncate("f.conf", (1 << 20) - (long)strlen(BASE)), 0));
    f = fopen("f.conf", "a");
    cr_assert(f != NULL && fputs(BASE, f) >= 0 && fclose(f) == 0);
    expect_errors("");
}

Test(config_file, an_include_stands_for_the_files_that_fit)
{
    struct config *cfg = NULL;
    put("f.conf", BASE "include \"conf.d/*.conf\"; include \"none/*.conf\"; include log;");
    cr_assert(eq(int, mkdir("conf.d", 0700), 0));
    put("conf.d/b.conf", "pool b { smarthost b.example; include smarthosts; }\n");
    put("conf.d/a.conf", "pool a { smarthost a.example; }\n");
    put("conf.d/a.off", "pool x { smarthost x.example; }\n");
    put("conf.d/smarthosts", "smarthost c.example; # relative to this directory\n");
    put("log", "log { level error; }");
    cr_assert(eq(int, config_load("f.conf", &cfg, &errs), 0));
    cr_assert(eq(u32, cfg->pool_count, 3));
    cr_assert(eq(str, (char *)cfg->pools[1].name, "a"));
    cr_assert(eq(str, (char *)cfg->pools[2].name, "b"));
    cr_assert(eq(u32, cfg->pools[2].smarthost_count, 2));
    cr_assert(eq(int, (int)cfg->log.level, LOG_LEVEL_ERROR));
    config_free(&cfg);
}

Test(config_file, mistakes_name_the_file_they_stand_in)
{
    put("f.conf", "wrokers 1;\n" BASE "include a;\nlimits {\ninclude a;\n}\n");
    put("a", "\n workers 0;\n");
    expect_errors("f.conf:1:1: unknown setting 'wrokers' at the top level (did you mean "
                  "'workers'?)\n"
                  "a:2:2: unknown setting 'workers' in block 'limits'\n"
                  "a:2:10: '0' is out of range for 'workers', use 1 to 48\n");
}

Test(config_file, a_file_closes_what_it_opens_and_no_more)
{
    put("f.conf", BASE "limits { include a; hops 20; }\n");
    put("a", "recipients 200; } log {\n");
    expect_errors("a:1:17: '}' without a block that it could close\n"
                  "a:1:19: block 'log' opened here is not closed at the end of the file, add a "
                  "'}'\n"
                  "a:1:19: unknown block 'log' in block 'limits'\n");
}

Test(config_file, includes_that_cannot_work)
{
    put("f.conf", BASE "include missing; include f.conf; include a; include; include \"\";");
    put("a", "include b;");
    put("b", "include \"[a]\";");
    expect_errors("f.conf:4:9: cannot include missing: cannot open it: No such file or directory\n"
                  "f.conf:4:26: f.conf includes itself\n"
                  "f.conf:4:45: include takes one value: include \"conf.d/*.conf\";\n"
                  "f.conf:4:54: include takes one value: include \"conf.d/*.conf\";\n"
                  "b:1:9: a includes itself\n");
}

Test(config_file, includes_are_bounded_in_depth)
{
    put("f.conf", BASE "include d1;");
    for (int i = 1; i < 12; i++) {
        char name[16], text[32];
        snprintf(name, sizeof name, "d%d", i);
        snprintf(text, sizeof text, "include d%d;", i + 1);
        put(name, text);
    }
    expect_errors("d8:1:1: files include each other more than 8 deep\n");
}

Test(config_file, includes_are_bounded_in_number)
{
    put("f.conf", BASE "include \"[abc]*\";");
    put("empty", "");
    for (int i = 0; i < 257; i++) {
        char name[16];
        snprintf(name, sizeof name, "a%d", i);
        cr_assert(eq(int, symlink("empty", name), 0));
    }
    expect_errors("f.conf:4:9: more than 256 files included\n");
}

#define POOL "pool x { smarthost h; auth { user u; password_file %s/password; } }"

static void put_pool(void)
{
    char text[512];
    snprintf(text, sizeof text, BASE POOL, directory);
    put("f.conf", text);
}

Test(config_file, a_password_comes_from_its_file)
{
    static const struct {
        const char *text;
        const char *want;
    } cases[] = {{"secret\n", "secret"}, {"two words", "two words"}, {"crlf\r\n", "crlf"}};
    put_pool();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct config *cfg = NULL;
        put("password", cases[i].text);
        cr_assert(eq(int, config_load("f.conf", &cfg, &errs), 0));
        cr_assert(eq(str, (char *)cfg->pools[1].auth.password, (char *)cases[i].want));
        config_free(&cfg);
    }
}

static void expect_bad_password(const char *what)
{
    char want[256];
    snprintf(want, sizeof want, "f.conf:4:38: password file %s/password%s\n", directory, what);
    expect_errors(want);
    config_errors_fini(&errs);
    config_errors_init(&errs);
}

Test(config_file, a_bad_password_file_is_a_mistake)
{
    char long_text[1100];
    put_pool();
    expect_bad_password(": cannot open it: No such file or directory");
    put("password", "");
    expect_bad_password(" does not hold one line with a password");
    put("password", "two\nlines\n");
    expect_bad_password(" does not hold one line with a password");
    memset(long_text, 'x', sizeof long_text);
    long_text[sizeof long_text - 1] = '\0';
    put("password", long_text);
    expect_bad_password(": larger than 1024 bytes");
    put("password", "secret\n");
    cr_assert(eq(int, chmod("password", 0644), 0));
    expect_bad_password(" is open to everyone: chmod 600 it");
}

Test(config_file, a_token_reaches_the_console_and_nobody_else)
{
    struct config *cfg = NULL, *snapshot = NULL;
    struct buf console, relay;
    char text[512];
    snprintf(text, sizeof text,
             BASE
             "console { auth_policy 192.0.2.1:4001; auth_policy_token_file %s/token; }",
             directory);
    put("f.conf", text);
    put("token", "s3cret\n");
    buf_init(&console, CONFIG_TEXT_MAX_BYTES);
    buf_init(&relay, CONFIG_TEXT_MAX_BYTES);
    cr_assert(eq(int, config_load("f.conf", &cfg, &errs), MSA_OK));
    cr_assert(eq(int, config_serialize(cfg, CONFIG_ROLE_CONSOLE, &console), MSA_OK));
    cr_assert(eq(int, config_serialize(cfg, CONFIG_ROLE_RELAY, &relay), MSA_OK));
    cr_assert(eq(
        int,
        config_parse_snapshot(buf_view(&console), CONFIG_ROLE_CONSOLE, &snapshot, &errs),
        MSA_OK));
    cr_assert(eq(str, (char *)snapshot->console.auth_policy_token, "s3cret"));
    buf_append(&relay, "", 1);
    cr_assert_null(strstr(buf_view(&relay).p, "s3cret"));
    config_free(&snapshot);
    config_free(&cfg);
    buf_fini(&console);
    buf_fini(&relay);
}

#define CA_POOL "pool x { smarthost h; ca_file %s/ca.pem; }"

static void put_ca_pool(void)
{
    char text[512];
    snprintf(text, sizeof text, BASE CA_POOL, directory);
    put("f.conf", text);
}

Test(config_file, authorities_reach_the_relay_role_with_their_lines)
{
    struct buf text;
    struct config *cfg = NULL, *snapshot = NULL;
    buf_init(&text, CONFIG_TEXT_MAX_BYTES);
    put("ca.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    put_ca_pool();
    cr_assert(eq(int, config_load("f.conf", &cfg, &errs), MSA_OK));
    cr_assert(eq(int, config_serialize(cfg, CONFIG_ROLE_RELAY, &text), MSA_OK));
    cr_assert(eq(int, config_parse_snapshot(buf_view(&text), CONFIG_ROLE_RELAY, &snapshot, &errs), MSA_OK));
    cr_assert(eq(str, (char *)snapshot->pools[1].ca_pem,
                 "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
    config_free(&snapshot);
    config_free(&cfg);
    buf_fini(&text);
}

Test(config_file, a_bad_file_of_authorities_is_a_mistake)
{
    char want[256];
    put_ca_pool();
    snprintf(want, sizeof want,
             "f.conf:4:23: certificate file %s/ca.pem: cannot open it: No such file or directory\n",
             directory);
    expect_errors(want);
    config_errors_fini(&errs);
    config_errors_init(&errs);
    put("ca.pem", "");
    snprintf(want, sizeof want, "f.conf:4:23: certificate file %s/ca.pem holds no text\n",
             directory);
    expect_errors(want);
}
