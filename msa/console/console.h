/* console: the way in for msactl and for monitoring. HTTP/1.1 over a UNIX socket, JSON both ways.
 *
 *   GET  /api/v1/status        how every role is
 *   POST /api/v1/<operation>   one operation of a role (ops.c lists them); arguments are a JSON object
 *   GET  /metrics              OpenMetrics text
 *   GET  /healthz, /readyz     is it alive; does everybody serve
 *
 * Only the last three are served on the TCP addresses of `console { metrics … }`. Those of
 * `console { auth_policy … }` serve one thing, for POP and IMAP servers (auth_policy.h):
 *
 *   POST /?command=allow       may this account read its mail from there
 *   POST /?command=report      it did, or it failed to
 *
 * Errors are problem documents (RFC 9457). console opens no database: it asks the role that owns the
 * matter. */
#ifndef MSA_CONSOLE_CONSOLE_H
#define MSA_CONSOLE_CONSOLE_H

#include "msa/ipc/role.h"

/* Names of listening sockets, also systemd's. */
#define CONSOLE_METRICS     "metrics"
#define CONSOLE_AUTH_POLICY "auth_policy"

extern const struct role_ops console_role;

#endif
