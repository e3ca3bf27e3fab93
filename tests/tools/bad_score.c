/* bad_score: msad with a score process that has gone wrong. This file's score_role stands before the real one in the
 * link; all else is msad, with its supervisor, channels and sandboxes.
 *
 * What a message is answered with stands in its first recipient's local part: see `answers`. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/ipc/admin.h"
#include "policy/score/score.h"

static const struct msg_score_answer good = {.is_scored = true, .score_milli = 1500, .findings = VIEW_LIT("FINE 1.5")};

static void say(struct chan *c, uint64_t id, const struct msg_score_answer *a)
{
    CHAN_SEND(c, score_answer, id, a);
}

#define ANSWERS(fn, member, value)                                                                 \
    static void fn(struct chan *c, uint64_t id)                                                    \
    {                                                                                              \
        struct msg_score_answer a = good;                                                          \
        a.member = value;                                                                          \
        say(c, id, &a);                                                                            \
    }

ANSWERS(answer_huge, score_milli, INT64_MAX)
ANSWERS(answer_action, action, SCORE_ACTION_REFUSE + 1)
ANSWERS(answer_nan, findings, VIEW_LIT("FINE nan"))
ANSWERS(answer_reply, text, VIEW_LIT("no\r\n250 yes"))

static void answer_good(struct chan *c, uint64_t id)
{
    say(c, id, &good);
}

static void answer_twice(struct chan *c, uint64_t id)
{
    say(c, id, &good);
    say(c, id, &good);
}

static void answer_another(struct chan *c, uint64_t id)
{
    say(c, id + 1000, &good);
}

static void answer_nothing(struct chan *c, uint64_t id)
{
    (void)c, (void)id;
}

static void answer_no_more(struct chan *c, uint64_t id)
{
    (void)c, (void)id;
    _exit(3);
}

/* So many octets of a sound answer; those behind its end are zero. */
static void say_part(struct chan *c, uint64_t id, size_t n)
{
    static char octets[200];
    struct buf whole;
    buf_init(&whole, sizeof octets);
    msg_score_answer_encode(&good, &whole);
    memcpy(octets, buf_view(&whole).p, buf_len(&whole));
    buf_add(chan_begin(c, IPC_score_answer, id), view_of(octets, n));
    (void)chan_end(c);
    buf_fini(&whole);
}

static void answer_short(struct chan *c, uint64_t id) { say_part(c, id, 7); }
static void answer_long(struct chan *c, uint64_t id) { say_part(c, id, 200); }

static const struct {
    const char *name;
    void (*fn)(struct chan *c, uint64_t id);
} answers[] = {
    {"good", answer_good},         {"twice", answer_twice}, {"another-id", answer_another},
    {"nothing", answer_nothing},   {"short", answer_short}, {"long", answer_long},
    {"no-more", answer_no_more},   {"huge", answer_huge},   {"action", answer_action},
    {"nan", answer_nan},           {"reply", answer_reply},
};

static struct view wanted(struct view recipients)
{
    struct view item;
    struct msg_recipient r;
    if (!items_next(&recipients, &item) || msg_recipient_decode(item, &r) < 0)
        return VIEW_EMPTY;
    return view_cut(&r.path, '@');
}

static int on_score(void *owner, struct chan *c, struct chan_message *m)
{
    struct msg_score_ask ask;
    (void)owner;
    if (msg_score_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        if (view_eq(wanted(ask.recipients), view_cstr(answers[i].name)))
            answers[i].fn(c, m->id);
    return MSA_OK;
}

static int on_drop(void *owner, struct chan *c, struct chan_message *m)
{
    (void)owner, (void)c, (void)m;
    return MSA_OK;
}

static int on_admin(void *owner, struct chan *c, struct chan_message *m)
{
    return admin_dispatch(NULL, 0, owner, c, m);
}

/* ---- life ---- */

static int open_role(const struct role_env *env, void **state_out)
{
    (void)env;
    *state_out = calloc(1, 1);
    return *state_out ? MSA_OK : MSA_ENOMEM;
}

static int take_config(void *state, const struct role_config *next, char *why_not, size_t why_not_size)
{
    (void)state, (void)next, (void)why_not, (void)why_not_size;
    return MSA_OK;
}

static int serve(void *state)
{
    (void)state;
    return MSA_OK;
}

static void see_peer(void *state, struct chan *c)
{
    (void)state, (void)c;
}

static void drain(void *state, uint32_t within_ms, role_drained_fn *done, void *arg)
{
    (void)state, (void)within_ms;
    done(arg, 0);
}

static void close_role(void **state)
{
    free(*state);
    *state = NULL;
}

static chan_handler_fn *const handlers[IPC_TYPE_COUNT] = {
    [IPC_score_ask] = on_score,
    [IPC_score_drop] = on_drop,
    [IPC_admin_ask] = on_admin,
};

const struct role_ops score_role = {
    .role = ROLE_SCORE,
    .open = open_role,
    .take_config = take_config,
    .serve = serve,
    .peer_up = see_peer,
    .peer_down = see_peer,
    .handlers = handlers,
    .drain = drain,
    .close = close_role,
};
