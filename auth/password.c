#include "auth/password.h"

#include <stdio.h>

#include "auth/cram.h"
#include "auth/scram.h"
#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/mail/login.h"

int password_store_prepared(struct view prepared, uint32_t iteration_count, bool with_cram,
                            struct account *a)
{
    struct scram_verifier verifier;
    int err = scram_make(prepared, iteration_count, &verifier);
    if (err == MSA_OK)
        err = scram_format(&verifier, a->secret);
    if (err == MSA_OK) {
        a->kind = HASH_SCRAM_SHA_256;
        a->has_cram = with_cram;
        if (with_cram)
            cram_state(prepared, a->cram);
        else
            secret_wipe(a->cram, sizeof a->cram);
    }
    secret_wipe(&verifier, sizeof verifier);
    return err;
}

int password_store(struct view raw, uint32_t iteration_count, bool with_cram, struct account *a,
                   char *why, size_t why_size)
{
    struct buf prepared;
    buf_init_secret(&prepared, PASSWORD_PREPARED_MAX);
    int err = raw.n > PASSWORD_MAX ? MSA_ETOOBIG : login_prepare_password(raw, &prepared);
    if (err == MSA_OK) {
        err = password_store_prepared(buf_view(&prepared), iteration_count, with_cram, a);
        if (err < 0)
            snprintf(why, why_size, "%s", msa_strerror(err));
    } else if (err == MSA_ETOOBIG) {
        snprintf(why, why_size, "the password is longer than %d bytes", PASSWORD_MAX);
    } else {
        snprintf(why, why_size, "the password is empty or holds a NUL");
    }
    buf_fini(&prepared);
    return err;
}
