/* The mechanisms that libsasl2, as Debian has it, knows no server side of: they are a message to read and somebody to
 * ask, so they are made here. A plugin of our own would have to wait inside libsasl2 for an answer from the network;
 * sasl.c calls this beside it and keeps the order of the steps.
 *
 * What holds for passwords holds here: the name has one form, and an account must be there and may be disabled. Rules
 * about which password mail programs may use do not: nothing here is a password. A worker's thread. */
#ifndef AUTH_DIRECT_H
#define AUTH_DIRECT_H

#include "auth/authority.h"
#include "auth/bearer.h"
#include "auth/verify.h"

/* The client's only message. AUTH_OK: ask about `out->token`, then direct_bearer_settle. Else it is over. */
enum auth_result direct_bearer(struct verify *v, enum bearer_form form, struct view message,
                               struct bearer *out);
/* The end. The name that the client gave and the token's must be one. */
enum auth_result direct_bearer_settle(struct verify *v, const struct bearer *b, const struct finding *f);

/* EXTERNAL (RFC 4422 appendix A): whose the certificate is, TLS has found out; the message is the name to act for, empty or
 * the same. */
enum auth_result direct_external(struct verify *v, struct view certificate, struct view message);

#endif
