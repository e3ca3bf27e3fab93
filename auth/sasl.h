/* libsasl2, and nothing else of msad includes its headers.
 *
 * The library is set up without any file of its own: no configuration, no sasldb, and of the
 * plugins only the four that are offered. Everything about accounts is asked of verify.h by
 * callbacks.
 *
 * A struct sasl_run is one AUTH exchange, with one sasl_conn_t that is never used for another:
 * after a SCRAM exchange has reached its last step libsasl2 answers OK to whatever is started on
 * the same connection. A run may move between threads, but is used by one at a time. */
#ifndef AUTH_SASL_H
#define AUTH_SASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth/authority.h"
#include "auth/mech.h"
#include "auth/verify.h"
#include "msa/base/view.h"
#include "msa/ipc/messages.h"

/* Once per process, before threads and sandbox: loads the plugins. MSA_OK, or negative with a
 * text. */
int sasl_library_open(char *error, size_t error_size);
void sasl_library_close(void); /* after the last run */

struct sasl_run;

/* What auth_start says. The bytes are copied as far as they are kept. */
struct sasl_start {
    struct view mechanism;
    struct mech_bindings bindings;
    bool is_tls;
    struct view certificate; /* the login of the client's verified one; empty: none */
};

/* AUTH_OK and a run; AUTH_NO_MECHANISM or AUTH_UNAVAILABLE without one. `env` and `rules` outlive
 * it. Cheap: the connection is made by the first step. */
enum auth_result sasl_run_new(const struct verify_env *env, const struct verify_rules *rules,
                              const struct sasl_start *start, struct sasl_run **run_out);
void sasl_run_free(struct sasl_run **run); /* wipes */

struct sasl_answer {
    bool is_over;            /* otherwise: 334 with `challenge` */
    enum auth_result result; /* when over; a run that is over is only freed */
    /* Lives until the next call for the run, or its end. When over with AUTH_OK: the last challenge
     * (SCRAM's v=), which tells the client that its password was right; empty for other mechanisms. */
    struct view challenge;
    /* Not AUTHORITY_NONE: nothing for the client yet. Ask there about `secret`, which lies in the message of the step or
     * in the run, and go on with sasl_run_settle. */
    enum authority_kind asks;
    struct view secret;
};

/* One message of the client. `message` is NULL in the first step of an AUTH without initial
 * response. Blocks for a key derivation: a worker's job. */
void sasl_run_step(struct sasl_run *run, const struct view *message, int64_t now_ms,
                   struct sasl_answer *answer_out);

/* What the authority found, in the place of the client's next message, while that of the step is still there. */
void sasl_run_settle(struct sasl_run *run, const struct finding *finding, int64_t now_ms,
                     struct sasl_answer *answer_out);

/* What a client gets before 535, whoever refuses it, and has to acknowledge; "" for most mechanisms. */
const char *sasl_run_refusal(const struct sasl_run *run);

/* Name, account, wrong password and upgrade, when the run is over. */
const struct verify *sasl_run_verify(const struct sasl_run *run);

#endif
