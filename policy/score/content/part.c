#include <string.h>

#include "msa/base/err.h"
#include "policy/score/content/fields.h"
#include "policy/score/content/mime_params.h"
#include "policy/score/content/text.h"
#include "policy/score/content/walk.h"

#define BOUNDARY_MAX 256 /* RFC 2046 allows 70 */

/* The value of the first field called `name`. */
static struct view value_of(const struct fields *f, struct view name,
                            struct document_part *p)
{
    const struct document_field *first = fields_find(f->list, f->count, name, NULL);
    if (first && fields_find(f->list, f->count, name, first))
        p->defects |= DOCUMENT_PART_DUPLICATE_FIELD;
    return first ? first->value : VIEW_EMPTY;
}

/* ---- the type ---- */

static bool is_media_type(struct view word)
{
    size_t slash = view_find(word, '/');
    return slash > 0 && slash + 1 < word.n;
}

static int describe_type(struct document_reader *r, struct document_part *p,
                         struct view type, bool is_in_digest)
{
    char word[128];
    p->media_type = mime_word(type, word, sizeof word);
    if (type.p && !is_media_type(p->media_type))
        p->defects |= DOCUMENT_PART_BAD_TYPE;
    if (!is_media_type(p->media_type))
        p->media_type =
            is_in_digest && !type.p ? VIEW_LIT("message/rfc822") : VIEW_LIT("text/plain");
    p->media_type = arena_copy(&r->arena, p->media_type);
    return p->media_type.p ? MSA_OK : MSA_ENOMEM;
}

static enum document_part_kind kind_of(const struct document_part *p)
{
    struct view type = p->media_type;
    if (view_has_prefix(type, VIEW_LIT("multipart/")))
        return DOCUMENT_PART_MULTIPART;
    if (view_eq(type, VIEW_LIT("message/rfc822")) ||
        view_eq(type, VIEW_LIT("message/global")))
        return p->encoding == DOCUMENT_ENCODING_NONE ? DOCUMENT_PART_MESSAGE
                                                     : DOCUMENT_PART_OTHER;
    if (p->disposition == DOCUMENT_DISPOSITION_ATTACHMENT)
        return DOCUMENT_PART_OTHER;
    if (view_eq(type, VIEW_LIT("text/html")) ||
        view_eq(type, VIEW_LIT("application/xhtml+xml")))
        return DOCUMENT_PART_HTML;
    return view_has_prefix(type, VIEW_LIT("text/")) ? DOCUMENT_PART_TEXT
                                                    : DOCUMENT_PART_OTHER;
}

static enum document_encoding encoding_of(struct view field, struct document_part *p)
{
    static const struct {
        struct view word;
        enum document_encoding encoding;
    } words[] = {
        {VIEW_LIT("7bit"), DOCUMENT_ENCODING_NONE},
        {VIEW_LIT("8bit"), DOCUMENT_ENCODING_NONE},
        {VIEW_LIT("binary"), DOCUMENT_ENCODING_NONE},
        {VIEW_LIT("base64"), DOCUMENT_ENCODING_BASE64},
        {VIEW_LIT("quoted-printable"), DOCUMENT_ENCODING_QP},
        {VIEW_LIT("x-uuencode"), DOCUMENT_ENCODING_UU},
        {VIEW_LIT("x-uue"), DOCUMENT_ENCODING_UU},
    };
    char buf[64];
    struct view word = mime_word(field, buf, sizeof buf);
    if (!field.p)
        return DOCUMENT_ENCODING_NONE;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (view_eq(word, words[i].word))
            return words[i].encoding;
    p->defects |= DOCUMENT_PART_BAD_ENCODING;
    return DOCUMENT_ENCODING_UNKNOWN;
}

static enum document_disposition disposition_of(struct view field)
{
    char buf[64];
    struct view word = mime_word(field, buf, sizeof buf);
    if (word.n == 0)
        return DOCUMENT_DISPOSITION_NONE;
    return view_eq(word, VIEW_LIT("inline")) ? DOCUMENT_DISPOSITION_INLINE
                                             : DOCUMENT_DISPOSITION_ATTACHMENT;
}

/* ---- words that are kept ---- */

static int keep(struct document_reader *r, struct buf *from, struct view *to)
{
    *to = arena_copy(&r->arena, buf_view(from));
    int err = buf_len(from) > 0 && !to->p ? MSA_ENOMEM : MSA_OK;
    buf_reset(from);
    return err;
}

static int describe_charset(struct document_reader *r, struct document_part *p,
                            struct view type)
{
    struct buf *word = &r->word;
    mime_param(type, VIEW_LIT("charset"), word);
    for (size_t i = word->start; i < word->end; i++)
        word->data[i] = ascii_lower(word->data[i]);
    return keep(r, word, &p->charset);
}

static int describe_file_name(struct document_reader *r, struct document_part *p,
                              struct view type, struct view disposition)
{
    struct buf *word = &r->word;
    int found = mime_param_text(r->charsets, disposition, VIEW_LIT("filename"), word);
    if (found == MSA_NOT_FOUND)
        found = mime_param_text(r->charsets, type, VIEW_LIT("name"), word);
    r->is_starved |= found == MSA_ENOMEM && buf_len(word) == 0;
    return keep(r, word, &p->file_name);
}

static int keep_boundary(struct document_reader *r, struct document_part *p,
                         struct view type, struct view *boundary)
{
    struct buf *word = &r->word;
    mime_param(type, VIEW_LIT("boundary"), word);
    while (buf_len(word) > 0 &&
           (word->data[word->end - 1] == ' ' || word->data[word->end - 1] == '\t'))
        buf_truncate(word, buf_len(word) - 1); /* a boundary never ends in a blank */
    if (buf_len(word) == 0 || buf_len(word) > BOUNDARY_MAX) {
        p->kind = DOCUMENT_PART_TEXT;
        p->defects |= DOCUMENT_PART_NO_BOUNDARY;
        buf_reset(word);
        return MSA_OK;
    }
    return keep(r, word, boundary);
}

int part_describe(struct document_reader *r, struct document_part *p,
                  const struct fields *f, bool is_in_digest, struct view *boundary)
{
    struct view type = value_of(f, VIEW_LIT("Content-Type"), p);
    struct view encoding = value_of(f, VIEW_LIT("Content-Transfer-Encoding"), p);
    const struct document_field *disposition =
        fields_find(f->list, f->count, VIEW_LIT("Content-Disposition"), NULL);
    const struct document_field *id =
        fields_find(f->list, f->count, VIEW_LIT("Content-ID"), NULL);
    struct view shown = disposition ? disposition->value : VIEW_EMPTY;
    *boundary = VIEW_EMPTY;
    buf_reset(&r->word);
    p->encoding = encoding_of(encoding, p);
    p->disposition = disposition_of(shown);
    p->content_id = id ? text_keep(r, view_trim(id->value)) : VIEW_EMPTY;
    int err = describe_type(r, p, type, is_in_digest);
    if (err == MSA_OK)
        err = describe_charset(r, p, type);
    if (err == MSA_OK)
        err = describe_file_name(r, p, type, shown);
    p->kind = kind_of(p);
    if (err < 0 || p->kind != DOCUMENT_PART_MULTIPART)
        return err;
    if (p->encoding != DOCUMENT_ENCODING_NONE) {
        p->encoding = DOCUMENT_ENCODING_NONE; /* RFC 2045 section 6.4 allows none */
        p->defects |= DOCUMENT_PART_BAD_ENCODING;
    }
    return keep_boundary(r, p, type, boundary);
}
