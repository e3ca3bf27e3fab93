#include "auth/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/buf.h"
#include "msa/base/codec.h"
#include "msa/base/secret.h"

#define MAP_BYTES ((size_t)16 << 30) /* address space; about 20 million accounts */

enum { TABLE_META = 0, TABLE_ACCOUNTS, TABLE_IDS, TABLE_TOKENS, TABLE_FACTORS, TABLE_COUNT };

static const char *const table_names[TABLE_COUNT] = {
    [TABLE_META] = "meta",
    [TABLE_ACCOUNTS] = "accounts",
    [TABLE_IDS] = "ids",
    [TABLE_TOKENS] = "tokens",
    [TABLE_FACTORS] = "factors",
};

struct store {
    struct db *db;
    uint8_t key[STORE_KEY_BYTES];
};

#define META_KEY     VIEW_LIT("key")
#define META_NEXT_ID VIEW_LIT("next-id")

/* ---- open and close -------------------------------------------------------------------------- */

/* Reads the installation's key, or makes it in a new store. */
static int load_key(struct store *s)
{
    struct db_txn txn;
    struct view value;
    db_begin(s->db, true, &txn);
    enum msa_lookup found = db_get(&txn, TABLE_META, META_KEY, &value);
    if (found == MSA_FOUND && value.n == STORE_KEY_BYTES) {
        memcpy(s->key, value.p, STORE_KEY_BYTES);
        db_abort(&txn);
        return MSA_OK;
    }
    if (found != MSA_NOT_FOUND) {
        db_abort(&txn);
        return MSA_ECORRUPT;
    }
    secret_random(s->key, sizeof s->key);
    db_put(&txn, TABLE_META, META_KEY, view_of((const char *)s->key, sizeof s->key));
    return db_commit(&txn);
}

struct store *store_open(const char *path, char *error, size_t error_size)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s) {
        snprintf(error, error_size, "%s: %s", path, msa_strerror(MSA_ENOMEM));
        return NULL;
    }
    s->db = db_open(&(struct db_settings){.path = path,
                                          .map_bytes = MAP_BYTES,
                                          .tables = table_names,
                                          .table_count = TABLE_COUNT},
                    error, error_size);
    int err = s->db ? load_key(s) : MSA_EIO;
    if (err == MSA_OK)
        return s;
    if (s->db)
        snprintf(error, error_size, "%s: the key of the store: %s", path, msa_strerror(err));
    store_close(&s);
    return NULL;
}

void store_close(struct store **s)
{
    if (!*s)
        return;
    db_close(&(*s)->db);
    secret_wipe(*s, sizeof **s);
    free(*s);
    *s = NULL;
}

const uint8_t *store_key(const struct store *s)
{
    return s->key;
}

void store_check_readers(struct store *s)
{
    db_check_readers(s->db);
}

void store_usage(struct store *s, uint64_t *used_bytes_out, uint64_t *max_bytes_out)
{
    db_usage(s->db, used_bytes_out, max_bytes_out);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool login_is_storable(struct view login)
{
    return login.n > 0 && login.n <= STORE_LOGIN_MAX;
}

static enum msa_lookup get_account(struct db_txn *txn, struct view login, struct account *out)
{
    struct view record;
    *out = (struct account){0};
    if (!login_is_storable(login))
        return MSA_NOT_FOUND;
    enum msa_lookup found = db_get(txn, TABLE_ACCOUNTS, login, &record);
    if (found == MSA_FOUND && account_decode(record, out) < 0)
        return MSA_RETRY;
    return found;
}

enum msa_lookup store_find(struct store *s, struct view login, struct account *out)
{
    struct db_txn txn;
    db_begin(s->db, false, &txn);
    enum msa_lookup found = get_account(&txn, login, out);
    db_abort(&txn);
    return found;
}

static void id_key(uint64_t id, char out[8])
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (char)(id >> (56 - 8 * i));
}

