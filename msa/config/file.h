/* Within msa/config: the only place that opens files, for config_load in the supervisor. Blocks. */
#ifndef MSA_CONFIG_FILE_H
#define MSA_CONFIG_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "msa/base/arena.h"
#include "msa/base/view.h"

#define FILE_MAX_BYTES     (1u << 20) /* of one configuration file */
#define FILE_PASSWORD_MAX  1024
#define FILE_WHY_MAX       128

/* The whole of the regular file `path`, at most `max_bytes`, into `arena`. MSA_OK, or a negative
 * msa_err and the reason in `why`. */
int file_read(const char *path, size_t max_bytes, struct arena *arena, struct view *text_out,
              struct stat *st_out, char why[FILE_WHY_MAX]);

#endif
