#include "policy/restrictions.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"

#define KEY_BYTES      8
#define SAME_MS        3600000 /* within it the same again is counted in one record */
#define WRITE_EVERY_MS 60000   /* and that record is written at most so often */
#define RECENT_MAX     20000
#define LOCKS_MAX      65536
#define LOCKS_FIRST    64

/* The newest record of one kind, account and rule. */
struct recent {
    struct table_entry entry;
    struct list by_use; /* the oldest first */
    uint64_t id;
    uint32_t times;
    int64_t last_ms;
    int64_t until_ms; /* as it was written */
    int64_t written_ms;
    uint64_t key[3];
};

/* One that stands, or has stood until lately. */
struct lock {
    uint64_t id;
    int64_t until_ms;
};

struct restrictions {
    struct ledger *ledger;
    struct table standing; /* of struct standing, by account */
    struct lock *locks;    /* those of LOCKED; beyond LOCKS_MAX the oldest are not listed */
    size_t lock_count, lock_room;
    struct table recent;   /* of struct recent */
    struct list recent_by_use;
};

/* Big endian, so that keys sort by time. */
static void put_key(uint64_t n, char out[KEY_BYTES])
{
    for (int i = 0; i < KEY_BYTES; i++)
        out[i] = (char)(n >> (56 - 8 * i));
}

/* ---- what stands ---- */

struct standing *restrictions_standing(const struct restrictions *rs, uint64_t account)
{
    struct table_entry *e =
        table_find(&rs->standing, view_of((const char *)&account, sizeof account));
    return e ? CONTAINER_OF(e, struct standing, entry) : NULL;
}

size_t restrictions_standing_count(const struct restrictions *rs)
{
    return rs->standing.count;
}

static void drop_standing(struct restrictions *rs, struct standing *s)
{
    table_remove(&rs->standing, &s->entry);
    free(s);
}

/* One for each account: an owner's lock waits behind a suspension. */
static int add_standing(struct restrictions *rs, const struct restriction *r)
{
    struct standing *before = restrictions_standing(rs, r->account);
    if (before && (before->kind != RESTRICTION_OWNER_LOCKED || r->kind == RESTRICTION_OWNER_LOCKED))
        return MSA_EEXIST;
    struct standing *s = calloc(1, sizeof *s);
    if (!s)
        return MSA_ENOMEM;
    if (before)
        drop_standing(rs, before);
    *s = (struct standing){
        .account = r->account, .id = r->id, .kind = r->kind, .at_ms = r->at_ms, .until_ms = r->until_ms};
    s->entry.key = view_of((const char *)&s->account, sizeof s->account);
    int err = table_insert(&rs->standing, &s->entry);
    if (err < 0)
        free(s);
    return err;
}

/* ---- locks that stand ---- */

static void drop_locks_over(struct restrictions *rs, int64_t now_ms)
{
    size_t kept = 0;
    for (size_t i = 0; i < rs->lock_count; i++)
        if (rs->locks[i].until_ms > now_ms)
            rs->locks[kept++] = rs->locks[i];
    rs->lock_count = kept;
}

/* Of locks that all stand the first is the oldest. */
static void make_lock_room(struct restrictions *rs, int64_t now_ms)
{
    if (rs->lock_count < rs->lock_room)
        return;
    drop_locks_over(rs, now_ms);
    if (rs->lock_count * 2 <= rs->lock_room && rs->lock_room > 0)
        return;
    size_t room = rs->lock_room ? 2 * rs->lock_room : LOCKS_FIRST;
    struct lock *more = room <= LOCKS_MAX ? realloc(rs->locks, room * sizeof *more) : NULL;
    if (more) {
        rs->locks = more;
        rs->lock_room = room;
    } else if (rs->lock_count == rs->lock_room && rs->lock_count > 0) {
        memmove(rs->locks, rs->locks + 1, --rs->lock_count * sizeof *rs->locks);
    }
}

