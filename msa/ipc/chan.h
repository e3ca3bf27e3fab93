/* struct chan: one end of a socketpair between two roles.
 *
 * Frames gather in a buffer and leave once at the end of the turn; what arrives is decoded and handed on,
 * a frame at a time. A frame that is too long, of an unknown type, from the wrong role, with too
 * many descriptors, or that its handler cannot decode ends the channel: the owner's on_closed runs and
 * the sender loses its channel. Nothing here kills the receiver.
 *
 * Frame, little endian:
 *      0        4      6      8               16
 *      +--------+------+------+---------------+-----------+
 *      | length | type | fds  | id            | payload … |    length counts the payload alone
 *      +--------+------+------+---------------+-----------+ */
#ifndef MSA_IPC_CHAN_H
#define MSA_IPC_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "msa/io/loop.h"
#include "msa/ipc/messages.h"

#define CHAN_FDS_MAX     8
#define CHAN_PAYLOAD_MAX (9u << 20)
#define CHAN_OUTPUT_MAX  (64u << 20) /* not taken by the other side: the channel is dead */
#define CHAN_FDS_QUEUED_MAX 512      /* descriptors not yet sent */
#define CHAN_QUESTIONS_MAX  65536    /* open at once */

struct chan;

/* A message that came in. Views die when the handler returns. Descriptors that the handler does not
 * take (chan_take_fd) are closed after it. */
struct chan_message {
    enum ipc_type type;
    uint64_t id;
    struct view payload; /* in wiped memory: it may hold passwords */
    int fds[CHAN_FDS_MAX];
    unsigned fd_count;
    struct chan *chan; /* where it came in */
};

int chan_take_fd(struct chan_message *m, unsigned index); /* the caller owns it now; -1 if absent */

/* One handler per type, NULL: this end does not expect it. Result 0, or negative: the message is
 * malformed and the channel is closed. */
typedef int chan_handler_fn(void *owner, struct chan *c, struct chan_message *m);
typedef chan_handler_fn *const chan_handlers[IPC_TYPE_COUNT];

/* Once, in the loop: the other side is gone, or broke the rules (logged as chan-broken). */
typedef void chan_closed_fn(void *owner, struct chan *c);

struct chan_settings {
    struct loop *loop;
    enum role self;
    enum role peer;
    unsigned peer_index;
    chan_handler_fn *const *handlers; /* IPC_TYPE_COUNT entries */
    chan_closed_fn *on_closed;        /* pending questions were answered before it; chan_free in it is fine */
    void *owner;
};

/* Takes `fd` over. NULL: out of memory, fd closed. */
struct chan *chan_new(int fd, const struct chan_settings *settings);
/* At the end of the turn, with what was sent before; nothing comes in any more, and on_closed is not called.
 * Pending questions are answered then with MSA_ECLOSED (or by loop_free): an asker that dies first has to
 * chan_ask_cancel. */
void chan_free(struct chan **c);
/* For an answer that does not decode, or a wrong value in any message: closes the channel as a handler's
 * negative result does. */
void chan_reject(struct chan *c, const char *why);

enum role chan_peer(const struct chan *c);
unsigned chan_peer_index(const struct chan *c);
bool chan_is_open(const struct chan *c);

/* ---- sending ---- */

/* A frame is begun, its payload encoded straight into the channel's buffer, and ended:
 *
 *      struct buf *b = chan_begin(c, IPC_policy_settle, 0);
 *      msg_policy_settle_encode(&m, b);
 *      err = chan_end(c);
 *
 * chan_end: MSA_OK, or with nothing sent MSA_ETOOBIG (a field or the frame; out of memory too), MSA_EFULL (no
 * descriptor could be kept) or MSA_ECLOSED. `id` pairs an answer with its
 * question (m->id) and is 0 in one-way messages. chan_begin never fails: on a closed channel
 * the bytes go nowhere and chan_end says so. */
struct buf *chan_begin(struct chan *c, enum ipc_type type, uint64_t id);
void chan_attach_fd(struct chan *c, int fd); /* between begin and end; is duplicated, stays the caller's */
/* The same for one that the sender needs no more: it is the channel's now, whatever comes of the frame. */
void chan_give_fd(struct chan *c, int fd);
int chan_end(struct chan *c);

/* ---- asking ---- */

/* `m` is NULL when no answer will come: `err` is MSA_ECLOSED or MSA_ETIMEOUT. Called exactly once per
 * question, never from inside chan_ask_end. A late answer is counted and dropped. */
typedef void chan_answer_fn(void *arg, struct chan_message *m, int err);

struct buf *chan_ask_begin(struct chan *c, enum ipc_type type);
/* MSA_OK and *id_out (may be NULL), or negative with nothing sent and no callback to come: as chan_end, and
 * MSA_EFULL when too many questions are open. `within_ms` counts from now. */
int chan_ask_end(struct chan *c, int64_t within_ms, chan_answer_fn *fn, void *arg,
                 uint64_t *id_out);
/* The asker is gone: the answer, when it comes, is dropped. Unknown ids are fine. */
void chan_ask_cancel(struct chan *c, uint64_t id);

/* Short forms for the frequent case: encode one struct, say where the answer goes. In CHAN_ASK the answer
 * may carry descriptors; the question carries none (else: chan_ask_begin, chan_attach_fd). */
#define CHAN_SEND(c, name, id, msg)                                                                \
    (msg_##name##_encode((msg), chan_begin((c), IPC_##name, (id))), chan_end(c))
#define CHAN_ASK(c, name, msg, within_ms, fn, arg, id_out)                                         \
    (msg_##name##_encode((msg), chan_ask_begin((c), IPC_##name)),                                  \
     chan_ask_end((c), (within_ms), (fn), (arg), (id_out)))

uint64_t chan_late_answers(const struct chan *c);

#endif
