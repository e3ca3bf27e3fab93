#include "auth/account.h"

#include "auth/record.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"

#define VERSION       1
#define FLAG_DISABLED 1u
#define FLAG_CRAM     2u

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
    record_seal(out, begin);
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
        record_get_raw(r, out->cram, sizeof out->cram);
    if (reader_end(r) < 0 || version != VERSION || (flags & ~(FLAG_DISABLED | FLAG_CRAM)) != 0)
        return false;
    out->kind = (enum hash_kind)kind;
    return out->id != 0 && kind != HASH_NONE && kind < HASH_KIND_COUNT &&
           view_to_cstr(secret, out->secret, sizeof out->secret);
}

int account_decode(struct view record, struct account *out)
{
    *out = (struct account){0};
    struct reader fields;
    if (record_open(record, ACCOUNT_RECORD_MAX, &fields) && decode_fields(&fields, out))
        return MSA_OK;
    account_wipe(out);
    return MSA_ECORRUPT;
}

void account_wipe(struct account *a)
{
    secret_wipe(a, sizeof *a);
}
