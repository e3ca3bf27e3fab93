/* Dovecot's login processes. POP and IMAP are mailbox access, submission is a sign-in to
 * send.
 *
 *   dovecot: imap-login: Login: user=<taro>, method=PLAIN, rip=192.0.2.1, …
 *   dovecot: pop3-login: Disconnected (auth failed, 2 attempts in 9 secs): user=<taro>,
 * …, rip=192.0.2.1, … */
#include "msa/ctl/log_reader.h"

static uint32_t attempts_of(struct view line)
{
    uint64_t n;
    struct view text = log_value(line, "auth failed, ", " ");
    if (!view_parse_u64(text, UINT32_MAX, &n) || n == 0)
        return 1;
    return n < TRACE_ATTEMPTS_MAX ? (uint32_t)n : TRACE_ATTEMPTS_MAX;
}

/* The last rip= counts: the name before it is the client's own words. */
static bool take_client(struct view line, struct ipaddr *out)
{
    struct view rest = line, address = VIEW_EMPTY;
    for (size_t at; (at = log_find(rest, ", rip=")) < rest.n;) {
        rest = view_slice(rest, at + 6, rest.n);
        address = view_slice(rest, 0, view_find(rest, ','));
    }
    return ipaddr_parse(address, out);
}

bool log_dovecot_line(struct view rest, struct trace_event *out)
{
    size_t at = log_find(rest, "-login: ");
    if (at == rest.n)
        return false;
    struct view before = view_slice(rest, 0, at);
    struct view line = view_slice(rest, at + sizeof "-login: " - 1, rest.n);
    bool is_mailbox = view_has_suffix_nocase(before, VIEW_LIT("imap")) ||
                      view_has_suffix_nocase(before, VIEW_LIT("pop3"));
    bool is_sending = view_has_suffix_nocase(before, VIEW_LIT("submission"));
    if (view_has_prefix(line, VIEW_LIT("Info: ")))
        line = view_slice(line, 6, line.n);
    if (!take_client(line, &out->ip))
        return false;
    bool has_account = trace_account(log_value(line, "user=<", ">"), out->account);
    if (view_has_prefix(line, VIEW_LIT("Login: "))) {
        out->kind = is_mailbox ? TRACE_MAILBOX : TRACE_LOGIN;
        return has_account && (is_mailbox || is_sending);
    }
    if (log_find(line, "auth failed") == line.n)
        return false;
    out->kind = TRACE_LOGIN_FAILED;
    out->attempts = attempts_of(line);
    return true;
}
