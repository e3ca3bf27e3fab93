#include "policy/engine/record.h"

#include <string.h>

#include "msa/base/arena.h"
#include "msa/base/codec.h"
#include "msa/base/err.h"

#define HEAD_BYTES      8 /* version, keep_until_s, epoch, cells */
#define CELL_HEAD_BYTES 7 /* id, kind, length */

void record_init(struct record *r, struct arena *arena)
{
    r->keep_until_s = 0;
    r->epoch = 0;
    r->cell_count = 0;
    r->is_changed = false;
    r->arena = arena;
}

/* ---- one cell ---- */

/* Empty. The large cells are allocated; false when memory is out. */
static bool cell_init(struct cell *c, struct arena *arena)
{
    memset(&c->of, 0, sizeof c->of);
    c->is_open = true;
    c->raw = VIEW_EMPTY;
    switch (c->kind) {
    case CELL_SUM:
        return (c->of.sum = ARENA_NEW(arena, struct cell_sum)) != NULL;
    case CELL_DISTINCT:
        return (c->of.distinct = ARENA_NEW(arena, struct cell_distinct)) != NULL;
    case CELL_STAYS:
        return (c->of.stays = ARENA_NEW(arena, struct cell_stays)) != NULL;
    case CELL_KNOWN:
        return (c->of.known = ARENA_NEW(arena, struct cell_known)) != NULL;
    case CELL_PLACE:
    case CELL_LOCK:
    case CELL_SPARE:
        return true;
    }
    return false;
}

static void put_sum(struct buf *b, const struct cell_sum *s)
{
    uint8_t used = 0;
    for (size_t i = 0; i < SUM_BUCKETS; i++)
        used = (uint8_t)(used + (s->buckets[i] != 0));
    put_i64(b, s->newest_bucket);
    put_u8(b, used);
    for (uint8_t i = 0; i < SUM_BUCKETS; i++) {
        if (s->buckets[i] == 0)
            continue;
        put_u8(b, i);
        put_u32(b, s->buckets[i]);
    }
}

static void get_sum(struct reader *r, struct cell_sum *s)
{
    s->newest_bucket = get_i64(r);
    r->failed = r->failed || s->newest_bucket < 0; /* no time before 1970 is counted */
    uint8_t used = get_u8(r);
    for (uint8_t i = 0; i < used && !r->failed; i++) {
        uint8_t at = get_u8(r);
        uint32_t n = get_u32(r);
        if (at >= SUM_BUCKETS)
            r->failed = true;
        else
            s->buckets[at] = n;
    }
}

static void put_seen(struct buf *b, const struct cell_seen *seen, unsigned count)
{
    put_u8(b, (uint8_t)count);
    for (unsigned i = 0; i < count; i++) {
        put_u32(b, seen[i].what);
        put_u32(b, seen[i].last_s);
    }
}

static void get_seen(struct reader *r, struct cell_seen *seen, unsigned *count,
                     unsigned max)
{
    *count = get_u8(r);
    if (*count > max) {
        r->failed = true;
        *count = 0;
    }
    for (unsigned i = 0; i < *count; i++) {
        seen[i].what = get_u32(r);
        seen[i].last_s = get_u32(r);
    }
}

static void put_known(struct buf *b, const struct cell_known *k)
{
    put_u16(b, (uint16_t)k->count);
    put_u16(b, (uint16_t)k->next);
    for (unsigned i = 0; i < k->count; i++)
        put_u32(b, k->what[i]);
}

static void get_known(struct reader *r, struct cell_known *k)
{
    k->count = get_u16(r);
    k->next = get_u16(r);
    bool is_ring = k->count == KNOWN_MAX ? k->next < KNOWN_MAX : k->next == k->count;
    if (k->count > KNOWN_MAX || !is_ring) {
        r->failed = true;
        k->count = k->next = 0;
    }
    for (unsigned i = 0; i < k->count; i++)
        k->what[i] = get_u32(r);
}

static void put_cell(struct buf *b, const struct cell *c)
{
    switch (c->kind) {
    case CELL_SUM:
        put_sum(b, c->of.sum);
        break;
    case CELL_DISTINCT:
        put_seen(b, c->of.distinct->seen, c->of.distinct->count);
        break;
    case CELL_STAYS:
        put_seen(b, c->of.stays->seen, c->of.stays->count);
        break;
    case CELL_KNOWN:
        put_known(b, c->of.known);
        break;
    case CELL_PLACE:
        put_u32(b, c->of.place.at_s);
        put_u16(b, c->of.place.country);
        put_u16(b, (uint16_t)c->of.place.latitude_centideg);
        put_u16(b, (uint16_t)c->of.place.longitude_centideg);
        break;
    case CELL_LOCK:
        put_u32(b, c->of.lock.until_s);
        put_u32(b, c->of.lock.last_s);
        put_u8(b, c->of.lock.level);
        break;
    case CELL_SPARE:
        put_u32(b, c->of.spare.used);
        put_u32(b, c->of.spare.at_s);
        break;
    }
}

