/* Life of a role's process, driven by the supervisor's messages on the boot channel:
 *
 *   hello → [ticket keys] [certificates] config (open, take, sandbox, serve) → peers, listeners … → end of channel
 *
 * The boot channel is trusted (it was inherited); what breaks its order is our own bug and ends the
 * process. A peer's channel is not trusted: when it breaks, the role is told, the supervisor is told, and
 * the supervisor links the two anew. */
#include "msa/proc/child.h"

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "msa/base/secret.h"
#include "msa/proc/child_config.h"
#include "msa/proc/sandbox.h"
#include "msa/proc/spawn.h"

struct peer {
    struct list link;
    struct chan *chan;
    uint64_t link_id; /* the supervisor's name for this channel */
};

/* A role may keep pointers into the configuration that it was given last, and into the one before until
 * the next call has returned (msa/ipc/role.h): so three are held at most, for a moment. */
struct child {
    const struct role_spec *spec;
    struct role_env env;
    struct chan *boot;
    void *state;
    bool is_serving;
    int exit_status;
    int log_fd;
    struct child_config *incoming; /* certificates of the generation that is being sent */
    struct child_config *current;
    struct child_config *previous;
    struct buf ticket_keys; /* secret */
    struct list peers;
    uint64_t drain_id;
    struct loop_hook log_hook;
};

/* A peer channel's callbacks carry the role's state, so the frame is found here: one per process. */
static struct child *the_child;

static void give_up(struct child *c)
{
    c->exit_status = 1;
    loop_stop(c->env.loop);
}

/* ---- hello, log, keys, certificates ---- */

static void use_log(struct child *c, struct chan_message *m, uint8_t target, uint8_t level)
{
    int fd = chan_take_fd(m, 0);
    if (fd == -1)
        return;
    log_set_target((enum log_target)target, fd);
    log_set_level((enum log_level)level);
    if (c->log_fd != -1)
        close(c->log_fd);
    c->log_fd = fd;
}

static int on_hello(void *owner, struct chan *chan, struct chan_message *m)
{
    struct child *c = owner;
    struct msg_boot_hello hello;
    (void)chan;
    if (msg_boot_hello_decode(m->payload, &hello) < 0 || hello.version != IPC_VERSION)
        return MSA_EPROTO;
    use_log(c, m, hello.log_target, hello.log_level);
    return MSA_OK;
}

static int on_log(void *owner, struct chan *chan, struct chan_message *m)
{
    struct msg_boot_log next;
    (void)chan;
    if (msg_boot_log_decode(m->payload, &next) < 0)
        return MSA_EPROTO;
    use_log(owner, m, next.log_target, next.log_level);
    return MSA_OK;
}

static int on_ticket_keys(void *owner, struct chan *chan, struct chan_message *m)
{
    struct child *c = owner;
    struct msg_boot_ticket_keys keys;
    (void)chan;
    if (msg_boot_ticket_keys_decode(m->payload, &keys) < 0)
        return MSA_EPROTO;
    buf_reset(&c->ticket_keys);
    return buf_add(&c->ticket_keys, keys.keys);
}

static struct child_config *incoming(struct child *c)
{
    if (!c->incoming)
        c->incoming = child_config_new();
    return c->incoming;
}

static int on_certificate(void *owner, struct chan *chan, struct chan_message *m)
{
    struct child *c = owner;
    struct msg_boot_certificate certificate;
    (void)chan;
    if (msg_boot_certificate_decode(m->payload, &certificate) < 0)
        return MSA_EPROTO;
    if (!incoming(c))
        return MSA_ENOMEM;
    return child_config_add_certificate(c->incoming, &certificate);
}

/* ---- configuration ---- */

static int take_config(struct child *c, struct child_config *next, char why_not[CHILD_WHY_MAX])
{
    struct role_config rc = {
        .config = next->config,
        .certificates = next->certificates,
        .certificate_count = next->certificate_count,
        .ticket_keys = buf_view(&c->ticket_keys),
    };
    return c->spec->ops->take_config(c->state, &rc, why_not, CHILD_WHY_MAX);
}

