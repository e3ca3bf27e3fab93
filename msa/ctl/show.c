#include "msa/ctl/show.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "msa/base/utf8.h"
#include "msa/ctl/grid.h"
#include "msa/ctl/json_at.h"
#include "msa/mail/base64.h"

#define VALUE_MAX 128
#define DEPTH_MAX 6 /* our own answers are two or three deep */

/* ---- single values ---- */

/* As in the log: UTC. 0 is "never". */
static void format_time(int64_t wall_ms, char out[VALUE_MAX])
{
    struct tm tm;
    time_t t = (time_t)(wall_ms / 1000);
    out[0] = '\0';
    if (wall_ms > 0 && gmtime_r(&t, &tm))
        strftime(out, VALUE_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void format_bytes(int64_t n, char out[VALUE_MAX])
{
    static const char *const units[] = {"", "K", "M", "G", "T"};
    size_t unit = 0;
    double value = (double)n;
    while (value >= 10240 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1024;
        unit++;
    }
    snprintf(out, VALUE_MAX, "%.0f%s", value, units[unit]);
}

static bool ends_in(const char *key, const char *tail)
{
    return view_has_suffix_nocase(view_cstr(key), view_cstr(tail));
}

/* Keys carry their unit: times are …_ms since 1970 when they are that large. */
static void add_number(const char *key, int64_t n, struct buf *out)
{
    char text[VALUE_MAX];
    if (ends_in(key, "_ms") && n > 100000000000)
        format_time(n, text);
    else if (ends_in(key, "bytes"))
        format_bytes(n, text);
    else
        snprintf(text, sizeof text, "%" PRId64, n);
    buf_add_cstr(out, text);
}

static void add_scalar(const char *key, const json_t *value, struct buf *out)
{
    if (json_is_string(value))
        utf8_add_clean(out, view_of(json_string_value(value), json_string_length(value)));
    else if (json_is_integer(value))
        add_number(key, json_integer_value(value), out);
    else if (json_is_real(value))
        buf_addf(out, "%.3f", json_real_value(value));
    else if (json_is_boolean(value))
        buf_add_cstr(out, json_is_true(value) ? "yes" : "no");
    else
        buf_add_cstr(out, "-");
}

/* ---- objects ---- */

void show_done(const json_t *answer, struct buf *out)
{
    const char *key;
    json_t *value;
    bool is_first = true;
    json_object_foreach((json_t *)(uintptr_t)answer, key, value) {
        if (json_is_object(value) || json_is_array(value))
            continue;
        buf_addf(out, "%s%s=", is_first ? "" : " ", key);
        add_scalar(key, value, out);
        is_first = false;
    }
    buf_add_cstr(out, is_first ? "done\n" : "\n");
}

static void add_indent(unsigned depth, struct buf *out)
{
    for (unsigned i = 0; i < depth; i++)
        buf_add_cstr(out, "  ");
}

static void add_member(const char *key, const json_t *value, unsigned depth, struct buf *out);

static void add_list(const json_t *list, unsigned depth, struct buf *out)
{
    size_t i;
    const json_t *item;
    json_array_foreach(list, i, item) {
        char number[24];
        snprintf(number, sizeof number, "%zu", i + 1);
        add_member(number, item, depth, out);
    }
}

static void add_object(const json_t *object, unsigned depth, struct buf *out)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
        add_member(key, value, depth, out);
}

static void add_member(const char *key, const json_t *value, unsigned depth, struct buf *out)
{
    bool is_nested = json_is_object(value) || json_is_array(value);
    if (depth > DEPTH_MAX)
        return;
    add_indent(depth, out);
    buf_addf(out, "%s:", key);
    if (!is_nested) {
        buf_add_char(out, ' ');
        add_scalar(key, value, out);
    }
    buf_add_char(out, '\n');
    if (json_is_object(value))
        add_object(value, depth + 1, out);
    else if (is_nested)
        add_list(value, depth + 1, out);
}

void show_pairs(const json_t *answer, struct buf *out)
{
    add_object(answer, 0, out);
}

/* What is no UTF-8 comes in base64. Somebody asked for the message itself, so nothing is cleaned; a
 * terminal is theirs to protect, as with cat(1). */
void show_content(const json_t *answer, struct buf *out)
{
    struct view coded = text_at(answer, "content_base64");
    if (coded.n > 0)
        base64_decode(coded, out);
    else
        buf_add(out, text_at(answer, "content"));
    if (json_is_true(json_object_get(answer, "is_cut")))
        buf_add_cstr(out, "\r\n[cut here by msactl: the message goes on]\r\n");
}

/* ---- lists ---- */

static void add_time(struct grid *g, const json_t *object, const char *key)
{
    char text[VALUE_MAX];
    format_time(number_at(object, key), text);
    grid_add(g, view_cstr(text));
}

static void add_bytes(struct grid *g, const json_t *object, const char *key)
{
    char text[VALUE_MAX];
    format_bytes(number_at(object, key), text);
    grid_add(g, view_cstr(text));
}

void show_accounts(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *a;
    struct grid g;
    grid_init(&g, "LOGIN >ID STATE SECRET CREATED CHANGED");
    json_array_foreach(json_object_get(answer, "accounts"), i, a) {
        bool is_damaged = json_is_true(json_object_get(a, "damaged"));
        grid_begin_row(&g);
        grid_add(&g, text_at(a, "login"));
        grid_addf(&g, "%" PRId64, number_at(a, "id"));
        grid_add(&g, is_damaged                                     ? VIEW_LIT("damaged")
                     : json_is_true(json_object_get(a, "enabled")) ? VIEW_LIT("enabled")
                                                                    : VIEW_LIT("disabled"));
        grid_add(&g, text_at(a, "secret"));
        add_time(&g, a, "created_ms");
        add_time(&g, a, "password_changed_ms");
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_restrictions(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *r;
    struct grid g;
    grid_init(&g, "ID KIND STATE SINCE LOGIN RULE COUNTRY SOURCE >TIMES GROUNDS");
    json_array_foreach(json_object_get(answer, "restrictions"), i, r) {
        grid_begin_row(&g);
        grid_add(&g, text_at(r, "id"));
        grid_add(&g, text_at(r, "kind"));
        grid_add(&g, json_is_true(json_object_get(r, "standing")) ? VIEW_LIT("stands")
                     : number_at(r, "released_ms") != 0           ? VIEW_LIT("released")
                                                                   : VIEW_LIT("over"));
        add_time(&g, r, "at_ms");
        grid_add(&g, text_at(r, "login"));
        grid_add(&g, text_at(r, "rule").n > 0 ? text_at(r, "rule") : VIEW_LIT("by hand"));
        grid_add(&g, text_at(r, "country"));
        grid_add(&g, text_at(r, "source"));
        grid_addf(&g, "%" PRId64, number_at(r, "times"));
        grid_add(&g, text_at(r, "grounds"));
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_accesses(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *a;
    struct grid g;
    grid_init(&g, "TIME ACTOR OPERATION");
    json_array_foreach(json_object_get(answer, "access"), i, a) {
        grid_begin_row(&g);
        add_time(&g, a, "at_ms");
        grid_add(&g, text_at(a, "actor"));
        grid_add(&g, text_at(a, "op"));
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_usage(const json_t *answer, struct buf *out)
{
    static const char *const keys[] = {"rule", "counts", "then", "mode"};
    size_t i;
    const json_t *u;
    struct grid g;
    grid_init(&g, "RULE COUNTS THEN MODE >USED >LIMIT >HOURS");
    json_array_foreach(json_object_get(answer, "usage"), i, u) {
        grid_begin_row(&g);
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            grid_add(&g, text_at(u, keys[k]));
        grid_addf(&g, "%" PRId64, number_at(u, "used"));
        grid_addf(&g, "%" PRId64, number_at(u, "limit"));
        grid_addf(&g, "%.1f", (double)number_at(u, "within_ms") / 3600000.0);
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_rules(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *r;
    struct grid g;
    grid_init(&g, "RULE MODE >HITS SENTENCE");
    json_array_foreach(json_object_get(answer, "rules"), i, r) {
        grid_begin_row(&g);
        grid_add(&g, text_at(r, "rule"));
        grid_add(&g, text_at(r, "mode"));
        grid_addf(&g, "%" PRId64, number_at(r, "hits"));
        grid_add(&g, text_at(r, "sentence"));
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_trend(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *d, *count;
    const char *rule;
    struct grid g;
    grid_init(&g, "DAY RULE >RECORDS");
    json_array_foreach(json_object_get(answer, "days"), i, d) {
        json_object_foreach((json_t *)(uintptr_t)json_object_get(d, "rules"), rule, count) {
            grid_begin_row(&g);
            grid_add(&g, text_at(d, "day"));
            grid_add(&g, view_cstr(rule));
            grid_addf(&g, "%" PRId64, (int64_t)json_integer_value(count));
        }
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_sign_ins(const json_t *answer, struct buf *out)
{
    static const char *const keys[] = {"protocol", "result", "country", "address", "network", "program"};
    size_t i;
    const json_t *s;
    struct grid g;
    grid_init(&g, "FIRST LAST >TIMES PROTOCOL RESULT COUNTRY ADDRESS NETWORK PROGRAM");
    json_array_foreach(json_object_get(answer, "sign_ins"), i, s) {
        grid_begin_row(&g);
        add_time(&g, s, "first_ms");
        add_time(&g, s, "last_ms");
        grid_addf(&g, "%" PRId64, number_at(s, "times"));
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            grid_add(&g, text_at(s, keys[k]));
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_tokens(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *t;
    struct grid g;
    grid_init(&g, "ID ROLE ENDS SCOPES NOTE");
    json_array_foreach(json_object_get(answer, "tokens"), i, t) {
        grid_begin_row(&g);
        grid_add(&g, text_at(t, "id"));
        grid_add(&g, text_at(t, "role"));
        add_time(&g, t, "expires_ms");
        struct view scopes = text_at(t, "scopes");
        grid_add(&g, scopes.n > 0 ? scopes : VIEW_LIT("(all)"));
        grid_add(&g, text_at(t, "note"));
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_app_passwords(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *a;
    struct grid g;
    grid_init(&g, "ID MADE USED FROM SCOPES NAME");
    json_array_foreach(json_object_get(answer, "app_passwords"), i, a) {
        const json_t *scopes = json_object_get(a, "scopes"), *scope;
        char text[32] = "";
        size_t j;
        json_array_foreach(scopes, j, scope) {
            size_t n = strlen(text);
            snprintf(text + n, sizeof text - n, "%s%s", n ? "," : "", json_string_value(scope));
        }
        grid_begin_row(&g);
        grid_add(&g, text_at(a, "id"));
        add_time(&g, a, "created_ms");
        add_time(&g, a, "used_ms");
        grid_add(&g, text_at(a, "used_from"));
        grid_add(&g, view_cstr(text));
        grid_add(&g, text_at(a, "name"));
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_audit(const json_t *answer, struct buf *out)
{
    static const char *const keys[] = {"actor", "from", "op", "target", "why"};
    size_t i;
    const json_t *a;
    struct grid g;
    grid_init(&g, "TIME STATUS ACTOR FROM OPERATION TARGET WHY");
    json_array_foreach(json_object_get(answer, "audit"), i, a) {
        char status[24];
        grid_begin_row(&g);
        add_time(&g, a, "at_ms");
        snprintf(status, sizeof status, "%" PRId64, number_at(a, "status"));
        grid_add(&g, view_cstr(status));
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
            grid_add(&g, text_at(a, keys[k]));
    }
    grid_write(&g, out);
    grid_fini(&g);
}

void show_changes(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *one;
    show_done(answer, out);
    json_array_foreach(json_object_get(answer, "logins"), i, one) {
        buf_add_cstr(out, "  changed: ");
        add_scalar("", one, out);
        buf_add_char(out, '\n');
    }
    json_array_foreach(json_object_get(answer, "missing"), i, one) {
        buf_add_cstr(out, "  there is no account ");
        add_scalar("", one, out);
        buf_add_char(out, '\n');
    }
    json_array_foreach(json_object_get(answer, "errors"), i, one) {
        buf_add_cstr(out, "  ");
        utf8_add_clean(out, text_at(one, "login"));
        buf_add_cstr(out, ": ");
        utf8_add_clean(out, text_at(one, "detail"));
        buf_add_char(out, '\n');
    }
}

/* "held: rule,operator"; without the reasons where there are none. */
static void add_state(struct grid *g, const json_t *message)
{
    size_t i;
    const json_t *reason;
    struct buf text;
    buf_init(&text, VALUE_MAX);
    buf_add(&text, text_at(message, "state"));
    json_array_foreach(json_object_get(message, "held_for"), i, reason) {
        buf_add_char(&text, i == 0 ? ':' : ',');
        add_scalar("", reason, &text);
    }
    grid_add(g, buf_view(&text));
    buf_fini(&text);
}

static void add_last_answer(struct grid *g, const json_t *message)
{
    struct view text = text_at(message, "last_text");
    int64_t code = number_at(message, "last_code");
    if (code == 0)
        grid_add(g, VIEW_EMPTY);
    else
        grid_addf(g, "%" PRId64 " %.*s", code, (int)text.n, text.n > 0 ? text.p : "");
}

void show_queue(const json_t *answer, struct buf *out)
{
    size_t i;
    const json_t *m;
    struct grid g;
    grid_init(&g, "ID STATE >SIZE >SCORE ARRIVED NEXT >TRIES POOL USER SENDER >RCPTS LAST");
    json_array_foreach(json_object_get(answer, "messages"), i, m) {
        grid_begin_row(&g);
        grid_add(&g, text_at(m, "id"));
        add_state(&g, m);
        add_bytes(&g, m, "bytes");
        grid_addf(&g, "%.1f", json_number_value(json_object_get(m, "score")));
        add_time(&g, m, "arrived_ms");
        add_time(&g, m, "next_attempt_ms");
        grid_addf(&g, "%" PRId64, number_at(m, "attempt_count"));
        grid_add(&g, text_at(m, "pool"));
        grid_add(&g, text_at(m, "user"));
        grid_add(&g, text_at(m, "sender").n > 0 ? text_at(m, "sender") : VIEW_LIT("<>"));
        grid_addf(&g, "%" PRId64, number_at(m, "recipient_count"));
        add_last_answer(&g, m);
    }
    grid_write(&g, out);
    grid_fini(&g);
}

/* ---- status ---- */

static void show_processes(const json_t *processes, struct buf *out)
{
    size_t i;
    const json_t *p;
    struct grid g;
    grid_init(&g, "ROLE >INDEX >PID STATE >UPTIME >RESTARTS");
    json_array_foreach(processes, i, p) {
        grid_begin_row(&g);
        grid_add(&g, text_at(p, "role"));
        grid_addf(&g, "%" PRId64, number_at(p, "index"));
        grid_addf(&g, "%" PRId64, number_at(p, "pid"));
        grid_add(&g, text_at(p, "state"));
        grid_addf(&g, "%" PRId64 "s", number_at(p, "uptime_s"));
        grid_addf(&g, "%" PRId64, number_at(p, "restarts"));
    }
    grid_write(&g, out);
    grid_fini(&g);
}

static void show_role(const char *role, const json_t *processes, struct buf *out)
{
    size_t i;
    const json_t *p;
    json_array_foreach(processes, i, p) {
        buf_addf(out, "\n%s[%" PRId64 "]\n", role, number_at(p, "index"));
        add_object(p, 1, out);
    }
    if (json_array_size(processes) == 0)
        buf_addf(out, "\n%s is away\n", role);
}

void show_status(const json_t *answer, struct buf *out)
{
    const char *role;
    json_t *processes;
    const json_t *s = json_array_get(json_object_get(answer, "supervisor"), 0);
    buf_add_cstr(out, "msad ");
    utf8_add_clean(out, text_at(s, "version"));
    buf_addf(out, ", %.20s for %" PRId64 "s, configuration %" PRId64 " of ",
             text_at(s, "phase").n > 0 ? text_at(s, "phase").p : "-", number_at(s, "uptime_s"),
             number_at(s, "generation"));
    utf8_add_clean(out, text_at(s, "config"));
    buf_add_cstr(out, "\n\n");
    show_processes(json_object_get(s, "processes"), out);
    json_object_foreach((json_t *)(uintptr_t)answer, role, processes)
        if (strcmp(role, "supervisor") != 0)
            show_role(role, processes, out);
}

/* ---- import, reload, problems ---- */

static void add_errors(const json_t *errors, struct buf *out)
{
    size_t i;
    const json_t *e;
    json_array_foreach(errors, i, e) {
        buf_add_cstr(out, "  ");
        if (json_is_object(e))
            buf_addf(out, "line %" PRId64 ": ", number_at(e, "line"));
        if (json_is_object(e))
            utf8_add_clean(out, text_at(e, "detail"));
        else
            add_scalar("", e, out);
        buf_add_char(out, '\n');
    }
}

void show_import(const json_t *answer, struct buf *out)
{
    show_done(answer, out);
    add_errors(json_object_get(answer, "errors"), out);
}

void show_reload(const json_t *answer, struct buf *out)
{
    buf_addf(out, "configuration %" PRId64 " is in force\n", number_at(answer, "generation"));
}

void show_problem(const json_t *problem, unsigned status, struct buf *out)
{
    struct view detail = text_at(problem, "detail");
    buf_add_cstr(out, "msactl: ");
    if (detail.n > 0)
        utf8_add_clean(out, detail);
    else if (text_at(problem, "title").n > 0)
        utf8_add_clean(out, text_at(problem, "title"));
    else
        buf_addf(out, "HTTP status %u", status);
    buf_add_char(out, '\n');
    add_errors(json_object_get(problem, "errors"), out);
}
