#include <criterion/criterion.h>

#include <string.h>
#include <time.h>

#include "msa/mail/date.h"

TestSuite(date, .timeout = 20);

Test(date, writes_rfc_5322)
{
    static const struct {
        int64_t unix_s;
        int offset_min;
        const char *want;
    } cases[] = {
        {0, 0, "Thu, 01 Jan 1970 00:00:00 +0000"},
        {-1, 0, "Wed, 31 Dec 1969 23:59:59 +0000"},
        {1780272000, 540, "Mon, 01 Jun 2026 09:00:00 +0900"},
        {951827696, -330, "Tue, 29 Feb 2000 07:04:56 -0530"},
        {INT64_MAX, 5000, "Fri, 31 Dec 9999 23:59:00 +2359"},
        {INT64_MIN, -5000, "Sat, 01 Jan 0000 00:01:00 -2359"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[DATE_SIZE];
        int n = date_format(cases[i].unix_s, cases[i].offset_min, out);
        cr_assert_str_eq(out, cases[i].want);
        cr_assert_eq(n, (int)strlen(out));
    }
}

Test(date, writes_rfc_3339)
{
    static const struct {
        int64_t unix_s;
        const char *want;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1780272061, "2026-06-01T00:01:01Z"},
        {951827696, "2000-02-29T12:34:56Z"},
        {INT64_MAX, "9999-12-31T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[DATE_SIZE];
        int64_t back;
        int n = date_format_iso8601(cases[i].unix_s, out);
        cr_assert_str_eq(out, cases[i].want);
        cr_assert_eq(n, (int)strlen(out));
        cr_assert(date_parse_iso8601(view_cstr(out), &back));
    }
}

/* Every day of four centuries, against the C library. */
Test(date, agrees_with_gmtime)
{
    for (int64_t s = -3155673600; s < 9467107200; s += 86400 + 3661) {
        char out[DATE_SIZE], want[DATE_SIZE];
        struct tm tm;
        time_t t = (time_t)s;
        gmtime_r(&t, &tm);
        strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S +0000", &tm);
        date_format(s, 0, out);
        cr_assert_str_eq(out, want);
    }
}

Test(date, reads_iso_8601)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-06-01T00:00:00Z", 1780272000},
        {"2026-06-01t09:00:00+09:00", 1780272000},
        {"2026-05-31T18:30:00.123456-05:30", 1780272000},
        {"2024-02-29T23:59:60z", 1709251200},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t s = -1;
        cr_assert(date_parse_iso8601(view_cstr(cases[i].text), &s), "%s", cases[i].text);
        cr_assert_eq(s, cases[i].want, "%s: %lld", cases[i].text, (long long)s);
    }
}

Test(date, refuses_what_is_no_date)
{
    static const char *const bad[] = {
        "", "2026", "2026-06-01", "2026-06-01T00:00:00", "2026-06-01 00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-06-31T00:00:00Z",
        "2026-06-00T00:00:00Z", "2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z",
        "2026-06-01T24:00:00Z", "2026-06-01T00:60:00Z", "2026-06-01T00:00:61Z",
        "2026-06-01T00:00:00.Z", "2026-06-01T00:00:00+0900", "2026-06-01T00:00:00+24:00",
        "2026-06-01T00:00:00+09:60", "2026-06-01T00:00:00Zx", "2026-6-1T00:00:00Z",
        "1969-12-31T23:59:59Z", "+026-06-01T00:00:00Z", "2026-06-01T00:00:00+09:00 ",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t s = 7;
        cr_assert_not(date_parse_iso8601(view_cstr(bad[i]), &s), "%s", bad[i]);
        cr_assert_eq(s, 7);
    }
}