#define GEO_FILES 3

/* The folders of the geo databases, not the files: new ones are put in their place by renaming. */
static size_t add_geo_folders(const struct config *cfg, char folders[GEO_FILES][PATH_MAX],
                              const char **paths, size_t count, size_t max)
{
    const char *files[GEO_FILES] = {cfg->geo.country_file, cfg->geo.city_file, cfg->geo.asn_file};
    for (size_t i = 0; i < GEO_FILES; i++) {
        const char *slash = strrchr(files[i], '/');
        if (!slash || count == max)
            continue;
        snprintf(folders[i], PATH_MAX, "%.*s", (int)(slash - files[i]) + 1, files[i]);
        paths[count++] = folders[i];
    }
    return count;
}

/* glibc reads /proc/sys/vm/overcommit_memory when it first shrinks the heap of a thread, which ends a process that
 * may open nothing. So these heaps do not shrink; one that is all free goes as a whole, and what is large is mapped. */
#define MAPPED_FROM_BYTES (4 << 20)

static void keep_heaps(unsigned rights)
{
    if (!(rights & SANDBOX_THREADS) || rights & SANDBOX_FILES)
        return;
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
    mallopt(M_MMAP_THRESHOLD, MAPPED_FROM_BYTES);
}

#define READ_PATHS_MAX (ROLE_READ_PATHS_MAX + GEO_FILES)

static int close_sandbox(struct child *c, char why_not[CHILD_WHY_MAX])
{
    const char *paths[READ_PATHS_MAX];
    const struct config *cfg = c->current->config;
    char folders[GEO_FILES][PATH_MAX];
    size_t count = 0;
    while (count < ROLE_READ_PATHS_MAX && c->spec->read_paths[count]) {
        paths[count] = c->spec->read_paths[count];
        count++;
    }
    struct sandbox_settings settings = {
        .rights = role_rights(c->spec, cfg),
        .state_dir = c->env.state_dir,
        .read_paths = paths,
        .read_path_count = add_geo_folders(cfg, folders, paths, count, READ_PATHS_MAX),
        .is_filtered = cfg->sandbox,
    };
    /* What would read files at its first use does so while that can be done. */
    tzset();
    json_object_seed(0);
    keep_heaps(settings.rights);
    return sandbox_close(&settings, why_not);
}

static int start(struct child *c, struct child_config *first, char why_not[CHILD_WHY_MAX])
{
    const struct role_ops *ops = c->spec->ops;
    c->current = first;
    int err = ops->open(&c->env, &c->state);
    if (err < 0) {
        snprintf(why_not, CHILD_WHY_MAX, "cannot open: %s", msa_strerror(err));
        return err;
    }
    if ((err = take_config(c, first, why_not)) < 0)
        return err;
    if ((err = close_sandbox(c, why_not)) < 0)
        return err;
    if ((err = ops->serve(c->state)) < 0)
        snprintf(why_not, CHILD_WHY_MAX, "cannot serve: %s", msa_strerror(err));
    c->is_serving = err == MSA_OK;
    return err;
}

static int reload(struct child *c, struct child_config *next, char why_not[CHILD_WHY_MAX])
{
    int err = take_config(c, next, why_not);
    if (err < 0) {
        child_config_free(&next);
        return err;
    }
    child_config_free(&c->previous);
    c->previous = c->current;
    c->current = next;
    return MSA_OK;
}

static void answer_config(struct child *c, uint64_t id, uint64_t generation, int err,
                          const char *why_not)
{
    struct msg_boot_config_answer answer = {
        .generation = generation,
        .is_taken = err == MSA_OK,
        .why_not = err == MSA_OK ? VIEW_EMPTY : view_cstr(why_not),
    };
    CHAN_SEND(c->boot, boot_config_answer, id, &answer);
}

static void say_ready(struct child *c)
{
    struct msg_boot_ready ready = {.role = (uint8_t)c->spec->role, .index = (uint16_t)c->env.index};
    CHAN_SEND(c->boot, boot_ready, 0, &ready);
}

