#include "msa/base/codec.h"

#include <string.h>

#include "msa/base/err.h"

static void put_raw(struct buf *b, const void *p, size_t n)
{
    if (!b->failed)
        buf_append(b, p, n);
}

static void put_le(struct buf *b, uint64_t n, size_t width)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (unsigned char)(n >> (8 * i));
    put_raw(b, bytes, width);
}

void put_u8(struct buf *b, uint8_t n)
{
    put_le(b, n, 1);
}

void put_u16(struct buf *b, uint16_t n)
{
    put_le(b, n, 2);
}

void put_u32(struct buf *b, uint32_t n)
{
    put_le(b, n, 4);
}

void put_u64(struct buf *b, uint64_t n)
{
    put_le(b, n, 8);
}

void put_i64(struct buf *b, int64_t n)
{
    put_le(b, (uint64_t)n, 8);
}

void put_bytes(struct buf *b, struct view v)
{
    if (v.n > UINT32_MAX) {
        b->failed = true;
        return;
    }
    put_u32(b, (uint32_t)v.n);
    put_raw(b, v.p, v.n);
}

void put_cstr(struct buf *b, const char *s)
{
    put_bytes(b, view_cstr(s));
}

void put_ipaddr(struct buf *b, const struct ipaddr *a)
{
    put_raw(b, a->bytes, sizeof a->bytes);
}

struct reader reader_of(struct view v)
{
    return (struct reader){.p = (const unsigned char *)v.p, .n = v.n};
}

/* The next `n` bytes, or NULL with the reader failed from now on. */
static const unsigned char *take(struct reader *r, size_t n)
{
    if (r->failed || n > r->n) {
        r->failed = true;
        return NULL;
    }
    const unsigned char *at = r->p;
    if (n > 0)
        r->p += n;
    r->n -= n;
    return at;
}

static uint64_t get_le(struct reader *r, size_t width)
{
    const unsigned char *at = take(r, width);
    uint64_t n = 0;
    for (size_t i = 0; at && i < width; i++)
        n |= (uint64_t)at[i] << (8 * i);
    return n;
}

uint8_t get_u8(struct reader *r)
{
    return (uint8_t)get_le(r, 1);
}

bool get_bool(struct reader *r)
{
    uint8_t n = get_u8(r);
    if (n > 1)
        r->failed = true;
    return n == 1;
}

uint16_t get_u16(struct reader *r)
{
    return (uint16_t)get_le(r, 2);
}

uint32_t get_u32(struct reader *r)
{
    return (uint32_t)get_le(r, 4);
}

uint64_t get_u64(struct reader *r)
{
    return get_le(r, 8);
}

int64_t get_i64(struct reader *r)
{
    return (int64_t)get_le(r, 8);
}

struct view get_bytes(struct reader *r, size_t max)
{
    uint32_t n = get_u32(r);
    if (n > max)
        r->failed = true;
    const unsigned char *at = take(r, n);
    return at ? view_of((const char *)at, n) : VIEW_EMPTY;
}

void get_ipaddr(struct reader *r, struct ipaddr *out)
{
    const unsigned char *at = take(r, sizeof out->bytes);
    if (at)
        memcpy(out->bytes, at, sizeof out->bytes);
    else
        memset(out->bytes, 0, sizeof out->bytes);
}

int reader_end(const struct reader *r)
{
    return r->failed || r->n > 0 ? MSA_EPROTO : MSA_OK;
}
