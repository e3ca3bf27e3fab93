/* struct listener: accepts from a listening socket that the supervisor has opened.
 *
 * Several connections are taken in one turn, but not without end. At EMFILE/ENFILE a reserve
 * descriptor is given up to take and close one connection, then accepting rests for a second. */
#ifndef MSA_IO_LISTENER_H
#define MSA_IO_LISTENER_H

#include "msa/base/ipaddr.h"
#include "msa/io/loop.h"

struct listener;

/* `fd` is the callee's: non-blocking, close-on-exec. */
typedef void listener_accept_fn(void *arg, int fd, const struct ipaddr *remote, uint16_t port);

/* Takes `fd` over. NULL: out of memory. */
struct listener *listener_new(struct loop *loop, int fd, listener_accept_fn *fn, void *arg);
void listener_pause(struct listener *l); /* until listener_resume: the backlog waits */
void listener_resume(struct listener *l);
void listener_free(struct listener **l);

/* Supervisor: a listening socket, close-on-exec. Negative msa_err with errno set. */
int listener_open(const struct ipaddr *addr, uint16_t port, int *fd_out);

#endif
