#include "relay/notice.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "relay/change.h"
#include "relay/hold.h"

int notice_on_hold_ask(void *owner, struct chan *c, struct chan_message *m)
{
    struct relay *r = owner;
    struct msg_relay_hold_ask q;
    int err = msg_relay_hold_ask_decode(m->payload, &q);
    if (err < 0)
        return err;
    const struct msg_relay_hold_answer answer = {
        .message_count = hold_account(r, q.account, q.held_for & HELD_FOR_ALL, q.is_held),
    };
    struct log_line line;
    log_begin(&line, LOG_LEVEL_INFO, q.is_held ? "account-held" : "account-released");
    log_num(&line, "account", (int64_t)q.account);
    log_num(&line, "messages", answer.message_count);
    log_end(&line);
    (void)CHAN_SEND(c, relay_hold_answer, m->id, &answer);
    return MSA_OK;
}

/* ---- notices ---- */

struct notice_ask {
    struct relay *relay;
    uint64_t ask_id;
};

static void answer_notice(struct relay *r, uint64_t ask_id, bool is_queued)
{
    const struct msg_relay_notice_answer answer = {.is_queued = is_queued};
    if (r->policy)
        (void)CHAN_SEND(r->policy, relay_notice_answer, ask_id, &answer);
}

static void on_notice_kept(void *arg, int err)
{
    struct notice_ask *ask = arg;
    if (err < 0)
        log_msg(LOG_LEVEL_WARN, "queue-trouble", "a notice was not kept: %s", msa_strerror(err));
    answer_notice(ask->relay, ask->ask_id, err == MSA_OK);
    free(ask);
}

static uint32_t count_items(struct view list)
{
    struct view item;
    uint32_t count = 0;
    while (items_next(&list, &item))
        count++;
    return count;
}

static int take_recipients(struct message *m, struct view list)
{
    struct view item;
    uint32_t count = count_items(list);
    m->rcpts = count > 0 ? arena_alloc(&m->arena, count * sizeof *m->rcpts) : NULL;
    if (!m->rcpts)
        return count > 0 ? MSA_ENOMEM : MSA_EPROTO;
    while (items_next(&list, &item)) {
        struct msg_recipient r;
        if (msg_recipient_decode(item, &r) < 0 || r.path.n == 0 || !message_is_safe_path(r.path))
            return MSA_EPROTO;
        m->rcpts[m->rcpt_count++] = (struct message_rcpt){.path = r.path, .notify = NOTIFY_NEVER};
    }
    return list.n == 0 ? MSA_OK : MSA_EPROTO;
}

static bool has_8bit(struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        if ((unsigned char)v.p[i] > 127)
            return true;
    }
    return false;
}

/* `text` is a whole message: header, empty line, body, with CRLF. */
static int fill(struct message *m, struct view payload)
{
    struct msg_relay_notice_ask q;
    struct view copy = arena_copy(&m->arena, payload);
    if (copy.n != payload.n)
        return MSA_ENOMEM;
    int err = msg_relay_notice_ask_decode(copy, &q);
    if (err < 0 || !message_is_safe_path(q.sender))
        return MSA_EPROTO;
    const char *end = q.text.n > 0 ? memmem(q.text.p, q.text.n, "\r\n\r\n", 4) : NULL;
    m->id = msgid_next();
    m->sender = q.sender;
    m->flags = MESSAGE_OURS;
    m->arrival_ms = m->next_attempt_ms = clock_wall_ms();
    m->body_type = has_8bit(q.text) ? BODY_8BITMIME : BODY_7BIT;
    m->header_bytes = end ? (uint64_t)(end - q.text.p) + 2 : q.text.n;
    m->content.memory = q.text; /* in the arena, like everything of it */
    return take_recipients(m, q.recipients);
}

static int make_notice(struct view payload, struct message **out)
{
    struct message *m = message_new();
    int err = m ? fill(m, payload) : MSA_ENOMEM;
    if (err < 0)
        message_free(&m);
    *out = m;
    return err;
}

int notice_on_notice_ask(void *owner, struct chan *c, struct chan_message *msg)
{
    (void)c;
    struct relay *r = owner;
    struct message *m;
    int err = make_notice(msg->payload, &m);
    if (err == MSA_EPROTO)
        return err;
    struct notice_ask *ask = err == MSA_OK ? calloc(1, sizeof *ask) : NULL;
    struct change *change = ask ? change_new(r, on_notice_kept, ask) : NULL;
    if (!change) {
        message_free(&m);
        free(ask);
        answer_notice(r, msg->id, false);
        return MSA_OK;
    }
    *ask = (struct notice_ask){r, msg->id};
    if (change_insert(change, m, CHANGE_OURS) < 0) {
        change_free(&change);
        on_notice_kept(ask, MSA_ENOMEM);
        return MSA_OK;
    }
    change_submit(change);
    return MSA_OK;
}
