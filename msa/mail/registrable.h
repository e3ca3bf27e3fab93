/* The registrable domain of a host name: "shop.example.co.jp" is of "example.co.jp". By the Public Suffix List that
 * libpsl was built with (publicsuffix.org; its private part, too, so that customers of one hosting firm are not
 * one). Opens no file; any thread. */
#ifndef MSA_MAIL_REGISTRABLE_H
#define MSA_MAIL_REGISTRABLE_H

#include <stdbool.h>

#include "msa/base/view.h"
#include "msa/mail/domain.h"

/* `host` is ASCII, in any case; the answer is in lower case. An address, a public suffix and a name without dots
 * stand for themselves. False, and an empty string, when it is empty or too long. */
bool registrable_domain(struct view host, char out[static DOMAIN_SIZE]);

#endif
