/* rspamd's answers: whatever is taken stays within its bounds, and fields are whole lines. First byte: settings. */
#include <string.h>

#include "policy/score/services/rspamd_answer.h"
#include "msa/mail/header.h"
#include "tests/fuzz/fuzz.h"

static void check_header(struct view fields)
{
    struct header h;
    header_init(&h, HEADER_LIMITS_DEFAULT);
    must(fields.n <= JUDGEMENT_HEADER_MAX);
    must(header_feed(&h, &fields) == HEADER_MORE);
    must((h.defects & HEADER_AMBIGUOUS) == 0 && header_block(&h).n == h.scanned_bytes);
    header_fini(&h);
}

static void check(const struct judgement *v)
{
    must(v->finding_count <= JUDGEMENT_FINDINGS_MAX && strlen(v->text) <= IPC_REPLY_MAX);
    must(v->score_milli <= JUDGEMENT_SCORE_MAX && v->score_milli >= -JUDGEMENT_SCORE_MAX);
    for (size_t i = 0; i < v->finding_count; i++) {
        must(strlen(v->findings[i].name) < FINDING_NAME_SIZE);
        for (const char *c = v->findings[i].name; *c; c++)
            must(*c > ' ' && *c < 0x7f);
    }
    check_header(buf_view(&v->header));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    size_t bits = fuzz_take_piece(&in);
    struct config_rspamd set = {.common = {.name = "main", .weight_milli = bits & 1 ? 1000 : 1000000},
                                .add_headers = true,
                                .on_reject = CONFIG_ACT_REFUSE,
                                .on_soft_reject = CONFIG_ACT_DEFER};
    struct judgement v;
    unsigned left_out;
    judgement_init(&v);
    (void)rspamd_answer_take(in, &set, &v, &left_out);
    check(&v);
    judgement_fini(&v);
    return 0;
}
