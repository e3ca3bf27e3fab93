/* JSON as the test programs print it. Writers append to a buf; an object is begun and ended by the
 * caller with '{' and '}', commas are put where needed. Bytes that are no ASCII go out as \u00XX, one for
 * one, so that a reader gets every byte back as Latin-1. */
#ifndef TESTS_COMMON_JSON_H
#define TESTS_COMMON_JSON_H

#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

void put_json_key(struct buf *b, const char *key); /* `"key":` with a comma before it unless it is the first */
void put_json_str(struct buf *b, const char *key, struct view value); /* NULL key: an element of an array */
void put_json_num(struct buf *b, const char *key, int64_t value);
void put_json_real(struct buf *b, const char *key, double value);
void put_json_bool(struct buf *b, const char *key, bool value);

#endif
