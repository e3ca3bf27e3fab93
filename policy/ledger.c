#include "policy/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/list.h"
#include "msa/base/log.h"
#include "msa/base/table.h"
#include "msa/db/db.h"
#include "msa/io/threads.h"

#define RETRY_MS          5000 /* after a commit that failed for want of room */
#define WAITING_MAX_BYTES (64u << 20) /* of changes in memory: some 100,000 records that no disk takes */

static const char *const table_names[LEDGER_TABLE_COUNT] = {
    [LEDGER_ACCOUNTS] = "accounts",
    [LEDGER_RESTRICTIONS] = "restrictions",
    [LEDGER_RESTRICTIONS_BY_ACCOUNT] = "restrictions-by-account",
    [LEDGER_NOTICES] = "notices",
    [LEDGER_ACCESS] = "access",
    [LEDGER_META] = "meta",
    [LEDGER_LOOKALIKES] = "lookalikes",
    [LEDGER_AUDIT] = "audit",
    [LEDGER_RISKS] = "risks",
};

/* What is to be written under one key. While it is in the thread's hands it does not change; what is put meanwhile is
 * another change, which takes its place in the table. */
struct change {
    struct table_entry entry; /* under `name`, while it is the newest of its key */
    struct list link;         /* in ledger.fresh or batch.changes */
    bool is_newest;
    bool is_in_batch; /* the thread may be reading it */
    bool is_delete;
    size_t key_bytes;
    size_t value_bytes;
    char name[1 + LEDGER_KEY_MAX]; /* table and key */
    char value[];
};

struct waiter {
    struct list link;
    ledger_done_fn *done;
    void *arg;
};

struct batch {
    struct job job;
    struct list changes;
    struct list waiters;
    bool is_running;
    int err;
};

struct ledger {
    struct loop *loop;
    struct db *db;
    struct threads *thread;
    struct table newest;  /* of struct change */
    struct list fresh;    /* of struct change: in no batch yet */
    struct list waiters;  /* for the next batch */
    struct batch batch;
    struct loop_hook hook;
    struct timer retry;
    size_t waiting_bytes; /* of all changes, the thread's too */
    int last_err;         /* of the last commit */
    bool is_full_logged;
    uint64_t commit_count;
    uint64_t write_count;
};

/* ---- changes ---- */

static struct view name_of(enum ledger_table table, struct view key, char out[1 + LEDGER_KEY_MAX])
{
    out[0] = (char)table;
    memcpy(out + 1, key.p, key.n);
    return view_of(out, 1 + key.n);
}

static struct view key_of(const struct change *c)
{
    return view_of(c->name + 1, c->key_bytes);
}

static struct change *find(const struct ledger *l, enum ledger_table table, struct view key)
{
    char name[1 + LEDGER_KEY_MAX];
    struct table_entry *e = table_find(&l->newest, name_of(table, key, name));
    return e ? CONTAINER_OF(e, struct change, entry) : NULL;
}

static size_t change_bytes(const struct change *c)
{
    return sizeof *c + c->value_bytes;
}

static struct change *change_new(enum ledger_table table, struct view key, struct view value)
{
    struct change *c = calloc(1, sizeof *c + value.n);
    if (!c)
        return NULL;
    list_init(&c->link);
    c->key_bytes = key.n;
    c->value_bytes = value.n;
    c->entry.key = name_of(table, key, c->name);
    if (value.n > 0)
        memcpy(c->value, value.p, value.n);
    return c;
}

static void supersede(struct ledger *l, struct change *c)
{
    table_remove(&l->newest, &c->entry);
    c->is_newest = false;
}

static void change_free(struct ledger *l, struct change *c)
{
    if (c->is_newest)
        supersede(l, c);
    list_remove(&c->link);
    l->waiting_bytes -= change_bytes(c);
    free(c);
}

/* ---- when to commit ---- */

static void on_turn_over(void *arg);

/* At the end of this turn, or of the next one when the loop does not run. */
static void arm(struct ledger *l)
{
    if (l->thread && !loop_hook_is_on(&l->hook))
        loop_hook_add(l->loop, LOOP_STAGE_WORK, &l->hook, on_turn_over, l);
}

