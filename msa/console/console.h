/* console: the way in for people, for other programs and for monitoring. HTTP/1.1, JSON both ways.
 *
 *   /api/v1/…                  the API: api_routes.c is its table, GET /api/v1/openapi.json its description
 *   POST /api/v1/<operation>   over the control socket alone, for msactl: one operation of a role (ops.c lists them)
 *   GET  /metrics              OpenMetrics text
 *   GET  /healthz, /readyz     is it alive; does everybody serve
 *   …/config-v1.1.xml, …       how mail programs set themselves up (autoconfig.h)
 *   GET  /…                    the pages, which are part of the program
 *
 * Its doors: the UNIX socket `socket`, where who connects is an operator; `http` on loopback and `https`, where tokens
 * and sessions say who asks; `metrics`, for figures only. Those of `console { auth_policy … }` serve one thing, for
 * POP and IMAP servers (auth_policy.h):
 *
 *   POST /?command=allow       may this account read its mail from there
 *   POST /?command=report      it did, or it failed to
 *
 * Those of `console { postfix_policy … }` speak no HTTP: postfix_door.h.
 *
 * Errors are problem documents (RFC 9457). console opens no database: it asks the role that owns the
 * matter. */
#ifndef MSA_CONSOLE_CONSOLE_H
#define MSA_CONSOLE_CONSOLE_H

#include "msa/ipc/role.h"

/* Names of listening sockets, also systemd's. */
#define CONSOLE_METRICS     "metrics"
#define CONSOLE_AUTH_POLICY "auth_policy"
#define CONSOLE_HTTP        "console_http"
#define CONSOLE_HTTPS       "console_https"
#define CONSOLE_POSTFIX     "postfix_policy"

extern const struct role_ops console_role;

#endif
