#include <criterion/criterion.h>

#include "msa/base/err.h"
#include "policy/score/content/transfer.h"

TestSuite(transfer, .timeout = 20);

static const struct {
    enum document_encoding encoding;
    struct view in;
    struct view want;
    bool is_malformed;
} cases[] = {
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT("TWFu"), VIEW_LIT("Man"), false},
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT("TWE="), VIEW_LIT("Ma"), false},
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT("TQ==\r\n"), VIEW_LIT("M"), false},
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT("TW\r\nFu TW\tFu"), VIEW_LIT("ManMan"), false},
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT("TQ==TWFu"), VIEW_LIT("MMan"), false},
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT("TWFuTQ"), VIEW_LIT("ManM"), true},
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT("TWFuT"), VIEW_LIT("Man"), true},
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT("TW*Fu"), VIEW_LIT("Man"), true},
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT("/+8="), VIEW_LIT("\xff\xef"), false},
    {DOCUMENT_ENCODING_BASE64, VIEW_LIT(""), VIEW_LIT(""), false},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("a=3Db=c3=A9"), VIEW_LIT("a=b\xc3\xa9"), false},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("one=\r\ntwo=\nthree"), VIEW_LIT("onetwothree"),
     false},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("one= \t \r\ntwo"), VIEW_LIT("onetwo"), false},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("a=\r\r\nb"), VIEW_LIT("a\r\nb"), false},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("a=xyz=4"), VIEW_LIT("a=xyz=4"), true},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("a=4gb"), VIEW_LIT("a=4gb"), true},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("a==41"), VIEW_LIT("a=A"), true},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("a==3D=41"), VIEW_LIT("a==A"), true},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("end="), VIEW_LIT("end"), false},
    {DOCUMENT_ENCODING_QP, VIEW_LIT("line\r\n\r\nline\r\n"),
     VIEW_LIT("line\r\n\r\nline\r\n"), false},
    {DOCUMENT_ENCODING_NONE, VIEW_LIT("=41 TWFu"), VIEW_LIT("=41 TWFu"), false},
    {DOCUMENT_ENCODING_UNKNOWN, VIEW_LIT("=41"), VIEW_LIT("=41"), false},
};
#define CASES (sizeof cases / sizeof cases[0])

/* Feeds a case in pieces of `piece` bytes, the first of `first`. */
static void expect(size_t i, size_t first, size_t piece)
{
    struct transfer t;
    struct buf out;
    struct view rest = cases[i].in;
    buf_init(&out, 1000);
    transfer_init(&t, cases[i].encoding);
    for (size_t n = first; rest.n > 0; n = piece) {
        cr_assert_eq(transfer_feed(&t, view_slice(rest, 0, n), &out), MSA_OK);
        rest = view_slice(rest, n, rest.n);
    }
    cr_assert_eq(transfer_finish(&t, &out), MSA_OK);
    cr_expect(view_eq(buf_view(&out), cases[i].want), "case %zu, %zu, %zu: %.*s", i,
              first, piece, (int)buf_len(&out), buf_len(&out) ? out.data : "");
    cr_expect_eq(t.is_malformed, cases[i].is_malformed, "case %zu, %zu, %zu", i, first,
                 piece);
    buf_fini(&out);
}

Test(transfer, decodes_whole_split_and_byte_by_byte)
{
    for (size_t i = 0; i < CASES; i++) {
        expect(i, 1000, 1000);
        for (size_t at = 1; at < cases[i].in.n; at++)
            expect(i, at, 1000);
        expect(i, 1, 1);
    }
}

Test(transfer, stops_at_a_full_buffer)
{
    static const enum document_encoding all[] = {
        DOCUMENT_ENCODING_BASE64, DOCUMENT_ENCODING_QP, DOCUMENT_ENCODING_NONE};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct transfer t;
        struct buf out;
        buf_init(&out, 2);
        transfer_init(&t, all[i]);
        cr_expect_eq(transfer_feed(&t, VIEW_LIT("TWFuTWFu"), &out), MSA_ETOOBIG);
        buf_fini(&out);
    }
}
