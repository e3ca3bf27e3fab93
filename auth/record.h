/* What the records of auth have in common: fields, then a checksum of them, little endian as in base/codec.h. It finds what
 * a disk has spoilt; against people the directory's rights protect. */
#ifndef AUTH_RECORD_H
#define AUTH_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "msa/base/codec.h"

/* Behind the fields that were put into `out` from `begin` on. */
void record_seal(struct buf *out, size_t begin);
/* The fields of a record of at most `max_bytes`; false when it is spoilt. */
bool record_open(struct view record, size_t max_bytes, struct reader *fields_out);

/* Bytes of a fixed length. */
void record_get_raw(struct reader *r, void *out, size_t n);

#endif