static void add_lock(struct restrictions *rs, const struct restriction *r, int64_t now_ms)
{
    if (r->kind != RESTRICTION_LOCKED || r->until_ms <= now_ms)
        return;
    make_lock_room(rs, now_ms);
    if (rs->lock_count < rs->lock_room)
        rs->locks[rs->lock_count++] = (struct lock){r->id, r->until_ms};
}

/* It lasts until another time; 0: it was lifted. */
static void change_lock(struct restrictions *rs, const struct restriction *r, int64_t until_ms, int64_t now_ms)
{
    size_t i = rs->lock_count;
    while (i > 0 && rs->locks[i - 1].id != r->id)
        i--;
    if (i > 0)
        rs->locks[i - 1].until_ms = until_ms;
    else if (until_ms > 0)
        add_lock(rs, r, now_ms);
}

/* ---- suspensions in force ---- */

struct each {
    restrictions_each_fn *fn;
    void *arg;
};

static void each_standing(struct table_entry *e, void *arg)
{
    const struct each *each = arg;
    each->fn(each->arg, CONTAINER_OF(e, struct standing, entry));
}

void restrictions_each_standing(struct restrictions *rs, restrictions_each_fn *fn,
                                void *arg)
{
    struct each each = {fn, arg};
    table_each(&rs->standing, each_standing, &each);
}

/* ---- records ---- */

static void write_record(struct restrictions *rs, const struct restriction *r)
{
    char key[2 * KEY_BYTES];
    struct buf bytes;
    buf_init(&bytes, RESTRICTION_BYTES_MAX + 512);
    put_key(r->account, key);
    put_key(r->id, key + KEY_BYTES);
    if (restriction_encode(r, &bytes) == MSA_OK) {
        ledger_put(rs->ledger, LEDGER_RESTRICTIONS, view_of(key + KEY_BYTES, KEY_BYTES),
                   buf_view(&bytes));
        ledger_put(rs->ledger, LEDGER_RESTRICTIONS_BY_ACCOUNT, view_of(key, sizeof key),
                   VIEW_LIT("+"));
    }
    buf_fini(&bytes);
}

void restrictions_forget(struct ledger *ledger, uint64_t account, uint64_t id)
{
    char key[2 * KEY_BYTES];
    put_key(account, key);
    put_key(id, key + KEY_BYTES);
    (void)ledger_delete(ledger, LEDGER_RESTRICTIONS, view_of(key + KEY_BYTES, KEY_BYTES));
    (void)ledger_delete(ledger, LEDGER_RESTRICTIONS_BY_ACCOUNT, view_of(key, sizeof key));
}

bool restrictions_read(struct restrictions *rs, uint64_t id, struct buf *bytes,
                       struct restriction *out)
{
    char key[KEY_BYTES];
    put_key(id, key);
    buf_reset(bytes);
    return ledger_get(rs->ledger, LEDGER_RESTRICTIONS, view_of(key, sizeof key), bytes) ==
               MSA_FOUND &&
           restriction_decode(buf_view(bytes), out) == MSA_OK;
}

/* ---- all of them ---- */

#define LOOKED_AT_MAX 20000 /* in one call */

struct walk {
    struct restrictions *rs;
    const struct restrictions_filter *filter;
    restrictions_record_fn *fn;
    void *arg;
    int64_t now_ms;
    unsigned looked_at;
    uint64_t last_id;
    bool is_cut;
};

static uint64_t get_key(struct view key)
{
    uint64_t n = 0;
    for (size_t i = 0; i < key.n; i++)
        n = n << 8 | (unsigned char)key.p[i];
    return n;
}

/* False: the walk ends here, and the next one goes on with this record. */
static bool walk_record(struct walk *w, struct view bytes)
{
    struct restriction r;
    if (restriction_decode(bytes, &r) < 0)
        return true;
    bool is_wanted =
        !w->filter->is_standing_only || restriction_is_standing(&r, w->now_ms);
    w->is_cut = ++w->looked_at > LOOKED_AT_MAX || (is_wanted && !w->fn(w->arg, &r));
    if (!w->is_cut)
        w->last_id = r.id;
    return !w->is_cut;
}

