/* The directories below state_dir and runtime_dir: made, owned and locked before any role starts. */
#ifndef MSA_PROC_DIRS_H
#define MSA_PROC_DIRS_H

#include "msa/config/config.h"
#include "msa/proc/spawn.h"

#define DIRS_PATH_MAX  256
#define DIRS_ERROR_MAX 512

/* state_dir and runtime_dir themselves, missing parents included. 0, or negative with a text. */
int dirs_make_roots(const struct config *cfg, char error[DIRS_ERROR_MAX]);

/* One supervisor per state_dir: the lock goes with the process. Its descriptor, or negative with a text. */
int dirs_lock(const struct config *cfg, char error[DIRS_ERROR_MAX]);

/* A second lock, which every role inherits. When a supervisor was killed its roles take a moment to notice, and
 * until the last is gone one may still write to the queue, and the sockets are bound: waits for
 * that, some seconds at most. Its descriptor, or negative with a text. */
int dirs_lock_roles(const struct config *cfg, char error[DIRS_ERROR_MAX]);

/* state_dir/`role`, 0700 and owned by `user`; its path in `path_out`. 0, or negative with a text. */
int dirs_make_state(const struct config *cfg, const char *role, const struct spawn_user *user,
                    char path_out[DIRS_PATH_MAX], char error[DIRS_ERROR_MAX]);

#endif
