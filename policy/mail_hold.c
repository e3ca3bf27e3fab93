#include "policy/mail_hold.h"

#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/base/log.h"

#define ANSWER_MS 30000

/* One wish; with relay, or in policy->holds_due. */
struct hold {
    struct list link;
    struct policy *policy;
    uint64_t account;
    uint8_t reasons; /* of enum hold_reason */
    bool is_held;
};

/* Another wish about the same account may have come since. */
static bool is_wanted(const struct hold *h)
{
    const struct standing *s = restrictions_standing(h->policy->restrictions, h->account);
    if (h->is_held)
        return s && !s->is_mail_held;
    return !s || !(h->reasons & HELD_FOR_ACCOUNT);
}

static void on_answer(void *arg, struct chan_message *m, int err)
{
    struct hold *h = arg;
    struct msg_relay_hold_answer answer;
    if (m && msg_relay_hold_answer_decode(m->payload, &answer) < 0) {
        chan_reject(m->chan, "malformed relay_hold_answer");
        err = MSA_EPROTO;
    }
    if (err != MSA_OK) {
        list_append(&h->policy->holds_due, &h->link);
        return;
    }
    struct standing *s = restrictions_standing(h->policy->restrictions, h->account);
    if (s && h->is_held)
        s->is_mail_held = true;
    free(h);
}

static void ask(struct hold *h)
{
    const struct msg_relay_hold_ask m = {
        .account = h->account, .is_held = h->is_held, .held_for = h->reasons};
    struct chan *relay = h->policy->relay;
    if (!is_wanted(h))
        free(h);
    else if (!relay ||
             CHAN_ASK(relay, relay_hold_ask, &m, ANSWER_MS, on_answer, h, NULL) < 0)
        list_append(&h->policy->holds_due, &h->link);
}

static void wish(struct policy *p, uint64_t account, unsigned reasons, bool is_held)
{
    struct hold *h = calloc(1, sizeof *h);
    if (!h) {
        log_msg(LOG_LEVEL_ERROR, "policy-no-memory",
                "queued mail of an account is not %s", is_held ? "held" : "let go");
        return;
    }
    *h = (struct hold){.policy = p,
                       .account = account,
                       .reasons = (uint8_t)reasons,
                       .is_held = is_held};
    list_init(&h->link);
    ask(h);
}

void mail_hold(struct policy *p, uint64_t account)
{
    wish(p, account, HELD_FOR_ACCOUNT, true);
}

void mail_let_go(struct policy *p, uint64_t account, unsigned reasons)
{
    wish(p, account, reasons, false);
}

void mail_hold_retry(struct policy *p)
{
    struct list due;
    struct hold *h;
    if (!p->relay)
        return;
    list_init(&due);
    list_move_all(&due, &p->holds_due);
    while ((h = LIST_FIRST(&due, struct hold, link)) != NULL) {
        list_remove(&h->link);
        ask(h);
    }
}

static void hold_one(void *arg, struct standing *s)
{
    if (!s->is_mail_held)
        mail_hold(arg, s->account);
}

/* What is to be held follows from what stands; what is to be let go is only in the list. */
void mail_hold_tell_relay(struct policy *p)
{
    struct hold *h, *next;
    LIST_FOREACH(h, next, &p->holds_due, struct hold, link) {
        if (!h->is_held)
            continue;
        list_remove(&h->link);
        free(h);
    }
    mail_hold_retry(p);
    restrictions_each_standing(p->restrictions, hold_one, p);
}

void mail_hold_init(struct policy *p)
{
    list_init(&p->holds_due);
}

void mail_hold_fini(struct policy *p)
{
    struct hold *h;
    while ((h = LIST_FIRST(&p->holds_due, struct hold, link)) != NULL) {
        list_remove(&h->link);
        free(h);
    }
}
