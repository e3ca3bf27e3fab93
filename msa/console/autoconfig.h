/* The files by which mail programs set themselves up, from the block `autoconfig`:
 *
 *   GET  /.well-known/autoconfig/mail/config-v1.1.xml    Thunderbird and others
 *   GET  /mail/config-v1.1.xml?emailaddress=…            the same at autoconfig.DOMAIN
 *   POST /autodiscover/autodiscover.xml                  Outlook: POX, of the request only <EMailAddress> is looked at
 *   GET  /email.mobileconfig?email=…                     Apple: a profile
 *
 * No password is asked for and none is told; what is served stands in the configuration, but for the address that
 * the request named, which comes back escaped. An address of another domain gets nothing. */
#ifndef MSA_CONSOLE_AUTOCONFIG_H
#define MSA_CONSOLE_AUTOCONFIG_H

#include <stdbool.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "msa/config/config.h"

#define AUTOCONFIG_ADDRESS_MAX 320
#define AUTOCONFIG_BYTES_MAX   32768

#define AUTOCONFIG_WELL_KNOWN   "/.well-known/autoconfig/mail/config-v1.1.xml"
#define AUTOCONFIG_THUNDERBIRD  "/mail/config-v1.1.xml"
#define AUTOCONFIG_OUTLOOK      "/autodiscover/autodiscover.xml"
#define AUTOCONFIG_APPLE        "/email.mobileconfig"

/* ---- pure ---- */

/* Text of an element or attribute. A byte that is none in XML 1.0 becomes '?'. */
void autoconfig_add_escaped(struct buf *out, struct view text);

/* A sound address of one of the domains; its domain as configured in *domain_out. */
bool autoconfig_is_ours(const struct config_autoconfig *set, struct view address, const char **domain_out);

/* What stands in <EMailAddress>, whatever its prefix, with entities undone. False: none, or not once, or too long. */
bool autoconfig_find_address(struct view xml, char out[AUTOCONFIG_ADDRESS_MAX + 1]);

/* `hostname` stands in for what is not set. Thunderbird itself puts the address into the names. */
void autoconfig_thunderbird(const struct config_autoconfig *set, const char *hostname, struct buf *out);
void autoconfig_outlook(const struct config_autoconfig *set, const char *hostname, struct view address,
                        struct buf *out);
void autoconfig_apple(const struct config_autoconfig *set, const char *hostname, struct view address,
                      struct buf *out);

/* ---- the door ---- */

struct console;
struct http_request;
bool autoconfig_is_path(struct view path);
void console_autoconfig(struct console *c, struct http_request *r); /* of such a path */

#endif
