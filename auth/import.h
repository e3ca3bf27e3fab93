/* Lines of other systems' password files: htpasswd, shadow(5), Dovecot's passwd-file, PostgreSQL's
 * rolpassword. Pure: any thread.
 *
 *   line   = login ":" secret [":" what is ignored]
 *   secret = hash                        by its own prefix, see hash.h and scram.h
 *          / "{" scheme "}" rest         Dovecot's schemes for the same, {PLAIN}, {PLAIN.b64}
 *          / "{SASL}"                    saslauthd is asked about the login; nothing is kept
 *          / "!" hash                    an account that is locked
 *
 * A password in plain text must not hold a colon, or nobody could tell where it ends; {PLAIN.b64}
 * can carry any. Text without a known prefix is an error, never a password. */
#ifndef AUTH_IMPORT_H
#define AUTH_IMPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "auth/hash.h"
#include "auth/password.h"
#include "msa/base/view.h"

struct import_secret {
    bool is_locked;
    bool is_password;            /* in `password`; otherwise a hash in `hash` */
    enum hash_kind kind;
    char hash[HASH_TEXT_MAX];    /* in the form that records hold */
    char password[PASSWORD_MAX]; /* as it was typed */
    size_t password_bytes;
};

/* MSA_OK; MSA_ENOENT for an empty line or one that begins with '#'; MSA_EINVAL with the reason in
 * `why`. `login_out` points into `line`. The caller wipes `*out`. */
int import_parse_line(struct view line, struct view *login_out, struct import_secret *out,
                      char *why, size_t why_size);

/* The secret alone: the whole of `text`. MSA_OK or MSA_EINVAL. */
int import_parse_secret(struct view text, struct import_secret *out, char *why, size_t why_size);

#endif
