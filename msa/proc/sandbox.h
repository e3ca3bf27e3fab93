/* The last door a role closes behind itself, when its files are open and before it serves.
 *
 * Order (each step would hinder the one before it): dumpable off → no new privileges → landlock →
 * system call filter. Threads that are started later are inside; none may run yet. */
#ifndef MSA_PROC_SANDBOX_H
#define MSA_PROC_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

/* What a role may do beyond computing, timing and using the descriptors it holds. */
enum sandbox_right {
    SANDBOX_ACCEPT = 1 << 0,  /* take connections from listening sockets handed to it */
    SANDBOX_CONNECT = 1 << 1, /* make sockets and connect them */
    SANDBOX_FILES = 1 << 2,   /* open, make and remove files, as far as landlock lets it */
    SANDBOX_THREADS = 1 << 3, /* start threads */
    SANDBOX_SYNC = 1 << 4,    /* make durable what is in files it holds open; part of SANDBOX_FILES */
};

struct sandbox_settings {
    unsigned rights;           /* of enum sandbox_right */
    const char *state_dir;     /* to read and write below; NULL: none */
    const char *const *read_paths; /* files and directories to read; those that are missing are passed over */
    size_t read_path_count;
    bool is_filtered; /* false: only dumpable and privileges (setting `sandbox off`) */
};

#define SANDBOX_ERROR_MAX 160

/* 0, or negative with a text; there is no way back from either. A kernel without landlock, or a
 * build for a sanitizer, is served without that wall and says so in the log. */
int sandbox_close(const struct sandbox_settings *settings, char error[SANDBOX_ERROR_MAX]);

/* ---- the parts ---- */

/* The landlock ABI in force, or 0 when this kernel has none. Negative msa_err on failure. */
int sandbox_landlock(const struct sandbox_settings *settings);

/* How many system calls are allowed from here on, 0 in a build for a sanitizer, or negative msa_err. Any
 * other call ends the process. */
int sandbox_seccomp(unsigned rights);

#endif
