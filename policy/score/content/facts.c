#include "policy/score/content/facts.h"

#define LITTLE_TEXT 40 /* bytes: less beside pictures is a caption */

/* A defect of a part, and the fact that it makes. */
static const struct {
    unsigned defect;
    unsigned fact;
} by_defect[] = {
    {DOCUMENT_PART_8BIT_UNDECLARED, DOCUMENT_8BIT_UNDECLARED},
    {DOCUMENT_PART_BAD_CHARSET | DOCUMENT_PART_UNKNOWN_CHARSET, DOCUMENT_BAD_CHARSET},
    {DOCUMENT_PART_BAD_ENCODING | DOCUMENT_PART_BAD_BASE64 | DOCUMENT_PART_BAD_QP,
     DOCUMENT_BAD_ENCODING},
    {DOCUMENT_PART_UNCLOSED | DOCUMENT_PART_NO_BOUNDARY, DOCUMENT_UNCLOSED},
    {DOCUMENT_PART_CUT_SHORT, DOCUMENT_TEXT_CUT_SHORT},
};

static const struct {
    struct view media_type;
    unsigned fact;
} by_type[] = {
    {VIEW_LIT("multipart/encrypted"), DOCUMENT_ENCRYPTED},
    {VIEW_LIT("application/pkcs7-mime"), DOCUMENT_ENCRYPTED},
    {VIEW_LIT("application/x-pkcs7-mime"), DOCUMENT_ENCRYPTED},
    {VIEW_LIT("multipart/signed"), DOCUMENT_SIGNED},
    {VIEW_LIT("multipart/alternative"), DOCUMENT_ALTERNATIVE},
};

static unsigned facts_of(const struct document_part *p)
{
    unsigned facts = 0;
    for (size_t i = 0; i < sizeof by_defect / sizeof by_defect[0]; i++)
        facts |= p->defects & by_defect[i].defect ? by_defect[i].fact : 0u;
    for (size_t i = 0; i < sizeof by_type / sizeof by_type[0]; i++)
        facts |= view_eq(p->media_type, by_type[i].media_type) ? by_type[i].fact : 0u;
    if (p->kind == DOCUMENT_PART_MESSAGE)
        facts |= DOCUMENT_HAS_MESSAGE;
    if (p->kind == DOCUMENT_PART_HTML)
        facts |= DOCUMENT_HAS_HTML;
    return facts;
}

static bool has_letters(struct view text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] > ' ')
            return true;
    return false;
}

static void gather_header(struct document_reader *r)
{
    struct document *d = &r->doc;
    bool has_mime = document_field(d, VIEW_LIT("Content-Type"), NULL) ||
                    document_field(d, VIEW_LIT("Content-Transfer-Encoding"), NULL);
    if (has_mime && !document_field(d, VIEW_LIT("MIME-Version"), NULL))
        d->facts |= DOCUMENT_NO_MIME_VERSION;
    if (r->source.has_failed)
        d->facts |= DOCUMENT_READ_FAILED;
}

void facts_gather(struct document_reader *r)
{
    struct document *d = &r->doc;
    gather_header(r);
    for (size_t i = 0; i < d->part_count; i++) {
        const struct document_part *p = &d->parts[i];
        bool is_leaf = p->kind != DOCUMENT_PART_MULTIPART;
        d->facts |= facts_of(p);
        if (p->kind == DOCUMENT_PART_TEXT && has_letters(document_part_text(d, p)))
            d->facts |= DOCUMENT_HAS_TEXT;
        if (is_leaf &&
            (p->disposition == DOCUMENT_DISPOSITION_ATTACHMENT || p->file_name.n > 0))
            d->attachment_count++;
    }
    if (d->attachment_count > 0)
        d->facts |= DOCUMENT_HAS_ATTACHMENT;
    if ((d->facts & DOCUMENT_HAS_HTML) && !(d->facts & DOCUMENT_HAS_TEXT))
        d->facts |= DOCUMENT_HTML_ONLY;
    if (d->hidden_text.n > 0)
        d->facts |= DOCUMENT_HAS_HIDDEN_TEXT;
    if (d->html.form_count > 0)
        d->facts |= DOCUMENT_HAS_FORM;
    if (d->html.script_count > 0)
        d->facts |= DOCUMENT_HAS_SCRIPT;
    if (d->html.image_count > 0 && d->html.visible_bytes < LITTLE_TEXT)
        d->facts |= DOCUMENT_IMAGE_ONLY;
}
