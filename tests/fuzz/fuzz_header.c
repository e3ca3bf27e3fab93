/* The header scanner: in pieces as in one, fields lie in the block one behind the other, and
 * small limits hold. First byte: size of the pieces. */
#include "msa/mail/header.h"
#include "tests/fuzz/fuzz.h"

static int scan(struct header *h, struct view text, size_t piece, struct header_limits limits,
                size_t *rest_out)
{
    int step = HEADER_MORE;
    header_init(h, limits);
    while (text.n > 0 && step == HEADER_MORE) {
        struct view in = view_slice(text, 0, piece);
        size_t given = in.n;
        step = header_feed(h, &in);
        text = view_slice(text, given - in.n, text.n);
    }
    *rest_out = text.n;
    return step == HEADER_MORE ? header_finish(h) : step;
}

static void check_fields(const struct header *h)
{
    struct buf out;
    size_t end = 0;
    must(h->field_count <= h->limits.field_count);
    must(buf_len(&h->block) <= h->limits.block_bytes || (h->defects & HEADER_TOO_BIG));
    buf_init(&out, buf_len(&h->block) + 1);
    for (size_t i = 0; i < h->field_count; i++) {
        const struct header_field *f = &h->fields[i];
        must(f->offset >= end && f->length <= h->limits.field_bytes);
        end = (size_t)f->offset + f->length;
        must(end <= buf_len(&h->block));
        must(header_field_name(h, f).n > 0);
        must(header_field_body(h, f).n < f->length);
        must(header_find(h, header_field_name(h, f), NULL) <= f);
        buf_reset(&out);
        must(header_unfold(header_field_body(h, f), &out) == 0);
    }
    buf_fini(&out);
}

static void compare(struct view text, size_t piece, struct header_limits limits)
{
    struct header whole, parts;
    size_t whole_rest, parts_rest;
    int a = scan(&whole, text, text.n + 1, limits, &whole_rest);
    int b = scan(&parts, text, piece, limits, &parts_rest);
    must(a == b);
    if (a >= 0) {
        must(whole_rest == parts_rest && whole.defects == parts.defects);
        must(whole.field_count == parts.field_count);
        must(view_eq(header_block(&whole), header_block(&parts)));
    }
    check_fields(&whole);
    check_fields(&parts);
    header_fini(&whole);
    header_fini(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    size_t piece = fuzz_take_piece(&in);
    compare(in, piece, HEADER_LIMITS_DEFAULT);
    compare(in, piece,
            (struct header_limits){.block_bytes = 200, .field_bytes = 50, .field_count = 5});
    return 0;
}
