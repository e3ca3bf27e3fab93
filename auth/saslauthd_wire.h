/* The words between saslauthd and whoever asks it, one question and one answer on a connection of its own:
 *
 *   question = login password service realm     each: u16 big endian length, then so many bytes
 *   answer   = u16 big endian length, then "OK" or "NO", perhaps with a text behind it: a space or a NUL, and words
 *
 * Pure: any thread. */
#ifndef AUTH_SASLAUTHD_WIRE_H
#define AUTH_SASLAUTHD_WIRE_H

#include "msa/base/buf.h"
#include "msa/base/view.h"

/* saslauthd takes fields of 256 bytes at most, and answers longer ones in ways that depend on its version. */
#define SASLAUTHD_FIELD_MAX  256
#define SASLAUTHD_ANSWER_MAX 1024 /* with its length; saslauthd's own bound */
#define SASLAUTHD_ASK_MAX    (4 * (2 + SASLAUTHD_FIELD_MAX))

/* Could it ever be answered with OK? Nothing empty goes there, which some directories take for an anonymous and thus
 * good sign-in, and no NUL, at which saslauthd would end a string. */
bool saslauthd_may_carry(struct view login, struct view password);

struct saslauthd_ask {
    struct view login, password, service, realm;
};

/* Adds the question to `out`, a secret buf. MSA_OK, MSA_ETOOBIG or MSA_ENOMEM. */
int saslauthd_ask_write(const struct saslauthd_ask *q, struct buf *out);

enum saslauthd_answer {
    SASLAUTHD_MORE = 0, /* so far it is the beginning of one */
    SASLAUTHD_OK,
    SASLAUTHD_NO,
    SASLAUTHD_RUBBISH, /* no answer, whatever came behind it */
};

/* `bytes` is all that came so far. */
enum saslauthd_answer saslauthd_answer_read(struct view bytes);

#endif
