/* struct buf: a byte queue with a maximum. Bytes are appended at the end and taken from the front.
 *
 * Every buffer is made with the most it may ever hold (after curl's dynbuf): an append beyond that
 * fails with MSA_ETOOBIG and changes nothing, so no peer can make one grow. Memory is taken at the first
 * append and given back by buf_release. Errors are not sticky; check each append or use
 * the buf_add* family and test buf_failed once (it stays set until buf_reset). */
#ifndef MSA_BASE_BUF_H
#define MSA_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"

struct buf {
    char *data;    /* owned; NULL while nothing is held */
    size_t start;  /* first byte not yet taken */
    size_t end;    /* one behind the last byte */
    size_t cap;    /* bytes allocated */
    size_t max;    /* most bytes ever held at once */
    bool failed;   /* an append did not fit since the last reset */
    bool is_secret; /* wiped when it grows, shrinks or is freed */
    bool is_lent;   /* data belongs to somebody else: see buf_lend */
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_init_secret(struct buf *b, size_t max_bytes);
void buf_fini(struct buf *b);    /* frees; the buffer may be initialised again */
void buf_release(struct buf *b); /* gives the memory back, if empty; keeps max */
void buf_reset(struct buf *b);   /* drops all bytes and the failed mark, keeps the memory */

static inline size_t buf_len(const struct buf *b) { return b->end - b->start; }
static inline bool buf_failed(const struct buf *b) { return b->failed; }
struct view buf_view(const struct buf *b); /* valid until the next call that changes `b` */

/* `b` works in `mem`, to which its bytes are moved (they must fit), until buf_settle, which moves what is left
 * then into memory of its own, no more than it needs. So many buffers can share one block to read into.
 * MSA_ENOMEM: what was left is lost. */
void buf_lend(struct buf *b, char *mem, size_t mem_bytes);
int buf_settle(struct buf *b); /* fine when nothing is lent */

/* Appends. 0, MSA_ETOOBIG or MSA_ENOMEM; on failure nothing was appended and `failed` is set. */
int buf_append(struct buf *b, const void *p, size_t n);
int buf_add(struct buf *b, struct view v);
int buf_add_cstr(struct buf *b, const char *s);
int buf_add_char(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
int buf_add_u64(struct buf *b, uint64_t n); /* decimal */

/* Room for at least `n` more bytes in one piece: a pointer to write at, to be followed by
 * buf_commit with what was really written. NULL like a failed append. */
char *buf_reserve(struct buf *b, size_t n);
size_t buf_room(const struct buf *b); /* bytes writable behind buf_reserve's pointer */
void buf_commit(struct buf *b, size_t n);

void buf_take(struct buf *b, size_t n);     /* drops `n` bytes from the front; n <= buf_len */
void buf_truncate(struct buf *b, size_t n); /* keeps the first `n` bytes; n <= buf_len */

#endif
