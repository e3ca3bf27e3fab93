/* What the classifier takes from any message: bounded, each feature once, and a score on its scale. The bytes are also read
 * as a stored model and as a stored example. */
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/classify/model.h"
#include "tests/fuzz/fuzz.h"

static void check_features(const struct features *f)
{
    static const uint32_t most[FEATURE_FAMILIES] = {FEATURE_GRAMS_MAX, FEATURE_WORDS_MAX, FEATURE_SHAPES_MAX};
    char label[FEATURE_LABEL_BYTES];
    for (int k = 0; k < FEATURE_FAMILIES; k++) {
        must(f->count[k] <= most[k]);
        for (uint32_t i = 0; i < f->count[k]; i++) {
            must(f->ids[k][i] < FEATURE_COUNT);
            features_label(f, (enum feature_family)k, i, label);
            must(strlen(label) < sizeof label);
        }
    }
}

static void check_stored(struct view bytes)
{
    const char *why = NULL;
    struct model *m = NULL;
    struct corpus c;
    uint32_t ids[64] = {0}, count[FEATURE_FAMILIES] = {0};
    must(model_decode(bytes, &m, &why) < 0 || m);
    must(m || why);
    model_free(&m);
    memcpy(ids, bytes.p, bytes.n < sizeof ids ? bytes.n : sizeof ids);
    count[FEATURE_WORD] = bytes.n ? (unsigned char)bytes.p[0] % 65 : 0;
    corpus_init(&c);
    (void)corpus_add(&c, ids, count, true, 1, false);
    corpus_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct document_reader *reader;
    static struct features *f;
    static struct model m;
    struct model_result result;
    const struct document *d;
    if (!reader) {
        reader = document_reader_new();
        f = features_new();
        m.scale = (struct model_scale){-1, 0, 1};
        for (size_t i = 0; i < FEATURE_COUNT; i++)
            m.weights.of[i] = (float)(i % 17) - 8;
        must(reader && f);
    }
    struct view bytes = view_of((const char *)data, size);
    if (document_read(reader, bytes, &d) == MSA_OK && features_read(f, d, reader) == MSA_OK) {
        check_features(f);
        model_score(&m, f, MODEL_WHY_WORDS, &result);
        must(result.score_milli >= 0 && result.score_milli <= MODEL_SCORE_MAX_MILLI);
        must(result.reason_count <= MODEL_REASONS_MAX);
    }
    if (size)
        check_stored(bytes);
    return 0;
}
