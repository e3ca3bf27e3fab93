/* The supervisor: the only process that may be root. It opens sockets and key files, starts the roles and
 * starts them again, hands out configuration and channels, and ends them in order. It reads no byte from
 * the network and speaks to nobody but its own children. */
#ifndef MSA_PROC_SUPERVISOR_H
#define MSA_PROC_SUPERVISOR_H

/* Serves with the configuration in `path` until a signal ends it. Exit status: 0, or 1 when msad could
 * not start (the log and stderr say why). */
int supervisor_main(const char *path);

#endif
