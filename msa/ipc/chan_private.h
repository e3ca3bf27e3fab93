/* Inside msa/ipc: the parts of a channel, for chan.c, chan_send.c, chan_receive.c and chan_ask.c. */
#ifndef MSA_IPC_CHAN_PRIVATE_H
#define MSA_IPC_CHAN_PRIVATE_H

#include <stdint.h>

#include "msa/base/list.h"
#include "msa/ipc/chan.h"

#define FRAME_HEADER_BYTES 16
#define FRAME_MAX_BYTES    (FRAME_HEADER_BYTES + CHAN_PAYLOAD_MAX)

/* One sendmsg carries so many descriptors, of several frames, and then at most so many bytes: the kernel takes
 * them whole or not at all, as one buffer of its own. */
#define BATCH_FDS_MAX   32
#define BATCH_BYTES_MAX 16384

#define QUESTIONS_PER_PAGE  64
#define QUESTION_PAGE_COUNT (CHAN_QUESTIONS_MAX / QUESTIONS_PER_PAGE)

/* Descriptors on their way out, bound to the byte at which their frame begins. */
struct parcel {
    struct list link;
    uint64_t at_byte; /* in the order of sending, from the channel's first byte on */
    int fds[CHAN_FDS_MAX];
    unsigned fd_count;
};

/* The frame between chan_begin and chan_end. */
struct draft {
    bool is_on;
    int err;                /* what chan_end will say */
    size_t offset;          /* of the header, from the first byte of `out` */
    enum ipc_type type;
    struct parcel *parcel;  /* NULL: no descriptor so far */
    struct question *question; /* NULL: not a question */
};

struct question_table {
    struct question *pages[QUESTION_PAGE_COUNT];
    uint32_t used_count; /* slots ever used */
    struct list unused;  /* of struct question, among those */
    struct list pending;
};

struct chan {
    struct chan_settings set;
    int fd; /* -1 once broken */
    bool is_open;
    bool is_freed; /* by its owner; the memory goes at the end of the turn */
    struct watch *watch;
    struct loop_hook hook; /* sends; once broken: closes; once freed: frees */

    struct buf out;
    uint64_t sent_bytes;
    struct draft draft;
    struct list parcels;
    unsigned parcel_fd_count;
    struct timer retry; /* the kernel takes no more descriptors now */

    struct buf in;
    int in_fds[2 * BATCH_FDS_MAX]; /* came in, not yet claimed by a frame */
    unsigned in_fd_count;

    struct question_table questions;
    uint64_t late_answer_count;
};

/* The channel is over; on_closed comes from the loop. `why` NULL: the other side closed it. */
void chan_break(struct chan *c, const char *why);

void chan_send_init(struct chan *c);
void chan_send_fini(struct chan *c);
/* Writes what the kernel takes. */
void chan_flush(struct chan *c);

void chan_receive(struct chan *c);
void chan_receive_fini(struct chan *c);

void questions_init(struct question_table *t);
void questions_fini(struct question_table *t); /* none is pending any more */
void questions_fail_all(struct question_table *t);
/* True if `m` may go on to nobody but was in order: a good or late answer. False: nothing of ours. */
bool questions_answer(struct chan *c, struct chan_message *m);

#endif
