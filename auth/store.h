/* The accounts on disk: one LMDB environment with five tables.
 *
 *   accounts   canonical login name     → record (account.h)
 *   ids        id, 8 bytes big endian   → canonical login name
 *   tokens     id of a bearer token     → record (ops_token.c)
 *   factors    id, 8 bytes big endian   → record (factors.h); none: the account has a password and nothing else
 *   meta       "key"                    → 32 random bytes, made once
 *              "next-id"                → u64; ids are never given twice, also not after a removal
 *
 * Reading is for any thread and takes a transaction of its own, a few microseconds. Writing is for
 * one thread at a time: between store_begin and store_commit calls chain without checks, and only
 * store_commit makes them durable. */
#ifndef AUTH_STORE_H
#define AUTH_STORE_H

#include <stdint.h>

#include "auth/account.h"
#include "auth/factors.h"
#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/base/view.h"
#include "msa/db/db.h"

#define STORE_KEY_BYTES 32
#define STORE_LOGIN_MAX 320 /* bytes of a canonical login name, as IPC_LOGIN_MAX */

struct store;

/* Blocks. NULL with a text in `error`. */
struct store *store_open(const char *path, char *error, size_t error_size);
void store_close(struct store **s);

/* The key of this installation: fake verifiers and hashes of wrong passwords hang on it. Lives as
 * long as the store; any thread. */
const uint8_t *store_key(const struct store *s);

/* MSA_RETRY: the store cannot be read, or the record is damaged. The caller wipes `*out`. */
enum msa_lookup store_find(struct store *s, struct view login, struct account *out);
enum msa_lookup store_find_by_id(struct store *s, uint64_t id, char login_out[STORE_LOGIN_MAX + 1],
                                 struct account *out);

/* Accounts in the order of their names, behind `after`, until fn returns false. MSA_OK or an
 * error. A damaged record comes with account NULL. fn must not call the store. */
typedef bool store_each_fn(void *arg, struct view login, const struct account *account);
int store_each(struct store *s, struct view after, store_each_fn *fn, void *arg);

int store_count(struct store *s, uint64_t *count_out);
void store_usage(struct store *s, uint64_t *used_bytes_out, uint64_t *max_bytes_out);
void store_check_readers(struct store *s); /* every minute, the loop's thread */

/* MSA_NOT_FOUND with an empty record in `*out`, also for id 0. */
enum msa_lookup store_find_factors(struct store *s, uint64_t account, struct factors *out);

/* ---- bearer tokens: id and record are opaque here ---- */

#define STORE_TOKEN_RECORD_MAX 4096

/* MSA_FOUND with the record added to `out`. */
enum msa_lookup store_find_token(struct store *s, struct view id, struct buf *out);
typedef bool store_each_token_fn(void *arg, struct view id, struct view record);
int store_each_token(struct store *s, store_each_token_fn *fn, void *arg); /* fn must not call the store */

/* ---- writing --------------------------------------------------------------------------------- */

struct store_change {
    struct store *store;
    struct db_txn txn;
};

void store_begin(struct store *s, struct store_change *change_out);
/* MSA_OK: durable. Otherwise nothing was changed. */
int store_commit(struct store_change *change);
void store_abort(struct store_change *change); /* after store_commit a no-op */

/* What stands there within this change. */
enum msa_lookup store_get(struct store_change *change, struct view login, struct account *out);
/* Gives a->id. MSA_OK, MSA_EEXIST, MSA_EINVAL for a name of no or too many bytes, or the change's
 * error. */
int store_add(struct store_change *change, struct view login, struct account *a);
/* The record of an account that is there; id stays. */
void store_replace(struct store_change *change, struct view login, const struct account *a);
/* Removes a damaged record too; then *id_out is 0. The factors go with it. */
enum msa_lookup store_remove(struct store_change *change, struct view login, uint64_t *id_out);

/* As store_find_factors, within this change. */
enum msa_lookup store_get_factors(struct store_change *change, uint64_t account, struct factors *out);
void store_put_factors(struct store_change *change, uint64_t account, const struct factors *f);

/* Bearer tokens. */
int store_add_token(struct store_change *change, struct view id, struct view record); /* MSA_EEXIST … */
bool store_remove_token(struct store_change *change, struct view id); /* false: there was none */

#endif
