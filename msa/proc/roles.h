/* The roles table: which processes there are, who they are, what each may touch. To know what a
 * broken role can do to the system, read roles.c. */
#ifndef MSA_PROC_ROLES_H
#define MSA_PROC_ROLES_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/config/config.h"
#include "msa/ipc/role.h"

#define ROLE_READ_PATHS_MAX 16

struct role_spec {
    enum role role;
    enum config_role config_role;   /* the part of the configuration it may know */
    const struct role_ops *ops;
    unsigned links;                 /* mask of roles that it has a channel to, beside the boot channel */
    bool has_state_dir;
    bool has_listeners;
    bool has_certificates;
    unsigned sandbox_rights;        /* of enum sandbox_right; see role_rights */
    const char *read_paths[ROLE_READ_PATHS_MAX]; /* beside its state; ends in NULL */
};

/* In the order of starting: who answers comes before who asks. */
extern const struct role_spec role_specs[];
extern const size_t role_spec_count;

const struct role_spec *role_spec_of(enum role role); /* NULL: not a role with a process of its own */

/* How many processes the configuration wants; at least 1. */
unsigned role_process_count(const struct role_spec *spec, const struct config *cfg);

/* Its number in message ids, different for every process (msgid_setup). */
unsigned role_msgid_worker(const struct role_spec *spec, unsigned index);

/* What it may do: its row's sandbox_rights, and to connect only where the configuration gives it somebody to ask. */
unsigned role_rights(const struct role_spec *spec, const struct config *cfg);

/* The user it runs as when the supervisor is root. */
const char *role_user(const struct role_spec *spec, const struct config *cfg);

/* Whether the two have a channel to each other; symmetric. */
bool role_is_linked(const struct role_spec *a, const struct role_spec *b);

#endif
