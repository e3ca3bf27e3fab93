/* The end of data: in pieces it gives what it gives in one, and what it gives goes out through
 * the stuffer and comes back the same. First byte: size of the pieces; lowest bit of the
 * second: normalize. */
#include <string.h>

#include "msa/base/buf.h"
#include "msa/mail/eod.h"
#include "msa/mail/stuff.h"
#include "tests/fuzz/fuzz.h"

struct outcome {
    struct buf body;
    unsigned facts;
    size_t longest;
    size_t rest_n;
    bool ended;
};

static void run(struct outcome *o, struct view text, size_t piece, enum eod_mode mode,
                bool normalize)
{
    struct eod e;
    struct view run;
    *o = (struct outcome){.ended = false};
    buf_init(&o->body, 2 * text.n + 2);
    eod_init(&e, mode, normalize);
    while (text.n > 0 && !o->ended) {
        struct view in = view_slice(text, 0, piece);
        size_t given = in.n;
        enum eod_step step;
        while ((step = eod_next(&e, &in, &run)) == EOD_RUN) {
            must(run.n > 0);
            must(buf_add(&o->body, run) == 0);
        }
        text = view_slice(text, given - in.n, text.n);
        o->ended = step == EOD_END;
    }
    if (mode == EOD_CHUNKS)
        eod_finish_chunks(&e);
    o->rest_n = text.n;
    o->facts = eod_facts(&e);
    o->longest = eod_longest_line(&e);
    must(e.body_bytes == buf_len(&o->body));
}

static void compare(struct view text, size_t piece, enum eod_mode mode, bool normalize)
{
    struct outcome whole, parts;
    run(&whole, text, text.n + 1, mode, normalize);
    run(&parts, text, piece, mode, normalize);
    must(view_eq(buf_view(&whole.body), buf_view(&parts.body)));
    must(whole.facts == parts.facts && whole.longest == parts.longest);
    must(whole.rest_n == parts.rest_n && whole.ended == parts.ended);
    if (mode == EOD_CHUNKS)
        must(!whole.ended && whole.rest_n == 0);
    buf_fini(&whole.body);
    buf_fini(&parts.body);
}

static void round_trip(struct view body, size_t piece)
{
    struct stuff s;
    struct buf wire;
    struct view run_view, rest = body;
    int more = 0;
    buf_init(&wire, 2 * body.n + 8);
    stuff_init(&s);
    while (rest.n > 0 && more == 0) {
        struct view in = view_slice(rest, 0, piece);
        rest = view_slice(rest, in.n, rest.n);
        while ((more = stuff_next(&s, &in, &run_view)) == 1)
            must(buf_add(&wire, run_view) == 0);
    }
    if (more == 0 && stuff_end(&s, &run_view) == 0) {
        struct outcome back;
        must(buf_add(&wire, run_view) == 0);
        run(&back, buf_view(&wire), piece, EOD_DATA, false);
        must(back.ended && back.rest_n == 0 && (back.facts & EOD_STRAY) == 0);
        must(view_has_prefix(buf_view(&back.body), body) && buf_len(&back.body) <= body.n + 2);
        buf_fini(&back.body);
    }
    buf_fini(&wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    size_t piece = fuzz_take_piece(&in);
    bool normalize = fuzz_take_piece(&in) % 2;
    compare(in, piece, EOD_DATA, normalize);
    compare(in, piece, EOD_CHUNKS, normalize);
    round_trip(in, piece);
    return 0;
}
