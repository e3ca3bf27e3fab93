/* Domain names and address literals (RFC 5321 section 4.1.2, 4.1.3; RFC 5890 and 5891 by libidn2).
 *
 * A name has one canonical form: lower case A-labels. Pure, any thread, never blocks. */
#ifndef MSA_MAIL_DOMAIN_H
#define MSA_MAIL_DOMAIN_H

#include <stdbool.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

#define DOMAIN_MAX  255              /* octets (RFC 5321 section 4.5.3.1.2) */
#define DOMAIN_SIZE (DOMAIN_MAX + 1) /* with NUL */

/* ASCII letters, digits and hyphens in labels of 1 to 63, no dot at either end, the last label
 * not of digits alone: that would be an IPv4 address in disguise. */
bool domain_is_ldh(struct view name);

/* Writes the canonical form and a NUL; its length, or MSA_EINVAL when `name` is no UTF-8, not
 * LDH or not allowed by IDNA2008, MSA_ETOOBIG when it is too long, MSA_ENOMEM. */
int domain_to_ascii(struct view name, char out[static DOMAIN_SIZE]);

/* The other way, for eyes and for what looks alike: A-labels become Unicode, what does not decode stays as it
 * is. Its length, MSA_ETOOBIG, MSA_ENOMEM. */
#define DOMAIN_UNICODE_SIZE 1024
int domain_to_unicode(struct view name, char out[static DOMAIN_UNICODE_SIZE]);

/* "[192.0.2.1]" and "[IPv6:2001:db8::1]"; no other literal exists in practice. */
bool domain_parse_literal(struct view text, struct ipaddr *out);

/* Either of both: what stands behind an "@". The literal is written in its shortest form. */
int domain_canonical(struct view text, char out[static DOMAIN_SIZE]);

#endif