static int on_config(void *owner, struct chan *chan, struct chan_message *m)
{
    struct child *c = owner;
    struct msg_boot_config_ask ask;
    char why_not[CHILD_WHY_MAX] = "";
    (void)chan;
    if (msg_boot_config_ask_decode(m->payload, &ask) < 0)
        return MSA_EPROTO;
    struct child_config *next = incoming(c);
    if (!next)
        return MSA_ENOMEM;
    c->incoming = NULL;
    bool is_first = !c->is_serving;
    int err = child_config_parse(next, ask.text, c->spec->config_role, why_not);
    if (err < 0)
        child_config_free(&next);
    else
        err = is_first ? start(c, next, why_not) : reload(c, next, why_not);
    answer_config(c, m->id, ask.generation, err, why_not);
    if (is_first && err == MSA_OK)
        say_ready(c);
    if (is_first && err < 0) {
        log_msg(LOG_LEVEL_ERROR, "role-cannot-start", "%s", why_not);
        give_up(c);
    }
    return MSA_OK;
}

/* ---- peers and listeners ---- */

static void remove_peer(struct child *c, struct peer *p)
{
    c->spec->ops->peer_down(c->state, p->chan);
    chan_free(&p->chan);
    list_remove(&p->link);
    free(p);
}

static struct peer *find_peer(struct child *c, const struct chan *chan)
{
    struct peer *p, *tmp;
    LIST_FOREACH(p, tmp, &c->peers, struct peer, link)
        if (p->chan == chan)
            return p;
    return NULL;
}

static void on_peer_closed(void *owner, struct chan *chan)
{
    struct child *c = the_child;
    struct peer *p = find_peer(c, chan);
    (void)owner; /* the role's state */
    if (!p)
        return;
    struct msg_boot_peer_lost lost = {.link = p->link_id};
    remove_peer(c, p);
    CHAN_SEND(c->boot, boot_peer_lost, 0, &lost);
}

static void remove_old_peer(struct child *c, const struct msg_boot_peer *m)
{
    struct peer *p, *tmp;
    LIST_FOREACH(p, tmp, &c->peers, struct peer, link)
        if (chan_peer(p->chan) == (enum role)m->role && chan_peer_index(p->chan) == m->index)
            remove_peer(c, p);
}

static int add_peer(struct child *c, const struct msg_boot_peer *m, int fd)
{
    struct chan_settings settings = {
        .loop = c->env.loop,
        .self = c->spec->role,
        .peer = (enum role)m->role,
        .peer_index = m->index,
        .handlers = c->spec->ops->handlers,
        .on_closed = on_peer_closed,
        .owner = c->state,
    };
    struct peer *p = calloc(1, sizeof *p);
    if (!p) {
        close(fd);
        return MSA_ENOMEM;
    }
    p->chan = chan_new(fd, &settings);
    if (!p->chan) {
        free(p);
        return MSA_ENOMEM;
    }
    p->link_id = m->link;
    list_append(&c->peers, &p->link);
    c->spec->ops->peer_up(c->state, p->chan);
    return MSA_OK;
}

static int on_peer(void *owner, struct chan *chan, struct chan_message *m)
{
    struct child *c = owner;
    struct msg_boot_peer peer;
    (void)chan;
    if (msg_boot_peer_decode(m->payload, &peer) < 0 || !c->is_serving)
        return MSA_EPROTO;
    int fd = chan_take_fd(m, 0);
    if (fd == -1)
        return MSA_EPROTO;
    remove_old_peer(c, &peer);
    return add_peer(c, &peer, fd);
}

static int on_listener(void *owner, struct chan *chan, struct chan_message *m)
{
    struct child *c = owner;
    struct msg_boot_listener listener;
    (void)chan;
    if (msg_boot_listener_decode(m->payload, &listener) < 0 || !c->is_serving ||
        !c->spec->ops->take_listener)
        return MSA_EPROTO;
    int fd = chan_take_fd(m, 0);
    if (fd == -1)
        return MSA_EPROTO;
    c->spec->ops->take_listener(c->state, listener.listener, &listener.ip, listener.port, fd);
    return MSA_OK;
}

