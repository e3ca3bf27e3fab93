#include "smtp/lines.h"

#include <string.h>

#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/mail/command.h"

/* What the offered extensions add to a MAIL or RCPT command: SIZE 26 (RFC 1870), BODY 17 (RFC 6152), AUTH 500
 * (RFC 4954), NOTIFY and ORCPT or RET and ENVID 500 (RFC 3461), SMTPUTF8 10 and longer addresses (RFC 6531), HOLDUNTIL 34 (RFC 4865),
 * REQUIRETLS 11 (RFC 8689). */
#define EXTENSION_LINE_BYTES 1536

static bool begins_with(struct view in, struct view word)
{
    return view_has_prefix_nocase(in, word);
}

static bool is_auth_line(const struct smtp_session *s, struct view in)
{
    bool may_sign_in = (s->flags & (SMTP_TLS | SMTP_AUTH_IN_CLEAR)) && !(s->flags & SMTP_AUTHED);
    return s->phase == PHASE_AUTH || (may_sign_in && begins_with(in, VIEW_LIT("AUTH ")));
}

static size_t line_max(const struct smtp_session *s, struct view in)
{
    const struct config_limits *limits = &s->site->config->limits;
    if (is_auth_line(s, in))
        return limits->auth_line_bytes;
    if ((s->flags & SMTP_AUTHED) &&
        (begins_with(in, VIEW_LIT("MAIL")) || begins_with(in, VIEW_LIT("RCPT"))))
        return limits->command_line_bytes + EXTENSION_LINE_BYTES;
    return limits->command_line_bytes;
}

/* Index of the CR of the first CR LF at or behind `from`, or v.n. */
static size_t find_crlf(struct view v, size_t from)
{
    while (from < v.n) {
        const char *cr = memchr(v.p + from, '\r', v.n - from);
        if (!cr)
            return v.n;
        from = (size_t)(cr - v.p);
        if (from + 1 < v.n && v.p[from + 1] == '\n')
            return from;
        from++;
    }
    return v.n;
}

static bool is_tls_record(struct view in)
{
    return in.n >= 2 && in.p[0] == 0x16 && in.p[1] == 0x03;
}

bool lines_is_foreign(const struct smtp_session *s)
{
    struct view in = buf_view(s->in);
    struct command c;
    size_t end = find_crlf(in, 0);
    return is_tls_record(in) ||
           (command_parse(view_slice(in, 0, end), &c) == MSA_OK && c.verb == COMMAND_HTTP);
}

/* The last byte may be the CR of a CR LF to come. A line that has `max` bytes and no end is too long, and there may be no
 * room for one more. */
static enum lines_step keep_looking(struct smtp_session *s, struct view in, size_t max)
{
    size_t kept = in.n > 0 && in.p[in.n - 1] == '\r' ? 1 : 0;
    if (in.n >= max && !(s->flags & SMTP_SKIP_LINE))
        s->flags |= SMTP_SKIP_LINE | (is_auth_line(s, in) ? SMTP_SKIP_AUTH : 0);
    s->scanned_bytes = (uint32_t)(in.n - kept);
    if (s->flags & SMTP_SKIP_LINE) {
        s->line_bytes = s->scanned_bytes;
        lines_take(s);
    }
    return LINES_MORE;
}

enum lines_step lines_next(struct smtp_session *s, struct view *line_out)
{
    struct view in = buf_view(s->in);
    size_t max = line_max(s, in);
    if (s->phase == PHASE_GREET && is_tls_record(in))
        return LINES_FOREIGN;
    size_t end = find_crlf(in, s->scanned_bytes);
    if (end == in.n)
        return keep_looking(s, in, max);
    s->line_bytes = (uint32_t)(end + 2);
    *line_out = view_slice(in, 0, end);
    if (!(s->flags & SMTP_SKIP_LINE) && s->line_bytes <= max)
        return LINES_ONE;
    bool is_auth = s->flags & SMTP_SKIP_LINE ? (s->flags & SMTP_SKIP_AUTH) != 0 : is_auth_line(s, in);
    s->flags &= ~(unsigned)(SMTP_SKIP_LINE | SMTP_SKIP_AUTH);
    return is_auth ? LINES_OVERLONG_AUTH : LINES_OVERLONG;
}

void lines_take(struct smtp_session *s)
{
    bool is_secret = s->line_bytes > 0 && !(s->flags & SMTP_AUTHED);
    if (is_secret) /* it may have held a password */
        secret_wipe(s->in->data + s->in->start, s->line_bytes);
    buf_take(s->in, s->line_bytes);
    s->line_bytes = 0;
    s->scanned_bytes = 0;
}
