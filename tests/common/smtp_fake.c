#include "tests/common/smtp_fake.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msa/base/assert.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "smtp/deadlines.h"

#define LOGIN    "taro@example.jp"
#define PASSWORD "secret"

const char *const fake_kind_names[FAKE_KIND_COUNT] = {
    [FAKE_CONNECT] = "connect", [FAKE_AUTH] = "auth",   [FAKE_LOGIN] = "login",
    [FAKE_MAIL] = "mail",       [FAKE_QUOTA] = "quota", [FAKE_BODY] = "body",
    [FAKE_SCORE] = "score",     [FAKE_ROUTE] = "route", [FAKE_ACCEPT] = "accept",
};

int fake_kind_of(struct view name)
{
    for (int i = 0; i < FAKE_KIND_COUNT; i++)
        if (view_eq(name, view_cstr(fake_kind_names[i])))
            return i;
    return -1;
}

static struct fake *fake_of(const struct smtp_session *s)
{
    return s->owner;
}

/* ---- the client ---------------------------------------------------------------------------------- */

static void fake_write(struct smtp_session *s, struct view bytes)
{
    MSA_ASSERT(!fake_of(s)->is_closed);
    buf_add(&fake_of(s)->out, bytes);
    fake_of(s)->write_count++;
}

static size_t fake_output_len(const struct smtp_session *s)
{
    return fake_of(s)->output_len;
}

static int fake_start_tls(struct smtp_session *s)
{
    return buf_len(s->in) > 0 || fake_of(s)->fails_tls ? MSA_EPROTO : MSA_OK;
}

static const struct tls_facts *fake_tls_facts(const struct smtp_session *s)
{
    return s->flags & SMTP_TLS ? &fake_of(s)->tls : NULL;
}

static void fake_close(struct smtp_session *s, bool is_abort)
{
    struct fake *f = fake_of(s);
    MSA_ASSERT(!f->is_closed);
    f->is_closed = true;
    f->is_abort = is_abort;
}

static void fake_over(struct smtp_session *s)
{
    MSA_ASSERT(!fake_of(s)->is_over);
    fake_of(s)->is_over = true;
}

static void fake_moved(struct smtp_session *s, const struct ipaddr *from)
{
    char old[IPADDR_TEXT_MAX], now[IPADDR_TEXT_MAX];
    ipaddr_format(from, old);
    ipaddr_format(&s->client_ip, now);
    buf_addf(&fake_of(s)->asked, "moved from=%s to=%s\n", old, now);
}

static void fake_authenticated(struct smtp_session *s)
{
    (void)s;
}

/* ---- questions ----------------------------------------------------------------------------------- */

static int ask(struct smtp_session *s, enum fake_kind kind)
{
    struct fake *f = fake_of(s);
    if (f->is_away[kind])
        return MSA_ECLOSED;
    MSA_ASSERT(f->open == FAKE_KIND_COUNT);
    f->open = kind;
    return MSA_OK;
}

#define NOTE(s, ...) buf_addf(&fake_of(s)->asked, __VA_ARGS__)
#define V(view)      (int)(view).n, (view).p ? (view).p : ""

static int fake_ask_connect(struct smtp_session *s, const struct msg_policy_connect_ask *m)
{
    char ip[IPADDR_TEXT_MAX];
    ipaddr_format(&m->client_ip, ip);
    NOTE(s, "connect ip=%s listener=%.*s\n", ip, V(m->listener));
    return ask(s, FAKE_CONNECT);
}

static int fake_ask_login(struct smtp_session *s, const struct msg_policy_login_ask *m)
{
    NOTE(s, "login result=%u account=%u login=%.*s mechanism=%.*s helo=%.*s tls=%d\n", m->result,
         (unsigned)m->account, V(m->login), V(m->mechanism), V(m->helo), m->is_tls);
    return ask(s, FAKE_LOGIN);
}

