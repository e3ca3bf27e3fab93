#include "auth/record.h"

#include "msa/base/table.h"

#define SUM_BYTES 8

static uint64_t sum_of(struct view fields)
{
    static const uint8_t zeros[16];
    return siphash13(zeros, fields.p, fields.n);
}

void record_seal(struct buf *out, size_t begin)
{
    if (!buf_failed(out))
        put_u64(out, sum_of(view_slice(buf_view(out), begin, buf_len(out))));
}

bool record_open(struct view record, size_t max_bytes, struct reader *fields_out)
{
    if (record.n < SUM_BYTES || record.n > max_bytes)
        return false;
    struct view fields = view_slice(record, 0, record.n - SUM_BYTES);
    struct reader sum = reader_of(view_slice(record, fields.n, record.n));
    *fields_out = reader_of(fields);
    return get_u64(&sum) == sum_of(fields);
}

void record_get_raw(struct reader *r, void *out, size_t n)
{
    uint8_t *at = out;
    for (size_t i = 0; i < n; i++)
        at[i] = get_u8(r);
}
