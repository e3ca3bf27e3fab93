#include "msa/mail/header.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"

#define FIELDS_FIRST 32

void header_init(struct header *h, struct header_limits limits)
{
    *h = (struct header){.limits = limits};
    /* The empty line is read into the block before it is known to be one. */
    buf_init(&h->block, limits.block_bytes + 2);
}

void header_fini(struct header *h)
{
    buf_fini(&h->block);
    free(h->fields);
    *h = (struct header){.limits = h->limits};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int too_big(struct header *h)
{
    h->defects |= HEADER_TOO_BIG;
    return MSA_ETOOBIG;
}

/* ---- one line
 * ---------------------------------------------------------------------------------- */

/* What is wrong with a line whatever it is. `line` has no CRLF. */
static unsigned byte_defects(struct view line)
{
    unsigned defects = 0;
    if (line.n > HEADER_LINE_MAX)
        defects |= HEADER_LONG_LINE;
    if (view_find(line, '\0') < line.n)
        defects |= HEADER_NUL;
    if (view_find(line, '\r') < line.n)
        defects |= HEADER_BARE_CR;
    if (view_find(line, '\n') < line.n)
        defects |= HEADER_BARE_LF;
    if (!utf8_is_ascii(line))
        defects |= HEADER_8BIT | (utf8_is_valid(line) ? 0 : HEADER_BAD_UTF8);
    return defects;
}

/* "From taro@example.jp Mon Jun  1": what mbox puts between messages. */
static bool is_mbox_from(struct view line)
{
    if (line.n > 0 && line.p[0] == '>')
        line = view_slice(line, 1, line.n);
    if (!view_has_prefix(line, VIEW_LIT("From ")))
        return false;
    struct view rest = view_trim(view_slice(line, 5, line.n));
    return rest.n == 0 || rest.p[0] != ':';
}

static int grow_fields(struct header *h)
{
    size_t cap = h->field_cap ? h->field_cap * 2 : FIELDS_FIRST;
    struct header_field *fields = reallocarray(h->fields, cap, sizeof *fields);
    if (!fields)
        return MSA_ENOMEM;
    h->fields = fields;
    h->field_cap = cap;
    return MSA_OK;
}

static int add_field(struct header *h, size_t offset, size_t length, size_t name_length,
                     size_t colon)
{
    if (h->field_count == h->limits.field_count || length > h->limits.field_bytes)
        return too_big(h);
    if (h->field_count == h->field_cap && grow_fields(h) < 0)
        return MSA_ENOMEM;
    h->fields[h->field_count++] = (struct header_field){
        .offset = (uint32_t)offset,
        .length = (uint32_t)length,
        .name_length = (uint32_t)name_length,
        .body_offset = (uint32_t)(offset + colon + 1),
    };
    return MSA_OK;
}

static unsigned name_defects(struct view name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 33 || (unsigned char)name.p[i] > 126)
            return HEADER_8BIT_NAME;
    return 0;
}

/* A line that is no folding line; `length` counts its CRLF, if it has one. */
static int read_field(struct header *h, struct view line, size_t offset, size_t length)
{
    size_t colon = view_find(line, ':');
    struct view name = view_trim(view_slice(line, 0, colon));
    bool has_inner_blank = view_find(name, ' ') < name.n || view_find(name, '\t') < name.n;
    unsigned defect = 0;
    if (is_mbox_from(line))
        defect = HEADER_MBOX_FROM;
    else if (colon == line.n || has_inner_blank)
        defect = HEADER_JUNK_LINE;
    else if (name.n == 0)
        defect = HEADER_EMPTY_NAME;
    h->defects |= defect;
    h->is_after_junk = defect != 0;
    if (defect)
        return MSA_OK;
    h->defects |= name_defects(name) | (name.n < colon ? HEADER_SPACE_BEFORE_COLON : 0);
    return add_field(h, offset, length, name.n, colon);
}

static int read_fold(struct header *h, struct view line, size_t length)
{
    if (view_trim(line).n == 0)
        h->defects |= HEADER_BLANK_FOLD;
    if (h->scanned_bytes == 0)
        h->defects |= HEADER_FOLD_FIRST;
    if (h->field_count == 0 || h->is_after_junk)
        return MSA_OK;
    struct header_field *last = &h->fields[h->field_count - 1];
    if (last->length + length > h->limits.field_bytes)
        return too_big(h);
    last->length += (uint32_t)length;
    return MSA_OK;
}

/* The line [scanned_bytes, end of block), of which the last `crlf` bytes are its CRLF. */
static int read_line(struct header *h, size_t crlf)
{
    size_t offset = h->scanned_bytes;
    struct view whole = view_slice(buf_view(&h->block), offset, buf_len(&h->block));
    struct view line = view_slice(whole, 0, whole.n - crlf);
    h->defects |= byte_defects(line);
    if (offset == 0 && view_has_prefix(line, VIEW_LIT("\xef\xbb\xbf")))
        h->defects |= HEADER_BOM;
    int err = line.n > 0 && is_blank(line.p[0]) ? read_fold(h, line, whole.n)
                                                : read_field(h, line, offset, whole.n);
    h->scanned_bytes += whole.n;
    return err;
}

