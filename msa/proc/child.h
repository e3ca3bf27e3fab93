/* The frame of a role's process: boot channel, loop, configuration, sandbox, channels to the peers. The
 * role itself is a struct role_ops (msa/ipc/role.h). */
#ifndef MSA_PROC_CHILD_H
#define MSA_PROC_CHILD_H

#include "msa/proc/roles.h"

/* Serves until the boot channel ends, which it does when the supervisor wants it or is gone. Returns the exit
 * status: 0, or 1 when the role could not start. `state_dir` may be NULL. */
int child_main(const struct role_spec *spec, unsigned index, const char *state_dir);

#endif