static int fake_ask_mail(struct smtp_session *s, const struct msg_policy_mail_ask *m)
{
    NOTE(s, "mail sender=<%.*s> size=%u login=%.*s\n", V(m->sender), (unsigned)m->declared_bytes, V(m->login));
    int err = ask(s, FAKE_MAIL);
    fake_of(s)->transactions += err == MSA_OK;
    return err;
}

static void note_recipients(struct smtp_session *s, struct view list)
{
    struct view item;
    struct msg_recipient r;
    while (items_next(&list, &item)) {
        MSA_ASSERT(msg_recipient_decode(item, &r) == MSA_OK);
        NOTE(s, " rcpt=<%.*s>,%u,%.*s", V(r.path), r.notify, V(r.orcpt));
    }
    MSA_ASSERT(list.n == 0);
    NOTE(s, "\n");
}

static int fake_ask_quota(struct smtp_session *s, const struct msg_policy_quota_ask *m)
{
    NOTE(s, "quota sender=<%.*s> count=%u", V(m->sender), m->recipient_count);
    note_recipients(s, m->recipients);
    return ask(s, FAKE_QUOTA);
}

static int fake_ask_score(struct smtp_session *s, const struct msg_score_ask *m, int fd)
{
    NOTE(s, "score sender=<%.*s> header=%u size=%u fd=%d\n", V(m->sender),
         (unsigned)m->header_bytes, (unsigned)m->body_bytes, fd >= 0);
    return ask(s, FAKE_SCORE);
}

static int fake_ask_route(struct smtp_session *s, const struct msg_policy_route_ask *m)
{
    char authors[512];
    snprintf(authors, sizeof authors, "%.*s", V(m->authors));
    for (char *c = authors; *c; c++)
        *c = *c == '\n' ? ';' : *c;
    NOTE(s, "route sender=<%.*s> authors=%s header_sender=%.*s findings=%x scored=%d score=%d action=%u found=%.*s\n",
         V(m->sender), authors, V(m->header_sender), m->header_findings, m->is_scored,
         (int)m->score_milli, m->score_action, V(m->findings));
    fake_of(s)->asked_score_milli = m->score_milli;
    return ask(s, FAKE_ROUTE);
}

static int file_of(struct view body)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    MSA_ASSERT(fd != -1 && write(fd, body.p, body.n) == (ssize_t)body.n);
    return fd;
}

static int fake_ask_accept(struct smtp_session *s, const struct msg_relay_accept_ask *m, int fd)
{
    struct fake *f = fake_of(s);
    NOTE(s, "accept pool=%.*s held=%d large=%d sender=<%.*s> body=%u utf8=%d requiretls=%d ret=%u "
            "envid=%.*s hold=%d score=%d found=%.*s count=%u",
         V(m->pool), m->held_for != 0, m->is_large, V(m->sender), m->body_type, m->is_smtputf8, m->is_requiretls,
         m->dsn_ret, V(m->dsn_envid), m->hold_until_ms != 0, (int)m->score_milli, V(m->findings), m->recipient_count);
    note_recipients(s, m->recipients);
    if (f->accept_fd != -1)
        close(f->accept_fd);
    f->accept_fd = fd != -1 ? fd : file_of(m->body);
    buf_reset(&f->prepend);
    buf_add(&f->prepend, m->prepend);
    f->header_bytes = m->header_bytes;
    f->body_bytes = m->body_bytes;
    return ask(s, FAKE_ACCEPT);
}

static int fake_auth_start(struct smtp_session *s, const struct msg_auth_start *m)
{
    struct fake *f = fake_of(s);
    NOTE(s, "auth mechanism=%.*s initial=%s binding=%u\n", V(m->mechanism),
         m->has_initial ? "yes" : "no", (unsigned)m->binding_exporter.n);
    view_to_cstr(m->mechanism, f->auth_mechanism, sizeof f->auth_mechanism);
    f->auth_step = m->has_initial ? 1 : 0;
    buf_reset(&f->auth_input);
    buf_add(&f->auth_input, m->initial);
    return ask(s, FAKE_AUTH);
}

