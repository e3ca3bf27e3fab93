/* A pool whose smarthosts cannot be reached for long gives its queued mail to another, where one is configured for that
 * (`fallback`), and only there: mail that leaves by another pool leaves from other addresses. Each source address is looked
 * at by itself. What was given away stays there; what comes later is given away, too, until a smarthost answers. */
#ifndef RELAY_FALLBACK_H
#define RELAY_FALLBACK_H

#include "relay/state.h"

void fallback_start(struct relay *r); /* looks once a second, until the relay is closed */

#endif
