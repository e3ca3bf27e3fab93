/* The mechanisms, and what a client's message must look like before libsasl2 sees it. Those of MECH_KIND_BEARER and
 * MECH_KIND_EXTERNAL it never sees (direct.h). Pure: any thread. */
#ifndef AUTH_MECH_H
#define AUTH_MECH_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/bearer.h"
#include "msa/base/view.h"
#include "msa/ipc/messages.h"

enum mech_kind { MECH_KIND_PLAIN = 0, MECH_KIND_LOGIN, MECH_KIND_SCRAM, MECH_KIND_CRAM, MECH_KIND_BEARER, MECH_KIND_EXTERNAL };

struct mech {
    const char *name;      /* as in AUTH, and in libsasl2 where it has it */
    const char *base_name; /* without -PLUS: as in libsasl2's mech_list */
    uint32_t config_bit;   /* enum config_mechanism */
    enum mech_kind kind;
    enum bearer_form form; /* of MECH_KIND_BEARER */
    bool is_client_first;
    bool is_plus;
};

/* The data of the client's TLS connection (RFC 5929, RFC 9266); empty: there is none. */
struct mech_bindings {
    struct view exporter;  /* tls-exporter */
    struct view unique;    /* tls-unique: what gsasl's clients take in TLS 1.2, and RFC 5802 §6.1 asks for */
    struct view end_point; /* tls-server-end-point */
};

/* The data by the binding's name; empty for one that is not known or not to be had. */
struct view mech_binding_data(const struct mech_bindings *b, struct view name);

/* By name, in any case of letters, among those that are configured and, for -PLUS, can be bound.
 * NULL: 504. */
const struct mech *mech_find(struct view name, uint32_t configured, const struct mech_bindings *b);

/* The first or a later message of the client. AUTH_OK: libsasl2 may see it. AUTH_MALFORMED: it
 * breaks the grammar of the mechanism. AUTH_BAD_CREDENTIALS: refused although it is well
 * formed. */
enum auth_result mech_check_plain(struct view message);
enum auth_result mech_check_text(struct view message); /* LOGIN, CRAM-MD5: no NUL */

/* SCRAM's client-first-message (RFC 5802 §7). `binding_out` names the binding that the client
 * chose, NULL for none. Enforces what libsasl2 does not: the mechanism ends in -PLUS exactly if the
 * flag is "p"; "y", which says that the server offers no -PLUS, is refused where it does. */
enum auth_result mech_check_scram_first(const struct mech *m, struct view message,
                                        bool is_plus_offered, const struct mech_bindings *b,
                                        const char **binding_out);
/* The client-final-message: only its outline, as libsasl2 gives the same error for a wrong
 * proof. */
enum auth_result mech_check_scram_final(struct view message);

#endif
