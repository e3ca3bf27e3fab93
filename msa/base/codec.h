/* Fields of fixed width and byte strings with an explicit length, little endian, for channel messages
 * and for records on disk.
 *
 * Both sides carry a sticky mark: after the first field that does not fit every further call is a
 * no-op (getters give 0 or an empty view), and the end is tested once. A decoder never trusts a length. */
#ifndef MSA_BASE_CODEC_H
#define MSA_BASE_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

/* Writing appends to a buf; test buf_failed at the end. */
void put_u8(struct buf *b, uint8_t n);
void put_u16(struct buf *b, uint16_t n);
void put_u32(struct buf *b, uint32_t n);
void put_u64(struct buf *b, uint64_t n);
void put_i64(struct buf *b, int64_t n);
void put_bytes(struct buf *b, struct view v); /* u32 length, then the bytes */
void put_cstr(struct buf *b, const char *s);  /* as put_bytes, without the NUL */
void put_ipaddr(struct buf *b, const struct ipaddr *a);

struct reader {
    const unsigned char *p;
    size_t n;
    bool failed;
};

struct reader reader_of(struct view v);
uint8_t get_u8(struct reader *r);
bool get_bool(struct reader *r); /* any byte but 0 and 1 fails */
uint16_t get_u16(struct reader *r);
uint32_t get_u32(struct reader *r);
uint64_t get_u64(struct reader *r);
int64_t get_i64(struct reader *r);
struct view get_bytes(struct reader *r, size_t max); /* into the reader's bytes */
void get_ipaddr(struct reader *r, struct ipaddr *out);

/* 0 if every field was there and nothing is left over, otherwise MSA_EPROTO. */
int reader_end(const struct reader *r);

#endif
