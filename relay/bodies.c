#include "relay/bodies.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"

#define LOOK_EVERY_MS 1000

/* ---- room ---- */

static int find_refusal(struct relay *r)
{
    struct queue_counts counts;
    uint64_t used, free_bytes, total = 0;
    if (committer_is_broken(r->committer))
        return MSA_EIO;
    queue_count_all(r->queue, &counts);
    for (int i = 0; i < QUEUE_STATE_COUNT; i++)
        total += counts.by_state[i];
    spool_usage(r->spool, &used, &free_bytes);
    const struct config_queue *limits = &r->config->queue;
    bool is_full = total >= limits->message_count || counts.bytes >= limits->bytes ||
                   used >= limits->bytes || used >= spool_max_bytes(r->spool) ||
                   free_bytes < limits->min_free_bytes;
    return is_full ? MSA_EFULL : MSA_OK;
}

static void note_change(struct relay *r, int now)
{
    if (r->refusal == now)
        return;
    if (now == MSA_OK)
        log_msg(LOG_LEVEL_INFO, "queue-open", "mail is taken again");
    else
        log_msg(LOG_LEVEL_ERROR, "queue-refusing", "no mail is taken: %s", msa_strerror(now));
    news_tell(&r->news, now == MSA_OK ? NEWS_QUEUE_OPEN : NEWS_QUEUE_FULL,
               json_pack("{s:s}", "text", now == MSA_OK ? "" : msa_strerror(now)));
}

int bodies_refusal(struct relay *r)
{
    int64_t now_ms = clock_mono_ms();
    if (r->looked_at_ms == 0 || now_ms - r->looked_at_ms >= LOOK_EVERY_MS) {
        int found = find_refusal(r);
        note_change(r, found);
        r->refusal = found;
        r->looked_at_ms = now_ms;
    }
    return r->is_draining ? MSA_EAGAIN : r->refusal;
}

/* ---- descriptors ---- */

static int make_body(struct relay *r, bool is_large)
{
    int fd = -1;
    if (is_large)
        return spool_large_new(r->spool, &fd) == MSA_OK ? fd : -1;
    fd = memfd_create("body", MFD_CLOEXEC);
    if (fd == -1)
        log_msg(LOG_LEVEL_WARN, "body-file-failed", "cannot make a memory file: %s", strerror(errno));
    return fd;
}

static unsigned make_bodies(struct relay *r, const struct msg_relay_body_ask *q, int fds[CHAN_FDS_MAX])
{
    unsigned made = 0, wanted = q->count < CHAN_FDS_MAX ? q->count : CHAN_FDS_MAX;
    while (made < wanted && (fds[made] = make_body(r, q->is_large)) >= 0)
        made++;
    return made;
}

int bodies_on_ask(void *owner, struct chan *c, struct chan_message *m)
{
    struct relay *r = owner;
    struct msg_relay_body_ask q;
    int fds[CHAN_FDS_MAX];
    int err = msg_relay_body_ask_decode(m->payload, &q);
    if (err < 0)
        return err;
    unsigned made = bodies_refusal(r) < 0 ? 0 : make_bodies(r, &q, fds);
    const struct msg_relay_body_answer answer = {
        .is_large = q.is_large,
        .is_refusing = made == 0 && q.count > 0,
    };
    msg_relay_body_answer_encode(&answer, chan_begin(c, IPC_relay_body_answer, m->id));
    for (unsigned i = 0; i < made; i++)
        chan_give_fd(c, fds[i]);
    (void)chan_end(c); /* what does not go out is closed */
    return MSA_OK;
}
