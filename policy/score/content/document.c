#include "policy/score/content/document.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/rfc2047.h"
#include "policy/score/content/fields.h"
#include "policy/score/content/reader.h"

#define TEXT_BYTES (DOCUMENT_TEXT_HEAD_BYTES + 2 * DOCUMENT_TEXT_TAIL_BYTES)

struct document_reader *document_reader_new(void)
{
    struct document_reader *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    arena_init(&r->arena, READER_ARENA_BYTES);
    buf_init(&r->header, DOCUMENT_HEADER_BYTES_MAX);
    buf_init(&r->text, TEXT_BYTES);
    buf_init(&r->hidden, DOCUMENT_HIDDEN_BYTES);
    r->charsets = charsets_new();
    if (r->charsets)
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
    free(r->window);
    free(r);
}

/* ---- header ---- */

/* The lines before the empty one go to `header`; the offset of what follows it. */
static uint64_t read_header(struct document_reader *r)
{
    uint64_t at = 0;
    bool is_new_line = true;
    while (at < r->source.length) {
        struct view line = source_at(&r->source, at, 2);
        line = view_slice(line, 0, view_find(line, '\n') + 1);
        if (line.n == 0)
            break;
        at += line.n;
        if (is_new_line && fields_line_length(line) == 0 && line.p[line.n - 1] == '\n')
            return at;
        is_new_line = line.p[line.n - 1] == '\n';
        if (buf_add(&r->header, line) < 0)
            r->doc.facts |= DOCUMENT_HEADER_CUT_SHORT;
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

static void read_text(struct document_reader *r, struct document_part *p)
{
    uint64_t at = p->offset;
    while (at < r->source.length && buf_len(&r->text) < DOCUMENT_TEXT_HEAD_BYTES) {
        struct view piece = source_at(&r->source, at, 1);
        piece = view_slice(piece, 0, DOCUMENT_TEXT_HEAD_BYTES - buf_len(&r->text));
        buf_add(&r->text, piece);
        at += piece.n;
    }
    p->text_bytes = buf_len(&r->text);
    if (at < r->source.length) {
        p->defects |= DOCUMENT_PART_CUT_SHORT;
        r->doc.facts |= DOCUMENT_TEXT_CUT_SHORT;
    }
}

static void read_body(struct document_reader *r)
{
    struct document_part *p = &r->parts[0];
    *p = (struct document_part){
        .kind = DOCUMENT_PART_OTHER,
        .media_type = VIEW_LIT("text/plain"),
        .offset = r->doc.body_offset,
        .raw_bytes = r->source.length - r->doc.body_offset,
    };
    r->doc.parts = r->parts;
    r->doc.part_count = 1;
    if (document_field(&r->doc, VIEW_LIT("Content-Type"), NULL))
        return;
    p->kind = DOCUMENT_PART_TEXT;
    read_text(r, p);
    r->doc.facts |= DOCUMENT_HAS_TEXT;
}

static int read_source(struct document_reader *r, const struct document **out)
{
    arena_fini(&r->arena);
    buf_reset(&r->header);
    buf_reset(&r->text);
    buf_reset(&r->hidden);
    r->doc = (struct document){.message_bytes = r->source.length, .links = r->links};
    r->doc.body_offset = read_header(r);
    split_header(r);
    read_body(r);
    r->doc.text = buf_view(&r->text);
    r->doc.hidden_text = buf_view(&r->hidden);
    if (r->source.has_failed)
        r->doc.facts |= DOCUMENT_READ_FAILED;
    *out = &r->doc;
    return MSA_OK;
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
    buf_init(&utf8, 3 * value.n);
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