static int fake_auth_step(struct smtp_session *s, const struct msg_auth_step *m)
{
    struct fake *f = fake_of(s);
    NOTE(s, "step size=%u\n", (unsigned)m->response.n);
    f->auth_step++;
    buf_reset(&f->auth_input);
    buf_add(&f->auth_input, m->response);
    return ask(s, FAKE_AUTH);
}

static void fake_auth_abort(struct smtp_session *s)
{
    fake_of(s)->auth_aborts++;
    if (fake_of(s)->open == FAKE_AUTH)
        fake_of(s)->open = FAKE_KIND_COUNT;
}

static void fake_cancel(struct smtp_session *s)
{
    struct fake *f = fake_of(s);
    if (f->open != FAKE_AUTH)
        f->open = FAKE_KIND_COUNT;
}

static void fake_settle(struct smtp_session *s, const struct msg_policy_settle *m)
{
    struct fake *f = fake_of(s);
    MSA_ASSERT(m->session == s->id && f->transactions_over < f->transactions);
    f->transactions_over++;
    if (m->reservation == 0) {
        MSA_ASSERT(!m->is_kept);
        return;
    }
    MSA_ASSERT(m->reservation == f->reserved && f->kept + f->given_back < f->reserved);
    if (m->is_kept)
        f->kept++;
    else
        f->given_back++;
    NOTE(s, "settle %s msg-id=%.*s\n", m->is_kept ? "kept" : "back", V(m->message_id));
}

static void fake_disconnect(struct smtp_session *s)
{
    fake_of(s)->disconnects++;
    NOTE(s, "disconnect\n");
}

static int make_body(struct fake *f)
{
    return f->is_disk_full ? open("/dev/full", O_RDWR | O_CLOEXEC)
                           : memfd_create("body", MFD_CLOEXEC);
}

/* A descriptor is there at once, unless the kind is held or has an answer waiting. */
static enum smtp_stock fake_take_body(struct smtp_session *s, bool is_large, int *fd_out)
{
    struct fake *f = fake_of(s);
    NOTE(s, "body large=%d\n", is_large);
    if (f->is_away[FAKE_BODY])
        return STOCK_REFUSED;
    if (f->is_held[FAKE_BODY] || f->answers[FAKE_BODY].is_set) {
        f->wants_large = is_large;
        return ask(s, FAKE_BODY) == MSA_OK ? STOCK_LATER : STOCK_REFUSED;
    }
    *fd_out = make_body(f);
    return *fd_out == -1 ? STOCK_REFUSED : STOCK_TAKEN;
}

static void fake_put_body(struct smtp_session *s, int fd, bool is_large)
{
    NOTE(s, "put large=%d empty=%d\n", is_large, lseek(fd, 0, SEEK_END) == 0);
    close(fd);
}

static const struct smtp_host fake_host = {
    .write = fake_write,
    .output_len = fake_output_len,
    .start_tls = fake_start_tls,
    .tls_facts = fake_tls_facts,
    .close = fake_close,
    .over = fake_over,
    .moved = fake_moved,
    .authenticated = fake_authenticated,
    .ask_connect = fake_ask_connect,
    .ask_login = fake_ask_login,
    .ask_mail = fake_ask_mail,
    .ask_quota = fake_ask_quota,
    .ask_score = fake_ask_score,
    .ask_route = fake_ask_route,
    .ask_accept = fake_ask_accept,
    .auth_start = fake_auth_start,
    .auth_step = fake_auth_step,
    .auth_abort = fake_auth_abort,
    .cancel = fake_cancel,
    .settle = fake_settle,
    .disconnect = fake_disconnect,
    .take_body = fake_take_body,
    .put_body = fake_put_body,
};

/* ---- answers ------------------------------------------------------------------------------------- */

