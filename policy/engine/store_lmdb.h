/* The store of one machine: records in an LMDB environment of their own that may be
 * thrown away.
 *
 * All calls come from one thread. Decisions gather in one write transaction, which is
 * committed at the end of the loop's turn (store_lmdb_flush) or when it has grown; what
 * is not committed is lost with the process, which costs a counter a fraction of a
 * second.
 *
 * What is kept in one begins as a record does (u8 RECORD_VERSION | u32 keep_until_s); sign_ins.c has a file of its own.
 *
 * Two tables: accounts under their number, all other subjects (sources) under a keyed
 * hash, so that the file holds no address and a stranger cannot choose where his records
 * lie. Bounded by the file: when it fills up, of sources taken at random those go first
 * whose records run out first, and only then accounts, never one that is_kept. So a flood
 * of new addresses pushes out other addresses, and no lock before its time while there is
 * anything milder. */
#ifndef POLICY_ENGINE_STORE_LMDB_H
#define POLICY_ENGINE_STORE_LMDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/engine/store.h"

struct store_lmdb;

struct store_lmdb_settings {
    const char *path;
    size_t map_bytes; /* all of it on the disk at once; STORE_LMDB_BYTES_MIN at least */
    bool (*is_kept)(uint64_t account, void *arg); /* under restriction; NULL: none is */
    void *arg;
};

#define STORE_LMDB_BYTES_MIN (8u << 20)

/* NULL with a text in `error`. A file that cannot be trusted is begun anew, empty. */
struct store_lmdb *store_lmdb_open(const struct store_lmdb_settings *settings,
                                   char *error, size_t error_size);
void store_lmdb_close(struct store_lmdb **s); /* commits */
struct store *store_lmdb_store(struct store_lmdb *s);
/* The key for short hashes in records; it is as old as they are. */
void store_lmdb_hash_key(const struct store_lmdb *s, uint8_t out[16]);

/* At the end of each turn: what was decided becomes part of the file. */
void store_lmdb_flush(struct store_lmdb *s);
/* By timer, every second: forgets a slice of what has run out, and keeps room for what is
 * new. */
void store_lmdb_care(struct store_lmdb *s, int64_t now_ms);

struct store_lmdb_usage {
    uint64_t account_count, source_count;
    uint64_t used_bytes, max_bytes;
    uint64_t expired_count, evicted_count; /* since the start */
};

struct store_lmdb_usage store_lmdb_usage(struct store_lmdb *s);

#endif
