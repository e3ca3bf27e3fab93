/* MAIL (RFC 5321 section 4.1.1.2) with the parameters of RFC 1870, 6152, 3030, 6531, 3461, 4954, 4865 and
 * 8689. What can be judged here is judged here; whether the account may use the sender is policy's word. */
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/mail/command.h"
#include "msa/mail/path.h"
#include "smtp/commands.h"
#include "smtp/events.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

void smtp_refuse_param(struct smtp_session *s, enum params_result why, struct view culprit)
{
    static const enum smtp_reply replies[] = {
        [PARAMS_UNKNOWN] = REPLY_PARAM_UNKNOWN,     [PARAMS_VALUE] = REPLY_PARAM_VALUE,
        [PARAMS_SYNTAX] = REPLY_PARAM_SYNTAX,       [PARAMS_DUPLICATE] = REPLY_PARAM_DUPLICATE,
        [PARAMS_CONFLICT] = REPLY_PARAM_CONFLICT,
    };
    smtp_reply_with(s, replies[why], view_slice(culprit, 0, 64));
}

struct mail_command {
    struct path path;
    struct mail_params params;
};

/* Each step below answers the client itself when it returns false. */

static bool parse(struct smtp_session *s, struct view args, struct mail_command *c)
{
    struct view culprit;
    if (!command_take_keyword(&args, VIEW_LIT("FROM:"))) {
        smtp_reply(s, REPLY_MAIL_SYNTAX);
        return false;
    }
    if (path_parse(&args, PATH_REVERSE, 0, &c->path) != MSA_OK ||
        c->path.address.n > IPC_PATH_MAX) {
        smtp_reply(s, REPLY_SENDER_SYNTAX);
        return false;
    }
    enum params_result result =
        params_parse_mail(args, smtp_offered_params(s), &c->params, &culprit);
    if (result != PARAMS_OK)
        smtp_refuse_param(s, result, culprit);
    return result == PARAMS_OK;
}

/* RFC 4865: HOLDFOR in seconds, HOLDUNTIL as a date; 0 in `*until_ms_out` for neither. */
static bool judge_hold(struct smtp_session *s, const struct mail_params *p, int64_t *until_ms_out)
{
    uint64_t max_s = (uint64_t)(s->site->config->submission.future_release_ms / 1000);
    int64_t now_s = clock_wall_s();
    uint64_t hold_s = 0;
    *until_ms_out = 0;
    if (p->seen & PARAM_HOLDFOR)
        hold_s = p->hold_for_s;
    else if ((p->seen & PARAM_HOLDUNTIL) && p->hold_until_s > now_s)
        hold_s = (uint64_t)(p->hold_until_s - now_s);
    if (hold_s > max_s) {
        smtp_reply(s, REPLY_HOLD_TOO_LONG);
        return false;
    }
    if (hold_s > 0)
        *until_ms_out = clock_wall_ms() + (int64_t)hold_s * 1000;
    return true;
}

static bool judge(struct smtp_session *s, const struct mail_command *c)
{
    const struct config_limits *limits = &s->site->config->limits;
    struct buf number;
    if (c->path.is_utf8 && !(c->params.seen & PARAM_SMTPUTF8)) {
        smtp_reply(s, REPLY_SENDER_NEEDS_UTF8);
        return false;
    }
    if (c->params.size_bytes <= limits->message_bytes)
        return true;
    buf_init(&number, 32);
    buf_add_u64(&number, limits->message_bytes);
    smtp_reply_with(s, REPLY_SIZE_TOO_BIG, buf_view(&number));
    buf_fini(&number);
    return false;
}

static bool begin(struct smtp_session *s, const struct mail_command *c, int64_t hold_until_ms)
{
    if (!smtp_txn_begin(s))
        return false;
    struct smtp_txn *t = s->txn;
    t->sender = arena_copy(&t->arena, c->path.address);
    t->envid = arena_copy(&t->arena, c->params.envid);
    t->body_type = c->params.body;
    t->ret = c->params.ret;
    t->is_smtputf8 = (c->params.seen & PARAM_SMTPUTF8) != 0;
    t->is_requiretls = (c->params.seen & PARAM_REQUIRETLS) != 0;
    t->declared_bytes = c->params.size_bytes;
    t->hold_until_ms = hold_until_ms;
    return t->sender.n == c->path.address.n && t->envid.n == c->params.envid.n;
}

static void ask_mail(struct smtp_session *s)
{
    const struct msg_policy_mail_ask m = {
        .session = s->id,
        .account = s->account,
        .login = view_cstr(s->login),
        .created_ms = s->account_created_ms,
        .client_ip = s->client_ip,
        .listener = view_cstr(s->listener),
        .sender = s->txn->sender,
        .declared_bytes = s->txn->declared_bytes,
    };
    if (s->site->host->ask_mail(s, &m) != MSA_OK) {
        smtp_txn_drop(s);
        smtp_reply(s, REPLY_POLICY_AWAY);
    } else {
        s->txn->is_told = true;
        smtp_wait_begin(s, WAIT_MAIL);
    }
}

void smtp_cmd_mail(struct smtp_session *s, struct view args)
{
    struct mail_command c;
    int64_t hold_until_ms;
    if (s->message_count >= s->site->config->limits.message_count) {
        smtp_end_with(s, REPLY_TOO_MANY_MESSAGES, VIEW_EMPTY, "messages");
        return;
    }
    if (!parse(s, args, &c) || !judge(s, &c) || !judge_hold(s, &c.params, &hold_until_ms))
        return;
    if (begin(s, &c, hold_until_ms)) {
        ask_mail(s);
        return;
    }
    smtp_txn_drop(s);
    smtp_reply(s, REPLY_NO_MEMORY);
}

static void after_mail(struct smtp_session *s, enum policy_verdict verdict, struct view text)
{
    if (verdict == VERDICT_ALLOW) {
        s->message_count++;
        smtp_enter_phase(s, PHASE_MAIL);
        smtp_reply(s, REPLY_SENDER_OK);
        return;
    }
    event_sender_refused(s, verdict, text);
    smtp_txn_drop(s);
    if (verdict == VERDICT_CLOSE)
        smtp_end_with(s, REPLY_QUOTA_CLOSED, text, "sender-closed");
    else
        smtp_reply_with(s, verdict == VERDICT_DEFER ? REPLY_SENDER_DEFERRED : REPLY_SENDER_REFUSED,
                        text);
}

void smtp_session_on_mail(struct smtp_session *s, const struct msg_policy_mail_answer *a)
{
    if (!smtp_wait_end(s, WAIT_MAIL))
        return;
    if (a && a->rewritten_sender.n > 0) {
        s->txn->sender = arena_copy(&s->txn->arena, a->rewritten_sender);
        if (s->txn->sender.n == 0)
            a = NULL;
    }
    if (!a) {
        smtp_txn_drop(s);
        smtp_reply(s, REPLY_POLICY_AWAY);
    } else {
        smtp_delay(s, a->delay_ms, (enum policy_verdict)a->verdict, a->text, after_mail);
    }
    smtp_go_on(s);
}
