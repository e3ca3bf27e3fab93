/* A model as bytes: see model.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "policy/score/classify/model.h"

#define FORM_VERSION  2u
#define MAGIC         "msadcls\n"
#define MAGIC_BYTES   8
#define HEAD_BYTES    (MAGIC_BYTES + 4 + 4 + 4 * 8 + 12 + 4 + 4)
#define WEIGHTS_BYTES ((size_t)FEATURE_COUNT * 4)
#define MODEL_BYTES   (HEAD_BYTES + WEIGHTS_BYTES + 8)

static uint64_t checksum(struct view v)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < v.n; i++)
        h = (h ^ (unsigned char)v.p[i]) * 1099511628211u;
    return h;
}

static void put_float(struct buf *b, float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    put_u32(b, bits);
}

static float get_float(struct reader *r)
{
    uint32_t bits = get_u32(r);
    float x;
    memcpy(&x, &bits, sizeof x);
    if (!isfinite(x))
        r->failed = true;
    return x;
}

int model_encode(const struct model *m, struct buf *out)
{
    size_t start = buf_len(out);
    buf_append(out, MAGIC, MAGIC_BYTES);
    put_u32(out, FORM_VERSION);
    put_u32(out, FEATURE_VERSION);
    put_u64(out, m->ham_count);
    put_u64(out, m->spam_count);
    put_u64(out, m->ham_above_count);
    put_u64(out, m->spam_above_count);
    put_float(out, m->scale.ham_middle);
    put_float(out, m->scale.threshold);
    put_float(out, m->scale.spam_middle);
    put_float(out, m->weights.bias);
    put_u32(out, FEATURE_COUNT);
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        put_float(out, m->weights.of[i]);
    put_u64(out, checksum(view_slice(buf_view(out), start, buf_len(out))));
    return buf_failed(out) ? MSA_ETOOBIG : MSA_OK;
}

static int check_frame(struct view bytes, const char **why_out)
{
    if (bytes.n < MAGIC_BYTES + 8 || memcmp(bytes.p, MAGIC, MAGIC_BYTES)) {
        *why_out = "it is no model of msad";
        return MSA_ECORRUPT;
    }
    struct reader r = reader_of(view_slice(bytes, MAGIC_BYTES, MAGIC_BYTES + 8));
    if (get_u32(&r) != FORM_VERSION || get_u32(&r) != FEATURE_VERSION) {
        *why_out = "it was made by another version of msad: train it anew";
        return MSA_EINVAL;
    }
    struct reader sum = reader_of(view_slice(bytes, bytes.n - 8, bytes.n));
    if (bytes.n != MODEL_BYTES || get_u64(&sum) != checksum(view_slice(bytes, 0, bytes.n - 8))) {
        *why_out = "it is damaged: train it anew";
        return MSA_ECORRUPT;
    }
    return MSA_OK;
}

int model_decode(struct view bytes, struct model **out, const char **why_out)
{
    *out = NULL;
    int err = check_frame(bytes, why_out);
    if (err < 0)
        return err;
    struct model *m = calloc(1, sizeof *m);
    if (!m)
        return MSA_ENOMEM;
    struct reader r = reader_of(view_slice(bytes, MAGIC_BYTES + 8, bytes.n - 8));
    m->ham_count = get_u64(&r);
    m->spam_count = get_u64(&r);
    m->ham_above_count = get_u64(&r);
    m->spam_above_count = get_u64(&r);
    m->scale.ham_middle = get_float(&r);
    m->scale.threshold = get_float(&r);
    m->scale.spam_middle = get_float(&r);
    m->weights.bias = get_float(&r);
    bool is_sound = get_u32(&r) == FEATURE_COUNT;
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        m->weights.of[i] = get_float(&r);
    if (!is_sound || reader_end(&r) < 0 || !(m->scale.ham_middle < m->scale.threshold) ||
        !(m->scale.threshold < m->scale.spam_middle)) {
        *why_out = "what stands in it cannot be: train it anew";
        model_free(&m);
        return MSA_ECORRUPT;
    }
    *out = m;
    return MSA_OK;
}
