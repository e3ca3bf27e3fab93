#include "policy/score/content/text.h"

#include <string.h>

#include "msa/base/err.h"
#include "policy/score/content/html.h"
#include "policy/score/content/transfer.h"
#include "policy/score/content/url_scan.h"

/* The tail of a base64 text is read from here on: whole lines of 76 characters give whole
 * groups. */
#define LINE_PEEK      2048
#define TAIL_RAW_BYTES (DOCUMENT_TEXT_TAIL_BYTES / 3 * 4)

void text_add(struct document_reader *r, struct buf *out, struct view v)
{
    size_t room = out->max - buf_len(out), n = v.n;
    if (n > room) {
        n = room;
        while (n > 0 && ((unsigned char)v.p[n] & 0xc0) == 0x80)
            n--;
        out->failed = true;
    }
    if (buf_append(out, v.p, n) == MSA_ENOMEM)
        r->is_starved = true;
}

struct view text_keep(struct document_reader *r, struct view v)
{
    struct view copy = arena_copy(&r->arena, v);
    r->is_starved |= v.n > 0 && !copy.p;
    return copy;
}

/* ---- decoding ---- */

/* Decodes part of the message from `*at` on until `end`, or until r->raw has `most`
 * bytes. */
static int decode(struct document_reader *r, struct document_part *p, uint64_t *at,
                  uint64_t end, size_t most)
{
    struct transfer t;
    int err = MSA_OK;
    transfer_init(&t, p->encoding);
    buf_reset(&r->raw);
    while (*at < end && buf_len(&r->raw) < most && err == MSA_OK) {
        struct view v = source_at(&r->source, *at, 1);
        size_t n = most - buf_len(&r->raw);
        if (n > end - *at)
            n = (size_t)(end - *at);
        v = view_slice(v, 0, n);
        if (v.n == 0)
            break;
        err = transfer_feed(&t, v, &r->raw);
        *at += v.n;
    }
    if (err == MSA_OK)
        err = *at >= end ? transfer_finish(&t, &r->raw) : MSA_OK;
    if (t.is_malformed)
        p->defects |= p->encoding == DOCUMENT_ENCODING_QP ? DOCUMENT_PART_BAD_QP
                                                          : DOCUMENT_PART_BAD_BASE64;
    return err < 0 ? MSA_ENOMEM : MSA_OK; /* r->raw is large enough for what is asked */
}

static void blank_nuls(struct document_reader *r, struct document_part *p)
{
    struct view raw = buf_view(&r->raw);
    char *at = memchr(r->raw.data + r->raw.start, 0, raw.n);
    if (!at || view_has_prefix(p->charset, VIEW_LIT("utf-16")))
        return;
    p->defects |= DOCUMENT_PART_NUL;
    for (char *end = r->raw.data + r->raw.end; at < end; at++)
        if (*at == '\0')
            *at = ' ';
}

/* A text that is cut ends with a whole line, so that no character is cut. */
static void cut_at_line(struct buf *raw)
{
    size_t n = buf_len(raw), least = n > LINE_PEEK ? n - LINE_PEEK : 0;
    while (n > least && raw->data[raw->start + n - 1] != '\n')
        n--;
    if (n > least)
        buf_truncate(raw, n);
}

/* ---- showing ---- */

/* Plain text with LF alone as line end. */
static void add_lines(struct document_reader *r, struct view text)
{
    while (text.n > 0) {
        size_t at = view_find(text, '\r');
        bool is_line_end = at + 1 < text.n && text.p[at + 1] == '\n';
        text_add(r, &r->text, view_slice(text, 0, at));
        if (at < text.n && !is_line_end)
            text_add(r, &r->text, VIEW_LIT("\n"));
        text = view_slice(text, at + 1, text.n);
    }
}

/* What r->raw holds becomes text of the document. */
static int show(struct document_reader *r, size_t index)
{
    struct document_part *p = &r->parts[index];
    if (buf_len(&r->raw) == 0)
        return MSA_OK;
    blank_nuls(r, p);
    buf_reset(&r->utf8);
    int err = text_to_utf8(r, p, buf_view(&r->raw), &r->utf8);
    if (err < 0)
        return err;
    size_t before = buf_len(&r->text);
    if (p->kind == DOCUMENT_PART_HTML) {
        html_read(r, index, buf_view(&r->utf8));
    } else {
        add_lines(r, buf_view(&r->utf8));
        url_scan(r, index, before, buf_len(&r->text), 0);
    }
    if (buf_len(&r->text) > before && r->text.data[r->text.end - 1] != '\n')
        text_add(r, &r->text, VIEW_LIT("\n"));
    if (buf_failed(&r->text))
        p->defects |= DOCUMENT_PART_CUT_SHORT;
    return MSA_OK;
}

/* ---- a part ---- */

/* The end of a part of which the head has been read up to `at`. */
static int read_tail(struct document_reader *r, size_t index, uint64_t at, uint64_t end)
{
    struct document_part *p = &r->parts[index];
    size_t most = p->encoding == DOCUMENT_ENCODING_BASE64 ? TAIL_RAW_BYTES
                                                          : DOCUMENT_TEXT_TAIL_BYTES;
    p->defects |= DOCUMENT_PART_CUT_SHORT;
    if (r->tail_count == READER_TAILS_MAX)
        return MSA_OK;
    r->tail_count++;
    if (end - at > most)
        at = end - most;
    struct view v = view_slice(source_at(&r->source, at, LINE_PEEK), 0, LINE_PEEK);
    size_t line = view_find(v, '\n') + 1;
    at += line <= v.n ? line : 0; /* from a whole line on, where there are lines */
    unsigned before = p->defects;
    int err = decode(r, p, &at, end, DOCUMENT_TEXT_TAIL_BYTES);
    if (!(before & DOCUMENT_PART_BAD_BASE64))
        p->defects &=
            ~(unsigned)DOCUMENT_PART_BAD_BASE64; /* it may have begun inside a group */
    return err < 0 ? err : show(r, index);
}

int text_read_part(struct document_reader *r, size_t index)
{
    struct document_part *p = &r->parts[index];
    uint64_t at = p->offset, end = p->offset + p->raw_bytes;
    size_t left = DOCUMENT_TEXT_HEAD_BYTES - r->head_bytes;
    int err = MSA_OK;
    p->text_offset = buf_len(&r->text);
    if (left > 0) {
        err = decode(r, p, &at, end, left);
        if (at < end)
            cut_at_line(&r->raw);
        r->head_bytes += buf_len(&r->raw);
        if (r->head_bytes > DOCUMENT_TEXT_HEAD_BYTES)
            r->head_bytes = DOCUMENT_TEXT_HEAD_BYTES;
        memcpy(p->magic, r->raw.data ? r->raw.data + r->raw.start : "",
               p->magic_bytes = buf_len(&r->raw) < sizeof p->magic ? buf_len(&r->raw)
                                                                   : sizeof p->magic);
        if (err == MSA_OK)
            err = show(r, index);
    }
    if (err == MSA_OK && at < end)
        err = read_tail(r, index, at, end);
    p->text_bytes = buf_len(&r->text) - p->text_offset;
    return err;
}
