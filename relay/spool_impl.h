/* Inside of spool.c and spool_read.c; nobody else includes it. */
#ifndef RELAY_SPOOL_IMPL_H
#define RELAY_SPOOL_IMPL_H

#include "relay/spool.h"

enum spool_table { SPOOL_ENVELOPES = 0, SPOOL_BODIES, SPOOL_DAMAGED, SPOOL_TABLE_COUNT };

struct spool {
    struct db *db;
    struct db_txn txn; /* the committer's */
    int bodies_fd;     /* the directory */
    uint64_t max_bytes;
};

struct spool_key {
    char bytes[8];
};

struct view spool_key_of(uint64_t id, struct spool_key *key);

#endif
