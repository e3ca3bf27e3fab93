#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <jansson.h>
#include <string.h>

#include "auth/qr.h"
#include "auth/totp.h"
#include "msa/base/err.h"

TestSuite(totp, .timeout = 20);

static const uint8_t key[32] = {1, 2, 3};
#define ACCOUNT 7

/* RFC 6238 appendix B is for eight digits; six are their last. */
Test(totp, vectors_of_rfc_6238)
{
    static const struct {
        int64_t at_s;
        const char *code;
    } rows[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char code[TOTP_DIGITS + 1];
        cr_assert(totp_code(secret, 20, (uint64_t)(rows[i].at_s / 30), code));
        cr_assert(eq(str, code, (char *)rows[i].code));
        cr_assert(eq(i64, totp_step_of(secret, view_cstr(code), rows[i].at_s * 1000, 0), rows[i].at_s / 30));
    }
}

Test(totp, a_code_is_good_one_step_early_and_late_and_no_second_time)
{
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    const int64_t step = 37037036; /* 1111111109 s */
    struct view code = VIEW_LIT("081804");
    for (int64_t away = -3; away <= 3; away++) {
        int64_t want = away >= -1 && away <= 1 ? step : -1;
        cr_assert(eq(i64, totp_step_of(secret, code, (step + away) * 30000 + 29999, 0), want), "%d", (int)away);
    }
    cr_assert(eq(i64, totp_step_of(secret, code, step * 30000, step), -1));
    cr_assert(eq(i64, totp_step_of(secret, code, step * 30000, step - 1), step));
}

Test(totp, what_is_no_code)
{
    static const char *const codes[] = {"", "08180", "0818041", "08180a", "-81804", "0x1804", "081804\n", "\xd9\xa0\xd9\xa8"};
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        cr_assert(eq(i64, totp_step_of(secret, view_cstr(codes[i]), INT64_C(1111111109000), 0), -1), "%zu", i);
    cr_assert(ne(i64, totp_step_of(secret, VIEW_LIT("081 804"), INT64_C(1111111109000), 0), -1));
}

