/* Postfix: smtpd says who sends and from where, under the queue id that qmgr's line with
 * the number of recipients bears.
 *
 *   postfix/smtps/smtpd[1]: 4F9D2: client=host[192.0.2.1], sasl_method=PLAIN,
 * sasl_username=taro postfix/qmgr[2]: 4F9D2: from=<taro@example.jp>, size=1234, nrcpt=3
 * (queue active) postfix/smtpd[1]: warning: host[192.0.2.1]: SASL LOGIN authentication
 * failed: …, sasl_username=taro */
#include "msa/ctl/log_reader.h"

/* host[192.0.2.1] or host[192.0.2.1]:port */
static bool take_client(struct view v, struct ipaddr *out)
{
    struct view address = log_value(v, "[", "]");
    if (view_has_prefix_nocase(address, VIEW_LIT("ipv6:")))
        address = view_slice(address, 5, address.n);
    return ipaddr_parse(address, out);
}

static bool take_failure(struct view line, struct trace_event *out)
{
    size_t sasl = log_find(line, ": SASL ");
    if (sasl == line.n || log_find(line, "authentication failed") == line.n ||
        log_find(line, "Connection lost") < line.n ||
        log_find(line, "Invalid authentication") < line.n)
        return false; /* or no password was looked at */
    struct view before = view_slice(line, log_find(line, "warning: "), sasl);
    if (!take_client(before, &out->ip))
        return false;
    (void)trace_account(log_value(line, "sasl_username=", ", "),
                        out->account); /* older releases do not say */
    out->kind = TRACE_LOGIN_FAILED;
    return true;
}

static void note_client(struct log_reader *r, struct view id, struct view text)
{
    struct trace_event t;
    trace_event_init(&t);
    if (take_client(log_value(text, "client=", ","), &t.ip) &&
        trace_account(log_value(text, "sasl_username=", ", "), t.account))
        log_join_put(r->join, id, &t);
}

static bool take_queued(struct log_reader *r, struct view id, struct view text,
                        struct trace_event *out)
{
    uint64_t recipients, bytes = 0;
    if (!view_parse_u64(log_value(text, "nrcpt=", " "), UINT32_MAX, &recipients) ||
        log_find(text, "(queue active)") == text.n || !log_join_get(r->join, id, out))
        return false;
    view_parse_u64(log_value(text, "size=", ","), UINT64_MAX, &bytes);
    out->sender_hash = trace_sender(log_value(text, "from=<", ">"));
    out->kind = TRACE_SUBMIT;
    out->signs_in = true;
    out->recipients = (uint32_t)recipients;
    out->bytes = bytes;
    log_join_forget(r->join, id); /* a retry is no further message */
    return true;
}

bool log_postfix_line(struct log_reader *r, struct view rest, struct trace_event *out)
{
    size_t program = log_find(rest, "postfix");
    if (program == rest.n)
        return false;
    struct view line = view_slice(rest, program, rest.n);
    struct view name = view_cut(&line, '[');
    view_cut(&line, ':'); /* the process id */
    line = view_trim(line);
    if (view_has_suffix_nocase(name, VIEW_LIT("/qmgr"))) {
        struct view id = view_cut(&line, ':');
        return take_queued(r, id, line, out);
    }
    if (!view_has_suffix_nocase(name, VIEW_LIT("smtpd")))
        return false;
    if (take_failure(line, out))
        return true;
    struct view id = view_cut(&line, ':');
    note_client(r, id, line);
    return false;
}
