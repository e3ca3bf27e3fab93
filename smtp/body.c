#include "smtp/body.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/ipc/messages.h"
#include "smtp/fixup.h"

#define FEED_BYTES (16 * 1024) /* between two looks at whether the small descriptor is outgrown */

void smtp_body_init(struct smtp_body *b)
{
    *b = (struct smtp_body){.fd = -1};
}

void smtp_body_begin(struct smtp_body *b, int fd, bool is_large,
                     const struct body_settings *settings)
{
    const struct config *c = settings->config;
    const struct header_limits limits = {
        .block_bytes = c->limits.header_bytes,
        .field_bytes = c->limits.header_field_bytes,
        .field_count = c->limits.header_field_count,
    };
    MSA_ASSERT(!b->is_begun);
    *b = (struct smtp_body){
        .fd = fd,
        .is_large = is_large,
        .is_begun = true,
        .may_normalize = settings->may_normalize,
        .may_have_long_lines = settings->may_have_long_lines ||
                               c->limits.long_lines == CONFIG_LONG_LINES_ACCEPT,
        .remove_bcc = c->submission.remove_bcc,
        .hold_sender = c->submission.sender == CONFIG_SENDER_REPLACE,
        .message_max_bytes = c->limits.message_bytes,
        .small_max_bytes = c->queue.body_inline_bytes,
        .text_line_max = c->limits.text_line_bytes,
    };
    buf_init(&b->pending, BODY_PENDING_MAX);
    header_init(&b->header, limits);
    eod_init(&b->eod, settings->mode, settings->may_normalize);
}

void smtp_body_give_up(struct smtp_body *b, enum body_fault fault)
{
    if (b->fault == BODY_SOUND)
        b->fault = fault;
    buf_fini(&b->pending);
}

/* ---- into the descriptor ------------------------------------------------------------------------- */

static bool write_at(int fd, struct view v, uint64_t offset)
{
    while (v.n > 0) {
        ssize_t n = pwrite(fd, v.p, v.n, (off_t)offset);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        offset += (uint64_t)n;
        v = view_slice(v, (size_t)n, v.n);
    }
    return true;
}

static void write_now(struct smtp_body *b, struct view v)
{
    b->is_used = true;
    if (!write_at(b->fd, v, b->written_bytes))
        smtp_body_give_up(b, BODY_NO_SPACE);
    else
        b->written_bytes += v.n;
}

static void flush(struct smtp_body *b)
{
    if (buf_len(&b->pending) == 0)
        return;
    write_now(b, buf_view(&b->pending));
    buf_reset(&b->pending);
}

static void put(struct smtp_body *b, struct view v)
{
    if (b->fault != BODY_SOUND || v.n == 0)
        return;
    b->total_bytes += v.n;
    if (buf_len(&b->pending) + v.n > BODY_PENDING_MAX)
        flush(b);
    if (b->fault != BODY_SOUND)
        return;
    if (v.n >= BODY_PENDING_MAX / 2 && buf_len(&b->pending) == 0)
        write_now(b, v);
    else if (buf_add(&b->pending, v) != MSA_OK)
        smtp_body_give_up(b, BODY_NO_MEMORY);
}

void smtp_body_switch(struct smtp_body *b, int fd)
{
    char piece[4096];
    uint64_t done = 0;
    MSA_ASSERT(!b->is_large);
    while (done < b->written_bytes && b->fault == BODY_SOUND) {
        ssize_t n = pread(b->fd, piece, sizeof piece, (off_t)done);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0 || !write_at(fd, view_of(piece, (size_t)n), done))
            smtp_body_give_up(b, BODY_NO_SPACE);
        else
            done += (uint64_t)n;
    }
    close(b->fd);
    b->fd = fd;
    b->is_large = true;
}

/* ---- on the way ---------------------------------------------------------------------------------- */

/* The block as it came, but for the fields that do not travel. */
static void put_header(struct smtp_body *b)
{
    const struct header *h = &b->header;
    struct view block = header_block(h);
    size_t from = 0;
    for (size_t i = 0; i < h->field_count; i++) {
        const struct header_field *f = &h->fields[i];
        if (fixup_keeps_field(header_field_name(h, f), b->remove_bcc, b->hold_sender))
            continue;
        put(b, view_slice(block, from, f->offset));
        from = f->offset + f->length;
    }
    put(b, view_slice(block, from, block.n));
    b->header_bytes = b->total_bytes;
}