static void answer_connect(struct fake *f, const struct fake_answer *a)
{
    const struct msg_policy_connect_answer m = {
        .verdict = (uint8_t)a->code,
        .delay_ms = a->delay_ms,
        .country = VIEW_LIT("JP"),
        .text = view_cstr(a->text),
    };
    smtp_session_on_connect(&f->session, a->is_lost ? NULL : &m);
}

/* What OAUTHBEARER's clients hear before 535; nobody else does. */
static struct view refusal_of(const struct fake *f)
{
    return strcmp(f->auth_mechanism, "OAUTHBEARER") == 0 ? VIEW_LIT("{\"status\":\"invalid_token\"}") : VIEW_EMPTY;
}

static void say_auth_done(struct fake *f, enum auth_result result, const char *login, const char *final)
{
    const struct msg_auth_done m = {
        .session = f->session.id,
        .result = (uint8_t)result,
        .account = result == AUTH_OK ? FAKE_ACCOUNT : 0,
        .login = view_cstr(login),
        .final_challenge = view_cstr(final),
        .credential = f->credential,
        .refusal_challenge = refusal_of(f),
    };
    smtp_session_on_auth_done(&f->session, &m);
}

static void say_challenge(struct fake *f, const char *text)
{
    const struct msg_auth_challenge m = {.session = f->session.id, .challenge = view_cstr(text)};
    smtp_session_on_challenge(&f->session, &m);
}

/* One message, good or not. */
static void judge_message(struct fake *f, struct view good)
{
    bool is_good = view_eq(buf_view(&f->auth_input), good);
    if (f->auth_step == 0)
        say_challenge(f, "");
    else
        say_auth_done(f, is_good ? AUTH_OK : AUTH_BAD_CREDENTIALS, LOGIN, "");
}

static void judge_login(struct fake *f)
{
    struct view in = buf_view(&f->auth_input);
    if (f->auth_step == 0) {
        say_challenge(f, "Username:");
    } else if (f->auth_step == 1) {
        view_to_cstr(in, f->auth_name, sizeof f->auth_name);
        say_challenge(f, "Password:");
    } else {
        bool is_good = strcmp(f->auth_name, LOGIN) == 0 && view_eq(in, VIEW_LIT(PASSWORD));
        say_auth_done(f, is_good ? AUTH_OK : AUTH_BAD_CREDENTIALS, f->auth_name, "");
    }
}

/* The course of it, without the arithmetic: the proof is the password itself. */
static void judge_scram(struct fake *f)
{
    bool is_good = view_eq(buf_view(&f->auth_input), VIEW_LIT(PASSWORD));
    if (f->auth_step < 2)
        say_challenge(f, f->auth_step == 0 ? "" : "r=nonce,s=c2FsdA==,i=4096");
    else
        say_auth_done(f, is_good ? AUTH_OK : AUTH_BAD_CREDENTIALS, LOGIN, is_good ? "v=proof" : "");
}

static void answer_auth(struct fake *f, const struct fake_answer *a)
{
    if (a->is_lost)
        smtp_session_on_auth_lost(&f->session);
    else if (a->is_set)
        say_auth_done(f, (enum auth_result)a->code, LOGIN, a->text);
    else if (strcmp(f->auth_mechanism, "PLAIN") == 0)
        judge_message(f, VIEW_LIT("\0" LOGIN "\0" PASSWORD));
    else if (strcmp(f->auth_mechanism, "LOGIN") == 0)
        judge_login(f);
    else if (strcmp(f->auth_mechanism, "SCRAM-SHA-256") == 0)
        judge_scram(f);
    else if (strcmp(f->auth_mechanism, "OAUTHBEARER") == 0)
        judge_message(f, VIEW_LIT("n,,\x01" "auth=Bearer good\x01\x01"));
    else
        say_auth_done(f, AUTH_NO_MECHANISM, "", "");
}

static void answer_login(struct fake *f, const struct fake_answer *a)
{
    const struct msg_policy_login_answer m = {
        .verdict = (uint8_t)a->code,
        .delay_ms = a->delay_ms,
        .may_score_content = a->may_score,
        .may_normalize_newlines = a->may_normalize,
        .text = view_cstr(a->text),
    };
    smtp_session_on_login(&f->session, a->is_lost ? NULL : &m);
}

