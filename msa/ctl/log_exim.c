/* Exim's main log, with or without syslog's front.
 *
 *   1abCdE-000000-AA <= taro@example.jp H=host [192.0.2.1] P=esmtpsa A=plain:taro S=1234
 * for a@b c@d plain authenticator failed for host [192.0.2.1]: 535 Incorrect
 * authentication data (set_id=taro) */
#include "msa/ctl/log_reader.h"

/* The last address in brackets, before that of our own side: those before it are what the
 * client says of itself. */
static bool take_client(struct view v, struct ipaddr *out)
{
    bool is_found = false;
    v = view_slice(v, 0, log_find(v, " I=["));
    while (v.n > 0) {
        view_cut(&v, '[');
        struct view rest = v;
        struct ipaddr a;
        if (!ipaddr_parse(view_cut(&rest, ']'), &a))
            continue;
        *out = a;
        is_found = true;
    }
    return is_found;
}

static bool take_failure(struct view line, struct trace_event *out)
{
    size_t at = log_find(line, " authenticator failed for ");
    if (at == line.n)
        return false;
    struct view v = view_slice(line, at, line.n);
    if (!take_client(view_slice(v, 0, log_find(v, ": 535")), &out->ip))
        return false;
    (void)trace_account(log_value(v, "(set_id=", ")"), out->account);
    out->kind = TRACE_LOGIN_FAILED;
    return true;
}

/* With the log selector received_recipients; without it a message counts as one. */
static uint32_t count_recipients(struct view line)
{
    size_t at = log_find(line, " for ");
    uint32_t n = 0;
    if (at == line.n)
        return 1;
    for (struct view v = view_slice(line, at + 5, line.n); v.n > 0;)
        n += view_cut(&v, ' ').n > 0;
    return n > 0 ? n : 1;
}

/* A=driver:name[:sender] */
static bool take_account(struct view line, struct trace_event *out)
{
    struct view v = log_value(line, " A=", " ");
    view_cut(&v, ':');
    return trace_account(view_cut(&v, ':'), out->account);
}

bool log_exim_line(struct view rest, struct trace_event *out)
{
    uint64_t bytes = 0;
    if (take_failure(rest, out))
        return true;
    size_t at = log_find(rest, " <= ");
    struct view line = view_slice(rest, at, rest.n);
    size_t host = log_find(line, " H="), protocol = log_find(line, " P=");
    if (host == line.n || protocol <= host || !take_account(line, out) ||
        !take_client(view_slice(line, host, protocol), &out->ip))
        return false;
    view_parse_u64(log_value(line, " S=", " "), UINT64_MAX, &bytes);
    out->sender_hash = trace_sender(log_value(line, " <= ", " "));
    out->kind = TRACE_SUBMIT;
    out->signs_in = true;
    out->bytes = bytes;
    out->recipients = count_recipients(line);
    return true;
}
