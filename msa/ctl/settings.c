#include "msa/ctl/settings.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "msa/base/err.h"
#include "msa/base/view.h"

struct reading {
    json_t *settings;
    char *error;
};

static int fail(struct reading *r, const char *what, const char *value)
{
    snprintf(r->error, COMMAND_ERROR_MAX, "'%.60s' %s", value, what);
    return MSA_EINVAL;
}

static int set(struct reading *r, const char *key, json_t *value)
{
    return json_object_set_new(r->settings, key, value) < 0 ? fail(r, "is not UTF-8", key) : MSA_OK;
}

/* To a list, which is made when it gets its first member. */
static int add(struct reading *r, const char *key, json_t *value)
{
    json_t *list = json_object_get(r->settings, key);
    if (!list && set(r, key, json_array()) == MSA_OK)
        list = json_object_get(r->settings, key);
    return json_array_append_new(list, value) < 0 ? fail(r, "is not UTF-8", key) : MSA_OK;
}

/* ---- home ---- */

static int read_home(struct reading *r, const char *value)
{
    struct view rest = view_cstr(value);
    int err = set(r, "home", json_array());
    if (strcmp(value, "default") == 0)
        return err;
    while (err == MSA_OK && rest.n > 0) {
        struct view one = view_cut(&rest, ',');
        err = add(r, "home", json_stringn(one.p, one.n));
    }
    return err;
}

/* ---- travel ---- */

/* The first moment of a day, or of the one after it. The 30th of February is none. */
static bool read_day(struct view text, bool is_next, int64_t *ms_out)
{
    char day[16];
    struct tm tm = {.tm_isdst = -1};
    if (text.n != 10)
        return false;
    view_to_cstr(text, day, sizeof day);
    const char *end = strptime(day, "%Y-%m-%d", &tm);
    if (!end || *end)
        return false;
    int said_day = tm.tm_mday;
    struct tm noon = tm;
    noon.tm_hour = 12;
    (void)mktime(&noon);
    tm.tm_mday += is_next;
    time_t t = mktime(&tm);
    *ms_out = (int64_t)t * 1000;
    return t > 0 && noon.tm_mday == said_day;
}

/* "FROM..UNTIL", of which one may be left out. */
static bool read_days(struct view text, json_t *exception)
{
    size_t at = 0;
    int64_t ms;
    while (at + 1 < text.n && (text.p[at] != '.' || text.p[at + 1] != '.'))
        at++;
    if (at + 1 >= text.n)
        return false;
    struct view from = view_slice(text, 0, at), until = view_slice(text, at + 2, text.n);
    if (from.n > 0 && (!read_day(from, false, &ms) ||
                       json_object_set_new(exception, "from_ms", json_integer(ms)) < 0))
        return false;
    if (until.n > 0 && (!read_day(until, true, &ms) ||
                        json_object_set_new(exception, "until_ms", json_integer(ms)) < 0))
        return false;
    return from.n > 0 || until.n > 0;
}

static int read_travel(struct reading *r, const char *key, const char *value)
{
    struct view rest = view_cstr(value);
    bool has_days = strchr(value, ':') != NULL;
    struct view country = view_cut(&rest, ':');
    json_t *exception = json_object();
    if (country.n > 0)
        json_object_set_new(exception, "country", json_stringn(country.p, country.n));
    if (has_days ? read_days(rest, exception) : country.n > 0)
        return add(r, key, exception);
    json_decref(exception);
    return fail(r, "is no journey: write FR:2026-12-01..2026-12-10, FR, or :2026-12-01..2026-12-10",
                value);
}

static int read_no_travel(struct reading *r, const char *value)
{
    return strcmp(value, "all") == 0 ? set(r, "exceptions", json_array())
                                     : read_travel(r, "exceptions_remove", value);
}

/* ---- limits ---- */

static int read_limit(struct reading *r, const char *value)
{
    char rule[64];
    uint64_t n;
    struct view rest = view_cstr(value);
    struct view name = view_cut(&rest, '=');
    json_t *limits = json_object_get(r->settings, "limits");
    bool is_word = view_eq(rest, VIEW_LIT("off")) || view_eq(rest, VIEW_LIT("default"));
    if (name.n == 0 || name.n >= sizeof rule || (!is_word && !view_parse_u64(rest, UINT32_MAX, &n)))
        return fail(r, "is no limit: write RULE=NUMBER, RULE=off or RULE=default", value);
    view_to_cstr(name, rule, sizeof rule);
    if (!limits && set(r, "limits", json_object()) == MSA_OK)
        limits = json_object_get(r->settings, "limits");
    json_t *limit = is_word ? json_stringn(rest.p, rest.n) : json_integer((json_int_t)n);
    return json_object_set_new(limits, rule, limit) < 0 ? fail(r, "is not UTF-8", rule) : MSA_OK;
}

/* ---- all of them ---- */

static int read_no_sender(struct reading *r, const char *value)
{
    return strcmp(value, "all") == 0 ? set(r, "senders", json_array())
                                     : add(r, "senders_remove", json_string(value));
}

static int read_one(struct reading *r, unsigned option, const char *value)
{
    switch (option) {
    case COMMAND_OPT_CLASS: return set(r, "class", json_string(value));
    case COMMAND_OPT_OVERSEAS: return set(r, "overseas", json_string(value));
    case COMMAND_OPT_CONSENT: return set(r, "consent", json_string(value));
    case COMMAND_OPT_LANGUAGE: return set(r, "notice_language", json_string(value));
    case COMMAND_OPT_NOTE: return set(r, "note", json_string(value));
    case COMMAND_OPT_HOME: return read_home(r, value);
    case COMMAND_OPT_TRAVEL: return read_travel(r, "exceptions_add", value);
    case COMMAND_OPT_NO_TRAVEL: return read_no_travel(r, value);
    case COMMAND_OPT_LIMIT: return read_limit(r, value);
    case COMMAND_OPT_SENDER: return add(r, "senders_add", json_string(value));
    case COMMAND_OPT_NO_SENDER: return read_no_sender(r, value);
    default: return MSA_OK; /* no setting */
    }
}

int ctl_settings(const struct ctl_line *line, json_t *settings, char error[COMMAND_ERROR_MAX])
{
    struct reading r = {settings, error};
    for (size_t i = 0; i < line->given_count; i++) {
        int err = read_one(&r, line->given[i].option, line->given[i].value);
        if (err < 0)
            return err;
    }
    if (json_object_size(settings) > 0)
        return MSA_OK;
    snprintf(error, COMMAND_ERROR_MAX, "nothing to set: see msactl help");
    return MSA_EINVAL;
}
