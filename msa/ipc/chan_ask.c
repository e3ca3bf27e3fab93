/* Questions and their answers. A question's id is its slot and the slot's generation; the generation goes
 * up when the question is over, so an answer that comes too late, or twice, is known as such. Slots live in
 * pages that never move, because each holds a timer. */
#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/ipc/chan_private.h"

struct question {
    struct list link; /* unused or pending; in neither while it is a draft */
    struct timer deadline;
    struct chan *chan;
    chan_answer_fn *fn;
    void *arg;
    uint32_t slot;
    uint32_t generation;
    enum ipc_type answer;
    bool is_pending;
};

void questions_init(struct question_table *t)
{
    list_init(&t->unused);
    list_init(&t->pending);
}

void questions_fini(struct question_table *t)
{
    MSA_ASSERT(list_is_empty(&t->pending));
    for (unsigned i = 0; i < QUESTION_PAGE_COUNT && t->pages[i]; i++)
        free(t->pages[i]);
}

static uint64_t id_of(const struct question *q)
{
    return (uint64_t)q->generation << 32 | q->slot;
}

static struct question *question_at(struct question_table *t, uint32_t slot)
{
    return &t->pages[slot / QUESTIONS_PER_PAGE][slot % QUESTIONS_PER_PAGE];
}

static void question_give_back(struct question *q)
{
    timer_stop(&q->deadline);
    q->is_pending = false;
    if (++q->generation == 0)
        q->generation = 1; /* an id is never 0 */
    list_remove(&q->link);
    list_append(&q->chan->questions.unused, &q->link);
}

/* Ends the question, then tells the asker: who may ask anew, or free the channel. */
static void question_end(struct question *q, struct chan_message *m, int err)
{
    chan_answer_fn *fn = q->fn;
    void *arg = q->arg;
    question_give_back(q);
    fn(arg, m, err);
}

static void on_deadline(void *arg)
{
    question_end(arg, NULL, MSA_ETIMEOUT);
}

static struct question *question_from_new_slot(struct chan *c)
{
    struct question_table *t = &c->questions;
    uint32_t slot = t->used_count;
    if (slot >= CHAN_QUESTIONS_MAX)
        return NULL;
    struct question **page = &t->pages[slot / QUESTIONS_PER_PAGE];
    if (!*page)
        *page = calloc(QUESTIONS_PER_PAGE, sizeof **page);
    if (!*page)
        return NULL;
    t->used_count++;
    struct question *q = question_at(t, slot);
    list_init(&q->link);
    timer_init(&q->deadline, on_deadline, q);
    q->chan = c;
    q->slot = slot;
    q->generation = 1;
    return q;
}

static struct question *question_new(struct chan *c)
{
    struct question *q = LIST_FIRST(&c->questions.unused, struct question, link);
    if (!q)
        return question_from_new_slot(c);
    list_remove(&q->link);
    return q;
}

struct buf *chan_ask_begin(struct chan *c, enum ipc_type type)
{
    enum ipc_type answer = ipc_answer_of(type);
    MSA_ASSERT(answer != IPC_NONE);
    struct question *q = question_new(c);
    struct buf *out = chan_begin(c, type, q ? id_of(q) : 0);
    c->draft.question = q;
    if (q)
        q->answer = answer;
    else if (c->draft.err == MSA_OK)
        c->draft.err = MSA_EFULL;
    return out;
}

int chan_ask_end(struct chan *c, int64_t within_ms, chan_answer_fn *fn, void *arg,
                 uint64_t *id_out)
{
    struct question *q = c->draft.question;
    MSA_ASSERT(c->draft.is_on && (q || c->draft.err < 0));
    if (q && timer_start(&q->deadline, c->set.loop, within_ms) < 0)
        c->draft.err = MSA_EFULL;
    int err = chan_end(c);
    if (err < 0) {
        if (q)
            question_give_back(q);
        return err;
    }
    q->fn = fn;
    q->arg = arg;
    q->is_pending = true;
    list_append(&c->questions.pending, &q->link);
    if (id_out)
        *id_out = id_of(q);
    return MSA_OK;
}

/* NULL unless the question of this id is open. */
static struct question *find_pending(struct question_table *t, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    if (slot >= t->used_count)
        return NULL;
    struct question *q = question_at(t, slot);
    return q->is_pending && id_of(q) == id ? q : NULL;
}

/* An id that was handed out once, so that an answer to it is late and not made up. */
static bool was_asked(struct question_table *t, uint64_t id)
{
    uint32_t slot = (uint32_t)id;
    uint32_t generation = (uint32_t)(id >> 32);
    return slot < t->used_count && generation != 0 && generation < question_at(t, slot)->generation;
}

void chan_ask_cancel(struct chan *c, uint64_t id)
{
    struct question *q = find_pending(&c->questions, id);
    if (q)
        question_give_back(q);
}

bool questions_answer(struct chan *c, struct chan_message *m)
{
    struct question *q = find_pending(&c->questions, m->id);
    if (q && q->answer == m->type) {
        question_end(q, m, MSA_OK);
        return true;
    }
    if (q || !was_asked(&c->questions, m->id))
        return false;
    c->late_answer_count++;
    return true;
}

/* The askers may ask again, which fails, the channel being closed: the list only shrinks. */
void questions_fail_all(struct question_table *t)
{
    while (!list_is_empty(&t->pending))
        question_end(CONTAINER_OF(t->pending.next, struct question, link), NULL, MSA_ECLOSED);
}
