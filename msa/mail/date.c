#include "msa/mail/date.h"

#include <stdio.h>

#define DAY_S 86400

struct civil {
    int64_t year;
    unsigned month; /* 1 to 12 */
    unsigned day;
};

/* Days since 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the leap
 * day is the last of its year; an era has 400 of them and 146097 days. */
static int64_t days_of(struct civil date)
{
    int64_t year = date.year - (date.month <= 2);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t month = (date.month + 9) % 12;
    int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct civil civil_of(int64_t days)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t month = (5 * doy + 2) / 153;
    struct civil date = {
        .year = yoe + era * 400 + (month >= 10),
        .month = (unsigned)(month < 10 ? month + 3 : month - 9),
        .day = (unsigned)(doy - (153 * month + 2) / 5 + 1),
    };
    return date;
}

static unsigned month_length(int64_t year, unsigned month)
{
    static const unsigned char length[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : length[month - 1];
}

static int64_t clamp(int64_t n, int64_t least, int64_t most)
{
    return n < least ? least : n > most ? most : n;
}

struct moment {
    struct civil date;
    int64_t days; /* since 1970-01-01 */
    int second_of_day;
};

static struct moment moment_of(int64_t unix_s, int offset_min)
{
    const int64_t least = days_of((struct civil){0, 1, 2}) * DAY_S;
    const int64_t most = days_of((struct civil){9999, 12, 31}) * DAY_S;
    int64_t local = clamp(unix_s, least, most) + offset_min * 60;
    int64_t days = (local >= 0 ? local : local - (DAY_S - 1)) / DAY_S;
    return (struct moment){
        .date = civil_of(days), .days = days, .second_of_day = (int)(local - days * DAY_S)};
}

int date_format(int64_t unix_s, int offset_min, char out[static DATE_SIZE])
{
    static const char days_of_week[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    offset_min = (int)clamp(offset_min, -1439, 1439);
    struct moment m = moment_of(unix_s, offset_min);
    int64_t weekday = (m.days % 7 + 7) % 7;
    int zone = offset_min < 0 ? -offset_min : offset_min;
    return snprintf(out, DATE_SIZE, "%.3s, %02u %.3s %04d %02d:%02d:%02d %c%02d%02d",
                    days_of_week + 3 * weekday, m.date.day, months + 3 * (m.date.month - 1),
                    (int)m.date.year, m.second_of_day / 3600, m.second_of_day / 60 % 60,
                    m.second_of_day % 60, offset_min < 0 ? '-' : '+', zone / 60, zone % 60);
}

int date_format_iso8601(int64_t unix_s, char out[static DATE_SIZE])
{
    struct moment m = moment_of(unix_s, 0);
    return snprintf(out, DATE_SIZE, "%04d-%02u-%02uT%02d:%02d:%02dZ", (int)m.date.year,
                    m.date.month, m.date.day, m.second_of_day / 3600, m.second_of_day / 60 % 60,
                    m.second_of_day % 60);
}

/* `n` digits off the front, then `behind` unless that is NUL. */
static bool take_number(struct view *v, size_t n, char behind, uint64_t most, unsigned *out)
{
    uint64_t number;
    if (v->n < n || !view_parse_u64(view_slice(*v, 0, n), most, &number))
        return false;
    *v = view_slice(*v, n, v->n);
    if (behind) {
        if (v->n == 0 || v->p[0] != behind)
            return false;
        *v = view_slice(*v, 1, v->n);
    }
    *out = (unsigned)number;
    return true;
}

static bool take_fraction(struct view *v)
{
    if (v->n == 0 || v->p[0] != '.')
        return true;
    size_t n = 1;
    while (n < v->n && ascii_is_digit(v->p[n]))
        n++;
    *v = view_slice(*v, n, v->n);
    return n > 1;
}

/* The whole of `v`: "Z" or "+hh:mm", in seconds. */
static bool parse_zone(struct view v, int64_t *offset_s_out)
{
    unsigned hours, minutes;
    *offset_s_out = 0;
    if (view_eq_nocase(v, VIEW_LIT("Z")))
        return true;
    if (v.n == 0 || (v.p[0] != '+' && v.p[0] != '-'))
        return false;
    int64_t sign = v.p[0] == '-' ? -1 : 1;
    v = view_slice(v, 1, v.n);
    if (!take_number(&v, 2, ':', 23, &hours) || !take_number(&v, 2, '\0', 59, &minutes))
        return false;
    *offset_s_out = sign * ((int64_t)hours * 3600 + (int64_t)minutes * 60);
    return v.n == 0;
}

bool date_parse_iso8601(struct view v, int64_t *unix_s_out)
{
    unsigned year, month, day, hour, minute, second;
    int64_t offset_s;
    if (!take_number(&v, 4, '-', 9999, &year) || !take_number(&v, 2, '-', 12, &month) ||
        !take_number(&v, 2, '\0', 31, &day))
        return false;
    if (v.n == 0 || ascii_lower(v.p[0]) != 't' || year < 1970 || month < 1 || day < 1 ||
        day > month_length(year, month))
        return false;
    v = view_slice(v, 1, v.n);
    if (!take_number(&v, 2, ':', 23, &hour) || !take_number(&v, 2, ':', 59, &minute) ||
        !take_number(&v, 2, '\0', 60, &second) || !take_fraction(&v) ||
        !parse_zone(v, &offset_s))
        return false;
    *unix_s_out = days_of((struct civil){year, month, day}) * DAY_S + (int64_t)hour * 3600 +
                  (int64_t)minute * 60 + second - offset_s;
    return true;
}
