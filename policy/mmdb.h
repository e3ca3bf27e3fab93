/* A MaxMind database: the only door to libmaxminddb.
 *
 * The file is copied into sealed memory, so nothing that anybody does to it later
 * (overwriting in place, cutting it off, a disk error) can reach us: mapped, it would end
 * the process by SIGBUS. Before a database is used its tree is walked a little and its
 * records are asked for what they are wanted for; one that is damaged or of another kind
 * is not opened at all. Looking up never fails: what is damaged is not found. Not
 * thread-safe while opening or closing; look-ups may run in several threads. */
#ifndef POLICY_MMDB_H
#define POLICY_MMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

struct mmdb;

#define MMDB_ERROR_MAX     160
#define MMDB_PATH_KEYS_MAX 8
#define MMDB_PATH_TEXT_MAX 64
#define MMDB_BYTES_MAX     (INT64_C(1) << 30)

/* "country.iso_code": where in a record a value stands. */
struct mmdb_path {
    char text[MMDB_PATH_TEXT_MAX];
    const char
        *keys[MMDB_PATH_KEYS_MAX + 1]; /* into text; ends in NULL, so do not copy it */
};

/* False if it is empty, too long or too deep. */
bool mmdb_path_parse(const char *dotted, struct mmdb_path *out);

struct mmdb_record {
    const struct mmdb *of;
    uint32_t offset;
};

/* Whether a record is what the database is opened for. */
typedef bool mmdb_is_wanted_fn(const struct mmdb_record *r, const void *arg);

/* NULL with a text for people in `error`. Reads the whole file: blocks. */
struct mmdb *mmdb_open(const char *file, mmdb_is_wanted_fn *is_wanted, const void *arg,
                       char error[MMDB_ERROR_MAX]);
/* The same from memory, which is copied. */
struct mmdb *mmdb_open_bytes(struct view bytes, mmdb_is_wanted_fn *is_wanted,
                             const void *arg, char error[MMDB_ERROR_MAX]);
void mmdb_close(struct mmdb **m); /* NULL is fine */

int64_t mmdb_built_s(
    const struct mmdb *m); /* when, in seconds since 1970, as its maker says */
const char *mmdb_type(const struct mmdb *m);
size_t mmdb_bytes(const struct mmdb *m);

/* False: nothing is known of the address. A v4 address is looked up as such. */
bool mmdb_find(const struct mmdb *m, const struct ipaddr *a, struct mmdb_record *out);

/* False: no such value, or of another type. The view lives as long as the database. */
bool mmdb_text(const struct mmdb_record *r, const struct mmdb_path *path,
               struct view *out);
bool mmdb_u32(const struct mmdb_record *r, const struct mmdb_path *path, uint32_t *out);
bool mmdb_number(const struct mmdb_record *r, const struct mmdb_path *path, double *out);

#endif
