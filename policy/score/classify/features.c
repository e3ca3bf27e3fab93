#include "policy/score/classify/features.h"

#include <stdio.h>
#include <stdlib.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"

const uint32_t feature_family_max[FEATURE_FAMILIES] = {
    [FEATURE_GRAM] = FEATURE_GRAMS_MAX,
    [FEATURE_WORD] = FEATURE_WORDS_MAX,
    [FEATURE_SHAPE] = FEATURE_SHAPES_MAX,
};

struct features *features_new(void)
{
    struct features *f = calloc(1, sizeof *f);
    if (!f)
        return NULL;
    bool is_whole = true;
    for (int k = 0; k < FEATURE_FAMILIES; k++) {
        f->ids[k] = calloc(feature_family_max[k], sizeof *f->ids[k]);
        is_whole = is_whole && f->ids[k];
    }
    f->word_names = calloc(FEATURE_WORDS_MAX, sizeof *f->word_names);
    f->shape_names = calloc(FEATURE_SHAPES_MAX, sizeof *f->shape_names);
    f->seen = calloc(FEATURE_COUNT / 64, sizeof *f->seen);
    buf_init(&f->folded, 2 * FEATURE_TEXT_BYTES + 64);
    buf_init(&f->field, FEATURE_TEXT_BYTES);
    if (!is_whole || !f->word_names || !f->shape_names || !f->seen)
        features_free(&f);
    return f;
}

void features_free(struct features **fp)
{
    struct features *f = *fp;
    if (!f)
        return;
    for (int k = 0; k < FEATURE_FAMILIES; k++)
        free(f->ids[k]);
    free(f->word_names);
    free(f->shape_names);
    free(f->seen);
    buf_fini(&f->folded);
    buf_fini(&f->field);
    free(f);
    *fp = NULL;
}

/* Only the bits that were set: a message touches few of them. */
void features_clear(struct features *f)
{
    for (int k = 0; k < FEATURE_FAMILIES; k++) {
        for (uint32_t i = 0; i < f->count[k]; i++)
            f->seen[f->ids[k][i] / 64] = 0;
        f->count[k] = 0;
    }
    buf_reset(&f->folded);
    buf_reset(&f->field);
}

void features_add_word(struct features *f, uint32_t hash, size_t offset, size_t length)
{
    if (features_add(f, FEATURE_WORD, hash ^ 0x2545f491u))
        f->word_names[f->count[FEATURE_WORD] - 1] =
            (struct feature_name){NULL, (uint32_t)offset, (uint16_t)length};
}

void features_add_shape(struct features *f, const char *name, unsigned number)
{
    uint32_t hash = 2166136261u;
    for (const char *p = name; *p; p++)
        hash = (hash ^ (unsigned char)*p) * 16777619u;
    hash = (hash ^ number) * 16777619u;
    if (features_add(f, FEATURE_SHAPE, hash ^ 0x7feb352du))
        f->shape_names[f->count[FEATURE_SHAPE] - 1] = (struct feature_name){name, number, 0};
}

int features_read(struct features *f, const struct document *d, struct document_reader *r)
{
    features_clear(f);
    const struct document_field *subject = document_field(d, VIEW_LIT("Subject"), NULL);
    if (subject && document_decode(r, view_slice(subject->value, 0, 2048), &f->field) == MSA_ENOMEM)
        return MSA_ENOMEM;
    int err = features_take_text(f, buf_view(&f->field), true);
    if (err == MSA_OK)
        err = features_take_text(f, view_slice(d->text, 0, FEATURE_TEXT_BYTES), false);
    return err < 0 ? err : features_take_shapes(f, d, r, buf_view(&f->field));
}

void features_label(const struct features *f, enum feature_family family, uint32_t index,
                    char out[static FEATURE_LABEL_BYTES])
{
    out[0] = '\0';
    if (family == FEATURE_SHAPE && index < f->count[FEATURE_SHAPE]) {
        const struct feature_name *n = &f->shape_names[index];
        if (n->offset)
            snprintf(out, FEATURE_LABEL_BYTES, "shape:%s=%u", n->shape, (unsigned)n->offset);
        else
            snprintf(out, FEATURE_LABEL_BYTES, "shape:%s", n->shape);
    } else if (family == FEATURE_WORD && index < f->count[FEATURE_WORD]) {
        const struct feature_name *n = &f->word_names[index];
        struct view w = view_slice(buf_view(&f->folded), n->offset, (size_t)n->offset + n->length);
        w = view_slice(w, 0, FEATURE_LABEL_BYTES - 8);
        while (w.n && !utf8_is_valid(w))
            w.n--;
        snprintf(out, FEATURE_LABEL_BYTES, "word:%.*s", (int)w.n, w.p);
    }
}