/* ---- putting ---- */

/* What was to be written before and is not in the thread's hands is not worth writing any more. */
static int take_change(struct ledger *l, struct change *c)
{
    struct table_entry *e = table_find(&l->newest, c->entry.key);
    struct change *before = e ? CONTAINER_OF(e, struct change, entry) : NULL;
    if (before && before->is_in_batch)
        supersede(l, before);
    else if (before)
        change_free(l, before);
    int err = table_insert(&l->newest, &c->entry);
    if (err < 0) {
        free(c);
        return err;
    }
    c->is_newest = true;
    list_append(&l->fresh, &c->link);
    l->waiting_bytes += change_bytes(c);
    l->write_count++;
    arm(l);
    return MSA_OK;
}

/* Nothing reached the disk for long: what comes now is not even kept in memory. */
static int refuse_full(struct ledger *l)
{
    if (!l->is_full_logged)
        log_msg(LOG_LEVEL_ERROR, "ledger-full",
                "%zu changes wait for the disk: what is decided now is not remembered",
                l->newest.count);
    l->is_full_logged = true;
    return MSA_EFULL;
}

static int add_change(struct ledger *l, enum ledger_table table, struct view key, struct view value,
                      bool is_delete)
{
    if (key.n == 0 || key.n > LEDGER_KEY_MAX || value.n > LEDGER_VALUE_MAX)
        return MSA_EINVAL;
    if (l->waiting_bytes + value.n > WAITING_MAX_BYTES)
        return refuse_full(l);
    struct change *c = change_new(table, key, value);
    if (!c)
        return MSA_ENOMEM;
    c->is_delete = is_delete;
    return take_change(l, c);
}

int ledger_put(struct ledger *l, enum ledger_table table, struct view key, struct view value)
{
    return add_change(l, table, key, value, false);
}

int ledger_delete(struct ledger *l, enum ledger_table table, struct view key)
{
    return add_change(l, table, key, VIEW_EMPTY, true);
}

/* ---- commits ---- */

static void commit_batch(struct job *job)
{
    struct batch *b = CONTAINER_OF(job, struct batch, job);
    struct ledger *l = CONTAINER_OF(b, struct ledger, batch);
    struct db_txn txn;
    db_begin(l->db, true, &txn);
    for (struct list *i = b->changes.next; i != &b->changes; i = i->next) {
        const struct change *c = CONTAINER_OF(i, struct change, link);
        if (c->is_delete)
            db_delete(&txn, (unsigned)c->name[0], key_of(c));
        else
            db_put(&txn, (unsigned)c->name[0], key_of(c), view_of(c->value, c->value_bytes));
    }
    b->err = db_commit(&txn);
    db_abort(&txn);
}

/* Not those who begin to wait in `done`. */
static void answer_waiters(struct list *waiters, int err)
{
    struct waiter *w;
    struct list now;
    list_init(&now);
    list_move_all(&now, waiters);
    while ((w = LIST_FIRST(&now, struct waiter, link)) != NULL) {
        list_remove(&w->link);
        w->done(w->arg, err);
        free(w);
    }
}

/* What is still the newest of its key is written with the next batch. */
static void put_back(struct ledger *l)
{
    struct change *c, *next;
    struct list older;
    list_init(&older);
    LIST_FOREACH(c, next, &l->batch.changes, struct change, link) {
        if (!c->is_newest) {
            change_free(l, c);
            continue;
        }
        c->is_in_batch = false;
        list_remove(&c->link);
        list_append(&older, &c->link);
    }
    list_move_all(&older, &l->fresh);
    list_move_all(&l->fresh, &older);
}

static void forget_batch(struct ledger *l)
{
    struct change *c;
    while ((c = LIST_FIRST(&l->batch.changes, struct change, link)) != NULL)
        change_free(l, c);
}

static void on_committed(struct job *job)
{
    struct batch *b = CONTAINER_OF(job, struct batch, job);
    struct ledger *l = CONTAINER_OF(b, struct ledger, batch);
    b->is_running = false;
    if (!job->was_run) { /* ledger_close has it written */
        put_back(l);
        list_move_all(&l->waiters, &b->waiters);
        return;
    }
    l->last_err = b->err;
    if (b->err == MSA_OK) {
        l->commit_count++;
        l->is_full_logged = false;
        forget_batch(l);
    } else {
        put_back(l);
        if (db_is_writable(l->db))
            (void)timer_start(&l->retry, l->loop, RETRY_MS);
    }
    answer_waiters(&b->waiters, b->err);
    arm(l); /* for what came meanwhile */
}

