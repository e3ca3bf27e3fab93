/* What a role folder gives to the process frame (msa/proc/child.c), and what it gets from it.
 *
 * The frame owns the loop, the boot channel, the sandbox and the channels' life; a role owns
 * everything else of its process. Order of calls, all in the loop's thread:
 *
 *   open → take_config… → (sandbox closes) → serve → take_listener, drop_listener, peer_up, peer_down, take_config … → drain → close
 *
 * Each role folder exports one `const struct role_ops <folder>_role` in its <folder>.h. */
#ifndef MSA_IPC_ROLE_H
#define MSA_IPC_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/config/config.h"
#include "msa/io/loop.h"
#include "msa/io/tls.h"
#include "msa/ipc/chan.h"
#include "msa/ipc/messages.h"

struct role_env {
    struct loop *loop;
    unsigned index;        /* of this worker; 0 where there is one */
    const char *state_dir; /* the role's own directory, the only place it may write; NULL: none */
};

/* A configuration to serve by from now on, and what came with it. All of it lives until the call after
 * the next one of take_config has returned, so a role may keep the pointer it was given last. */
struct role_config {
    const struct config *config;
    const struct tls_certificate *certificates; /* smtp, console: in the order of the configuration */
    size_t certificate_count;
    struct view ticket_keys; /* smtp */
};

typedef void role_drained_fn(void *arg, uint32_t left_over);

struct role_ops {
    enum role role;
    /* Databases, plugins, anything that needs the file system. 0 or negative with a log line. */
    int (*open)(const struct role_env *env, void **state_out);
    /* All or nothing: 0, or negative with the old one in force and a text in `why_not`. */
    int (*take_config)(void *state, const struct role_config *next, char *why_not,
                       size_t why_not_size);
    int (*serve)(void *state); /* start threads and timers; the sandbox is closed */
    /* Both may be NULL where the role has no listeners. `fd` is the callee's. */
    void (*take_listener)(void *state, struct view name, const struct ipaddr *ip, uint16_t port,
                          int fd);
    /* Close that one, and only it; its connections go on. One that is not there is fine. */
    void (*drop_listener)(void *state, struct view name, const struct ipaddr *ip, uint16_t port);
    void (*peer_up)(void *state, struct chan *c);   /* before it, peer_down for the one it replaces */
    void (*peer_down)(void *state, struct chan *c); /* the frame frees it after the call */
    chan_handler_fn *const *handlers;               /* of messages from peers; owner is `state` */
    /* Take nothing new, finish what is under way; call `done` once, within the time given. */
    void (*drain)(void *state, uint32_t within_ms, role_drained_fn *done, void *arg);
    void (*close)(void **state);
};

#endif
