/* Whose request it is that a proxy of ours brings (X-Forwarded-For, or Forwarded of RFC 7239): read from the end, where
 * our proxies have added, as long as what was added is one of them, too. What stands before that the client has
 * written, and is believed by nobody. Pure. */
#ifndef MSA_CONSOLE_FORWARDED_H
#define MSA_CONSOLE_FORWARDED_H

#include <stdbool.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/config/config.h"

/* `peer`: who has connected. `header`: the configured field's values, parted by commas. The address that asks: `peer`
 * itself where it is no proxy of ours, or says nothing that can be read. */
struct ipaddr forwarded_client(const struct config_console *config, const struct ipaddr *peer, struct view header);

bool forwarded_is_proxy(const struct config_console *config, const struct ipaddr *ip);

#endif
