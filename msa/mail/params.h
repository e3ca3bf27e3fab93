/* ESMTP parameters of MAIL and RCPT: SIZE (RFC 1870), BODY (RFC 6152, 3030), SMTPUTF8 (RFC
 * 6531), RET ENVID NOTIFY ORCPT (RFC 3461), AUTH (RFC 4954), HOLDFOR HOLDUNTIL (RFC 4865),
 * REQUIRETLS (RFC 8689).
 *
 * Each may come once. Texts stay encoded as sent (they go on to the next hop like that), but
 * were decoded once to see that no control character hides in them. Views point into the
 * command line. Pure, any thread. */
#ifndef MSA_MAIL_PARAMS_H
#define MSA_MAIL_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

enum params_result {
    PARAMS_OK = 0,
    PARAMS_UNKNOWN,   /* 555 5.5.4: no such parameter, or not one that was offered */
    PARAMS_VALUE,     /* 504 5.5.4: a known parameter with a value nobody offered (BODY=NINEBIT) */
    PARAMS_SYNTAX,    /* 501 5.5.4 */
    PARAMS_DUPLICATE, /* 501 5.5.4 */
    PARAMS_CONFLICT,  /* 501 5.5.4: two that exclude each other */
};

/* Bits, for `offered` and for `seen`. */
enum params_name {
    PARAM_SIZE = 1 << 0,
    PARAM_BODY = 1 << 1,
    PARAM_SMTPUTF8 = 1 << 2,
    PARAM_RET = 1 << 3,
    PARAM_ENVID = 1 << 4,
    PARAM_AUTH = 1 << 5,
    PARAM_HOLDFOR = 1 << 6,
    PARAM_HOLDUNTIL = 1 << 7,
    PARAM_REQUIRETLS = 1 << 8,
    PARAM_BINARYMIME = 1 << 9, /* the value of BODY needs an offer of its own; never in `seen` */
    PARAM_NOTIFY = 1 << 10,
    PARAM_ORCPT = 1 << 11,
};
#define PARAM_HOLD (PARAM_HOLDFOR | PARAM_HOLDUNTIL) /* FUTURERELEASE */
#define PARAM_DSN (PARAM_RET | PARAM_ENVID | PARAM_NOTIFY | PARAM_ORCPT)

enum params_body { BODY_7BIT = 0, BODY_8BITMIME = 1, BODY_BINARYMIME = 2 };
enum params_ret { RET_UNSET = 0, RET_FULL = 1, RET_HDRS = 2 };
enum params_notify {
    NOTIFY_NEVER = 1 << 0, /* alone */
    NOTIFY_SUCCESS = 1 << 1,
    NOTIFY_FAILURE = 1 << 2,
    NOTIFY_DELAY = 1 << 3,
};

struct mail_params {
    unsigned seen;        /* of enum params_name */
    uint64_t size_bytes;  /* as declared; 0 if not */
    enum params_body body;
    enum params_ret ret;
    struct view envid;    /* xtext */
    struct view auth;     /* xtext, or "<>" */
    uint64_t hold_for_s;  /* HOLDFOR */
    int64_t hold_until_s; /* HOLDUNTIL, seconds since 1970 */
};

struct rcpt_params {
    unsigned seen;
    unsigned notify;        /* of enum params_notify; 0 if not given */
    struct view orcpt;      /* type;address as sent */
};

/* Reads what stands behind the path: empty, or SP keyword[=value] again and again. A parameter that
 * is not in `offered` is unknown. On failure `*culprit_out` is the word at fault (may hold any byte
 * above 0x20) and `*out` is of no use. */
enum params_result params_parse_mail(struct view in, unsigned offered, struct mail_params *out,
                                     struct view *culprit_out);
enum params_result params_parse_rcpt(struct view in, unsigned offered, struct rcpt_params *out,
                                     struct view *culprit_out);

/* "SIZE" ... for one bit of enum params_name; never NULL. */
const char *params_name(unsigned bit);

#endif