enum msa_lookup store_find_by_id(struct store *s, uint64_t id, char login_out[STORE_LOGIN_MAX + 1],
                                 struct account *out)
{
    char key[8];
    struct db_txn txn;
    struct view login;
    id_key(id, key);
    *out = (struct account){0};
    db_begin(s->db, false, &txn);
    enum msa_lookup found = db_get(&txn, TABLE_IDS, view_of(key, sizeof key), &login);
    if (found == MSA_FOUND) {
        found = view_to_cstr(login, login_out, STORE_LOGIN_MAX + 1) ? get_account(&txn, login, out)
                                                                    : MSA_RETRY;
    }
    db_abort(&txn);
    /* An id may outlive a damaged record that was removed, and its name be given again. */
    if (found == MSA_FOUND && out->id != id) {
        account_wipe(out);
        found = MSA_NOT_FOUND;
    }
    return found;
}

static enum msa_lookup get_factors(struct db_txn *txn, uint64_t account, struct factors *out)
{
    char key[8];
    struct view record;
    memset(out, 0, sizeof *out);
    id_key(account, key);
    enum msa_lookup found = db_get(txn, TABLE_FACTORS, view_of(key, sizeof key), &record);
    if (found == MSA_FOUND && factors_decode(record, out) < 0)
        return MSA_RETRY;
    return found;
}

enum msa_lookup store_find_factors(struct store *s, uint64_t account, struct factors *out)
{
    struct db_txn txn;
    db_begin(s->db, false, &txn);
    enum msa_lookup found = get_factors(&txn, account, out);
    db_abort(&txn);
    return found;
}

int store_each(struct store *s, struct view after, store_each_fn *fn, void *arg)
{
    struct db_txn txn;
    struct db_cursor cur;
    struct account account = {0};
    bool goes_on = true;
    db_begin(s->db, false, &txn);
    db_seek(&txn, TABLE_ACCOUNTS, after, &cur);
    if (db_cursor_is_at(&cur) && after.n > 0 && view_eq(cur.key, after))
        db_next(&cur);
    for (; goes_on && db_cursor_is_at(&cur); db_next(&cur)) {
        bool is_whole = account_decode(cur.value, &account) == MSA_OK;
        goes_on = fn(arg, cur.key, is_whole ? &account : NULL);
    }
    db_cursor_end(&cur);
    int err = txn.err;
    db_abort(&txn);
    account_wipe(&account);
    return err;
}

int store_count(struct store *s, uint64_t *count_out)
{
    struct db_txn txn;
    db_begin(s->db, false, &txn);
    *count_out = db_count(&txn, TABLE_ACCOUNTS);
    int err = txn.err;
    db_abort(&txn);
    return err;
}

/* ---- writing --------------------------------------------------------------------------------- */

void store_begin(struct store *s, struct store_change *change_out)
{
    change_out->store = s;
    db_begin(s->db, true, &change_out->txn);
}

int store_commit(struct store_change *change)
{
    return db_commit(&change->txn);
}

void store_abort(struct store_change *change)
{
    db_abort(&change->txn);
}

enum msa_lookup store_get(struct store_change *change, struct view login, struct account *out)
{
    return get_account(&change->txn, login, out);
}

/* Encodes on the stack: LMDB copies it. */
static int put_account(struct store_change *change, struct view login, const struct account *a,
                       bool is_new)
{
    struct buf record;
    buf_init_secret(&record, ACCOUNT_RECORD_MAX);
    account_encode(a, &record);
    int err = buf_failed(&record) ? MSA_ENOMEM : MSA_OK;
    if (err < 0 && change->txn.err == MSA_OK)
        change->txn.err = err;
    else if (is_new)
        err = db_put_new(&change->txn, TABLE_ACCOUNTS, login, buf_view(&record));
    else
        db_put(&change->txn, TABLE_ACCOUNTS, login, buf_view(&record));
    buf_fini(&record);
    return err;
}

