/* msad's own log: "smtp[1] info auth-ok sess=… user=… ip=…". A message's line names the
 * session; who that is was said when it signed in. */
#include "msa/ctl/log_reader.h"

#include <string.h>

/* Undoes the quoting of msa/base/log.c. False if it does not fit or is broken. */
static bool unquote(struct view v, char *out, size_t out_size)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = 0;
    for (size_t i = 0; i < v.n; i++, n++) {
        if (n + 1 >= out_size)
            return false;
        out[n] = v.p[i];
        if (v.p[i] != '\\')
            continue;
        if (i + 3 >= v.n || v.p[i + 1] != 'x')
            return false;
        const char *high = strchr(digits, ascii_lower(v.p[i + 2]));
        const char *low = strchr(digits, ascii_lower(v.p[i + 3]));
        if (!high || !low || !*high || !*low)
            return false;
        out[n] = (char)((high - digits) << 4 | (low - digits));
        i += 3;
    }
    out[n] = '\0';
    return true;
}

/* Takes one key=value from the front. A value is quoted where it holds a blank or '='. */
static bool take_pair(struct view *line, struct view *key_out, struct view *value_out)
{
    *key_out = view_cut(line, '=');
    if (line->n > 0 && line->p[0] == '"') {
        *line = view_slice(*line, 1, line->n);
        *value_out = view_cut(line, '"');
        view_cut(line, ' ');
    } else {
        *value_out = view_cut(line, ' ');
    }
    return key_out->n > 0;
}

/* The value of a key, still escaped. Pair by pair: a client's own words may look like any
 * of them. */
static struct view value_of(struct view line, const char *wanted)
{
    struct view key, value;
    while (line.n > 0 && take_pair(&line, &key, &value))
        if (view_eq(key, view_cstr(wanted)))
            return value;
    return VIEW_EMPTY;
}

static bool take_user(struct view line, struct trace_event *out)
{
    char user[TRACE_TEXT_MAX];
    return unquote(value_of(line, "user"), user, sizeof user) &&
           trace_account(view_cstr(user), out->account);
}

static bool take_sign_in(struct log_reader *r, struct view line, struct trace_event *out)
{
    struct view session = value_of(line, "sess");
    if (!ipaddr_parse(value_of(line, "ip"), &out->ip) || !take_user(line, out))
        return false;
    if (!view_to_cstr(value_of(line, "country"), out->country, sizeof out->country))
        out->country[0] = '\0';
    view_parse_u64(value_of(line, "wrong"), UINT64_MAX, &out->wrong_password);
    if (out->kind == TRACE_LOGIN && session.n > 0)
        log_join_put(r->join, session, out);
    return true;
}

static bool take_message(struct log_reader *r, struct view line, struct trace_event *out)
{
    char sender[TRACE_TEXT_MAX];
    uint64_t recipients = 1, bytes = 0;
    if (!log_join_get(r->join, value_of(line, "sess"), out))
        return false;
    view_parse_u64(value_of(line, "recipients"), UINT32_MAX, &recipients);
    view_parse_u64(value_of(line, "size"), UINT64_MAX, &bytes);
    if (unquote(value_of(line, "sender"), sender, sizeof sender))
        out->sender_hash = trace_sender(view_cstr(sender));
    out->kind = TRACE_SUBMIT;
    out->recipients = (uint32_t)recipients;
    out->bytes = bytes;
    return true;
}

bool log_msad_line(struct log_reader *r, struct view rest, struct trace_event *out)
{
    view_cut(&rest, ' '); /* role and index */
    view_cut(&rest, ' '); /* level */
    struct view event = view_cut(&rest, ' '), line = rest;
    if (view_eq(event, VIEW_LIT("auth-ok")))
        return take_sign_in(r, line, out);
    if (view_eq(event, VIEW_LIT("auth-failed"))) {
        struct view why = value_of(line, "why");
        if (view_eq(why, VIEW_LIT("suspended")) || view_eq(why, VIEW_LIT("overseas")))
            return false; /* no rule was asked */
        bool is_right = view_eq(why, VIEW_LIT("policy")); /* the password was */
        out->kind = is_right ? TRACE_LOGIN : TRACE_LOGIN_FAILED;
        return take_sign_in(r, line, out);
    }
    if (view_eq(event, VIEW_LIT("mailbox-ok")) || view_eq(event, VIEW_LIT("mailbox-failed"))) {
        out->kind = event.n == strlen("mailbox-ok") ? TRACE_MAILBOX : TRACE_LOGIN_FAILED;
        return take_sign_in(r, line, out);
    }
    return (view_eq(event, VIEW_LIT("mail-accepted")) ||
            view_eq(event, VIEW_LIT("mail-refused"))) &&
           take_message(r, line, out);
}
