/* The lines of a file, plain or compressed by gzip, one at a time. */
#ifndef MSA_CTL_LOG_FILE_H
#define MSA_CTL_LOG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

struct log_file;

#define LOG_FILE_LINE_MAX 65536

/* "-" is standard input. NULL with errno. */
struct log_file *log_file_open(const char *path);
void log_file_close(struct log_file **l); /* NULL is fine */

/* 1: *out is the next line, without its end, until the next call; 0: there are no more;
 * MSA_EIO: reading or unpacking failed. Of a line longer than LOG_FILE_LINE_MAX the rest
 * is passed over. */
int log_file_next(struct log_file *l, struct view *out);

/* How much of the file has been read, and how much it is (0: not known), before
 * unpacking. */
uint64_t log_file_done_bytes(const struct log_file *l);
uint64_t log_file_total_bytes(const struct log_file *l);

#endif
