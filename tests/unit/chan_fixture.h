/* For the tests of channels: two ends in one loop, `smtp` and `policy`; or one end and the bare
 * socket `raw`, to send what no honest peer would. */
#ifndef TESTS_UNIT_CHAN_FIXTURE_H
#define TESTS_UNIT_CHAN_FIXTURE_H

#include "msa/ipc/chan.h"

struct chan_fixture {
    struct loop *loop;
    struct chan *smtp;
    struct chan *policy;
    int raw; /* -1: none */
    struct {
        int kill_count;
        uint64_t kill_account; /* of the last one */
        char kill_text[64];
        int ask_count;
        uint64_t ask_ids[8];
        int closed_count;
        bool is_freeing;   /* the handler frees its channel */
        bool is_answering;
    } seen;
};

extern struct chan_fixture fx;
extern chan_handlers fx_smtp_handlers;
extern chan_handlers fx_policy_handlers;

void fx_set_up(void); /* the loop alone, and a clock that stands still */
void fx_tear_down(void);
void fx_set_up_pair(void);
void fx_set_up_raw(void); /* smtp and raw */
/* One end; the other is `raw`. */
struct chan *fx_end_and_raw(enum role self, enum role peer, chan_handler_fn *const *handlers);
struct chan *fx_end_new(int fd, enum role self, enum role peer, chan_handler_fn *const *handlers);
void fx_close_raw(void);

void fx_turns(int count); /* without waiting */

int fx_send_kill(uint64_t account, const char *text);
void fx_answer_quota(uint64_t id, uint64_t reservation);

/* A frame's header as it is on the wire, made in `b`. */
struct view fx_frame(struct buf *b, uint32_t length, unsigned type, unsigned fds, uint64_t id);
struct view fx_kill_frame(struct buf *b, uint64_t account, const char *text);
void fx_raw_send(struct view v);
void fx_raw_send_fds(struct view v, unsigned count); /* copies of descriptor 0 */
int fx_open_fd_count(void);

#endif
