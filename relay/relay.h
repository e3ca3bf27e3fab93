/* The relay role: the only writer of the queue, and the only one that connects to smarthosts. */
#ifndef RELAY_RELAY_H
#define RELAY_RELAY_H

#include "msa/ipc/role.h"

extern const struct role_ops relay_role;

#endif