static void get_cell(struct reader *r, struct cell *c)
{
    switch (c->kind) {
    case CELL_SUM:
        get_sum(r, c->of.sum);
        break;
    case CELL_DISTINCT:
        get_seen(r, c->of.distinct->seen, &c->of.distinct->count, DISTINCT_MAX);
        break;
    case CELL_STAYS:
        get_seen(r, c->of.stays->seen, &c->of.stays->count, STAYS_MAX);
        break;
    case CELL_KNOWN:
        get_known(r, c->of.known);
        break;
    case CELL_PLACE:
        c->of.place.at_s = get_u32(r);
        c->of.place.country = get_u16(r);
        c->of.place.latitude_centideg = (int16_t)get_u16(r);
        c->of.place.longitude_centideg = (int16_t)get_u16(r);
        break;
    case CELL_LOCK:
        c->of.lock.until_s = get_u32(r);
        c->of.lock.last_s = get_u32(r);
        c->of.lock.level = get_u8(r);
        break;
    case CELL_SPARE:
        c->of.spare.used = get_u32(r);
        c->of.spare.at_s = get_u32(r);
        break;
    }
}

/* Decodes; damaged bytes are an empty cell. False when memory is out. */
static bool cell_open(struct cell *c, struct arena *arena)
{
    struct reader payload = reader_of(c->raw);
    if (c->is_open)
        return true;
    if (!cell_init(c, arena))
        return false;
    get_cell(&payload, c);
    return reader_end(&payload) == MSA_OK || cell_init(c, arena);
}

/* ---- the record ---- */

static int decode_cells(struct record *r, struct reader *in, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct cell *c = &r->cells[i];
        c->id = get_u32(in);
        uint8_t kind = get_u8(in);
        size_t length = get_u16(in);
        if (in->failed || length > in->n || kind < CELL_SUM || kind > CELL_KNOWN)
            return MSA_ECORRUPT;
        c->kind = (enum cell_kind)kind;
        c->is_open = false;
        c->raw = view_of((const char *)in->p, length);
        in->p += length;
        in->n -= length;
        r->cell_count++;
    }
    return reader_end(in) < 0 ? MSA_ECORRUPT : MSA_OK;
}

int record_decode(struct record *r, struct arena *arena, struct view bytes)
{
    struct reader in = reader_of(bytes);
    record_init(r, arena);
    uint8_t version = get_u8(&in);
    r->keep_until_s = get_u32(&in);
    r->epoch = get_u16(&in);
    uint8_t count = get_u8(&in);
    int err = in.failed || version != RECORD_VERSION || count > RECORD_CELLS_MAX
                  ? MSA_ECORRUPT
                  : decode_cells(r, &in, count);
    if (err < 0)
        record_init(r, arena);
    return err;
}

uint32_t record_keep_until(struct view bytes)
{
    struct reader in = reader_of(bytes);
    bool is_known = get_u8(&in) == RECORD_VERSION;
    uint32_t keep_until_s = get_u32(&in);
    return is_known ? keep_until_s : 0;
}

/* The length is known only behind the payload. */
static void put_length(struct buf *out, size_t cell_at)
{
    size_t length = buf_len(out) - cell_at - CELL_HEAD_BYTES;
    out->data[out->start + cell_at + 5] = (char)(length & 0xff);
    out->data[out->start + cell_at + 6] = (char)(length >> 8);
}

static void encode_cell(struct buf *out, const struct cell *c)
{
    size_t at = buf_len(out);
    put_u32(out, c->id);
    put_u8(out, (uint8_t)c->kind);
    put_u16(out, (uint16_t)c->raw.n);
    if (!c->is_open) {
        buf_add(out, c->raw);
        return;
    }
    put_cell(out, c);
    if (!buf_failed(out))
        put_length(out, at);
}

int record_encode(const struct record *r, struct buf *out)
{
    size_t begin = buf_len(out);
    uint8_t count = 0;
    put_u8(out, RECORD_VERSION);
    put_u32(out, r->keep_until_s);
    put_u16(out, r->epoch);
    put_u8(out, 0);
    for (unsigned i = 0; i < r->cell_count && !buf_failed(out); i++) {
        size_t before = buf_len(out);
        encode_cell(out, &r->cells[i]);
        if (buf_len(out) - begin > RECORD_BYTES_MAX)
            buf_truncate(out, before); /* the last resort: see the head of record.h */
        else
            count++;
    }
    if (buf_failed(out))
        return MSA_ENOMEM;
    out->data[out->start + begin + HEAD_BYTES - 1] = (char)count;
    return MSA_OK;
}

static struct cell *find(struct record *r, uint32_t id, enum cell_kind kind)
{
    for (unsigned i = 0; i < r->cell_count; i++)
        if (r->cells[i].id == id && r->cells[i].kind == kind)
            return &r->cells[i];
    return NULL;
}

struct cell *record_find(struct record *r, uint32_t id, enum cell_kind kind)
{
    struct cell *c = find(r, id, kind);
    return c && cell_open(c, r->arena) ? c : NULL;
}

struct cell *record_get(struct record *r, uint32_t id, enum cell_kind kind)
{
    struct cell *c = find(r, id, kind);
    if (c)
        return cell_open(c, r->arena) ? c : NULL;
    if (r->cell_count == RECORD_CELLS_MAX)
        return NULL;
    c = &r->cells[r->cell_count];
    c->id = id;
    c->kind = kind;
    if (!cell_init(c, r->arena))
        return NULL;
    r->cell_count++;
    return c;
}

void record_drop_cells(struct record *r, record_keeps_fn *keeps, const void *arg)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < r->cell_count; i++)
        if (keeps(r->cells[i].id, arg)) {
            if (kept < i)
                r->cells[kept] = r->cells[i];
            kept++;
        }
    r->cell_count = kept;
}

static bool is_fixed(uint32_t id, const void *arg)
{
    (void)arg;
    return id < CELL_ID_FIRST_OF_RULES;
}

void record_forget_counts(struct record *r)
{
    record_drop_cells(r, is_fixed, NULL);
    r->is_changed = true;
}
