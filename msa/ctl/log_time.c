#include "msa/ctl/log_time.h"

#include <string.h>
#include <time.h>

#include "msa/base/clock.h"

#define DAY_S 86400

void log_clock_init(struct log_clock *c, int year)
{
    *c = (struct log_clock){.year = year, .month = -1};
}

/* Exactly `n` digits from the front. */
static bool take_number(struct view *v, size_t n, int *out)
{
    uint64_t number;
    if (v->n < n || !view_parse_u64(view_slice(*v, 0, n), 9999, &number))
        return false;
    *v = view_slice(*v, n, v->n);
    *out = (int)number;
    return true;
}

static bool take_clock(struct view *v, struct tm *tm)
{
    return take_number(v, 2, &tm->tm_hour) && view_take_char(v, ':') &&
           take_number(v, 2, &tm->tm_min) && view_take_char(v, ':') &&
           take_number(v, 2, &tm->tm_sec) && tm->tm_hour < 24 && tm->tm_min < 60 &&
           tm->tm_sec <= 60;
}

static int take_fraction_ms(struct view *v)
{
    int ms = 0, weight = 100;
    if (v->n < 2 || v->p[0] != '.' || !ascii_is_digit(v->p[1]))
        return 0;
    *v = view_slice(*v, 1, v->n);
    while (v->n > 0 && ascii_is_digit(v->p[0])) {
        ms += (v->p[0] - '0') * weight;
        weight /= 10;
        *v = view_slice(*v, 1, v->n);
    }
    return ms;
}

static bool take_zone(struct view *v, int32_t *zone_s_out)
{
    int hours, minutes = 0;
    bool is_west = v->n > 0 && v->p[0] == '-';
    if (view_take_char(v, 'Z')) {
        *zone_s_out = 0;
        return true;
    }
    if ((!view_take_char(v, '+') && !view_take_char(v, '-')) || !take_number(v, 2, &hours) ||
        hours > 14)
        return false;
    view_take_char(v, ':');
    if (!take_number(v, 2, &minutes) || minutes > 59)
        return false;
    *zone_s_out = (is_west ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool log_zone_parse(struct view text, int32_t *zone_s_out)
{
    return take_zone(&text, zone_s_out) && text.n == 0;
}

static int64_t to_ms(const struct log_clock *c, struct tm *tm)
{
    tm->tm_isdst = -1;
    int64_t s = c->has_zone ? (int64_t)timegm(tm) - c->zone_s : (int64_t)mktime(tm);
    return s * 1000;
}

/* RFC 3339, and Exim's form with a blank in the middle. */
static bool take_full(struct log_clock *c, struct view *v, int64_t *at_ms_out)
{
    struct tm tm = {0};
    struct log_clock own = *c;
    int year, month;
    if (!take_number(v, 4, &year) || !view_take_char(v, '-') || !take_number(v, 2, &month) ||
        !view_take_char(v, '-') || !take_number(v, 2, &tm.tm_mday) || month < 1 ||
        month > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 ||
        (!view_take_char(v, 'T') && !view_take_char(v, ' ')) || !take_clock(v, &tm))
        return false;
    tm.tm_year = year - 1900;
    tm.tm_mon = month - 1;
    int ms = take_fraction_ms(v);
    view_take_char(v, ' '); /* Exim's +log_timezone */
    struct view rest = *v;
    if (take_zone(&rest, &own.zone_s)) {
        own.has_zone = true;
        *v = rest;
    }
    *at_ms_out = to_ms(&own, &tm) + ms;
    return true;
}

static int month_of(struct view name)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int i = 0; i < 12; i++)
        if (view_eq(name, view_of(names + 3 * i, 3)))
            return i;
    return -1;
}

#define HALF_A_YEAR 6 /* months; lines come late by minutes, not by so much */

static void choose_year(struct log_clock *c, struct tm *tm)
{
    time_t now_s = (time_t)clock_wall_s();
    struct tm now;
    if (c->year == 0) {
        gmtime_r(&now_s, &now);
        c->year = now.tm_year + 1900;
        tm->tm_year = now.tm_year;
        struct tm copy = *tm;
        if (to_ms(c, &copy) / 1000 > now_s + DAY_S)
            c->year--;
    } else if (c->month >= 0 && tm->tm_mon + HALF_A_YEAR < c->month) {
        c->year++;
    }
    bool is_late =
        c->month >= 0 && tm->tm_mon > c->month + HALF_A_YEAR; /* of the old year */
    tm->tm_year = c->year - 1900 - is_late;
    if (!is_late)
        c->month = tm->tm_mon;
}

static bool take_syslog(struct log_clock *c, struct view *v, int64_t *at_ms_out)
{
    struct tm tm = {0};
    tm.tm_mon = month_of(view_slice(*v, 0, 3));
    *v = view_slice(*v, 3, v->n);
    if (tm.tm_mon < 0 || !view_take_char(v, ' '))
        return false;
    view_take_char(v, ' '); /* of a day of one digit */
    if ((!take_number(v, 2, &tm.tm_mday) && !take_number(v, 1, &tm.tm_mday)) ||
        tm.tm_mday < 1 || tm.tm_mday > 31 || !view_take_char(v, ' ') || !take_clock(v, &tm))
        return false;
    choose_year(c, &tm);
    *at_ms_out = to_ms(c, &tm);
    return true;
}

bool log_time_take(struct log_clock *c, struct view *line, int64_t *at_ms_out)
{
    struct view v = *line;
    bool is_full = v.n > 0 && ascii_is_digit(v.p[0]);
    if (!(is_full ? take_full(c, &v, at_ms_out) : take_syslog(c, &v, at_ms_out)) ||
        *at_ms_out <= 0)
        return false;
    view_take_char(&v, ' ');
    *line = v;
    return true;
}
