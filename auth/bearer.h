/* What a client sends to sign in with a token: OAUTHBEARER (RFC 7628 §3.1) and XOAUTH2, the form that Google and
 * Microsoft made before it.
 *
 *     OAUTHBEARER   n,a=taro@example.jp,^Ahost=submit.example.jp^Aport=587^Aauth=Bearer TOKEN^A^A
 *     XOAUTH2       user=taro@example.jp^Aauth=Bearer TOKEN^A^A
 *
 * Strict: what is not of this form to its last byte is malformed. Pure: any thread. */
#ifndef AUTH_BEARER_H
#define AUTH_BEARER_H

#include <stdint.h>

#include "msa/base/view.h"
#include "msa/ipc/messages.h"
#include "msa/mail/login.h"

#define BEARER_TOKEN_MAX   8192
#define BEARER_PAIRS_MAX   16
#define BEARER_REFUSAL_MAX 1024 /* with NUL; auth_done.refusal_challenge */

enum bearer_form { BEARER_OAUTH = 0, BEARER_XOAUTH2 };

struct bearer {
    char login[LOGIN_TYPED_MAX + 1]; /* as typed; "" where the client leaves it to the token */
    struct view token;               /* into the message; empty: the client has none (RFC 7628 §4.3) */
};

/* AUTH_OK, or AUTH_MALFORMED with nothing in `*out`. */
enum auth_result bearer_parse(enum bearer_form form, struct view message, struct bearer *out);

/* The JSON object that a client gets before its 535, whatever the reason is (RFC 7628 §3.2.2). The two texts
 * are ASCII without quotes and backslashes; either may be empty. Together they fit. */
void bearer_refusal(enum bearer_form form, const char *scope, const char *openid_configuration,
                    char out[BEARER_REFUSAL_MAX]);

#endif