static uint64_t next_id(struct db_txn *txn)
{
    struct view value;
    uint64_t id = 1;
    if (db_get(txn, TABLE_META, META_NEXT_ID, &value) == MSA_FOUND) {
        struct reader r = reader_of(value);
        id = get_u64(&r);
        if (reader_end(&r) < 0 || id == 0)
            txn->err = MSA_ECORRUPT;
    }
    return id;
}

static void set_next_id(struct db_txn *txn, uint64_t id)
{
    char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(id >> (8 * i));
    db_put(txn, TABLE_META, META_NEXT_ID, view_of(bytes, sizeof bytes));
}

int store_add(struct store_change *change, struct view login, struct account *a)
{
    char key[8];
    if (!login_is_storable(login))
        return MSA_EINVAL;
    a->id = next_id(&change->txn);
    int err = put_account(change, login, a, true);
    if (err < 0 || change->txn.err < 0)
        return err < 0 ? err : change->txn.err;
    id_key(a->id, key);
    set_next_id(&change->txn, a->id + 1);
    db_put(&change->txn, TABLE_IDS, view_of(key, sizeof key), login);
    return change->txn.err;
}

void store_replace(struct store_change *change, struct view login, const struct account *a)
{
    MSA_ASSERT(a->id != 0);
    put_account(change, login, a, false);
}

enum msa_lookup store_remove(struct store_change *change, struct view login, uint64_t *id_out)
{
    char key[8];
    struct account a;
    enum msa_lookup found = get_account(&change->txn, login, &a);
    *id_out = a.id;
    if (found == MSA_NOT_FOUND || change->txn.err < 0)
        return found;
    db_delete(&change->txn, TABLE_ACCOUNTS, login);
    if (found == MSA_FOUND) {
        id_key(a.id, key);
        db_delete(&change->txn, TABLE_IDS, view_of(key, sizeof key));
        db_delete(&change->txn, TABLE_FACTORS, view_of(key, sizeof key));
    }
    account_wipe(&a);
    return MSA_FOUND;
}

/* ---- factors --------------------------------------------------------------------------------- */

enum msa_lookup store_get_factors(struct store_change *change, uint64_t account, struct factors *out)
{
    return get_factors(&change->txn, account, out);
}

void store_put_factors(struct store_change *change, uint64_t account, const struct factors *f)
{
    char key[8];
    struct buf record;
    id_key(account, key);
    if (factors_are_empty(f)) {
        db_delete(&change->txn, TABLE_FACTORS, view_of(key, sizeof key));
        return;
    }
    buf_init_secret(&record, FACTORS_RECORD_MAX);
    factors_encode(f, &record);
    if (!buf_failed(&record))
        db_put(&change->txn, TABLE_FACTORS, view_of(key, sizeof key), buf_view(&record));
    else if (change->txn.err == MSA_OK)
        change->txn.err = MSA_ENOMEM;
    buf_fini(&record);
}

/* ---- bearer tokens --------------------------------------------------------------------------- */

enum msa_lookup store_find_token(struct store *s, struct view id, struct buf *out)
{
    struct db_txn txn;
    struct view record;
    db_begin(s->db, false, &txn);
    enum msa_lookup found = db_get(&txn, TABLE_TOKENS, id, &record);
    if (found == MSA_FOUND && buf_add(out, record) < 0)
        found = MSA_RETRY;
    db_abort(&txn);
    return found;
}

int store_each_token(struct store *s, store_each_token_fn *fn, void *arg)
{
    struct db_txn txn;
    struct db_cursor cur;
    db_begin(s->db, false, &txn);
    db_seek(&txn, TABLE_TOKENS, VIEW_EMPTY, &cur);
    while (db_cursor_is_at(&cur) && fn(arg, cur.key, cur.value))
        db_next(&cur);
    db_cursor_end(&cur);
    int err = txn.err;
    db_abort(&txn);
    return err;
}

int store_add_token(struct store_change *change, struct view id, struct view record)
{
    return db_put_new(&change->txn, TABLE_TOKENS, id, record);
}

bool store_remove_token(struct store_change *change, struct view id)
{
    return db_delete(&change->txn, TABLE_TOKENS, id);
}
