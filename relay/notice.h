/* What policy asks of the queue: hold an account's mail, send a notice. Handlers; owner is the relay. */
#ifndef RELAY_NOTICE_H
#define RELAY_NOTICE_H

#include "relay/state.h"

int notice_on_hold_ask(void *owner, struct chan *c, struct chan_message *m);
int notice_on_notice_ask(void *owner, struct chan *c, struct chan_message *m);

#endif
