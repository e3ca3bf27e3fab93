/* Delivery status notifications that relay makes itself (RFC 3461, 3464, 6533): multipart/report with a text for
 * people in English and Japanese, the fields for programs, and the message or its header. Pure: no I/O but
 * reading the content of the message. */
#ifndef RELAY_BOUNCE_H
#define RELAY_BOUNCE_H

#include "relay/message.h"

enum bounce_kind {
    BOUNCE_FAILED = 0, /* recipients in state RCPT_FAILED */
    BOUNCE_DELAYED,    /* pending ones */
    BOUNCE_RELAYED,    /* delivered ones, where the next server does not speak DSN */
    BOUNCE_KIND_COUNT,
};

struct bounce_settings {
    const char *hostname;
    const char *from;      /* address of the header's From; the envelope's sender is empty */
    const char *postmaster; /* whom to ask */
    int64_t expires_at_ms; /* wall clock, for BOUNCE_DELAYED */
    const char *status;    /* "4.4.7": what failed is not the last answer; NULL: the answers say it */
    const char *why;       /* with `status`, a sentence for people */
};

/* True when the sender is to hear of any recipient: there is a sender, and the NOTIFY of at least one asks for
 * it, or is absent (RFC 3461 section 4.1: then failures and perhaps delays). */
bool bounce_is_due(const struct message *m, enum bounce_kind kind);

/* The notice as a new message to the sender of `m`, with the null reverse-path, in the same pool. MSA_OK,
 * MSA_ENOMEM, or MSA_EIO when the content cannot be read. */
int bounce_make(const struct message *m, enum bounce_kind kind, const struct bounce_settings *settings,
                struct message **out);

#endif
