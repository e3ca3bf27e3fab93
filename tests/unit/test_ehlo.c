#include <criterion/criterion.h>

#include "msa/mail/ehlo.h"

TestSuite(ehlo, .timeout = 20);

Test(ehlo, reads_capabilities)
{
    struct ehlo e;
    ehlo_parse(VIEW_LIT("mx.example at your service\nPIPELINING\nsize 35882577\n8BITMIME\n"
                        "STARTTLS\nENHANCEDSTATUSCODES\nDSN\nSMTPUTF8\nCHUNKING\nXFOO bar\n"
                        "AUTH PLAIN scram-sha-256 NTLM\nLIMITS RCPTMAX=100 MAILMAX=5 FOO=1"), &e);
    cr_assert_eq(e.capabilities, EHLO_PIPELINING | EHLO_SIZE | EHLO_8BITMIME | EHLO_STARTTLS |
                                     EHLO_ENHANCEDSTATUSCODES | EHLO_DSN | EHLO_SMTPUTF8 |
                                     EHLO_CHUNKING | EHLO_AUTH | EHLO_LIMITS);
    cr_assert_eq(e.mechanisms, EHLO_AUTH_PLAIN | EHLO_AUTH_SCRAM_SHA_256);
    cr_assert_eq(e.size_max, 35882577);
    cr_assert_eq(e.rcpt_max, 100);
    cr_assert_eq(e.mail_max, 5);
}

Test(ehlo, believes_nothing_malformed)
{
    struct ehlo e;
    ehlo_parse(VIEW_LIT("SIZE 100"), &e); /* the greeting of a host with an odd name */
    cr_assert_eq(e.capabilities, 0);
    ehlo_parse(VIEW_LIT(""), &e);
    cr_assert_eq(e.capabilities, 0);
    ehlo_parse(VIEW_LIT("x\nSIZE -1\nLIMITS RCPTMAX=x MAILMAX=99999999999\nDSNX\n"
                        " PIPELINING \n\n"), &e);
    cr_assert_eq(e.capabilities, EHLO_SIZE | EHLO_LIMITS | EHLO_PIPELINING);
    cr_assert_eq(e.size_max, 0);
    cr_assert_eq(e.rcpt_max, 0);
    cr_assert_eq(e.mail_max, 0);
}

Test(ehlo, knows_the_old_form_of_auth)
{
    struct ehlo e;
    ehlo_parse(VIEW_LIT("x\nAUTH=LOGIN PLAIN"), &e);
    cr_assert_eq(e.capabilities, EHLO_AUTH);
    cr_assert_eq(e.mechanisms, EHLO_AUTH_PLAIN | EHLO_AUTH_LOGIN);
}
