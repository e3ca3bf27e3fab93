/* What a milter is told, step by step, as the MTA's side tells it (sendmail's libmilter/engine.c reads it). */
#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "policy/score/services/milter_private.h"

#define FRAME_BYTES (5 + MILTER_CHUNK_MAX)

static const struct step_spec {
    char command;
    uint32_t unwanted; /* protocol bits */
    uint32_t unreplied;
    uint32_t since_version;
} specs[MILTER_STEP_COUNT] = {
    [MILTER_STEP_OPTIONS] = {MILTER_OPTIONS, 0, 0, 0},
    [MILTER_STEP_CONNECT] = {MILTER_CONNECT, MILTER_NO_CONNECT, MILTER_NR_CONNECT, 0},
    [MILTER_STEP_HELO] = {MILTER_HELO, MILTER_NO_HELO, MILTER_NR_HELO, 0},
    [MILTER_STEP_MAIL] = {MILTER_MAIL, MILTER_NO_MAIL, MILTER_NR_MAIL, 0},
    [MILTER_STEP_RCPT] = {MILTER_RCPT, MILTER_NO_RCPT, MILTER_NR_RCPT, 0},
    [MILTER_STEP_DATA] = {MILTER_DATA, MILTER_NO_DATA, MILTER_NR_DATA, 4},
    [MILTER_STEP_HEADER] = {MILTER_HEADER, MILTER_NO_HEADERS, MILTER_NR_HEADERS, 0},
    [MILTER_STEP_EOH] = {MILTER_EOH, MILTER_NO_EOH, MILTER_NR_EOH, 0},
    [MILTER_STEP_BODY] = {MILTER_BODY, MILTER_NO_BODY, MILTER_NR_BODY, 0},
    [MILTER_STEP_END] = {MILTER_END, 0, 0, 0},
};

bool milter_step_is_wanted(const struct milter_job *m)
{
    const struct step_spec *s = &specs[m->step];
    return !(m->protocol & s->unwanted) && (m->version >= s->since_version);
}

bool milter_step_is_replied(const struct milter_job *m)
{
    return !(m->protocol & specs[m->step].unreplied);
}

/* ---- data ---- */

static void add_text(struct buf *data, struct view text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] != '\0')
            buf_add_char(data, text.p[i]);
    buf_add_char(data, '\0');
}

static void add_path(struct buf *data, struct view path)
{
    buf_add_char(data, '<');
    buf_add(data, path);
    buf_add_cstr(data, ">");
    buf_add_char(data, '\0');
}

static void add_u32(struct buf *data, uint32_t n)
{
    const char bytes[] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n};
    buf_append(data, bytes, sizeof bytes);
}

/* The name, which nobody has looked up, is the address in brackets. The port is not known here. */
static void add_connect(const struct milter_job *m, struct buf *data)
{
    const struct ipaddr *ip = &m->job->ask->request.client_ip;
    char text[IPADDR_TEXT_MAX];
    ipaddr_format(ip, text);
    if (ipaddr_is_none(ip)) {
        add_text(data, VIEW_LIT("unknown"));
        buf_add_char(data, 'U');
        return;
    }
    bool is_v4 = ipaddr_is_v4(ip);
    buf_addf(data, is_v4 ? "[%s]" : "[IPv6:%s]", text);
    buf_add_char(data, '\0');
    buf_add_char(data, is_v4 ? '4' : '6');
    buf_append(data, "\0\0", 2);
    buf_addf(data, is_v4 ? "%s" : "IPv6:%s", text);
    buf_add_char(data, '\0');
}

/* Folded lines end in LF alone, as sendmail and Postfix show them. */
static void add_field(struct milter_job *m, struct buf *data)
{
    const struct header_field *f = &m->header.fields[m->field_at];
    struct view value = header_field_body(&m->header, f);
    add_text(data, header_field_name(&m->header, f));
    if (!(m->protocol & MILTER_LEADING_SPACE))
        while (value.n > 0 && (value.p[0] == ' ' || value.p[0] == '\t'))
            value = view_slice(value, 1, value.n);
    for (size_t i = 0; i < value.n && buf_len(data) < MILTER_CHUNK_MAX - 1; i++) {
        bool is_crlf = value.p[i] == '\r' && i + 1 < value.n && value.p[i + 1] == '\n';
        if (value.p[i] != '\0' && !is_crlf)
            buf_add_char(data, value.p[i]);
        if (buf_len(data) == MILTER_CHUNK_MAX - 1)
            m->ignored |= MILTER_IGNORED_CUT;
    }
    buf_add_char(data, '\0');
}

/* False: this step has nothing more to tell. */
static bool add_data(struct milter_job *m, struct buf *data)
{
    const struct service_request *r = &m->job->ask->request;
    struct view item;
    struct msg_recipient recipient;
    switch (m->step) {
    case MILTER_STEP_OPTIONS:
        add_u32(data, MILTER_VERSION);
        add_u32(data, MILTER_ALL_ACTIONS);
        add_u32(data, MILTER_ALL_PROTOCOL);
        break;
    case MILTER_STEP_CONNECT: add_connect(m, data); break;
    case MILTER_STEP_HELO: add_text(data, r->helo); break;
    case MILTER_STEP_MAIL: add_path(data, r->sender); break;
    case MILTER_STEP_RCPT:
        if (!items_next(&m->recipients_left, &item) || msg_recipient_decode(item, &recipient) < 0)
            return false;
        add_path(data, recipient.path);
        break;
    case MILTER_STEP_HEADER:
        if (m->field_at >= m->header.field_count)
            return false;
        add_field(m, data);
        m->field_at++;
        break;
    default: break;
    }
    return true;
}

