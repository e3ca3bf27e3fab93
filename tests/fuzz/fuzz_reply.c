/* Replies of a smarthost: in pieces as in one; what is kept is printable. First byte: size of
 * the pieces. */
#include "msa/mail/ehlo.h"
#include "msa/mail/reply.h"
#include "tests/fuzz/fuzz.h"

static int read_reply(struct reply *r, struct view text, size_t piece, size_t *rest_out)
{
    int step = REPLY_MORE;
    reply_init(r);
    while (text.n > 0 && step == REPLY_MORE) {
        struct view in = view_slice(text, 0, piece);
        size_t given = in.n;
        step = reply_feed(r, &in);
        text = view_slice(text, given - in.n, text.n);
    }
    *rest_out = text.n;
    return step;
}

static void check_text(const struct reply *r)
{
    struct view text = reply_text(r);
    struct ehlo e;
    char enhanced[ENHANCED_TEXT_SIZE];
    size_t lines = text.n > 0 || r->line_count > 0;
    for (size_t i = 0; i < text.n; i++) {
        must(text.p[i] == '\n' || (text.p[i] >= 0x20 && text.p[i] < 0x7f));
        lines += text.p[i] == '\n';
    }
    must(lines == r->line_count && lines <= REPLY_LINES_MAX);
    must(r->enhanced.class == 0 || r->enhanced.class == r->code / 100);
    reply_enhanced_text(r, enhanced);
    ehlo_parse(text, &e);
    must((e.mechanisms == 0) || (e.capabilities & EHLO_AUTH));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    size_t piece = fuzz_take_piece(&in), whole_rest, parts_rest;
    struct reply whole, parts;
    int a = read_reply(&whole, in, in.n + 1, &whole_rest);
    int b = read_reply(&parts, in, piece, &parts_rest);
    must(a == b);
    if (a >= 0) {
        must(whole.code == parts.code && whole_rest == parts_rest);
        must(view_eq(reply_text(&whole), reply_text(&parts)));
        check_text(&whole);
    }
    reply_fini(&whole);
    reply_fini(&parts);
    return 0;
}
