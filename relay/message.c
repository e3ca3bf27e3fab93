#include "relay/message.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"

#define ARENA_MAX_BYTES (24u << 20) /* a recipient list of IPC_ITEMS_MAX and an answer for each */
#define SCRATCH_BYTES   4096

struct message *message_new(void)
{
    struct message *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    arena_init(&m->arena, ARENA_MAX_BYTES);
    content_init(&m->content);
    return m;
}

void message_free(struct message **m)
{
    if (!*m)
        return;
    content_fini(&(*m)->content);
    arena_fini(&(*m)->arena);
    free(*m);
    *m = NULL;
}

bool message_is_safe_path(struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        if ((unsigned char)v.p[i] < 0x20 || v.p[i] == 0x7f)
            return false;
    }
    return true;
}

/* xtext and the address type before it hold no space either, so a parameter stays one word. */
static bool is_safe_param(struct view v)
{
    return message_is_safe_path(v) && view_find(v, ' ') == v.n;
}

/* ---- what it is held for ---- */

static const struct {
    enum hold_reason reason;
    enum message_flag flag;
} hold_flags[] = {
    {HELD_FOR_ACCOUNT, MESSAGE_HELD_FOR_ACCOUNT},
    {HELD_FOR_RULE, MESSAGE_HELD_FOR_RULE},
    {HELD_FOR_ROUTE, MESSAGE_HELD_FOR_ROUTE},
    {HELD_FOR_OPERATOR, MESSAGE_HELD_FOR_OPERATOR},
};

unsigned message_held_for(unsigned flags)
{
    unsigned held_for = 0;
    for (size_t i = 0; i < sizeof hold_flags / sizeof hold_flags[0]; i++)
        held_for |= flags & hold_flags[i].flag ? hold_flags[i].reason : 0u;
    return held_for;
}

uint16_t message_flags_with(unsigned flags, unsigned held_for)
{
    flags &= ~(unsigned)MESSAGE_HELD;
    for (size_t i = 0; i < sizeof hold_flags / sizeof hold_flags[0]; i++)
        flags |= held_for & hold_flags[i].reason ? hold_flags[i].flag : 0u;
    return (uint16_t)flags;
}

/* ---- from an accept question ---- */

static int take_recipients(struct message *m, uint32_t count, struct view list)
{
    struct view item;
    if (count == 0 || count > MESSAGE_RCPTS_MAX)
        return MSA_EPROTO;
    m->rcpts = arena_alloc(&m->arena, count * sizeof *m->rcpts);
    if (!m->rcpts)
        return MSA_ENOMEM;
    while (items_next(&list, &item)) {
        struct msg_recipient r;
        if (msg_recipient_decode(item, &r) < 0 || m->rcpt_count == count)
            return MSA_EPROTO;
        if (r.path.n == 0 || !message_is_safe_path(r.path) || !is_safe_param(r.orcpt))
            return MSA_EPROTO;
        m->rcpts[m->rcpt_count++] =
            (struct message_rcpt){.path = r.path, .orcpt = r.orcpt, .notify = r.notify & 15};
    }
    return list.n == 0 && m->rcpt_count == count ? MSA_OK : MSA_EPROTO;
}

static unsigned flags_of(const struct msg_relay_accept_ask *q)
{
    return (q->is_smtputf8 ? MESSAGE_SMTPUTF8 : 0u) | (q->is_requiretls ? MESSAGE_REQUIRETLS : 0u) |
           (q->is_large ? MESSAGE_LARGE : 0u);
}

static int take_content(struct message *m, const struct msg_relay_accept_ask *q, int fd)
{
    m->content.prepend = q->prepend;
    m->content.memory = q->body;
    m->content.fd = fd;
    m->content.fd_bytes = q->body_bytes;
    m->header_bytes = q->prepend.n + q->header_bytes;
    if (q->header_bytes > q->body_bytes || q->body_bytes > INT64_MAX)
        return MSA_EPROTO;
    bool is_whole = fd >= 0 ? q->body.n == 0 : q->body.n == q->body_bytes && !q->is_large;
    return is_whole ? MSA_OK : MSA_EPROTO;
}

static int fill_from_accept(struct message *m, const struct msg_relay_accept_ask *q)
{
    if ((q->held_for & ~HELD_FOR_ALL) != 0 || !message_is_safe_path(q->sender) || !is_safe_param(q->dsn_envid) ||
        q->body_type > BODY_BINARYMIME || q->dsn_ret > RET_HDRS)
        return MSA_EPROTO;
    m->id = q->message;
    m->account = q->account;
    m->client_ip = q->client_ip;
    m->login = q->login;
    m->pool = q->pool;
    m->sender = q->sender;
    m->envid = q->dsn_envid;
    m->findings = q->findings;
    m->body_type = q->body_type;
    m->dsn_ret = q->dsn_ret;
    m->flags = message_flags_with(flags_of(q), q->held_for);
    m->arrival_ms = clock_wall_ms();
    m->hold_until_ms = q->hold_until_ms > m->arrival_ms ? q->hold_until_ms : 0;
    m->score_milli = q->score_milli;
    return take_recipients(m, q->recipient_count, q->recipients);
}

