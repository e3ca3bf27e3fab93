/* policy.mdb: what policy must not lose (settings of accounts, restrictions, notices to be sent, who looked).
 *
 * The loop never waits for the disk. It reads in short transactions; what it writes gathers in memory, where reads see
 * it at once, and one thread commits it: while one batch is being synced the next one fills. A process that is killed
 * loses what was not yet committed, a few milliseconds; who must know asks ledger_sync.
 *
 * A commit that fails (full disk) is tried again; after a failed sync the file is never written again (db.h), the
 * memory goes on to answer, and ledger_status says so. That memory is bounded: beyond it what is put is
 * refused (ledger-full). All calls from the loop's thread. */
#ifndef POLICY_LEDGER_H
#define POLICY_LEDGER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/base/view.h"
#include "msa/io/loop.h"

enum ledger_table {
    LEDGER_ACCOUNTS = 0,
    LEDGER_RESTRICTIONS,
    LEDGER_RESTRICTIONS_BY_ACCOUNT,
    LEDGER_NOTICES,
    LEDGER_ACCESS,
    LEDGER_META,
    LEDGER_LOOKALIKES,
    LEDGER_AUDIT,
    LEDGER_RISKS,
    LEDGER_TABLE_COUNT
};

#define LEDGER_KEY_MAX   64
#define LEDGER_VALUE_MAX (512u << 10)

struct ledger;

/* NULL with a text in `error`. Nothing is written before ledger_start, which makes the thread: call it inside the
 * sandbox. */
struct ledger *ledger_open(struct loop *loop, const char *path, size_t map_bytes, char *error,
                           size_t error_size);
int ledger_start(struct ledger *l);
void ledger_close(struct ledger **l); /* writes what is left and tells who waits; blocks for a sync or two */

/* MSA_FOUND with the value in `out` (emptied first), MSA_NOT_FOUND, or MSA_RETRY when the file or the buffer
 * cannot give it. */
enum msa_lookup ledger_get(struct ledger *l, enum ledger_table table, struct view key,
                           struct buf *out);

/* Both only gather. MSA_OK; MSA_EINVAL for a key or value that is too long or an empty key; MSA_EFULL when
 * too much waits for the disk; MSA_ENOMEM. */
int ledger_put(struct ledger *l, enum ledger_table table, struct view key, struct view value);
int ledger_delete(struct ledger *l, enum ledger_table table, struct view key);

/* `done` is called, never from in here, when everything that was put before is on the disk, or could not be written at
 * this time: MSA_OK, or what went wrong (it is tried again, unless that was MSA_EIO). */
typedef void ledger_done_fn(void *arg, int err);
int ledger_sync(struct ledger *l, ledger_done_fn *done, void *arg);

/* Keys in byte order from `first` (empty: from the first) on, until `fn` says false. It may put and delete; what it puts
 * may or may not come up in the same walk. Views are valid until its next call on the ledger. The file is read for
 * as long as the walk takes: stop after some thousand. */
typedef bool ledger_each_fn(void *arg, struct view key, struct view value);
void ledger_each(struct ledger *l, enum ledger_table table, struct view first, ledger_each_fn *fn,
                 void *arg);

json_t *ledger_status(const struct ledger *l); /* a new object */

#endif
