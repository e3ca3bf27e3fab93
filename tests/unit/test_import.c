#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "auth/import.h"
#include "msa/base/err.h"

TestSuite(import, .timeout = 20);

#define BCRYPT "$2y$04$abcdefghijklmnopqrstuu/FyAyuZSl3DbPdvio4KrIBdz2k2yhV2"
#define VERIFIER                                                                                   \
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"    \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define DOVECOT_VERIFIER                                                                           \
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"   \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="

Test(import, takes_the_lines_of_other_systems)
{
    static const struct {
        char line[300];
        char login[24];
        char secret[160];
        enum hash_kind kind; /* HASH_NONE: a password */
        bool is_locked;
    } rows[] = {
        {"taro:" BCRYPT, "taro", BCRYPT, HASH_BCRYPT, false},                      /* htpasswd */
        {"taro:" BCRYPT ":19000:0:99999:7:::", "taro", BCRYPT, HASH_BCRYPT, false}, /* shadow */
        {"taro:!" BCRYPT ":19000:0:99999:7:::", "taro", BCRYPT, HASH_BCRYPT, true},
        {"taro@example.jp:{BLF-CRYPT}" BCRYPT ":1000:1000::/home/taro::", "taro@example.jp", BCRYPT,
         HASH_BCRYPT, false}, /* Dovecot */
        {"t:{crypt}" BCRYPT "\r", "t", BCRYPT, HASH_BCRYPT, false},
        {"t:" VERIFIER, "t", VERIFIER, HASH_SCRAM_SHA_256, false}, /* PostgreSQL */
        {"t:" VERIFIER ":x:y", "t", VERIFIER, HASH_SCRAM_SHA_256, false},
        {"t:" DOVECOT_VERIFIER, "t", VERIFIER, HASH_SCRAM_SHA_256, false},
        {"t:" DOVECOT_VERIFIER ":1000:1000", "t", VERIFIER, HASH_SCRAM_SHA_256, false},
        {"t:{PLAIN}pen cil ", "t", "pen cil ", HASH_NONE, false},
        {"t:{plain}{PLAIN}", "t", "{PLAIN}", HASH_NONE, false},
        {"taro:{SASL}", "taro", "{SASL}", HASH_SASLAUTHD, false},
        {"taro:!{sasl}:1000", "taro", "{SASL}", HASH_SASLAUTHD, true},
        {"t:{PLAIN.b64}cGVuOmNpbA==:1000:1000", "t", "pen:cil", HASH_NONE, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct import_secret s;
        struct view login;
        char why[256] = "";
        int err = import_parse_line(view_cstr(rows[i].line), &login, &s, why, sizeof why);
        cr_assert(eq(int, err, MSA_OK), "%s: %s", rows[i].line, why);
        cr_assert(view_eq(login, view_cstr(rows[i].login)));
        cr_assert(eq(int, s.is_locked, rows[i].is_locked));
        cr_assert(eq(int, (int)s.kind, (int)rows[i].kind));
        cr_assert(eq(int, s.is_password, rows[i].kind == HASH_NONE));
        struct view got = s.is_password ? view_of(s.password, s.password_bytes) : view_cstr(s.hash);
        cr_assert(view_eq(got, view_cstr(rows[i].secret)), "%s", rows[i].line);
    }
}

Test(import, skips_comments_and_empty_lines)
{
    static const char *const lines[] = {"", " \t", "# taro:x", "\r", "#"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct import_secret s;
        struct view login;
        char why[256];
        cr_assert(eq(int, import_parse_line(view_cstr(lines[i]), &login, &s, why, sizeof why),
                     MSA_ENOENT));
    }
}

Test(import, says_what_is_wrong)
{
    static const struct {
        char line[160];
        char word[24];
    } rows[] = {
        {"taro", "login:hash"},
        {"taro:", "locked for good"},
        {"taro:*", "locked for good"},
        {"taro:!", "locked for good"},
        {"taro:!!", "locked for good"},
        {"taro:!*", "locked for good"},
        {"taro:secret", "unknown kind"},
        {"taro:$1$abc$5bD0/ODFjysjaOMoSQqEj1", "unknown kind"},
        {"taro:{MD5}abc", "unknown scheme"},
        {"taro:{}abc", "unknown scheme"},
        {"taro:{PLAIN", "closing brace"},
        {"taro:{PLAIN}", "empty"},
        {"taro:{SASL}hana@example.jp", "stand behind {SASL}"},
        {"taro:{PLAIN.b64}", "empty"},
        {"taro:{PLAIN.b64}a b=", "not base64"},
        {"taro:{PLAIN}pen:cil", "PLAIN.b64"},
        {"taro:{CRYPT}plain", "unknown kind"},
        {"taro:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$x:y", "SCRAM verifier"},
        {"taro:{SCRAM-SHA-256}4096,a,b", "SCRAM verifier"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct import_secret s;
        struct view login;
        char why[256] = "";
        cr_assert(eq(int, import_parse_line(view_cstr(rows[i].line), &login, &s, why, sizeof why),
                     MSA_EINVAL),
                  "%s", rows[i].line);
        cr_assert(strstr(why, rows[i].word) != NULL, "%s: %s", rows[i].line, why);
    }
}

/* No reason repeats the secret: reasons go to logs and screens. */
Test(import, reasons_hold_no_password)
{
    static const char *const lines[] = {"t:hunter2", "t:{hunter2", "t:{hunter2}x", "t:{PLAIN}hunter2:x",
                                        "t:{CRYPT}hunter2", "hunter2"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct import_secret s;
        struct view login;
        char why[256] = "";
        cr_assert(eq(int, import_parse_line(view_cstr(lines[i]), &login, &s, why, sizeof why),
                     MSA_EINVAL));
        cr_assert(strstr(why, "hunter2") == NULL, "%s", why);
        cr_assert(memchr(&s, 'h', sizeof s) == NULL); /* nor does what is left behind */
    }
}

Test(import, a_password_of_the_largest_size_fits_and_no_larger)
{
    char line[PASSWORD_MAX + 16];
    char why[256];
    struct import_secret s;
    struct view login;
    int n = snprintf(line, sizeof line, "t:{PLAIN}");
    memset(line + n, 'a', PASSWORD_MAX + 1);
    cr_assert(eq(int,
                 import_parse_line(view_of(line, (size_t)n + PASSWORD_MAX), &login, &s, why,
                                   sizeof why),
                 MSA_OK));
    cr_assert(eq(sz, s.password_bytes, PASSWORD_MAX));
    cr_assert(eq(int,
                 import_parse_line(view_of(line, (size_t)n + PASSWORD_MAX + 1), &login, &s, why,
                                   sizeof why),
                 MSA_EINVAL));
}