static void take_run(struct smtp_body *b, struct view run)
{
    if (b->fault != BODY_SOUND)
        return;
    if (b->eod.body_bytes > b->message_max_bytes) {
        smtp_body_give_up(b, BODY_TOO_BIG);
        return;
    }
    if (b->header.is_complete) {
        put(b, run);
        return;
    }
    switch (header_feed(&b->header, &run)) {
    case HEADER_MORE:
        break;
    case HEADER_COMPLETE:
        put_header(b);
        put(b, VIEW_LIT("\r\n"));
        put(b, run);
        break;
    case MSA_ENOMEM:
        smtp_body_give_up(b, BODY_NO_MEMORY);
        break;
    default:
        smtp_body_give_up(b, BODY_HEADER_TOO_BIG);
    }
}

/* Adjacent small runs (each unstuffed dot begins a new one) come here one by one. */
static enum eod_step take_slice(struct smtp_body *b, struct view *in)
{
    struct view slice = view_slice(*in, 0, FEED_BYTES);
    struct view run;
    size_t before = slice.n;
    enum eod_step step;
    while ((step = eod_next(&b->eod, &slice, &run)) == EOD_RUN)
        take_run(b, run);
    *in = view_slice(*in, before - slice.n, in->n);
    return step;
}

bool smtp_body_is_outgrown(const struct smtp_body *b)
{
    return b->fault == BODY_SOUND && !b->is_large && b->total_bytes > b->small_max_bytes;
}

enum body_step smtp_body_feed(struct smtp_body *b, struct view *in)
{
    while (in->n > 0) {
        if (smtp_body_is_outgrown(b))
            return BODY_NEEDS_LARGE;
        if (take_slice(b, in) == EOD_END)
            return BODY_END;
    }
    return BODY_MORE;
}

/* Nothing of it was written, nor need be. */
static bool is_in_memory(const struct smtp_body *b)
{
    return b->fault == BODY_SOUND && !b->is_used && b->total_bytes <= IPC_BODY_MAX &&
           b->total_bytes <= b->small_max_bytes;
}

/* ---- the end ------------------------------------------------------------------------------------- */

static enum body_fault judge_lines(const struct smtp_body *b)
{
    unsigned strays = eod_facts(&b->eod) & EOD_STRAY;
    if (b->may_normalize)
        strays &= ~(unsigned)EOD_BARE_LF;
    if (strays)
        return BODY_STRAY;
    if (b->fault == BODY_SOUND && !b->may_have_long_lines &&
        eod_longest_line(&b->eod) > b->text_line_max)
        return BODY_LONG_LINE;
    return b->fault;
}

enum body_fault smtp_body_end(struct smtp_body *b)
{
    b->ends_in_crlf = eod_is_at_line_start(&b->eod);
    if (b->eod.mode == EOD_CHUNKS)
        eod_finish_chunks(&b->eod);
    b->fault = judge_lines(b);
    if (b->fault == BODY_SOUND && !b->header.is_complete) {
        if (header_finish(&b->header) < 0)
            smtp_body_give_up(b, BODY_HEADER_TOO_BIG);
        put_header(b);
    }
    if (b->fault == BODY_SOUND && !is_in_memory(b))
        flush(b);
    if (!is_in_memory(b))
        buf_fini(&b->pending);
    return b->fault;
}

bool smtp_body_show(struct smtp_body *b)
{
    b->is_used = true;
    flush(b);
    return b->fault == BODY_SOUND;
}

int smtp_body_give(struct smtp_body *b, struct buf *bytes_out)
{
    int fd = b->fd;
    buf_init(bytes_out, 0);
    if (is_in_memory(b)) {
        *bytes_out = b->pending;
        buf_init(&b->pending, 0);
        return -1;
    }
    b->fd = -1;
    return fd;
}

int smtp_body_fini(struct smtp_body *b, bool *is_large_out)
{
    int fd = b->fd;
    *is_large_out = b->is_large;
    if (fd != -1 && b->is_used) {
        close(fd);
        fd = -1;
    }
    if (b->is_begun) {
        buf_fini(&b->pending);
        header_fini(&b->header);
    }
    smtp_body_init(b);
    return fd;
}
