/* Whose a client's certificate is (SASL EXTERNAL): its mail address, or what the listener's map says of its common
 * name. TLS has verified it against that listener's authorities. */
#ifndef SMTP_CERTIFICATE_H
#define SMTP_CERTIFICATE_H

#include <stdbool.h>

#include "msa/base/view.h"
#include "smtp/session.h"

#define CERTIFICATE_LOGIN_SIZE 256 /* with NUL */

/* The login in a map's text, of lines "LOGIN COMMON NAME", for a common name; empty: none, or several. */
struct view certificate_map_find(struct view map, struct view common_name);

/* False, and "", where the client has shown none, or it is nobody's. */
bool certificate_login(const struct smtp_session *s, char out[CERTIFICATE_LOGIN_SIZE]);

#endif