/* ---- macros ---- */

static void add_macro(struct buf *macros, const char *name, struct view value)
{
    if (value.n == 0)
        return;
    add_text(macros, view_cstr(name));
    add_text(macros, value);
}

static struct view domain_of(struct view path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '@')
        at--;
    return at > 0 ? view_slice(path, at, path.n) : VIEW_EMPTY;
}

static void add_connect_macros(const struct milter_job *m, struct buf *macros)
{
    const struct ipaddr *ip = &m->job->ask->request.client_ip;
    char text[IPADDR_TEXT_MAX];
    ipaddr_format(ip, text);
    add_macro(macros, "j", view_cstr(m->job->service->owner->hostname));
    add_macro(macros, "{daemon_name}", VIEW_LIT("msad"));
    add_macro(macros, "v", VIEW_LIT("msad " MSA_VERSION));
    if (!ipaddr_is_none(ip)) {
        add_macro(macros, "{client_addr}", view_cstr(text));
        add_macro(macros, "_", view_cstr(text));
    }
    add_macro(macros, "{client_name}", VIEW_LIT("unknown"));
}

/* {auth_type} says that somebody has signed in; how is not known here. */
static void add_mail_macros(const struct milter_job *m, struct buf *macros)
{
    const struct service_request *r = &m->job->ask->request;
    add_macro(macros, "{auth_type}", VIEW_LIT("SASL"));
    add_macro(macros, "{auth_authen}", r->login);
    add_macro(macros, "{auth_author}", r->login);
    add_macro(macros, "{mail_addr}", r->sender);
    add_macro(macros, "{mail_host}", domain_of(r->sender));
    add_macro(macros, "{mail_mailer}", VIEW_LIT("smtp"));
}

/* `data` is "<path>", NUL. */
static void add_rcpt_macros(struct view data, struct buf *macros)
{
    struct view path = view_slice(data, 1, data.n > 2 ? data.n - 2 : 0);
    add_macro(macros, "{rcpt_addr}", path);
    add_macro(macros, "{rcpt_host}", domain_of(path));
    add_macro(macros, "{rcpt_mailer}", VIEW_LIT("smtp"));
}

static void add_macros(const struct milter_job *m, struct view data, struct buf *macros)
{
    char id[MSGID_TEXT_MAX];
    msgid_format(m->job->ask->request.message, id);
    if (m->step >= MILTER_STEP_MAIL)
        add_macro(macros, "i", view_cstr(id));
    if (m->step == MILTER_STEP_CONNECT)
        add_connect_macros(m, macros);
    else if (m->step == MILTER_STEP_MAIL)
        add_mail_macros(m, macros);
    else if (m->step == MILTER_STEP_RCPT)
        add_rcpt_macros(data, macros);
    else if (m->step == MILTER_STEP_END)
        add_macro(macros, "{auth_authen}", m->job->ask->request.login);
}

/* Fields and pieces of the body have none of their own. */
static bool has_macros(const struct milter_job *m)
{
    return m->step != MILTER_STEP_OPTIONS && m->step != MILTER_STEP_HEADER;
}

/* ---- sending ---- */

static int send_command(struct milter_job *m, struct view data)
{
    struct buf out, macros;
    char command = specs[m->step].command;
    buf_init(&macros, 8192);
    buf_init(&out, 8192 + FRAME_BYTES);
    if (has_macros(m)) {
        buf_add_char(&macros, command);
        add_macros(m, data, &macros);
        if (buf_len(&macros) > 1)
            milter_frame_add(&out, MILTER_MACRO, buf_view(&macros));
    }
    milter_frame_add(&out, command, data);
    int err = buf_failed(&macros) || buf_failed(&out) ? MSA_ENOMEM
                                                      : conn_write(m->conn, buf_view(&out));
    buf_fini(&macros);
    buf_fini(&out);
    return err;
}

/* A piece goes from the descriptor to the socket; only its frame's head is made here. */
static int send_body(struct milter_job *m)
{
    const struct service_request *r = &m->job->ask->request;
    uint64_t left = r->body_bytes - m->body_at;
    uint32_t n = (uint32_t)(left < MILTER_CHUNK_MAX ? left : MILTER_CHUNK_MAX) + 1;
    const char head[] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n, MILTER_BODY};
    if (left == 0)
        return 0;
    int err = conn_write(m->conn, view_of(head, sizeof head));
    if (err == MSA_OK)
        err = conn_write_file(m->conn, r->fd, m->body_at, n - 1);
    m->body_at += n - 1;
    return err < 0 ? err : 1;
}

int milter_send_next(struct milter_job *m)
{
    struct buf data;
    int sent = 0;
    if (m->step == MILTER_STEP_BODY)
        return send_body(m);
    buf_init(&data, MILTER_CHUNK_MAX);
    if (add_data(m, &data)) {
        int err = buf_failed(&data) ? MSA_ENOMEM : send_command(m, buf_view(&data));
        sent = err < 0 ? err : 1;
    }
    buf_fini(&data);
    return sent;
}

void milter_send_quit(struct milter_job *m)
{
    struct buf out;
    buf_init(&out, 64);
    if (m->step < MILTER_STEP_END)
        milter_frame_add(&out, MILTER_ABORT, VIEW_EMPTY);
    milter_frame_add(&out, MILTER_QUIT, VIEW_EMPTY);
    (void)conn_write(m->conn, buf_view(&out));
    buf_fini(&out);
}