static void answer_mail(struct fake *f, const struct fake_answer *a)
{
    bool is_allowed = a->code == VERDICT_ALLOW;
    const struct msg_policy_mail_answer m = {
        .verdict = (uint8_t)a->code,
        .delay_ms = a->delay_ms,
        .text = is_allowed ? VIEW_EMPTY : view_cstr(a->text),
        .rewritten_sender = is_allowed ? view_cstr(a->text) : VIEW_EMPTY,
    };
    smtp_session_on_mail(&f->session, a->is_lost ? NULL : &m);
}

static void answer_quota(struct fake *f, const struct fake_answer *a)
{
    bool is_reserved = !a->is_lost && a->code == VERDICT_ALLOW;
    /* a policy process that is younger than MAIL hears of the transaction only now */
    f->transactions += is_reserved && f->transactions_over == f->transactions;
    const struct msg_policy_quota_answer m = {
        .verdict = (uint8_t)a->code,
        .delay_ms = a->delay_ms,
        .reservation = is_reserved ? ++f->reserved : 0,
        .text = view_cstr(a->text),
    };
    smtp_session_on_quota(&f->session, a->is_lost ? NULL : &m);
}

static void answer_score(struct fake *f, const struct fake_answer *a)
{
    const struct msg_score_answer m = {
        .is_scored = true,
        .score_milli = a->score_milli,
        .added_header = view_cstr(a->text),
        .findings = VIEW_LIT("FAKE 1.0"),
        .action = a->code == VERDICT_REFUSE ? SCORE_ACTION_REFUSE : SCORE_ACTION_NONE,
    };
    smtp_session_on_score(&f->session, a->is_lost ? NULL : &m);
}

static void answer_route(struct fake *f, const struct fake_answer *a)
{
    const struct msg_policy_route_answer m = {
        .verdict = (uint8_t)a->code,
        .delay_ms = a->delay_ms,
        .pool = VIEW_LIT("main"),
        .held_for = a->is_held ? HELD_FOR_RULE : 0,
        .sender_field = a->sender_field,
        .text = view_cstr(a->text),
        .score_milli = f->asked_score_milli + a->score_milli,
    };
    smtp_session_on_route(&f->session, a->is_lost ? NULL : &m);
}

static void answer_accept(struct fake *f, const struct fake_answer *a)
{
    const struct msg_relay_accept_answer m = {
        .result = (uint8_t)a->code,
        .code = a->foreign_code ? a->foreign_code : 250,
        .enhanced = view_cstr(a->enhanced),
        .text = view_cstr(a->text),
    };
    smtp_session_on_accept(&f->session, a->is_lost ? NULL : &m);
}

void fake_answer_open(struct fake *f)
{
    enum fake_kind kind = f->open;
    MSA_ASSERT(kind != FAKE_KIND_COUNT);
    struct fake_answer a = f->answers[kind];
    f->answers[kind] = (struct fake_answer){.is_set = false};
    f->open = FAKE_KIND_COUNT;
    switch (kind) {
    case FAKE_CONNECT: answer_connect(f, &a); break;
    case FAKE_AUTH: answer_auth(f, &a); break;
    case FAKE_LOGIN: answer_login(f, &a); break;
    case FAKE_MAIL: answer_mail(f, &a); break;
    case FAKE_QUOTA: answer_quota(f, &a); break;
    case FAKE_BODY: smtp_session_on_body(&f->session, a.is_lost ? -1 : make_body(f)); break;
    case FAKE_SCORE: answer_score(f, &a); break;
    case FAKE_ROUTE: answer_route(f, &a); break;
    case FAKE_ACCEPT: answer_accept(f, &a); break;
    case FAKE_KIND_COUNT: break;
    }
}

