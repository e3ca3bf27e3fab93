/* What a delivery status notification (RFC 3464, 6522) says of each recipient.
 *
 * Reads a whole message with a message/delivery-status part, or such a part alone (it begins with "Reporting-MTA").
 * The part's octets are taken as they are: one in base64 is not found. Hostile input: every field is bounded, what
 * is longer is cut. Pure, no allocation. */
#ifndef MSA_MAIL_DSN_H
#define MSA_MAIL_DSN_H

#include <stdbool.h>

#include "msa/base/msgid.h"
#include "msa/base/view.h"

#define DSN_RECIPIENTS_MAX 1000
#define DSN_ADDRESS_MAX    320
#define DSN_MESSAGE_ID_MAX 250

/* What may tell whose mail it was that failed; "" where the notification has none of it. */
struct dsn_about {
    char to[DSN_ADDRESS_MAX + 1];            /* first address of its own To: a bounce goes to the sender */
    char queue_id[MSGID_TEXT_MAX];           /* of the topmost Received line of an msad, in the header that came back */
    char message_id[DSN_MESSAGE_ID_MAX + 1]; /* of that header, without brackets */
};

struct dsn_recipient {
    char address[DSN_ADDRESS_MAX + 1]; /* of Final-Recipient; "" if it is not there or too long */
    char status[16];                   /* "5.1.1"; "" if there is none of that form */
    unsigned code;                     /* 200 … 599 of Diagnostic-Code, 0: none */
    bool is_failed;                    /* Action: failed */
};

/* Says false to hear no more. */
typedef bool dsn_recipient_fn(void *arg, const struct dsn_recipient *r);

/* The number of recipients told of, or MSA_ENOENT: it is no notification. *about is filled in either case, at the
 * end: not yet when `fn` is called. */
int dsn_read(struct view text, struct dsn_about *about, dsn_recipient_fn *fn, void *arg);

/* "5.7.1": class, subject and detail (RFC 3463). */
bool dsn_is_status(struct view text);

#endif
