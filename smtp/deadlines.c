#include "smtp/deadlines.h"

#include "msa/base/clock.h"
#include "smtp/txn.h"

static int64_t min_ms(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* INT64_MAX instead of an overflow; `span_ms` is not negative. */
static int64_t later_ms(int64_t from_ms, int64_t span_ms)
{
    return span_ms < SMTP_NEVER - from_ms ? from_ms + span_ms : SMTP_NEVER;
}

static int64_t step_ms(const struct smtp_session *s)
{
    const struct config_deadlines *d = &s->site->config->deadlines;
    switch (s->phase) {
    case PHASE_AUTH: return d->auth_exchange_ms;
    case PHASE_DATA: return d->data_idle_ms;
    case PHASE_START:
    case PHASE_GREET:
    case PHASE_READY:
    case PHASE_MAIL:
    case PHASE_RCPT:
    case PHASE_BDAT: return s->flags & SMTP_AUTHED ? d->command_ms : d->preauth_command_ms;
    case PHASE_CLOSING:
    case PHASE_DEAD:
    case PHASE_COUNT: break;
    }
    return SMTP_NEVER;
}

void smtp_deadline_step(struct smtp_session *s)
{
    const struct config_deadlines *d = &s->site->config->deadlines;
    int64_t span_ms = SMTP_NEVER;
    if (s->wait == WAIT_NONE)
        span_ms = step_ms(s);
    else if (s->wait == WAIT_TLS)
        span_ms = d->handshake_ms;
    else if (s->wait == WAIT_AUTH)
        span_ms = d->auth_answer_ms; /* its answers are one-way messages: the channel has no clock */
    s->step_until_ms = later_ms(clock_mono_ms(), span_ms);
}

void smtp_deadline_after(struct smtp_session *s, int64_t after_ms)
{
    s->step_until_ms = later_ms(clock_mono_ms(), after_ms);
}

void smtp_deadline_body(struct smtp_session *s)
{
    const struct config_deadlines *d = &s->site->config->deadlines;
    const struct smtp_txn *t = s->txn;
    int64_t now_ms = clock_mono_ms();
    s->step_until_ms = later_ms(now_ms, d->data_idle_ms);
    if (!t || !t->body.is_begun || d->data_min_rate_bytes == 0)
        return;
    /* The first idle time is free, then bytes must have paid for the time that passed. */
    int64_t paid_ms = (int64_t)(t->received_bytes * 1000 / d->data_min_rate_bytes);
    int64_t rate_until_ms = later_ms(t->body_began_ms + d->data_idle_ms, paid_ms);
    s->step_until_ms = min_ms(s->step_until_ms, rate_until_ms);
}

/* The whole session's end is not looked at in the middle of a message, whose rate has a deadline of its own, nor while
 * an answer is due: it would be cut between the smarthost's 250 and ours. */
static int64_t session_until_ms(const struct smtp_session *s)
{
    const struct config_deadlines *d = &s->site->config->deadlines;
    bool is_asking = s->wait > WAIT_DELAY && s->wait != WAIT_AUTH;
    if (is_asking || s->phase == PHASE_DATA || s->phase == PHASE_BDAT || s->phase >= PHASE_CLOSING)
        return SMTP_NEVER;
    return later_ms(s->began_ms, s->flags & SMTP_AUTHED ? d->session_ms : d->preauth_session_ms);
}

static int64_t output_until_ms(const struct smtp_session *s)
{
    if (s->output_since_ms == SMTP_NEVER || s->phase >= PHASE_CLOSING)
        return SMTP_NEVER;
    return later_ms(s->output_since_ms, s->site->config->deadlines.output_stall_ms);
}

int64_t smtp_session_deadline(const struct smtp_session *s)
{
    return min_ms(s->step_until_ms, min_ms(session_until_ms(s), output_until_ms(s)));
}

enum smtp_overdue smtp_deadline_overdue(const struct smtp_session *s)
{
    int64_t now_ms = clock_mono_ms();
    if (output_until_ms(s) <= now_ms)
        return OVERDUE_OUTPUT;
    if (session_until_ms(s) <= now_ms)
        return OVERDUE_SESSION;
    return s->step_until_ms <= now_ms ? OVERDUE_STEP : OVERDUE_NOTHING;
}
