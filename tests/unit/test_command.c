#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "msa/mail/command.h"

TestSuite(command, .timeout = 20);

Test(command, takes_lines_apart)
{
    static const struct {
        struct view line;
        enum command_verb verb;
        struct view args;
    } cases[] = {
        {VIEW_LIT("EHLO client.example"), COMMAND_EHLO, VIEW_LIT("client.example")},
        {VIEW_LIT("ehlo [192.0.2.1]"), COMMAND_EHLO, VIEW_LIT("[192.0.2.1]")},
        {VIEW_LIT("HeLo x"), COMMAND_HELO, VIEW_LIT("x")},
        {VIEW_LIT("mail FROM:<a@b> SIZE=1"), COMMAND_MAIL, VIEW_LIT("FROM:<a@b> SIZE=1")},
        {VIEW_LIT("RCPT TO:<a@b>"), COMMAND_RCPT, VIEW_LIT("TO:<a@b>")},
        {VIEW_LIT("DATA"), COMMAND_DATA, VIEW_EMPTY},
        {VIEW_LIT("DATA  \t "), COMMAND_DATA, VIEW_EMPTY},
        {VIEW_LIT("DATA x"), COMMAND_DATA, VIEW_LIT("x")},
        {VIEW_LIT("DATAX"), COMMAND_UNKNOWN, VIEW_EMPTY},
        {VIEW_LIT("DAT"), COMMAND_UNKNOWN, VIEW_EMPTY},
        {VIEW_LIT("AUTH   PLAIN  AGEAYg== "), COMMAND_AUTH, VIEW_LIT("PLAIN  AGEAYg==")},
        {VIEW_LIT("XFORWARD NAME=x"), COMMAND_XCLIENT, VIEW_LIT("NAME=x")},
        {VIEW_LIT("post / HTTP/1.1"), COMMAND_HTTP, VIEW_LIT("/ HTTP/1.1")},
        {VIEW_LIT("PRI * HTTP/2.0"), COMMAND_HTTP, VIEW_LIT("* HTTP/2.0")},
        {VIEW_LIT("NOOP \xe3\x81\x82"), COMMAND_NOOP, VIEW_LIT("\xe3\x81\x82")},
        {VIEW_LIT("{\"a\":1}"), COMMAND_UNKNOWN, VIEW_EMPTY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct command c;
        cr_assert_eq(command_parse(cases[i].line, &c), MSA_OK, "case %zu", i);
        cr_assert_eq(c.verb, cases[i].verb, "case %zu", i);
        cr_assert(view_eq(c.args, cases[i].args), "case %zu", i);
    }
}

Test(command, refuses_control_bytes_and_nothing)
{
    static const struct view bad[] = {
        VIEW_LIT(""),
        VIEW_LIT("   "),
        VIEW_LIT(" DATA"),
        VIEW_LIT("DATA\r"),
        VIEW_LIT("NOOP a\rRSET"),
        VIEW_LIT("NOOP a\nRSET"),
        VIEW_LIT("NOOP\0"),
        VIEW_LIT("MAIL\tFROM:<a@b>"),
        VIEW_LIT("NOOP \x7f"),
        VIEW_LIT("\x16\x03\x01\x02"), /* a TLS ClientHello */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct command c;
        cr_assert_eq(command_parse(bad[i], &c), MSA_EINVAL, "case %zu", i);
    }
}

Test(command, finds_every_name_again)
{
    for (int verb = COMMAND_UNKNOWN + 1; verb < COMMAND_VERB_COUNT; verb++) {
        struct command c;
        if (verb == COMMAND_HTTP)
            continue;
        cr_assert_eq(command_parse(view_cstr(command_verb_name(verb)), &c), MSA_OK);
        cr_assert_eq((int)c.verb, verb);
    }
    cr_assert_str_eq(command_verb_name(COMMAND_HTTP), "HTTP");
    cr_assert_str_eq(command_verb_name(COMMAND_UNKNOWN), "unknown");
}

Test(command, takes_the_keyword_of_a_path)
{
    struct view args = VIEW_LIT("fRoM:  <a@b>");
    cr_assert_not(command_take_keyword(&args, VIEW_LIT("TO:")));
    cr_assert_eq(args.n, 12);
    cr_assert(command_take_keyword(&args, VIEW_LIT("FROM:")));
    cr_assert(view_eq(args, VIEW_LIT("<a@b>")));
    args = VIEW_LIT("FROM");
    cr_assert_not(command_take_keyword(&args, VIEW_LIT("FROM:")));
}

Test(command, reads_bdat_strictly)
{
    static const struct {
        struct view args;
        uint64_t octets;
        bool is_last;
    } good[] = {
        {VIEW_LIT("0"), 0, false},
        {VIEW_LIT("86 LAST"), 86, true},
        {VIEW_LIT("86 last"), 86, true},
        {VIEW_LIT("9223372036854775807"), INT64_MAX, false},
    };
    static const struct view bad[] = {
        VIEW_LIT(""),       VIEW_LIT("LAST"),      VIEW_LIT("-1"),
        VIEW_LIT("+1"),     VIEW_LIT("0x10"),      VIEW_LIT("10 LASTT"),
        VIEW_LIT("10  LAST"), VIEW_LIT("9223372036854775808"), VIEW_LIT("99999999999999999999999"),
        VIEW_LIT("1.0"),    VIEW_LIT("1 2"),
    };
    uint64_t octets;
    bool is_last;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        cr_assert_eq(command_parse_bdat(good[i].args, &octets, &is_last), MSA_OK);
        cr_assert_eq(octets, good[i].octets);
        cr_assert_eq(is_last, good[i].is_last);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(command_parse_bdat(bad[i], &octets, &is_last), MSA_EINVAL, "case %zu", i);
}
