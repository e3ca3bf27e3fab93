#include "policy/score/content/document.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/rfc2047.h"
#include "policy/score/content/facts.h"
#include "policy/score/content/fields.h"
#include "policy/score/content/reader.h"
#include "policy/score/content/text.h"
#include "policy/score/content/transfer.h"
#include "policy/score/content/walk.h"

#define MAGIC_PEEK 256
#define LINE_PEEK  1024 /* enough to see what a line is */

struct document_reader *document_reader_new(void)
{
    struct document_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    arena_init(&r->arena, READER_ARENA_BYTES);
    buf_init(&r->header, DOCUMENT_HEADER_BYTES_MAX);
    buf_init(&r->text, DOCUMENT_TEXT_BYTES_MAX);
    buf_init(&r->hidden, DOCUMENT_HIDDEN_BYTES);
    buf_init(&r->part_header, READER_PART_HEADER_BYTES);
    buf_init(&r->word, READER_WORD_BYTES);
    buf_init(&r->raw, READER_RAW_BYTES);
    buf_init(&r->utf8, READER_UTF8_BYTES);
    r->charsets = charsets_new();
    if (r->charsets && buf_reserve(&r->word, READER_WORD_BYTES)) /* a boundary is never lost for memory */
        return r;
    document_reader_free(r);
    return NULL;
}

void document_reader_free(struct document_reader *r)
{
    if (!r)
        return;
    charsets_free(r->charsets);
    arena_fini(&r->arena);
    buf_fini(&r->header);
    buf_fini(&r->text);
    buf_fini(&r->hidden);
    buf_fini(&r->part_header);
    buf_fini(&r->word);
    buf_fini(&r->raw);
    buf_fini(&r->utf8);
    free(r->window);
    free(r);
}

/* ---- header ---- */

/* A boundary, where the empty line is missing or has blanks in it. */
static bool is_boundary_like(struct view line)
{
    return view_has_prefix(line, VIEW_LIT("--")) &&
           !fields_is_field(view_slice(line, 0, fields_line_length(line)));
}

/* The lines before the empty one go to `header`; the offset of what follows it. */
static uint64_t read_header(struct document_reader *r)
{
    uint64_t at = 0;
    bool is_new_line = true;
    while (at < r->source.length) {
        struct view line = source_at(&r->source, at, LINE_PEEK);
        line = view_slice(line, 0, view_find(line, '\n') + 1);
        if (line.n == 0)
            break;
        bool has_end = line.p[line.n - 1] == '\n';
        if (is_new_line && has_end && fields_line_length(line) == 0)
            return at + line.n;
        if (is_new_line && is_boundary_like(line)) {
            r->doc.facts |= DOCUMENT_HEADER_NO_END;
            return at;
        }
        at += line.n;
        is_new_line = has_end;
        int err = buf_add(&r->header, line);
        r->doc.facts |= err < 0 ? DOCUMENT_HEADER_CUT_SHORT : 0u;
        r->is_starved |= err == MSA_ENOMEM;
    }
    r->doc.facts |= DOCUMENT_HEADER_NO_END;
    return at;
}

static void split_header(struct document_reader *r)
{
    struct fields f = {.list = r->fields, .max = DOCUMENT_FIELDS_MAX};
    struct view block = buf_view(&r->header);
    fields_split(&f, block);
    r->doc.fields = r->fields;
    r->doc.field_count = f.count;
    if (f.has_bad_line)
        r->doc.facts |= DOCUMENT_HEADER_BAD_LINE;
    if (f.is_cut_short)
        r->doc.facts |= DOCUMENT_HEADER_CUT_SHORT;
    if (!utf8_is_ascii(block))
        r->doc.facts |=
            DOCUMENT_HEADER_8BIT | (utf8_is_valid(block) ? 0 : DOCUMENT_HEADER_8BIT_BAD);
}

/* ---- body ---- */

/* The first bytes of what is not decoded further. */
static int read_magic(struct document_reader *r, struct document_part *p)
{
    struct transfer t;
    struct view v =
        view_slice(source_at(&r->source, p->offset, MAGIC_PEEK), 0, MAGIC_PEEK);
    if (v.n > p->raw_bytes)
        v.n = (size_t)p->raw_bytes;
    transfer_init(&t, p->encoding);
    buf_reset(&r->raw);
    int err = transfer_feed(&t, v, &r->raw);
    size_t n = buf_len(&r->raw);
    p->magic_bytes = n < sizeof p->magic ? n : sizeof p->magic;
    if (p->magic_bytes > 0)
        memcpy(p->magic, r->raw.data + r->raw.start, p->magic_bytes);
    return err == MSA_ENOMEM ? err : MSA_OK;
}

static int read_part(struct document_reader *r, size_t index)
{
    struct document_part *p = &r->parts[index];
    if (p->kind == DOCUMENT_PART_TEXT || p->kind == DOCUMENT_PART_HTML)
        return text_read_part(r, index);
    return p->kind == DOCUMENT_PART_OTHER ? read_magic(r, p) : MSA_OK;
}

static int read_body(struct document_reader *r)
{
    int err = walk_parts(r);
    for (size_t i = 0; err == MSA_OK && i < r->doc.part_count; i++)
        err = read_part(r, i);
    r->doc.text = buf_view(&r->text);
    r->doc.hidden_text = buf_view(&r->hidden);
    facts_gather(r);
    return err;
}

static int read_source(struct document_reader *r, const struct document **out)
{
    arena_fini(&r->arena);
    buf_reset(&r->header);
    buf_reset(&r->text);
    buf_reset(&r->hidden);
    r->head_bytes = 0;
    r->is_starved = false;
    r->tail_count = 0;
    r->doc = (struct document){.message_bytes = r->source.length, .links = r->links};
    r->doc.body_offset = read_header(r);
    split_header(r);
    int err = read_body(r);
    if (r->is_starved)
        err = MSA_ENOMEM;
    *out = err == MSA_OK ? &r->doc : NULL;
    return err;
}

int document_read(struct document_reader *r, struct view message,
                  const struct document **out)
{
    source_open_memory(&r->source, message);
    return read_source(r, out);
}

int document_read_fd(struct document_reader *r, int fd, uint64_t message_bytes,
                     const struct document **out)
{
    *out = NULL;
    if (!r->window)
        r->window = malloc(SOURCE_WINDOW_BYTES);
    if (!r->window)
        return MSA_ENOMEM;
    source_open_fd(&r->source, fd, message_bytes, r->window, SOURCE_WINDOW_BYTES);
    return read_source(r, out);
}

/* ---- looking ---- */

const struct document_field *document_field(const struct document *d, struct view name,
                                            const struct document_field *after)
{
    return fields_find(d->fields, d->field_count, name, after);
}

int document_decode(struct document_reader *r, struct view value, struct buf *out)
{
    if (utf8_is_valid(value))
        return rfc2047_decode(r->charsets, value, out);
    struct buf utf8;
    buf_init(&utf8, CHARSET_GROWTH * value.n);
    int err = charset_to_utf8(r->charsets, VIEW_LIT("windows-1252"), value, &utf8);
    if (err == MSA_OK)
        err = rfc2047_decode(r->charsets, buf_view(&utf8), out);
    buf_fini(&utf8);
    return err;
}

struct view document_part_text(const struct document *d, const struct document_part *p)
{
    return view_slice(d->text, p->text_offset, p->text_offset + p->text_bytes);
}