Test(totp, base32_and_uri)
{
    char text[TOTP_SECRET_CHARS + 1];
    struct buf uri;
    totp_base32((const uint8_t *)"12345678901234567890", text);
    cr_assert(eq(str, text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    buf_init(&uri, 1000);
    totp_uri(text, "mx.example.jp", "t\xc3\xa9&o@example.jp", &uri);
    buf_append(&uri, "", 1);
    cr_assert(eq(str, (char *)(uintptr_t)buf_view(&uri).p,
                 "otpauth://totp/mx.example.jp:t%C3%A9%26o@example.jp?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
                 "&issuer=mx.example.jp&algorithm=SHA1&digits=6&period=30"));
    buf_fini(&uri);
}

Test(totp, what_is_sealed_opens_for_its_account_and_key_alone)
{
    uint8_t sealed[FACTORS_SEALED_BYTES], again[FACTORS_SEALED_BYTES], out[TOTP_SECRET_BYTES];
    static const uint8_t other_key[32] = {1, 2, 4};
    const uint8_t *secret = (const uint8_t *)"12345678901234567890";
    cr_assert(eq(int, totp_seal(key, ACCOUNT, secret, sealed), MSA_OK));
    cr_assert(eq(int, totp_seal(key, ACCOUNT, secret, again), MSA_OK));
    cr_assert(memcmp(sealed, again, sizeof sealed) != 0);
    cr_assert(memmem(sealed, sizeof sealed, secret, TOTP_SECRET_BYTES) == NULL);
    cr_assert(eq(int, totp_open(key, ACCOUNT, sealed, out), MSA_OK));
    cr_assert(memcmp(out, secret, sizeof out) == 0);
    cr_assert(eq(int, totp_open(key, ACCOUNT + 1, sealed, out), MSA_ECORRUPT));
    cr_assert(eq(int, totp_open(other_key, ACCOUNT, sealed, out), MSA_ECORRUPT));
    for (size_t i = 0; i < sizeof sealed; i++) {
        memcpy(again, sealed, sizeof again);
        again[i] ^= 1;
        cr_assert(eq(int, totp_open(key, ACCOUNT, again, out), MSA_ECORRUPT), "%zu", i);
    }
}

static struct factors switched_on(void)
{
    struct factors f = {.totp = TOTP_ON};
    cr_assert(eq(int, totp_seal(key, ACCOUNT, (const uint8_t *)"12345678901234567890", f.sealed), MSA_OK));
    return f;
}

static bool take(struct factors *f, const char *code, int64_t now_ms)
{
    bool is_good;
    cr_assert(eq(int, totp_take(f, key, ACCOUNT, view_cstr(code), now_ms, &is_good), MSA_OK));
    return is_good;
}

#define AT_MS INT64_C(1111111109000)

Test(totp, a_code_is_taken_once)
{
    struct factors f = switched_on();
    cr_assert(take(&f, "081804", AT_MS));
    cr_assert(not(take(&f, "081804", AT_MS)));
    cr_assert(take(&f, "050471", AT_MS)); /* the next one, early */
    cr_assert(not(take(&f, "050471", AT_MS + 2000)));
}

Test(totp, after_ten_wrong_codes_one_in_a_quarter_of_an_hour_is_looked_at)
{
    struct factors f = switched_on();
    for (int i = 0; i < TOTP_WRONG_MAX; i++)
        cr_assert(not(take(&f, "000000", AT_MS - TOTP_WRONG_WAIT_MS + 1)));
    cr_assert(not(take(&f, "081804", AT_MS)));
    cr_assert(take(&f, "081804", AT_MS + 1));
    cr_assert(not(take(&f, "000000", AT_MS + 2)));
    cr_assert(take(&f, "050471", AT_MS + 3)); /* the count began anew */
}

Test(totp, a_recovery_code_is_good_once_also_when_codes_are_not_looked_at)
{
    char codes[FACTORS_RECOVERY_MAX][TOTP_RECOVERY_SIZE], upper[TOTP_RECOVERY_SIZE];
    struct factors f = switched_on();
    totp_make_recovery(&f, key, ACCOUNT, codes);
    for (int i = 0; i < TOTP_WRONG_MAX; i++)
        cr_assert(not(take(&f, "000000", AT_MS)));
    for (size_t i = 0; i < FACTORS_RECOVERY_MAX; i++) {
        for (size_t j = 0; j < sizeof upper; j++)
            upper[j] = (char)(codes[i][j] >= 'a' && codes[i][j] <= 'z' ? codes[i][j] - 32 : codes[i][j]);
        cr_assert(take(&f, i % 2 ? upper : codes[i], AT_MS), "%s", codes[i]);
        cr_assert(not(take(&f, codes[i], AT_MS)));
        cr_assert(eq(sz, f.recovery_count, FACTORS_RECOVERY_MAX - 1 - i));
    }
}

/* The finder patterns stand in three corners, whatever is encoded (ISO 18004 §6.3.3). */
Test(totp, a_qr_code_is_square_and_has_its_finders)
{
    static const char *const finder[] = {"1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"};
    json_t *rows = qr_rows(VIEW_LIT("otpauth://totp/mx.example.jp:taro@example.jp?secret=GEZDGNBVGY3TQOJQ"));
    size_t width = json_array_size(rows);
    cr_assert(ge(sz, width, 21));
    cr_assert(eq(sz, width % 4, 1));
    for (size_t y = 0; y < width; y++) {
        const char *row = json_string_value(json_array_get(rows, y));
        cr_assert(eq(sz, strlen(row), width));
        cr_assert(eq(sz, strspn(row, "01"), width));
        if (y < 7)
            cr_assert(memcmp(row, finder[y], 7) == 0 && memcmp(row + width - 7, finder[y], 7) == 0);
        if (y >= width - 7)
            cr_assert(memcmp(row, finder[y - (width - 7)], 7) == 0);
    }
    json_decref(rows);
    cr_assert(qr_rows(VIEW_EMPTY) == NULL);
}
