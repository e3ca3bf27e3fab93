#include "auth/account.h"

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/base/table.h"

#define VERSION       1
#define FLAG_DISABLED 1u
#define FLAG_CRAM     2u
#define SUM_BYTES     8

static uint64_t sum_of(const char *p, size_t n)
{
    static const uint8_t zeros[16];
    return siphash13(zeros, p, n);
}

void account_encode(const struct account *a, struct buf *out)
{
    size_t begin = buf_len(out);
    put_u8(out, VERSION);
    put_u8(out, (uint8_t)((a->is_disabled ? FLAG_DISABLED : 0) | (a->has_cram ? FLAG_CRAM : 0)));
    put_u64(out, a->id);
    put_i64(out, a->created_ms);
    put_i64(out, a->changed_ms);
    put_u32(out, a->generation);
    put_u8(out, (uint8_t)a->kind);
    put_cstr(out, a->secret);
    if (a->has_cram)
        buf_append(out, a->cram, sizeof a->cram);
    if (buf_failed(out))
        return;
    struct view whole = view_slice(buf_view(out), begin, buf_len(out));
    put_u64(out, sum_of(whole.p, whole.n));
}

static void get_raw(struct reader *r, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = get_u8(r);
}

static bool decode_fields(struct reader *r, struct account *out)
{
    uint8_t version = get_u8(r), flags = get_u8(r);
    out->is_disabled = (flags & FLAG_DISABLED) != 0;
    out->has_cram = (flags & FLAG_CRAM) != 0;
    out->id = get_u64(r);
    out->created_ms = get_i64(r);
    out->changed_ms = get_i64(r);
    out->generation = get_u32(r);
    uint8_t kind = get_u8(r);
    struct view secret = get_bytes(r, ACCOUNT_SECRET_MAX - 1);
    if (out->has_cram)
        get_raw(r, out->cram, sizeof out->cram);
    if (reader_end(r) < 0 || version != VERSION || (flags & ~(FLAG_DISABLED | FLAG_CRAM)) != 0)
        return false;
    out->kind = (enum hash_kind)kind;
    return out->id != 0 && kind != HASH_NONE && kind < HASH_KIND_COUNT &&
           view_to_cstr(secret, out->secret, sizeof out->secret);
}

int account_decode(struct view record, struct account *out)
{
    *out = (struct account){0};
    if (record.n < SUM_BYTES || record.n > ACCOUNT_RECORD_MAX)
        return MSA_ECORRUPT;
    size_t n = record.n - SUM_BYTES;
    struct reader sum = reader_of(view_slice(record, n, record.n));
    struct reader fields = reader_of(view_slice(record, 0, n));
    if (get_u64(&sum) == sum_of(record.p, n) && decode_fields(&fields, out))
        return MSA_OK;
    account_wipe(out);
    return MSA_ECORRUPT;
}

void account_wipe(struct account *a)
{
    secret_wipe(a, sizeof *a);
}
