/* Frames and replies of milters: the same in pieces as in one, views within the frame, and what is written is read.
 * First byte: size of the pieces. */
#include "msa/base/err.h"
#include "policy/score/services/milter_frame.h"
#include "tests/fuzz/fuzz.h"

static bool is_within(struct view part, struct view whole)
{
    return part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n);
}

static void check_reply(const struct milter_frame *f)
{
    struct milter_reply r;
    if (milter_reply_parse(f, &r) < 0)
        return;
    must(is_within(r.name, f->data) && is_within(r.value, f->data) && is_within(r.text, f->data));
    must(view_find(r.name, '\0') == r.name.n && view_find(r.value, '\0') == r.value.n);
    must(r.command != MILTER_REPLYCODE || (r.code >= 400 && r.code <= 599));
}

static void check_written(const struct milter_frame *f)
{
    struct buf out;
    struct milter_frame again;
    buf_init(&out, MILTER_FRAME_MAX);
    milter_frame_add(&out, f->command, f->data);
    must(milter_frame_parse(buf_view(&out), &again) == (int)buf_len(&out));
    must(again.command == f->command && view_eq(again.data, f->data));
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    size_t piece = fuzz_take_piece(&in);
    while (in.n > 0) {
        struct milter_frame whole, part;
        int n = milter_frame_parse(in, &whole), early = 0;
        for (size_t seen = piece; seen < in.n && early == 0; seen += piece)
            early = milter_frame_parse(view_slice(in, 0, seen), &part);
        must(early == 0 || early == n);
        if (n <= 0)
            return 0;
        must((size_t)n <= in.n && (size_t)n <= MILTER_FRAME_MAX && is_within(whole.data, in));
        check_reply(&whole);
        check_written(&whole);
        in = view_slice(in, (size_t)n, in.n);
    }
    return 0;
}
