/* The listening sockets, all opened by the supervisor: with root's right to low ports, or taken from
 * systemd by name. Workers get duplicates, so a socket outlives each of them. */
#ifndef MSA_PROC_SOCKETS_H
#define MSA_PROC_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/ipaddr.h"
#include "msa/config/config.h"
#include "msa/ipc/messages.h"
#include "msa/proc/systemd.h"

#define SOCKETS_CONSOLE "console" /* listener name of the control socket */
#define SOCKETS_MAX     256

struct socket_entry {
    enum role role; /* who accepts from it */
    char name[SYSTEMD_NAME_MAX];
    struct ipaddr ip; /* none for the control socket */
    uint16_t port;
    int fd;
    bool is_new; /* was not in the set before */
    bool is_ours; /* bound here, not by systemd */
};

struct sockets {
    struct socket_entry items[SOCKETS_MAX];
    size_t count;
};

#define SOCKETS_ERROR_MAX 256

/* Gathers in `next` every socket that `cfg` wants: from `now` where it is open already, else from
 * systemd's, else a new one. 0; or negative with a text and `next` empty. `now` stays as it is. */
int sockets_prepare(const struct sockets *now, const struct systemd_sockets *given,
                    const struct config *cfg, struct sockets *next, char error[SOCKETS_ERROR_MAX]);
void sockets_close(struct sockets *s);

/* Whether `s` has a socket of that name, address and port. */
bool sockets_has(const struct sockets *s, const struct socket_entry *e);

/* The control socket's owner and mode: root, its own user, and members of that user's group. One that
 * systemd made keeps what its unit says. */
int sockets_own_console(const struct sockets *s, uid_t uid, gid_t gid);

#endif
