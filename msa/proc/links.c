/* Channels between roles: a socketpair is made here, each end goes to one side over its boot channel,
 * and only between roles whose table entry says so.
 *
 * A channel breaks when a process dies, or when one end sends what the other cannot decode. The
 * first is mended by the new process's start. For the second, each end reports the break; a while
 * later the two are linked anew, so that a sender with a bug costs a link a second and not a loop. */
#include "msa/proc/supervisor_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"

#define REPAIR_AFTER_MS 1000

static bool make_pair(int fds[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0)
        return true;
    log_msg(LOG_LEVEL_ERROR, "link-failed", "cannot make a socketpair: %s", strerror(errno));
    return false;
}

static void send_peer(struct worker *to, const struct msg_boot_peer *m, int fd)
{
    msg_boot_peer_encode(m, chan_begin(to->boot, IPC_boot_peer, 0));
    chan_attach_fd(to->boot, fd);
    chan_end(to->boot);
}

static bool is_reachable(const struct worker *w)
{
    return w->boot && w->state >= WORKER_READY;
}

static void connect_link(struct supervisor *sup, struct link *l)
{
    int fds[2];
    if (!is_reachable(l->a) || !is_reachable(l->b) || !make_pair(fds))
        return;
    l->id = ++sup->links.last_id;
    l->is_broken = false;
    struct msg_boot_peer to_a = {
        .role = (uint8_t)l->b->spec->role, .index = (uint16_t)l->b->index, .link = l->id};
    struct msg_boot_peer to_b = {
        .role = (uint8_t)l->a->spec->role, .index = (uint16_t)l->a->index, .link = l->id};
    send_peer(l->a, &to_a, fds[0]);
    send_peer(l->b, &to_b, fds[1]);
    close(fds[0]);
    close(fds[1]);
}

/* ---- control: console asks us as it asks any other role ---- */

/* Not over the boot channel: what breaks here costs console this channel alone. */
static void on_control_closed(void *owner, struct chan *chan)
{
    struct worker *console = owner;
    reload_forget_asker(console->sup, chan);
    news_peer_down(&console->sup->news, chan);
    chan_free(&console->control);
}

static void connect_control(struct worker *console)
{
    int fds[2];
    struct chan_settings settings = {
        .loop = console->sup->loop,
        .self = ROLE_SUPERVISOR,
        .peer = ROLE_CONSOLE,
        .handlers = admin_handlers,
        .on_closed = on_control_closed,
        .owner = console,
    };
    if (!make_pair(fds))
        return;
    console->control = chan_new(fds[0], &settings);
    struct msg_boot_peer m = {.role = ROLE_SUPERVISOR};
    if (console->control) {
        send_peer(console, &m, fds[1]);
        news_peer_up(&console->sup->news, console->control);
    }
    close(fds[1]);
}

/* ---- all of them ---- */

static void repair(void *arg)
{
    struct supervisor *sup = arg;
    for (size_t i = 0; i < sup->links.count; i++) {
        struct link *l = &sup->links.items[i];
        bool is_mended_at_start = !is_reachable(l->a) || !is_reachable(l->b);
        bool is_due = l->is_broken && !is_mended_at_start;
        l->is_broken = false;
        if (!is_due)
            continue;
        struct log_line line;
        log_begin(&line, LOG_LEVEL_WARN, "link-repaired");
        log_str(&line, "role", role_name(l->a->spec->role));
        log_num(&line, "index", l->a->index);
        log_str(&line, "peer", role_name(l->b->spec->role));
        log_num(&line, "peer_index", l->b->index);
        log_end(&line);
        connect_link(sup, l);
    }
    for (size_t i = 0; i < sup->worker_count; i++) {
        struct worker *w = &sup->workers[i];
        if (w->spec->role == ROLE_CONSOLE && is_reachable(w) && !w->control)
            connect_control(w);
    }
}

int links_init(struct supervisor *sup)
{
    struct links *links = &sup->links;
    timer_init(&links->timer, repair, sup);
    links->items = calloc(sup->worker_count * sup->worker_count + 1, sizeof *links->items);
    if (!links->items)
        return MSA_ENOMEM;
    for (size_t i = 0; i < sup->worker_count; i++)
        for (size_t k = i + 1; k < sup->worker_count; k++)
            if (role_is_linked(sup->workers[i].spec, sup->workers[k].spec))
                links->items[links->count++] =
                    (struct link){.a = &sup->workers[i], .b = &sup->workers[k]};
    return MSA_OK;
}

void links_fini(struct supervisor *sup)
{
    timer_stop(&sup->links.timer);
    free(sup->links.items);
    sup->links = (struct links){0};
}

void links_make_all(struct worker *w)
{
    for (size_t i = 0; i < w->sup->links.count; i++) {
        struct link *l = &w->sup->links.items[i];
        if (l->a == w || l->b == w)
            connect_link(w->sup, l);
    }
    if (w->spec->role == ROLE_CONSOLE)
        connect_control(w);
}

/* A report of a channel that has been replaced since is old news: ids tell them apart. */
void links_note_break(struct worker *w, uint64_t link)
{
    struct supervisor *sup = w->sup;
    bool is_known = link == 0 && w->spec->role == ROLE_CONSOLE; /* control */
    for (size_t i = 0; i < sup->links.count && link != 0; i++) {
        struct link *l = &sup->links.items[i];
        if (l->id != link || (l->a != w && l->b != w))
            continue;
        l->is_broken = is_known = true;
    }
    if (is_known && !timer_is_on(&sup->links.timer))
        timer_start(&sup->links.timer, sup->loop, REPAIR_AFTER_MS);
}
