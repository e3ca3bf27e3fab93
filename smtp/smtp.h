/* The session role: clients' connections on the submission ports. Several processes of it run side by
 * side; none opens files, connects out, or knows passwords, counters or the queue. */
#ifndef SMTP_SMTP_H
#define SMTP_SMTP_H

#include "msa/ipc/role.h"

extern const struct role_ops smtp_role;

#endif
