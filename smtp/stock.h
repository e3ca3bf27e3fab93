/* struct stock: empty body descriptors that relay made, a few kept ready so that DATA need not wait. */
#ifndef SMTP_STOCK_H
#define SMTP_STOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/list.h"
#include "smtp/host.h"

#define STOCK_SHELF_MAX  32
#define STOCK_ORDERS_MAX 4

struct smtp_client;
struct chan;

/* A question to relay for more. */
struct stock_order {
    struct stock_shelf *shelf;
    uint64_t id;
    bool is_open;
};

struct stock_shelf {
    struct stock *stock;
    int fds[STOCK_SHELF_MAX];
    unsigned count;
    unsigned wanted;          /* kept ready */
    unsigned order_size;      /* descriptors asked for at a time */
    struct stock_order orders[STOCK_ORDERS_MAX];
    unsigned open_count; /* of orders */
    struct list waiting;      /* of struct smtp_client */
    unsigned waiting_count;
    bool is_large;
};

struct stock {
    struct stock_shelf small;
    struct stock_shelf large;
    int64_t answer_ms; /* relay's time to answer */
    struct chan *relay; /* NULL: away */
};

void stock_init(struct stock *st);
void stock_fini(struct stock *st);

void stock_relay_up(struct stock *st, struct chan *relay);
void stock_relay_down(struct stock *st); /* drops what is in stock: its queue may be another one */

enum smtp_stock stock_take(struct stock *st, struct smtp_client *c, bool is_large, int *fd_out);
void stock_put(struct stock *st, int fd, bool is_large);
void stock_forget(struct stock *st, struct smtp_client *c); /* waits no longer; fine when it did not */

#endif