static bool has_work(const struct ledger *l)
{
    return !list_is_empty(&l->fresh) || !list_is_empty(&l->waiters);
}

static void start_batch(struct ledger *l)
{
    struct batch *b = &l->batch;
    list_move_all(&b->changes, &l->fresh);
    list_move_all(&b->waiters, &l->waiters);
    for (struct list *i = b->changes.next; i != &b->changes; i = i->next)
        CONTAINER_OF(i, struct change, link)->is_in_batch = true;
    b->job = (struct job){.run = commit_batch, .done = on_committed};
    b->is_running = threads_submit(l->thread, &b->job) == MSA_OK;
    if (!b->is_running) { /* one batch at a time: there is always room */
        put_back(l);
        list_move_all(&l->waiters, &b->waiters);
    }
}

static void on_turn_over(void *arg)
{
    struct ledger *l = arg;
    loop_hook_remove(&l->hook);
    if (l->batch.is_running || !has_work(l))
        return;
    if (timer_is_on(&l->retry) || !db_is_writable(l->db))
        answer_waiters(&l->waiters, l->last_err);
    else
        start_batch(l);
}

static void on_retry(void *arg)
{
    arm(arg);
}

int ledger_sync(struct ledger *l, ledger_done_fn *done, void *arg)
{
    struct waiter *w = malloc(sizeof *w);
    if (!w)
        return MSA_ENOMEM;
    *w = (struct waiter){.done = done, .arg = arg};
    list_init(&w->link);
    list_append(&l->waiters, &w->link);
    arm(l);
    return MSA_OK;
}

/* ---- reading ---- */

static enum msa_lookup give(struct buf *out, struct view value)
{
    return buf_add(out, value) == MSA_OK ? MSA_FOUND : MSA_RETRY;
}

enum msa_lookup ledger_get(struct ledger *l, enum ledger_table table, struct view key,
                           struct buf *out)
{
    struct db_txn txn;
    struct view value;
    buf_reset(out);
    if (key.n == 0 || key.n > LEDGER_KEY_MAX)
        return MSA_NOT_FOUND;
    const struct change *c = find(l, table, key);
    if (c)
        return c->is_delete ? MSA_NOT_FOUND : give(out, view_of(c->value, c->value_bytes));
    db_begin(l->db, false, &txn);
    enum msa_lookup found = db_get(&txn, table, key, &value);
    if (found == MSA_FOUND)
        found = give(out, value);
    db_abort(&txn);
    return found;
}

/* ---- walking ---- */

/* Changes of one table in the order of their keys. They are copies of nothing: during a walk the loop does not turn, so
 * only `fn` can free one, by putting its key anew. So the keys are kept. */
struct overlay {
    struct change_key {
        uint8_t bytes_count;
        char bytes[LEDGER_KEY_MAX];
    } *keys;
    size_t count;
    size_t room;
    enum ledger_table table;
    struct view first;
    bool is_short; /* of memory */
};

static struct view overlay_key(const struct overlay *o, size_t i)
{
    return view_of(o->keys[i].bytes, o->keys[i].bytes_count);
}

static void overlay_add(struct table_entry *e, void *arg)
{
    struct overlay *o = arg;
    const struct change *c = CONTAINER_OF(e, struct change, entry);
    if ((enum ledger_table)c->name[0] != o->table || view_cmp(key_of(c), o->first) < 0)
        return;
    if (o->count == o->room) {
        size_t room = o->room ? 2 * o->room : 64;
        struct change_key *keys = reallocarray(o->keys, room, sizeof *keys);
        o->is_short = o->is_short || !keys;
        if (!keys)
            return;
        o->keys = keys;
        o->room = room;
    }
    struct change_key *k = &o->keys[o->count++];
    k->bytes_count = (uint8_t)c->key_bytes;
    memcpy(k->bytes, c->name + 1, c->key_bytes);
}

