/* Postfix's policy delegation (SMTPD_POLICY_README): one request is lines "name=value", LF only, and an empty line.
 *
 * What we do not ask about is passed over. Refused: a line without '=' or without a name, a NUL, an attribute of ours
 * given twice or no number where one belongs, another request than smtpd_access_policy. Pure. */
#ifndef MSA_CONSOLE_POSTFIX_REQUEST_H
#define MSA_CONSOLE_POSTFIX_REQUEST_H

#include <stdint.h>

#include "msa/base/view.h"

#define POSTFIX_REQUEST_MAX  16384 /* octets with the empty line */
#define POSTFIX_ADDRESS_MAX  512
#define POSTFIX_INSTANCE_MAX 64
#define POSTFIX_SIZE_MAX     (UINT64_C(1) << 50)
#define POSTFIX_COUNT_MAX    1000000

enum postfix_state { /* protocol_state */
    POSTFIX_OTHER = 0,
    POSTFIX_MAIL,
    POSTFIX_RCPT,
    POSTFIX_DATA,
    POSTFIX_END_OF_MESSAGE,
};

const char *postfix_state_name(enum postfix_state state);

struct postfix_request { /* views into what was parsed */
    enum postfix_state state;
    struct view sasl_username; /* empty: not signed in */
    struct view client_address, client_port;
    struct view sender;
    struct view recipient; /* empty at DATA and END-OF-MESSAGE of more than one */
    struct view instance;  /* the same for all requests of one message */
    uint64_t recipient_count; /* 0 before DATA */
    uint64_t size; /* octets: announced, at END-OF-MESSAGE the true ones */
};

/* Takes one request off the front of `bytes`. MSA_OK; MSA_EAGAIN: not all of it is here, nothing was taken;
 * MSA_ETOOBIG; MSA_EPROTO. After the last two the stream means nothing more. */
int postfix_request_take(struct view *bytes, struct postfix_request *out);

#endif
