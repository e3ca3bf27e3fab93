/* CRAM-MD5 (RFC 2195) needs something that equals the password. What is kept is HMAC-MD5's two
 * inner states after the key, libsasl2's own form: enough to answer a challenge, not to read the
 * password. It is made only where the configuration offers CRAM-MD5, and dropped at the next
 * sign-in where it no longer does.
 *
 * Implemented in sasl.c, the only file that may include libsasl2's headers. */
#ifndef AUTH_CRAM_H
#define AUTH_CRAM_H

#include <stdint.h>

#include "auth/account.h"

/* Any thread, after sasl_library_open. */
void cram_state(struct view prepared_password, uint8_t out[ACCOUNT_CRAM_BYTES]);

#endif
