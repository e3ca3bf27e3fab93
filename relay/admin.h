/* What console may ask of relay: queue.list, queue.show, queue.cat, queue.flush, queue.hold, queue.release,
 * queue.delete, relay.status. Arguments and results are JSON objects; conf/API in the console's hands. */
#ifndef RELAY_ADMIN_H
#define RELAY_ADMIN_H

#include "relay/state.h"

/* chan_handler_fn of admin_ask; owner is the relay. */
int relay_admin_on_ask(void *owner, struct chan *c, struct chan_message *m);

#endif