void fake_pump(struct fake *f)
{
    do {
        while (f->open != FAKE_KIND_COUNT && !f->is_held[f->open])
            fake_answer_open(f);
        if (f->output_len == 0 && !f->is_closed && f->session.output_since_ms != SMTP_NEVER)
            smtp_session_on_drained(&f->session);
    } while (f->open != FAKE_KIND_COUNT && !f->is_held[f->open]);
}

void fake_lose(struct fake *f, enum fake_kind kind)
{
    bool is_policy = kind == FAKE_CONNECT || kind == FAKE_LOGIN || kind == FAKE_MAIL ||
                     kind == FAKE_QUOTA || kind == FAKE_ROUTE;
    f->is_away[kind] = true;
    f->is_held[kind] = false;
    if (kind == FAKE_AUTH) {
        if (f->open == FAKE_AUTH)
            f->open = FAKE_KIND_COUNT;
        smtp_session_on_auth_lost(&f->session);
    }
    if (is_policy) {
        smtp_session_on_policy_lost(&f->session);
        f->given_back = f->reserved - f->kept; /* they went with it */
        f->transactions_over = f->transactions;
    }
    if (f->open == kind) {
        f->answers[kind].is_lost = true;
        fake_answer_open(f);
    }
}

/* ---- life ---------------------------------------------------------------------------------------- */

void fake_init(struct fake *f, const struct config *config)
{
    *f = (struct fake){
        .site = {.config = config, .host = &fake_host, .has_tls = true},
        .open = FAKE_KIND_COUNT,
        .accept_fd = -1,
        .tls = {.version = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384", .bits = 256,
                .exporter_len = 32},
    };
    buf_init(&f->in, 1 << 20);
    buf_init(&f->out, 1 << 20);
    buf_init(&f->asked, 8 << 20);
    buf_init(&f->auth_input, 1 << 16);
    buf_init(&f->prepend, 1 << 16);
}

void fake_start(struct fake *f, unsigned flags, const char *ip)
{
    struct smtp_arrival arrival = {.port = 50000, .listener = "test", .flags = flags};
    MSA_ASSERT(ipaddr_parse(view_cstr(ip), &arrival.ip));
    smtp_session_init(&f->session, &f->site, f, &f->in, &arrival);
    f->is_started = true;
    smtp_session_start(&f->session);
}

void fake_send(struct fake *f, struct view bytes)
{
    if (f->is_closed || f->is_over)
        return;
    buf_add(&f->in, bytes);
    smtp_session_on_input(&f->session);
}

void fake_finish_tls(struct fake *f)
{
    MSA_ASSERT(f->session.wait == WAIT_TLS);
    smtp_session_on_tls(&f->session);
}

void fake_eof(struct fake *f)
{
    if (f->is_closed)
        return;
    f->is_closed = true;
    smtp_session_on_gone(&f->session, "eof");
}

void fake_pass(struct fake *f, int64_t ms)
{
    int64_t until_ms = clock_mono_ms() + ms;
    while (!f->is_over && smtp_session_deadline(&f->session) <= until_ms) {
        int64_t at_ms = smtp_session_deadline(&f->session);
        if (at_ms > clock_mono_ms())
            clock_advance_for_test(at_ms - clock_mono_ms());
        smtp_session_on_deadline(&f->session);
        fake_pump(f);
    }
    if (until_ms > clock_mono_ms())
        clock_advance_for_test(until_ms - clock_mono_ms());
}

void fake_fini(struct fake *f)
{
    if (f->is_started) {
        if (!f->is_over)
            smtp_session_abandon(&f->session);
        MSA_ASSERT(f->is_over && f->kept + f->given_back == f->reserved);
        MSA_ASSERT(f->transactions_over == f->transactions);
        smtp_session_fini(&f->session);
    }
    if (f->accept_fd != -1)
        close(f->accept_fd);
    buf_fini(&f->in);
    buf_fini(&f->out);
    buf_fini(&f->asked);
    buf_fini(&f->auth_input);
    buf_fini(&f->prepend);
}
