/* Inside of client.c and client_txn.c; nobody else includes it. */
#ifndef RELAY_CLIENT_IMPL_H
#define RELAY_CLIENT_IMPL_H

#include "relay/client.h"

#define CLIENT_SECRET_MAX 1024 /* user and password together */

void client_fail(struct client *c, enum client_failure failure, const char *why);
void client_fail_reply(struct client *c, enum client_failure failure, const struct reply *r);
bool client_is_positive(const struct reply *r);

void client_txn_on_reply(struct client *c, const struct reply *r);
bool client_txn_wants_body(const struct client *c);
/* True when whatever comes in now answers nothing that was sent. */
bool client_txn_is_early(const struct client *c, bool is_flushed);

#endif