/* ---- the stream
 * -------------------------------------------------------------------------------- */

/* Moves bytes up to and with the next LF, or all, from `run` to the block. */
static int take_piece(struct header *h, struct view *run)
{
    size_t at = view_find(*run, '\n');
    size_t n = at < run->n ? at + 1 : run->n;
    int err = buf_append(&h->block, run->p, n);
    if (err < 0)
        return err == MSA_ETOOBIG ? too_big(h) : err;
    *run = view_slice(*run, n, run->n);
    return MSA_OK;
}

static bool has_whole_line(const struct header *h)
{
    struct view line = view_slice(buf_view(&h->block), h->scanned_bytes, buf_len(&h->block));
    return line.n >= 2 && line.p[line.n - 2] == '\r' && line.p[line.n - 1] == '\n';
}

/* A lone CR may become the empty line, which the limits do not count. */
static bool is_over_limit(const struct header *h)
{
    struct view block = buf_view(&h->block);
    size_t pending = block.n - h->scanned_bytes;
    if (pending == 1 && block.p[block.n - 1] == '\r')
        return false;
    return block.n > h->limits.block_bytes || pending > h->limits.field_bytes;
}

static int feed(struct header *h, struct view *run)
{
    while (run->n > 0) {
        int err = take_piece(h, run);
        if (err < 0)
            return err;
        bool is_line = has_whole_line(h);
        if (is_line && buf_len(&h->block) - h->scanned_bytes == 2) {
            buf_truncate(&h->block, h->scanned_bytes);
            h->is_complete = true;
            return HEADER_COMPLETE;
        }
        if (is_over_limit(h))
            return too_big(h);
        if (is_line)
            err = read_line(h, 2);
        if (err < 0)
            return err;
    }
    return HEADER_MORE;
}

int header_feed(struct header *h, struct view *run)
{
    if (h->error < 0)
        return h->error;
    if (h->is_complete)
        return HEADER_COMPLETE;
    int step = feed(h, run);
    h->error = step < 0 ? step : MSA_OK;
    return step;
}

int header_finish(struct header *h)
{
    if (h->error < 0 || h->is_complete)
        return h->error;
    h->defects |= HEADER_CUT_OFF;
    h->is_complete = true;
    if (buf_len(&h->block) > h->limits.block_bytes)
        h->error = too_big(h);
    else if (h->scanned_bytes < buf_len(&h->block))
        h->error = read_line(h, 0);
    return h->error;
}

/* ---- looking
 * ----------------------------------------------------------------------------------- */

struct view header_block(const struct header *h)
{
    return buf_view(&h->block);
}

struct view header_field_text(const struct header *h, const struct header_field *f)
{
    return view_slice(header_block(h), f->offset, (size_t)f->offset + f->length);
}

struct view header_field_name(const struct header *h, const struct header_field *f)
{
    return view_slice(header_block(h), f->offset, (size_t)f->offset + f->name_length);
}

struct view header_field_body(const struct header *h, const struct header_field *f)
{
    struct view body =
        view_slice(header_block(h), f->body_offset, (size_t)f->offset + f->length);
    if (view_has_suffix_nocase(body, VIEW_LIT("\r\n")))
        body.n -= 2;
    return body;
}

const struct header_field *header_find(const struct header *h, struct view name,
                                       const struct header_field *after)
{
    size_t i = after ? (size_t)(after - h->fields) + 1 : 0;
    for (; i < h->field_count; i++)
        if (view_eq_nocase(header_field_name(h, &h->fields[i]), name))
            return &h->fields[i];
    return NULL;
}

size_t header_count(const struct header *h, struct view name)
{
    size_t count = 0;
    for (const struct header_field *f = header_find(h, name, NULL); f;
         f = header_find(h, name, f))
        count++;
    return count;
}

struct view header_message_id(struct view body)
{
    size_t open = view_find(body, '<');
    if (open < body.n) {
        body = view_slice(body, open + 1, body.n);
        body = view_slice(body, 0, view_find(body, '>'));
    }
    return view_trim(body);
}

int header_unfold(struct view body, struct buf *out)
{
    size_t before = buf_len(out);
    body = view_trim(body);
    while (body.n > 0) {
        size_t at = view_find(body, '\r');
        bool is_fold = at + 2 < body.n && body.p[at + 1] == '\n' && is_blank(body.p[at + 2]);
        size_t keep = is_fold || at == body.n ? at : at + 1;
        int err = buf_add(out, view_slice(body, 0, keep));
        if (err < 0) {
            buf_truncate(out, before);
            return err;
        }
        body = view_slice(body, is_fold ? at + 2 : keep, body.n);
    }
    return MSA_OK;
}
