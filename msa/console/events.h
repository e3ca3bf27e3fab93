/* What happened lately, as frames of server-sent events (WHATWG HTML, 9.2): bounded in number and octets, the oldest
 * goes first. Each has an id, LIFE-NUMBER: a reader that comes again says the last one it has seen and goes on behind
 * it. LIFE is that of this process, so that an id of an earlier one is known as such. Pure; one thread. */
#ifndef MSA_CONSOLE_EVENTS_H
#define MSA_CONSOLE_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "msa/ipc/news.h"

#define EVENTS_MAX       512
#define EVENTS_BYTES_MAX (192u * 1024)
#define EVENT_FRAME_MAX  (IPC_NEWS_MAX + 1024)

struct event {
    enum news_kind kind;
    size_t n;
    char *frame; /* "id: …\nevent: …\ndata: …\n\n" */
};

struct events {
    uint64_t life;
    uint64_t first, next; /* numbers: of the oldest that is kept, of the one to come */
    size_t bytes;
    struct event ring[EVENTS_MAX]; /* by number modulo EVENTS_MAX */
};

void events_init(struct events *all, uint64_t life); /* anything that no earlier process had */
void events_fini(struct events *all);

/* Its number; 0: out of memory, or it is too long, and nobody hears of it. `o` is taken over, and gets "kind". */
uint64_t events_add(struct events *all, enum news_kind kind, json_t *o);

/* NULL: it is no longer kept, or not yet there. */
const struct event *events_at(const struct events *all, uint64_t number);

/* The number to go on with behind `last_id`. False: what came between is not kept, or the id is none of this
 * process: *from_out is then the oldest that is kept. */
bool events_resume(const struct events *all, struct view last_id, uint64_t *from_out);

/* Frames that are one reader's alone: its beginning, and a gap in what it hears. Their id is that of number - 1. */
void events_write_hello(const struct events *all, uint64_t number, struct buf *out);
void events_write_gap(const struct events *all, uint64_t number, struct buf *out);

#endif