static int on_listener_gone(void *owner, struct chan *chan, struct chan_message *m)
{
    struct child *c = owner;
    struct msg_boot_listener_gone gone;
    (void)chan;
    if (msg_boot_listener_gone_decode(m->payload, &gone) < 0 || !c->is_serving ||
        !c->spec->ops->drop_listener)
        return MSA_EPROTO;
    c->spec->ops->drop_listener(c->state, gone.listener, &gone.ip, gone.port);
    return MSA_OK;
}

/* ---- the end ---- */

static void on_drained(void *arg, uint32_t left_over)
{
    struct child *c = arg;
    struct msg_boot_drain_answer answer = {.left_over = left_over};
    CHAN_SEND(c->boot, boot_drain_answer, c->drain_id, &answer);
}

static int on_drain(void *owner, struct chan *chan, struct chan_message *m)
{
    struct child *c = owner;
    struct msg_boot_drain_ask ask;
    (void)chan;
    if (msg_boot_drain_ask_decode(m->payload, &ask) < 0 || !c->is_serving)
        return MSA_EPROTO;
    c->drain_id = m->id;
    c->spec->ops->drain(c->state, ask.within_ms, on_drained, c);
    return MSA_OK;
}

/* The supervisor wants us gone, or is gone itself: a role never serves alone. */
static void on_boot_closed(void *owner, struct chan *chan)
{
    struct child *c = owner;
    (void)chan;
    loop_stop(c->env.loop);
}

static chan_handler_fn *const boot_handlers[IPC_TYPE_COUNT] = {
    [IPC_boot_hello] = on_hello,
    [IPC_boot_log] = on_log,
    [IPC_boot_ticket_keys] = on_ticket_keys,
    [IPC_boot_certificate] = on_certificate,
    [IPC_boot_config_ask] = on_config,
    [IPC_boot_peer] = on_peer,
    [IPC_boot_listener] = on_listener,
    [IPC_boot_listener_gone] = on_listener_gone,
    [IPC_boot_drain_ask] = on_drain,
};

static void write_log(void *arg)
{
    (void)arg;
    log_flush();
}

static void fini(struct child *c)
{
    struct peer *p, *tmp;
    LIST_FOREACH(p, tmp, &c->peers, struct peer, link)
        remove_peer(c, p);
    chan_free(&c->boot);
    if (c->env.loop)
        loop_run_once(c->env.loop, false); /* what the role has asked is answered while it lives */
    if (c->state)
        c->spec->ops->close(&c->state);
    child_config_free(&c->incoming);
    child_config_free(&c->current);
    child_config_free(&c->previous);
    buf_fini(&c->ticket_keys);
    loop_hook_remove(&c->log_hook);
    loop_free(&c->env.loop);
    log_flush();
}

int child_main(const struct role_spec *spec, unsigned index, const char *state_dir)
{
    struct child c = {
        .spec = spec,
        .env = {.loop = loop_new(), .index = index, .state_dir = state_dir},
        .log_fd = -1,
    };
    struct chan_settings settings = {
        .loop = c.env.loop,
        .self = spec->role,
        .peer = ROLE_SUPERVISOR,
        .handlers = boot_handlers,
        .on_closed = on_boot_closed,
        .owner = &c,
    };
    the_child = &c;
    umask(S_IRWXG | S_IRWXO);
    log_setup(role_name(spec->role), index, LOG_LEVEL_INFO);
    msgid_setup(role_msgid_worker(spec, index));
    list_init(&c.peers);
    buf_init_secret(&c.ticket_keys, 256);
    c.boot = c.env.loop ? chan_new(SPAWN_BOOT_FD, &settings) : NULL;
    if (c.boot) {
        loop_hook_add(c.env.loop, LOOP_STAGE_LOG, &c.log_hook, write_log, NULL);
        loop_run(c.env.loop);
    } else {
        c.exit_status = 1;
    }
    fini(&c);
    return c.exit_status;
}
