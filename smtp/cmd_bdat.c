/* BDAT (RFC 3030): the message in chunks of counted octets. A chunk that is refused is read all the same, since
 * its octets are on their way; where the count cannot be understood, nobody knows where the next
 * command begins, and the session ends. */
#include "msa/base/err.h"
#include "msa/mail/command.h"
#include "smtp/commands.h"
#include "smtp/deadlines.h"
#include "smtp/events.h"
#include "smtp/machine.h"
#include "smtp/txn.h"

static bool parse(struct smtp_session *s, struct view args)
{
    bool is_last;
    if (command_parse_bdat(args, &s->chunk_left, &is_last) != MSA_OK) {
        s->chunk_left = 0;
        smtp_end_with(s, REPLY_BDAT_SYNTAX, VIEW_EMPTY, "bdat-syntax");
        return false;
    }
    s->flags &= ~(unsigned)(SMTP_LAST_CHUNK | SMTP_DISCARD_CHUNK);
    if (is_last)
        s->flags |= SMTP_LAST_CHUNK;
    return true;
}

/* Without a sign-in nobody sends us octets to throw away. */
void smtp_bdat_refuse(struct smtp_session *s, struct view args, enum smtp_reply why)
{
    if (!(s->flags & SMTP_AUTHED)) {
        smtp_end_with(s, why, VIEW_EMPTY, "bdat-unauthenticated");
        return;
    }
    if (!parse(s, args))
        return;
    s->flags |= SMTP_DISCARD_CHUNK;
    smtp_reply(s, why);
}

void smtp_cmd_bdat(struct smtp_session *s, struct view args)
{
    if (!parse(s, args))
        return;
    s->txn->is_chunked = true;
    if (s->phase == PHASE_RCPT)
        smtp_reserve(s);
    else if (s->chunk_left == 0)
        smtp_chunk_input(s);
}

static void end_chunk(struct smtp_session *s)
{
    struct smtp_txn *t = s->txn;
    struct buf number;
    if (s->flags & SMTP_LAST_CHUNK) {
        smtp_submit(s);
        return;
    }
    if (t->body.fault != BODY_SOUND) { /* no need to wait for the rest */
        smtp_refuse_body(s, t->body.fault);
        return;
    }
    buf_init(&number, 32);
    buf_add_u64(&number, t->received_bytes);
    smtp_reply_with(s, REPLY_CHUNK_OK, buf_view(&number));
    buf_fini(&number);
}

static void take_octets(struct smtp_session *s, size_t n)
{
    buf_take(s->in, n);
    s->chunk_left -= n;
    smtp_deadline_body(s);
}

static void discard(struct smtp_session *s, size_t n)
{
    take_octets(s, n);
    if (s->chunk_left > 0)
        return;
    s->flags &= ~(unsigned)SMTP_DISCARD_CHUNK;
    smtp_deadline_step(s); /* a command is next */
}

static enum body_step feed(struct smtp_session *s)
{
    struct smtp_txn *t = s->txn;
    struct view in = view_slice(buf_view(s->in), 0, s->chunk_left);
    size_t before = in.n;
    enum body_step step = smtp_body_feed(&t->body, &in);
    t->received_bytes += before - in.n;
    take_octets(s, before - in.n);
    return step;
}

void smtp_chunk_input(struct smtp_session *s)
{
    if (s->flags & SMTP_DISCARD_CHUNK) {
        discard(s, buf_len(s->in) < s->chunk_left ? buf_len(s->in) : (size_t)s->chunk_left);
        return;
    }
    while (feed(s) == BODY_NEEDS_LARGE) { /* as in smtp_body_input */
        smtp_grow_body(s);
        if (s->wait != WAIT_NONE)
            return;
    }
    if (s->chunk_left == 0)
        end_chunk(s);
}