static bool walk_all(void *arg, struct view key, struct view value)
{
    struct walk *w = arg;
    return get_key(key) <= w->filter->after || walk_record(w, value);
}

static bool walk_of_account(void *arg, struct view key, struct view value)
{
    struct walk *w = arg;
    struct restriction r;
    struct buf bytes;
    uint64_t id = get_key(view_slice(key, KEY_BYTES, key.n));
    (void)value;
    if (get_key(view_slice(key, 0, KEY_BYTES)) != w->filter->account)
        return false;
    if (id <= w->filter->after)
        return true;
    buf_init(&bytes, RESTRICTION_BYTES_MAX + 512);
    bool goes_on =
        !restrictions_read(w->rs, id, &bytes, &r) || walk_record(w, buf_view(&bytes));
    buf_fini(&bytes);
    return goes_on;
}

/* What stands is a few among millions of records: their ids are in memory. */
struct ids {
    uint64_t *ids;
    size_t count;
    uint64_t after;
};

static void add_id(struct ids *all, uint64_t id)
{
    if (id > all->after)
        all->ids[all->count++] = id;
}

static void add_suspension(void *arg, struct standing *s)
{
    add_id(arg, s->id);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* False: no memory for it. */
static bool walk_standing(struct walk *w)
{
    struct restrictions *rs = w->rs;
    struct ids all = {.after = w->filter->after};
    struct restriction r;
    struct buf bytes;
    all.ids = malloc((rs->standing.count + rs->lock_count + 1) * sizeof *all.ids);
    if (!all.ids)
        return false;
    restrictions_each_standing(rs, add_suspension, &all);
    for (size_t i = 0; i < rs->lock_count; i++)
        if (rs->locks[i].until_ms > w->now_ms)
            add_id(&all, rs->locks[i].id);
    qsort(all.ids, all.count, sizeof *all.ids, by_number);
    buf_init(&bytes, RESTRICTION_BYTES_MAX + 512);
    for (size_t i = 0; i < all.count && !w->is_cut; i++)
        if (restrictions_read(rs, all.ids[i], &bytes, &r))
            (void)walk_record(w, buf_view(&bytes));
    buf_fini(&bytes);
    free(all.ids);
    return true;
}

uint64_t restrictions_each(struct restrictions *rs,
                           const struct restrictions_filter *filter, int64_t now_ms,
                           restrictions_record_fn *fn, void *arg)
{
    struct walk w = {.rs = rs,
                     .filter = filter,
                     .fn = fn,
                     .arg = arg,
                     .now_ms = now_ms,
                     .last_id = filter->after};
    char first[2 * KEY_BYTES];
    put_key(filter->account, first);
    put_key(filter->after, first + KEY_BYTES);
    if (filter->account != 0)
        ledger_each(rs->ledger, LEDGER_RESTRICTIONS_BY_ACCOUNT,
                    view_of(first, sizeof first), walk_of_account, &w);
    else if (!filter->is_standing_only || !walk_standing(&w))
        ledger_each(rs->ledger, LEDGER_RESTRICTIONS,
                    view_of(first + KEY_BYTES, KEY_BYTES), walk_all, &w);
    return w.is_cut ? w.last_id : 0;
}

/* ---- the same again ---- */

static uint64_t name_number(struct view name)
{
    static const uint8_t key[16] = "restriction rule";
    return siphash13(key, name.p, name.n);
}

/* Of a source: by its address instead of an account. */
static void make_recent_key(const struct restriction *r, uint64_t key[3])
{
    key[0] = (uint64_t)r->kind;
    key[1] = r->account ? r->account : name_number(r->source);
    key[2] = name_number(r->rule);
}

static struct recent *find_recent(struct restrictions *rs, const uint64_t key[3])
{
    struct table_entry *e =
        table_find(&rs->recent, view_of((const char *)key, 3 * sizeof key[0]));
    return e ? CONTAINER_OF(e, struct recent, entry) : NULL;
}

static void drop_recent(struct restrictions *rs, struct recent *recent)
{
    table_remove(&rs->recent, &recent->entry);
    list_remove(&recent->by_use);
    free(recent);
}

static void remember(struct restrictions *rs, const struct restriction *r,
                     const uint64_t key[3])
{
    struct recent *recent = find_recent(rs, key);
    if (recent)
        drop_recent(rs, recent);
    if (rs->recent.count >= RECENT_MAX)
        drop_recent(rs, LIST_FIRST(&rs->recent_by_use, struct recent, by_use));
    recent = calloc(1, sizeof *recent);
    if (!recent)
        return; /* the next one is a record of its own */
    *recent = (struct recent){
        .id = r->id, .times = 1, .last_ms = r->at_ms, .until_ms = r->until_ms, .written_ms = r->at_ms};
    memcpy(recent->key, key, sizeof recent->key);
    recent->entry.key = view_of((const char *)recent->key, sizeof recent->key);
    list_init(&recent->by_use);
    if (table_insert(&rs->recent, &recent->entry) == MSA_OK)
        list_append(&rs->recent_by_use, &recent->by_use);
    else
        free(recent);
}

/* What came before was lifted: what comes up now is another matter, of which the desk is told and which it can lift. */
static void forget_recent(struct restrictions *rs, const struct restriction *r)
{
    uint64_t key[3];
    make_recent_key(r, key);
    struct recent *recent = find_recent(rs, key);
    if (recent && recent->id == r->id)
        drop_recent(rs, recent);
}

/* Its new state is written now and then, so that a flood costs no disk; a lock that was over and holds again at once. */
static bool is_to_be_written(const struct recent *recent, const struct restriction *again)
{
    int64_t longer_ms = again->until_ms - recent->until_ms;
    bool is_over = recent->until_ms <= again->at_ms;
    return again->at_ms - recent->written_ms >= WRITE_EVERY_MS || longer_ms >= WRITE_EVERY_MS ||
           (longer_ms > 0 && is_over);
}

static void count_again(struct restrictions *rs, struct recent *recent, const struct restriction *again)
{
    struct restriction r;
    struct buf bytes;
    recent->times++;
    recent->last_ms = again->at_ms;
    list_remove(&recent->by_use);
    list_append(&rs->recent_by_use, &recent->by_use);
    if (!is_to_be_written(recent, again))
        return;
    recent->written_ms = again->at_ms;
    if (again->until_ms > recent->until_ms)
        recent->until_ms = again->until_ms;
    buf_init(&bytes, RESTRICTION_BYTES_MAX + 512);
    if (restrictions_read(rs, recent->id, &bytes, &r)) {
        r.times = recent->times;
        r.last_ms = again->at_ms;
        r.until_ms = recent->until_ms;
        write_record(rs, &r);
        change_lock(rs, &r, r.until_ms, again->at_ms);
    }
    buf_fini(&bytes);
}

/* A suspension is never the same again: it ends with its release. */
static bool is_repeat(const struct restriction *r, const struct recent *recent)
{
    return recent && !restriction_is_suspension(r->kind) &&
           r->at_ms - recent->last_ms < SAME_MS && r->at_ms >= recent->last_ms;
}

uint64_t restrictions_add(struct restrictions *rs, const struct restriction *r,
                          bool *is_new_out)
{
    struct restriction next = *r;
    uint64_t key[3];
    make_recent_key(r, key);
    struct recent *recent = find_recent(rs, key);
    bool is_new = !is_repeat(r, recent);
    if (is_new_out)
        *is_new_out = is_new;
    if (!is_new) {
        count_again(rs, recent, r);
        return recent->id;
    }
    next.id = msgid_next();
    next.times = 1;
    next.last_ms = next.at_ms;
    write_record(rs, &next);
    add_lock(rs, &next, next.at_ms);
    if (!restriction_is_suspension(next.kind))
        remember(rs, &next, key);
    else if (add_standing(rs, &next) == MSA_ENOMEM)
        log_msg(LOG_LEVEL_ERROR, "policy-no-memory",
                "a suspension holds only after a restart");
    return next.id;
}

static bool find_owner_lock(void *arg, const struct restriction *r)
{
    uint64_t *id_out = arg;
    if (r->kind == RESTRICTION_OWNER_LOCKED)
        *id_out = r->id;
    return *id_out == 0;
}

/* Not lifted; 0: there is none. */
static uint64_t owner_lock_of(struct restrictions *rs, uint64_t account, int64_t now_ms)
{
    struct restrictions_filter filter = {.account = account, .is_standing_only = true};
    uint64_t id = 0;
    do
        filter.after = restrictions_each(rs, &filter, now_ms, find_owner_lock, &id);
    while (id == 0 && filter.after != 0);
    return id;
}

uint64_t restrictions_owner_lock(struct restrictions *rs, uint64_t account, int64_t now_ms)
{
    const struct standing *s = restrictions_standing(rs, account);
    if (!s || s->kind == RESTRICTION_OWNER_LOCKED)
        return s ? s->id : 0;
    return owner_lock_of(rs, account, now_ms);
}

/* What its owner has said of it while it was suspended holds from now on. */
static void let_owner_lock_stand(struct restrictions *rs, uint64_t account, int64_t now_ms)
{
    struct restriction r;
    struct buf bytes;
    uint64_t id = owner_lock_of(rs, account, now_ms);
    buf_init(&bytes, RESTRICTION_BYTES_MAX + 512);
    if (id != 0 && restrictions_read(rs, id, &bytes, &r))
        (void)add_standing(rs, &r);
    buf_fini(&bytes);
}

int restrictions_release(struct restrictions *rs, uint64_t id, struct view by,
                         struct view note, int64_t now_ms)
{
    struct restriction r;
    struct buf bytes;
    int err = MSA_ENOENT;
    buf_init(&bytes, RESTRICTION_BYTES_MAX + 512);
    if (restrictions_read(rs, id, &bytes, &r)) {
        struct standing *s = restrictions_standing(rs, r.account);
        if (s && s->id == id)
            drop_standing(rs, s);
        err = r.released_ms != 0 ? MSA_EEXIST : MSA_OK;
    }
    if (err == MSA_OK) {
        forget_recent(rs, &r);
        change_lock(rs, &r, 0, now_ms);
        r.released_ms = now_ms;
        r.released_by = by;
        r.release_note = note;
        write_record(rs, &r);
        if (restriction_is_suspension(r.kind))
            let_owner_lock_stand(rs, r.account, now_ms);
    }
    buf_fini(&bytes);
    return err;
}

/* ---- life ---- */

static bool load_one(void *arg, struct view key, struct view value)
{
    struct restrictions *rs = arg;
    struct restriction r;
    (void)key;
    if (restriction_decode(value, &r) < 0)
        log_msg(LOG_LEVEL_ERROR, "policy-record-damaged",
                "a restriction does not decode");
    else if (restriction_is_suspension(r.kind) && r.released_ms == 0)
        (void)add_standing(rs, &r);
    else if (r.released_ms == 0)
        add_lock(rs, &r, clock_wall_ms());
    return true;
}

struct restrictions *restrictions_new(struct ledger *ledger)
{
    struct restrictions *rs = calloc(1, sizeof *rs);
    if (!rs)
        return NULL;
    rs->ledger = ledger;
    table_init(&rs->standing);
    table_init(&rs->recent);
    list_init(&rs->recent_by_use);
    ledger_each(ledger, LEDGER_RESTRICTIONS, VIEW_EMPTY, load_one, rs);
    return rs;
}

static void free_standing(struct table_entry *e, void *arg)
{
    drop_standing(arg, CONTAINER_OF(e, struct standing, entry));
}

void restrictions_free(struct restrictions **rs)
{
    struct recent *recent;
    if (!*rs)
        return;
    table_each(&(*rs)->standing, free_standing, *rs);
    table_fini(&(*rs)->standing);
    while ((recent = LIST_FIRST(&(*rs)->recent_by_use, struct recent, by_use)) != NULL)
        drop_recent(*rs, recent);
    table_fini(&(*rs)->recent);
    free((*rs)->locks);
    free(*rs);
    *rs = NULL;
}
