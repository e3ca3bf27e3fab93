#include "policy/sign_ins.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/table.h"
#include "policy/engine/event.h"
#include "policy/engine/subject.h"

#define SLOTS          8192
#define WRITE_EVERY_MS 60000

/* What is counted again and again; by account and kind, the last one in its place. */
struct slot {
    uint64_t account; /* 0: empty */
    uint64_t kind;
    int64_t written_ms;
    int64_t last_ms;
    uint32_t times; /* not written yet */
};

struct sign_ins {
    struct store *store;
    int64_t keep_ms; /* as of the last note */
    struct slot slots[SLOTS];
};

/* ---- the store ---- */

static struct store_record key_of(uint64_t account)
{
    struct store_record r = {.key = {.length = 9, .bytes = {SUBJECT_KEY_ACCOUNT}}};
    for (int i = 0; i < 8; i++)
        r.key.bytes[1 + i] = (char)(account >> (56 - 8 * i));
    return r;
}

/* False: it cannot be read now. `r` is what write needs. */
static bool read_list(struct sign_ins *s, uint64_t account, struct store_record *r, struct sign_in_list *out)
{
    out->count = 0;
    *r = key_of(account);
    if (s->store->ops->read_many(s->store, r, 1) != MSA_OK)
        return false;
    (void)sign_in_list_decode(r->bytes, out); /* damaged: begun anew */
    return true;
}

static int64_t newest_ms(const struct sign_in_list *list)
{
    int64_t ms = 0;
    for (unsigned i = 0; i < list->count; i++)
        if (list->entries[i].last_ms > ms)
            ms = list->entries[i].last_ms;
    return ms;
}

static void write_list(struct sign_ins *s, struct store_record *r, const struct sign_in_list *list)
{
    struct buf bytes;
    buf_init(&bytes, SIGN_IN_LIST_BYTES_MAX);
    uint32_t until_s = (uint32_t)((newest_ms(list) + s->keep_ms) / 1000);
    if (sign_in_list_encode(list, until_s, &bytes) == MSA_OK) {
        r->bytes = buf_view(&bytes);
        (void)s->store->ops->swap_many(s->store, r, 1); /* what is lost is one line of a list */
    }
    buf_fini(&bytes);
}

/* ---- what is counted in memory ---- */

static struct slot *slot_of(struct sign_ins *s, uint64_t account, uint64_t kind)
{
    static const uint8_t key[16] = "sign-in slots";
    const uint64_t both[2] = {account, kind};
    return &s->slots[siphash13(key, both, sizeof both) % SLOTS];
}

static bool is_of(const struct slot *slot, uint64_t account, uint64_t kind)
{
    return slot->account == account && slot->kind == kind;
}

static void add_times(struct sign_in_list *list, struct slot *slot)
{
    struct sign_in_entry *e = sign_in_list_find(list, slot->kind, slot->last_ms);
    if (!e)
        return; /* pushed out meanwhile */
    e->times = e->times < UINT32_MAX - slot->times ? e->times + slot->times : UINT32_MAX;
    if (slot->last_ms > e->last_ms)
        e->last_ms = slot->last_ms;
}

static void write_slot(struct sign_ins *s, struct slot *slot)
{
    struct sign_in_list list;
    struct store_record r;
    if (slot->account == 0 || slot->times == 0)
        return;
    if (read_list(s, slot->account, &r, &list)) {
        add_times(&list, slot);
        write_list(s, &r, &list);
    }
    slot->times = 0;
}

/* True: that is enough for now. */
static bool count_in_memory(struct slot *slot, uint64_t account, uint64_t kind, int64_t now_ms)
{
    if (!is_of(slot, account, kind) || now_ms < slot->written_ms || now_ms - slot->written_ms >= WRITE_EVERY_MS)
        return false;
    slot->times++;
    slot->last_ms = now_ms;
    return true;
}

/* ---- */

void sign_ins_note(struct sign_ins *s, uint64_t account, const struct sign_in_entry *e, int64_t keep_ms)
{
    struct sign_in_list list;
    struct store_record r;
    if (account == 0 || (account & ACCOUNT_UNKNOWN_BIT))
        return;
    s->keep_ms = keep_ms;
    uint64_t kind = sign_in_kind(e);
    struct slot *slot = e->is_proven ? slot_of(s, account, kind) : NULL; /* else it takes the list to say which kind */
    if (slot && count_in_memory(slot, account, kind, e->last_ms))
        return;
    if (slot && !is_of(slot, account, kind))
        write_slot(s, slot);
    if (!read_list(s, account, &r, &list))
        return;
    if (slot && is_of(slot, account, kind) && slot->times > 0)
        add_times(&list, slot);
    sign_in_list_expire(&list, e->last_ms - keep_ms);
    sign_in_list_add(&list, e);
    write_list(s, &r, &list);
    if (slot)
        *slot = (struct slot){.account = account, .kind = kind, .written_ms = e->last_ms, .last_ms = e->last_ms};
}

void sign_ins_read(struct sign_ins *s, uint64_t account, int64_t keep_ms, int64_t now_ms, struct sign_in_list *out)
{
    struct store_record r;
    if (!read_list(s, account, &r, out))
        return;
    for (unsigned i = 0; i < out->count; i++) {
        uint64_t kind = sign_in_kind(&out->entries[i]);
        struct slot *slot = slot_of(s, account, kind);
        if (is_of(slot, account, kind) && slot->times > 0 &&
            sign_in_list_find(out, kind, slot->last_ms) == &out->entries[i])
            add_times(out, slot);
    }
    sign_in_list_expire(out, now_ms - keep_ms);
    sign_in_list_sort(out);
}

struct sign_ins *sign_ins_new(struct store *store)
{
    struct sign_ins *s = calloc(1, sizeof *s);
    if (s)
        s->store = store;
    return s;
}

void sign_ins_free(struct sign_ins **s)
{
    for (size_t i = 0; *s && i < SLOTS; i++)
        write_slot(*s, &(*s)->slots[i]);
    free(*s);
    *s = NULL;
}