static int by_key(const void *a, const void *b)
{
    const struct change_key *x = a, *y = b;
    return view_cmp(view_of(x->bytes, x->bytes_count), view_of(y->bytes, y->bytes_count));
}

static bool visit_change(struct ledger *l, const struct overlay *o, size_t i, ledger_each_fn *fn,
                         void *arg)
{
    const struct change *c = find(l, o->table, overlay_key(o, i));
    return !c || c->is_delete || fn(arg, overlay_key(o, i), view_of(c->value, c->value_bytes));
}

/* Two sorted lists as one; where both have a key the change is the newer. */
static void merge(struct ledger *l, const struct overlay *o, struct db_cursor *cur,
                  ledger_each_fn *fn, void *arg)
{
    size_t i = 0;
    bool goes_on = true;
    while (goes_on && (i < o->count || db_cursor_is_at(cur))) {
        int order = i == o->count           ? 1
                    : !db_cursor_is_at(cur) ? -1
                                            : view_cmp(overlay_key(o, i), cur->key);
        if (order > 0) {
            goes_on = fn(arg, cur->key, cur->value);
            db_next(cur);
            continue;
        }
        goes_on = visit_change(l, o, i++, fn, arg);
        if (order == 0)
            db_next(cur);
    }
}

void ledger_each(struct ledger *l, enum ledger_table table, struct view first, ledger_each_fn *fn,
                 void *arg)
{
    struct overlay o = {.table = table, .first = first};
    struct db_cursor cur;
    struct db_txn txn;
    table_each(&l->newest, overlay_add, &o);
    if (o.count > 0)
        qsort(o.keys, o.count, sizeof *o.keys, by_key);
    db_begin(l->db, false, &txn);
    db_seek(&txn, table, first, &cur);
    merge(l, &o, &cur, fn, arg);
    db_cursor_end(&cur);
    db_abort(&txn);
    free(o.keys);
    if (o.is_short)
        log_msg(LOG_LEVEL_WARN, "policy-no-memory", "a list lacks what was written just now");
}

/* ---- life ---- */

struct ledger *ledger_open(struct loop *loop, const char *path, size_t map_bytes, char *error,
                           size_t error_size)
{
    const struct db_settings settings = {.path = path,
                                         .map_bytes = map_bytes,
                                         .tables = table_names,
                                         .table_count = LEDGER_TABLE_COUNT};
    struct ledger *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->loop = loop;
    table_init(&l->newest);
    list_init(&l->fresh);
    list_init(&l->waiters);
    list_init(&l->batch.changes);
    list_init(&l->batch.waiters);
    timer_init(&l->retry, on_retry, l);
    l->db = db_open(&settings, error, error_size);
    if (l->db)
        return l;
    ledger_close(&l);
    return NULL;
}

int ledger_start(struct ledger *l)
{
    l->thread = threads_new(l->loop, 1, 1);
    arm(l); /* what was put at the start */
    return l->thread ? MSA_OK : MSA_ENOMEM;
}

/* The last batch, in this thread. */
static void write_rest(struct ledger *l)
{
    if (!l->db || !has_work(l))
        return;
    list_move_all(&l->batch.changes, &l->fresh);
    commit_batch(&l->batch.job);
    answer_waiters(&l->waiters, l->batch.err);
    forget_batch(l);
}

void ledger_close(struct ledger **ledger)
{
    struct ledger *l = *ledger;
    *ledger = NULL;
    if (!l)
        return;
    if (l->thread)
        threads_free(&l->thread);
    loop_hook_remove(&l->hook);
    timer_stop(&l->retry);
    write_rest(l);
    db_close(&l->db);
    table_fini(&l->newest);
    free(l);
}

json_t *ledger_status(const struct ledger *l)
{
    return json_pack("{s:b, s:I, s:I, s:I, s:I}", "writable",
                     db_is_writable(l->db) && l->last_err == MSA_OK, "waiting_changes",
                     (json_int_t)l->newest.count, "waiting_bytes", (json_int_t)l->waiting_bytes,
                     "writes", (json_int_t)l->write_count, "commits", (json_int_t)l->commit_count);
}
