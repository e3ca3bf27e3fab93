/* Messages to measure with, made of the texts of prior.h: what people write, at the lengths that are asked for. */
#ifndef TESTS_BENCH_SCORE_BENCH_LETTERS_H
#define TESTS_BENCH_SCORE_BENCH_LETTERS_H

#include <stdbool.h>

#include "msa/base/buf.h"

#define LETTER_BYTES_MAX ((size_t)16 << 20)
#define LETTER_SMALL     ((size_t)4096)
#define LETTER_LARGE     ((size_t)10 << 20)

typedef void letter_fn(struct buf *out);

void letter_text(struct buf *out);       /* 4 KiB, plain */
void letter_html(struct buf *out);       /* 4 KiB, plain text and HTML */
void letter_attached(struct buf *out);   /* 10 MiB, most of it an attachment */
void letter_text_large(struct buf *out); /* 10 MiB, HTML with a link in each paragraph */

/* A short one to learn from; another for each `number`. */
void letter_example(struct buf *out, bool is_spam, unsigned number);

#endif
