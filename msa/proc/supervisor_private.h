/* What the parts of the supervisor share: its state, and each process as it sees it. All of it runs in
 * one thread, in the loop. */
#ifndef MSA_PROC_SUPERVISOR_PRIVATE_H
#define MSA_PROC_SUPERVISOR_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "msa/base/buf.h"
#include "msa/io/loop.h"
#include "msa/ipc/chan.h"
#include "msa/ipc/news.h"
#include "msa/proc/dirs.h"
#include "msa/proc/generation.h"
#include "msa/proc/logfile.h"
#include "msa/proc/restart.h"
#include "msa/proc/roles.h"
#include "msa/proc/sockets.h"
#include "msa/proc/spawn.h"

#define TICKET_KEYS_BYTES 80

enum worker_state {
    WORKER_DOWN = 0, /* no process; perhaps a start is due */
    WORKER_STARTING, /* has its configuration, is not ready */
    WORKER_READY,
    WORKER_DRAINED,  /* has finished what was under way */
};

const char *worker_state_name(enum worker_state state);

struct supervisor;

/* A place for one process of a role; processes come and go in it. */
struct worker {
    struct supervisor *sup;
    const struct role_spec *spec;
    unsigned index;
    enum worker_state state;
    pid_t pid;            /* 0: none */
    struct chan *boot;    /* NULL once it is closed, which may be before the process is gone */
    struct chan *control; /* console only: its channel to us */
    uint64_t generation;  /* number of the configuration it has taken */
    int64_t started_at_ms;
    int64_t start_cpu_ms; /* at the last look; see restart_start_goes_on */
    bool was_ready;
    uint32_t start_count;
    struct restart restart;
    struct timer timer;   /* down: to start; starting or boot closed: to kill */
    struct spawn_user user;
    char state_dir[DIRS_PATH_MAX]; /* "": none */
};

enum supervisor_phase {
    SUPERVISOR_STARTING = 0, /* a death now ends everything with status 1 */
    SUPERVISOR_SERVING,
    SUPERVISOR_DRAINING,
    SUPERVISOR_ENDING,       /* boot channels closed: the last processes go */
};

const char *supervisor_phase_name(enum supervisor_phase phase);

/* A configuration on its way into the roles; see reload.c. */
struct reload {
    bool is_on;
    bool is_going_back;      /* a role refused: the old one is handed out again */
    unsigned waiting_count;  /* roles that have not answered */
    struct generation *next; /* NULL while going back */
    struct sockets next_sockets;
    struct buf report;       /* what went wrong, a line each */
    struct chan *asker;      /* console's question, if it was one */
    uint64_t asker_id;
};

/* Two workers that have, or are to have, a channel. */
struct link {
    struct worker *a;
    struct worker *b;
    uint64_t id; /* of the channel in use; 0: none was made yet */
    bool is_broken;
};

struct links {
    struct link *items;
    size_t count;
    uint64_t last_id;
    struct timer timer; /* repairs */
};

struct drain {
    unsigned stage;
    int64_t until_ms;  /* mono: nobody gets longer */
    struct timer timer;
};

struct supervisor {
    struct loop *loop;
    const char *path;
    enum supervisor_phase phase;
    int exit_status;
    int exe_fd;
    int lock_fd;
    int roles_lock_fd;
    int notify_fd;
    int64_t started_at_ms;
    struct logfile log;
    struct systemd_sockets given;
    struct sockets sockets;
    struct generation *generation;
    uint64_t generation_number;
    struct buf ticket_keys; /* secret */
    struct worker *workers;
    size_t worker_count;
    struct links links;
    struct reload reload;
    bool is_reload_due;
    struct news_teller news;
    struct drain drain;
    struct loop_hook log_hook;
};

/* ---- worker.c ---- */

void worker_init(struct worker *w, struct supervisor *sup, const struct role_spec *spec,
                 unsigned index);
void worker_start(struct worker *w); /* a failure is treated like a death */
/* Hands the generation in force (or `g`) out as number `number`; `fn` gets the answer. */
int worker_send_config(struct worker *w, const struct generation *g, uint64_t number,
                       chan_answer_fn *fn);
void worker_send_sockets(struct worker *w, const struct sockets *sockets, bool only_new);
/* Those that `next` has no more. */
void worker_drop_sockets(struct worker *w, const struct sockets *now, const struct sockets *next);
void worker_send_log(struct worker *w);
void worker_on_exit(struct worker *w, int status); /* its process is gone */
void worker_end(struct worker *w);                 /* close its boot channel; kill it if it stays */
void worker_fini(struct worker *w);

/* ---- links.c ---- */

int links_init(struct supervisor *sup); /* once the workers are known; MSA_ENOMEM */
void links_fini(struct supervisor *sup);
void links_make_all(struct worker *w); /* to every ready peer of its role */
/* `w` says that this channel broke. */
void links_note_break(struct worker *w, uint64_t link);

/* ---- reload.c ---- */

/* By signal (`asker` NULL) or by console's question. Answers it in the end, whatever happens. */
void reload_begin(struct supervisor *sup, struct chan *asker, uint64_t asker_id);
/* A signal that came when no reload could begin: what it is about may have changed since files were read. */
void reload_begin_if_due(struct supervisor *sup);
void reload_abort(struct supervisor *sup); /* msad is ending */
void reload_forget_asker(struct supervisor *sup, const struct chan *asker);

/* ---- drain.c ---- */

void drain_begin(struct supervisor *sup); /* again: at once */
void drain_on_ready(struct worker *w);
void drain_on_worker_gone(struct worker *w);

/* ---- admin.c ---- */

extern chan_handler_fn *const admin_handlers[IPC_TYPE_COUNT]; /* owner: console's worker */

/* ---- supervisor.c ---- */

void supervisor_on_ready(struct worker *w);
void supervisor_catch_up(struct worker *w); /* hands it the configuration in force if it has another */
void supervisor_reopen_log(struct supervisor *sup); /* by the generation in force */
void supervisor_fail(struct supervisor *sup); /* end everything, status 1 */
bool supervisor_is_ending(const struct supervisor *sup);

#endif
