#include <criterion/criterion.h>

#include <string.h>

#include "msa/base/err.h"
#include "msa/proc/options.h"

TestSuite(options, .timeout = 20);

static int parse(const char *a, const char *b, const char *c, struct options *out, char *error)
{
    const char *argv[] = {"msad", a, b, c, NULL};
    int argc = 1;
    while (argv[argc])
        argc++;
    return options_parse(argc, (char *const *)argv, out, error);
}

Test(options, knows_its_actions)
{
    static const struct {
        const char *a, *b, *c;
        enum options_action want;
        const char *file;
    } cases[] = {
        {NULL, NULL, NULL, OPTIONS_SERVE, OPTIONS_DEFAULT_FILE},
        {"-f", "x.conf", NULL, OPTIONS_SERVE, "x.conf"},
        {"-fx.conf", NULL, NULL, OPTIONS_SERVE, "x.conf"},
        {"-t", "-f", "x.conf", OPTIONS_CHECK, "x.conf"},
        {"-f", "x.conf", "-T", OPTIONS_DUMP, "x.conf"},
        {"-V", NULL, NULL, OPTIONS_VERSION, OPTIONS_DEFAULT_FILE},
        {"-h", NULL, NULL, OPTIONS_HELP, OPTIONS_DEFAULT_FILE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options o;
        char error[OPTIONS_ERROR_MAX];
        cr_assert_eq(parse(cases[i].a, cases[i].b, cases[i].c, &o, error), MSA_OK, "case %zu", i);
        cr_assert_eq(o.action, cases[i].want, "case %zu", i);
        cr_assert_str_eq(o.file, cases[i].file, "case %zu", i);
    }
}

Test(options, says_what_it_cannot_use)
{
    static const struct {
        const char *a, *b;
        const char *named;
    } cases[] = {
        {"-x", NULL, "-x"},
        {"-f", NULL, "-f"},
        {"msad.conf", NULL, "msad.conf"},
        {"-t", "msad.conf", "msad.conf"},
        {"--role", "supervisor", "supervisor"},
        {"--role", "nobody", "nobody"},
        {"--index", "-1", "-1"},
        {"--index", "65536", "65536"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options o;
        char error[OPTIONS_ERROR_MAX] = "";
        cr_assert_lt(parse(cases[i].a, cases[i].b, NULL, &o, error), 0, "case %zu", i);
        cr_assert(strstr(error, cases[i].named), "case %zu: %s", i, error);
    }
}

Test(options, a_role_reads_what_the_supervisor_writes)
{
    for (unsigned i = 1; i < ROLE_COUNT; i++) {
        struct options_argv args;
        struct options o;
        char error[OPTIONS_ERROR_MAX];
        int argc = 0;
        options_argv_make((enum role)(1u << i), i * 7, i % 2 ? "/var/lib/msad/x" : NULL, &args);
        while (args.argv[argc])
            argc++;
        cr_assert_eq(options_parse(argc, (char *const *)args.argv, &o, error), MSA_OK);
        cr_assert_eq(o.action, OPTIONS_ROLE);
        cr_assert_eq(o.role, 1u << i);
        cr_assert_eq(o.index, i * 7);
        if (i % 2)
            cr_assert_str_eq(o.state_dir, "/var/lib/msad/x");
        else
            cr_assert_null(o.state_dir);
    }
}

Test(options, help_names_every_option)
{
    static const char *const named[] = {"-f FILE", "-t", "-T", "-V", "-h", OPTIONS_DEFAULT_FILE};
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        cr_assert(strstr(options_help, named[i]), "%s", named[i]);
}