/* The payload is copied once, whole; every view of the message points into that copy. */
int message_from_accept(struct view payload, int fd, struct message **out)
{
    struct msg_relay_accept_ask q;
    struct message *m = message_new();
    *out = NULL;
    if (!m) {
        if (fd >= 0)
            close(fd);
        return MSA_ENOMEM;
    }
    m->content.fd = fd;
    struct view copy = arena_copy(&m->arena, payload);
    int err = copy.n == payload.n ? msg_relay_accept_ask_decode(copy, &q) : MSA_ENOMEM;
    if (err == MSA_OK)
        err = take_content(m, &q, fd);
    if (err == MSA_OK)
        err = fill_from_accept(m, &q);
    if (err < 0)
        message_free(&m);
    *out = m;
    return err;
}

/* ---- answers ---- */

/* What a smarthost says ends in logs, bounces and a terminal (CVE-2020-8794): printable ASCII only. */
static struct view printable(struct message *m, struct view text)
{
    char *p = arena_strview(&m->arena, view_slice(text, 0, MESSAGE_ANSWER_MAX));
    if (!p)
        return VIEW_EMPTY;
    size_t n = text.n < MESSAGE_ANSWER_MAX ? text.n : MESSAGE_ANSWER_MAX;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < 0x20 || p[i] > 0x7e)
            p[i] = p[i] == '\n' || p[i] == '\t' ? ' ' : '?';
    }
    return view_of(p, n);
}

static void put_answer(struct message_rcpt *r, uint16_t code, const char *enhanced, struct view text)
{
    r->answer.code = code;
    r->answer.text = text;
    view_to_cstr(view_slice(view_cstr(enhanced), 0, ENHANCED_TEXT_SIZE - 1), r->answer.enhanced,
                 sizeof r->answer.enhanced);
}

void message_clear_answers(struct message *m)
{
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (message_is_tried(&m->rcpts[i]))
            m->rcpts[i].answer = (struct answer){0};
    }
}

void message_answer(struct message *m, struct message_rcpt *r, uint16_t code, const char *enhanced,
                    struct view text)
{
    put_answer(r, code, enhanced, printable(m, text));
}

void message_answer_open(struct message *m, uint16_t code, const char *enhanced, struct view text)
{
    struct view shared = printable(m, text);
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        struct message_rcpt *r = &m->rcpts[i];
        if (message_is_tried(r) && r->answer.code == 0)
            put_answer(r, code, enhanced, shared);
    }
}

void message_settle(struct message *m)
{
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        struct message_rcpt *r = &m->rcpts[i];
        if (!message_is_tried(r))
            continue;
        if (r->answer.code >= 200 && r->answer.code < 300)
            r->state = RCPT_DELIVERED;
        else if (r->answer.code >= 500 && r->answer.code < 600)
            r->state = RCPT_FAILED;
    }
}

/* A 4xx that says something of a mailbox (X.1, X.2: RFC 3463) says nothing of the smarthost. */
static bool is_of_rcpt(const struct answer *a)
{
    return a->enhanced[0] && (a->enhanced[2] == '1' || a->enhanced[2] == '2');
}

bool message_asks_for_less(const struct message *m)
{
    bool is_any = false;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        const struct answer *a = &m->rcpts[i].answer;
        if (!message_is_tried(&m->rcpts[i]))
            continue;
        if (a->code < 400 || a->code >= 500 || is_of_rcpt(a))
            return false;
        is_any = true;
    }
    return is_any;
}

uint32_t message_count(const struct message *m, enum rcpt_state state)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->rcpt_count; i++)
        count += m->rcpts[i].state == state;
    return count;
}

/* ---- what is sent ---- */

uint64_t message_bytes(const struct message *m)
{
    return m->signature.n + content_bytes(&m->content);
}

int message_piece(const struct message *m, uint64_t offset, char *scratch, size_t scratch_bytes,
                  struct view *piece_out)
{
    if (offset >= m->signature.n)
        return content_piece(&m->content, offset - m->signature.n, scratch, scratch_bytes, piece_out);
    *piece_out = view_slice(m->signature, (size_t)offset, m->signature.n);
    return MSA_OK;
}

/* ---- SMTPUTF8 ---- */

static bool is_ascii(struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        if ((unsigned char)v.p[i] > 127)
            return false;
    }
    return true;
}

static bool is_envelope_ascii(const struct message *m)
{
    if (!is_ascii(m->sender))
        return false;
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (!is_ascii(m->rcpts[i].path))
            return false;
    }
    return true;
}

bool message_needs_smtputf8(const struct message *m)
{
    if (!is_envelope_ascii(m))
        return true;
    if (!message_has(m, MESSAGE_SMTPUTF8))
        return false;
    for (uint64_t at = 0; at < m->header_bytes;) {
        char scratch[SCRATCH_BYTES];
        struct view piece;
        if (content_piece(&m->content, at, scratch, sizeof scratch, &piece) < 0)
            return true; /* sending will meet the same failure */
        if (!is_ascii(view_slice(piece, 0, (size_t)(m->header_bytes - at))))
            return true;
        at += piece.n;
    }
    return false;
}
