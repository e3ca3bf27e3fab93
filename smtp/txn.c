#include "smtp/txn.h"

#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/msgid.h"
#include "smtp/fixup.h"
#include "smtp/machine.h"

bool smtp_txn_begin(struct smtp_session *s)
{
    MSA_ASSERT(!s->txn);
    struct smtp_txn *t = calloc(1, sizeof *t);
    if (!t)
        return false;
    t->message = msgid_next();
    arena_init(&t->arena, TXN_ARENA_MAX);
    buf_init(&t->recipients, IPC_ITEMS_MAX);
    smtp_body_init(&t->body);
    s->txn = t;
    return true;
}

void smtp_txn_settle(struct smtp_session *s, bool is_kept)
{
    struct smtp_txn *t = s->txn;
    if (!t->is_told)
        return;
    char made[FIXUP_MESSAGE_ID_MAX];
    t->is_told = false;
    struct msg_policy_settle m = {
        .session = s->id, .reservation = t->reservation, .is_kept = is_kept};
    if (is_kept) {
        m.message = t->message;
        m.account = s->account;
        m.login = view_cstr(s->login);
        m.message_id = fixup_message_id(s, made);
    }
    s->site->host->settle(s, &m);
}

void smtp_session_on_policy_lost(struct smtp_session *s)
{
    s->flags &= ~(unsigned)SMTP_TOLD_POLICY;
    if (s->txn)
        s->txn->is_told = false;
}

void smtp_txn_drop(struct smtp_session *s)
{
    struct smtp_txn *t = s->txn;
    if (!t)
        return;
    smtp_txn_settle(s, false);
    bool is_large;
    int fd = smtp_body_fini(&t->body, &is_large);
    if (fd != -1)
        s->site->host->put_body(s, fd, is_large);
    buf_fini(&t->recipients);
    arena_fini(&t->arena);
    free(t);
    s->txn = NULL;
}

void smtp_txn_reset(struct smtp_session *s)
{
    smtp_txn_drop(s);
    if (s->phase >= PHASE_MAIL && s->phase <= PHASE_BDAT)
        smtp_enter_phase(s, PHASE_READY);
}
