#include "smtp/stock.h"

#include <unistd.h>

#include "msa/base/err.h"
#include "msa/ipc/chan.h"
#include "smtp/worker.h"

void stock_init(struct stock *st)
{
    *st = (struct stock){
        .small = {.stock = st, .wanted = 16, .order_size = 8},
        .large = {.stock = st, .wanted = 2, .order_size = 2, .is_large = true},
    };
    list_init(&st->small.waiting);
    list_init(&st->large.waiting);
    for (unsigned i = 0; i < STOCK_ORDERS_MAX; i++) {
        st->small.orders[i].shelf = &st->small;
        st->large.orders[i].shelf = &st->large;
    }
}

static void empty(struct stock_shelf *shelf)
{
    while (shelf->count > 0)
        close(shelf->fds[--shelf->count]);
}

void stock_fini(struct stock *st)
{
    empty(&st->small);
    empty(&st->large);
}

/* ---- to the sessions ----------------------------------------------------------------------------- */

static void give(struct stock_shelf *shelf, struct smtp_client *c, int fd)
{
    list_remove(&c->waiting);
    shelf->waiting_count--;
    smtp_session_on_body(&c->session, fd);
    smtp_client_rearm(c);
}

/* Only those who wait now: a session that gets nothing may at once ask again. */
static void disappoint_waiting(struct stock_shelf *shelf)
{
    struct smtp_client *c;
    for (unsigned n = shelf->waiting_count; n > 0; n--)
        if ((c = LIST_FIRST(&shelf->waiting, struct smtp_client, waiting)) != NULL)
            give(shelf, c, -1);
}

/* False when there is no more room. */
static bool place(struct stock_shelf *shelf, struct chan_message *m, unsigned index)
{
    struct smtp_client *c = LIST_FIRST(&shelf->waiting, struct smtp_client, waiting);
    if (!c && shelf->count == STOCK_SHELF_MAX)
        return false;
    int fd = chan_take_fd(m, index);
    if (c)
        give(shelf, c, fd);
    else
        shelf->fds[shelf->count++] = fd;
    return true;
}

/* ---- from relay ---------------------------------------------------------------------------------- */

static bool take_delivery(struct stock_shelf *shelf, struct chan_message *m, int err)
{
    struct msg_relay_body_answer a;
    unsigned i = 0;
    if (err != MSA_OK)
        return false;
    if (msg_relay_body_answer_decode(m->payload, &a) != MSA_OK) {
        chan_reject(m->chan, "malformed relay_body_answer");
        return false;
    }
    while (i < m->fd_count && place(shelf, m, i))
        i++;
    return i > 0 && !a.is_refusing;
}

static void on_delivery(void *arg, struct chan_message *m, int err);

static struct stock_order *unused_order(struct stock_shelf *shelf)
{
    for (unsigned i = 0; i < STOCK_ORDERS_MAX; i++)
        if (!shelf->orders[i].is_open)
            return &shelf->orders[i];
    return NULL;
}

/* Several at once, so that twenty sessions need not wait in a row. */
static void order(struct stock_shelf *shelf)
{
    const struct msg_relay_body_ask m = {
        .is_large = shelf->is_large,
        .count = (uint8_t)shelf->order_size,
    };
    struct stock *st = shelf->stock;
    unsigned need = shelf->wanted + shelf->waiting_count;
    struct stock_order *o;
    while (st->relay && shelf->count + shelf->open_count * shelf->order_size < need &&
           (o = unused_order(shelf)) != NULL) {
        if (CHAN_ASK(st->relay, relay_body_ask, &m, st->answer_ms, on_delivery, o, &o->id) != MSA_OK)
            return;
        o->is_open = true;
        shelf->open_count++;
    }
}

static void on_delivery(void *arg, struct chan_message *m, int err)
{
    struct stock_order *o = arg;
    o->is_open = false;
    o->shelf->open_count--;
    bool is_good = take_delivery(o->shelf, m, err);
    if (is_good)
        order(o->shelf);
    if (!is_good || o->shelf->open_count == 0) /* nothing that they wait for is on its way */
        disappoint_waiting(o->shelf);
}

void stock_relay_up(struct stock *st, struct chan *relay)
{
    st->relay = relay;
    order(&st->small);
    order(&st->large);
}

static void close_shelf(struct stock *st, struct stock_shelf *shelf)
{
    for (unsigned i = 0; i < STOCK_ORDERS_MAX; i++)
        if (shelf->orders[i].is_open)
            chan_ask_cancel(st->relay, shelf->orders[i].id);
    for (unsigned i = 0; i < STOCK_ORDERS_MAX; i++)
        shelf->orders[i].is_open = false;
    shelf->open_count = 0;
    empty(shelf);
}

void stock_relay_down(struct stock *st)
{
    if (!st->relay)
        return;
    close_shelf(st, &st->small);
    close_shelf(st, &st->large);
    st->relay = NULL;
    disappoint_waiting(&st->small);
    disappoint_waiting(&st->large);
}

/* ---- sessions' side ------------------------------------------------------------------------------ */

enum smtp_stock stock_take(struct stock *st, struct smtp_client *c, bool is_large, int *fd_out)
{
    struct stock_shelf *shelf = is_large ? &st->large : &st->small;
    if (!st->relay)
        return STOCK_REFUSED;
    if (shelf->count > 0) {
        *fd_out = shelf->fds[--shelf->count];
        order(shelf);
        return STOCK_TAKEN;
    }
    list_append(&shelf->waiting, &c->waiting);
    c->waits_for_large = is_large;
    shelf->waiting_count++;
    order(shelf);
    if (shelf->open_count > 0)
        return STOCK_LATER;
    stock_forget(st, c);
    return STOCK_REFUSED;
}

void stock_forget(struct stock *st, struct smtp_client *c)
{
    if (list_is_empty(&c->waiting))
        return;
    list_remove(&c->waiting);
    struct stock_shelf *shelf = c->waits_for_large ? &st->large : &st->small;
    shelf->waiting_count--;
}

void stock_put(struct stock *st, int fd, bool is_large)
{
    struct stock_shelf *shelf = is_large ? &st->large : &st->small;
    if (st->relay && shelf->count < shelf->wanted)
        shelf->fds[shelf->count++] = fd;
    else
        close(fd);
}
