/* The queue on disk: one LMDB environment and a directory of large bodies, both in relay's state
 * directory. Tables, keyed by message id in big endian, so that a cursor goes by age:
 *
 *      envelopes   envelope.h
 *      bodies      the content: what was prepended, then the client's bytes unless they are large
 *      damaged     records that did not decode, as they were found; an operator's matter
 *
 * A large body is the file bodies/<id>. Its name is made, and made durable, before the envelope is
 * committed, and goes after the envelope was; a name without an envelope is left over from a crash
 * and is removed at the start.
 *
 * Writing (spool_begin … spool_commit) is the committer's thread's alone; reading may go on beside it. */
#ifndef RELAY_SPOOL_H
#define RELAY_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/db/db.h"
#include "relay/message.h"
#include "relay/envelope.h"

struct spool;

/* Opens, or makes, everything under `state_dir`. NULL with a text in `error`. */
struct spool *spool_open(const char *state_dir, uint64_t max_bytes, char *error, size_t error_size);
void spool_close(struct spool **s);

/* ---- at the start, before anything else ---- */

typedef int spool_scan_fn(void *arg, const struct envelope_head *head);

struct spool_scan_result {
    uint64_t message_count;
    uint64_t damaged_count; /* moved aside just now, each with a log line */
    uint64_t orphan_count;  /* large bodies without an envelope, removed */
};

/* Calls `fn` for every good record, oldest first; its failure stops the scan. MSA_OK or negative. */
int spool_scan(struct spool *s, spool_scan_fn *fn, void *arg, struct spool_scan_result *out);

/* ---- reading, the loop's thread ---- */

/* MSA_OK, MSA_ENOENT, MSA_ECORRUPT (record, body or file damaged or missing), MSA_ENOMEM, MSA_EIO.
 * An inline body comes into memory, a large one as an open descriptor. */
int spool_load(struct spool *s, uint64_t id, struct message **out);

/* Goes through the records behind `after` (0: from the first) until fn returns false, or the end, or
 * `max_count` of them. False when the end was reached. Damaged ones are skipped. */
typedef bool spool_page_fn(void *arg, struct view record);
bool spool_page(struct spool *s, uint64_t after, uint32_t max_count, spool_page_fn *fn, void *arg);

/* Bytes in use of the environment, and how many the file system could still take. */
void spool_usage(struct spool *s, uint64_t *used_bytes_out, uint64_t *free_bytes_out);

/* As spool_open was told: beyond it even progress and deletions might find no room. */
uint64_t spool_max_bytes(const struct spool *s);

/* Every minute: places of readers that were killed are given back. */
void spool_check_readers(struct spool *s);

/* ---- writing, the committer's thread ---- */

void spool_begin(struct spool *s);
/* Each: MSA_OK, or negative when this one step did nothing while the rest of the transaction may go
 * on (MSA_EEXIST: the id is taken; MSA_EIO: the content could not be read; MSA_ENOENT;
 * MSA_ECORRUPT). What concerns the whole transaction is told by spool_commit. */
int spool_insert(struct spool *s, uint64_t id, struct view record, const struct content *content,
                 bool is_large);
int spool_update(struct spool *s, uint64_t id, struct view record);
int spool_delete(struct spool *s, uint64_t id);
int spool_set_held(struct spool *s, uint64_t id, unsigned held_for, int64_t age_from_ms);
int spool_set_aside(struct spool *s, uint64_t id); /* the record goes to `damaged` */
/* MSA_OK: durable. MSA_EFULL, MSA_EIO, MSA_ENOMEM: nothing was changed. */
int spool_commit(struct spool *s);

/* ---- large bodies, any thread ---- */

/* An unnamed file to be written by a session. Negative msa_err. */
int spool_large_new(struct spool *s, int *fd_out);
/* Makes bytes and name durable. MSA_OK, MSA_EFULL or MSA_EIO; blocks for the sync. */
int spool_large_keep(struct spool *s, int fd, uint64_t id);
void spool_large_remove(struct spool *s, uint64_t id); /* the name; a missing one is fine */

#endif
