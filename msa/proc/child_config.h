/* struct child_config: one generation of a role's configuration with the certificates that came
 * with it, and how long it lives. */
#ifndef MSA_PROC_CHILD_CONFIG_H
#define MSA_PROC_CHILD_CONFIG_H

#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/ipc/messages.h"
#include "msa/ipc/role.h"

#define CHILD_CERTIFICATES_MAX 64

struct child_config {
    struct config *config; /* owned */
    struct tls_certificate certificates[CHILD_CERTIFICATES_MAX];
    size_t certificate_count;
    struct buf texts[CHILD_CERTIFICATES_MAX]; /* secret: chain and key of each, one after the other */
};

/* All on the heap; NULL: out of memory. free wipes; sets the pointer to NULL. */
struct child_config *child_config_new(void);
void child_config_free(struct child_config **c);

/* MSA_OK, MSA_EPROTO when `m` is not the next in order, MSA_ENOMEM. */
int child_config_add_certificate(struct child_config *c, const struct msg_boot_certificate *m);

#define CHILD_WHY_MAX 1024

/* Parses `text`. MSA_OK, or negative with a text in `why_not`. */
int child_config_parse(struct child_config *c, struct view text, enum config_role role,
                       char why_not[CHILD_WHY_MAX]);

#endif
