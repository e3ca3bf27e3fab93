/* The project's shared test data (mail, logs, vectors) lives beside the repository, not in it. */
#ifndef TESTS_UNIT_SHARED_DATA_H
#define TESTS_UNIT_SHARED_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Writes the path of `name` under the shared data: of $MSA_SHARED, ../shared seen from the top
 * of the repository, or the same seen from the main checkout when this is a worktree. False if
 * there is no such file. */
bool shared_data_path(const char *name, char *out, size_t out_size);

/* Opens it for reading. Without it the test is skipped, and says loudly what it did not test. */
FILE *shared_data_open(const char *name);

/* Reads a whole file into a new block with a NUL behind it; free() it. NULL if it cannot be
 * read. */
char *shared_data_slurp(const char *path, size_t *n_out);

#endif
