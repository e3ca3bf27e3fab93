/* Records of the rule engine, as damaged as they come: what decodes can be asked for,
 * changed and written, and reads back as the same. */
#include "msa/base/arena.h"
#include "msa/base/err.h"
#include "policy/engine/record.h"
#include "policy/engine/windows.h"
#include "tests/fuzz/fuzz.h"

#define NOW_MS INT64_C(1780000000000)

static void use(struct record *r, struct cell *c)
{
    switch (c->kind) {
    case CELL_SUM:
        cell_sum_add(c->of.sum, 3600000, NOW_MS, 1);
        must(cell_sum_at(c->of.sum, 3600000, NOW_MS) >= 1);
        break;
    case CELL_DISTINCT:
        cell_distinct_add(c->of.distinct, 9, 7, NOW_MS);
        must(c->of.distinct->count <= 9);
        must(cell_distinct_has(c->of.distinct, 7, 1000, NOW_MS));
        cell_good_has(c->of.distinct, 7, NOW_MS);
        cell_familiar_any(c->of.distinct, NOW_MS);
        cell_good_add(c->of.distinct, 9, 8, NOW_MS);
        must(c->of.distinct->count <= 9 && !cell_familiar_has(c->of.distinct, 9, NOW_MS));
        break;
    case CELL_STAYS:
        cell_stays_add(c->of.stays, 5, 7, NOW_MS);
        must(c->of.stays->count >= 1 && c->of.stays->count <= STAYS_MAX);
        cell_stays_at(c->of.stays, 3600000, NOW_MS);
        break;
    case CELL_KNOWN:
        cell_known_add(c->of.known, 7);
        must(cell_known_has(c->of.known, 7));
        break;
    case CELL_SPARE:
        if (cell_spare_has(&c->of.spare, 100, NOW_MS, 1))
            cell_spare_take(&c->of.spare, 100, NOW_MS, 1);
        break;
    case CELL_PLACE:
    case CELL_LOCK:
        break;
    }
    r->is_changed = true;
}

static void check_round(struct record *r, struct arena *arena)
{
    struct buf bytes, again;
    struct record back;
    buf_init(&bytes, RECORD_BYTES_MAX * 2);
    buf_init(&again, RECORD_BYTES_MAX * 2);
    must(record_encode(r, &bytes) == MSA_OK);
    must(buf_len(&bytes) <= RECORD_BYTES_MAX);
    must(record_decode(&back, arena, buf_view(&bytes)) == MSA_OK);
    must(record_keep_until(buf_view(&bytes)) == r->keep_until_s);
    must(record_encode(&back, &again) == MSA_OK);
    must(view_eq(buf_view(&bytes), buf_view(&again)));
    buf_fini(&bytes);
    buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct record r;
    if (size > RECORD_BYTES_MAX)
        return 0;
    arena_init(&arena, 4u << 20);
    if (record_decode(&r, &arena, fuzz_view(data, size)) == MSA_OK) {
        must(r.cell_count <= RECORD_CELLS_MAX);
        check_round(&r, &arena);
        for (unsigned i = 0; i < r.cell_count; i++) {
            struct cell *c = record_find(&r, r.cells[i].id, r.cells[i].kind);
            must(c != NULL && c->is_open);
            use(&r, c);
        }
        check_round(&r, &arena);
    } else {
        must(r.cell_count == 0);
    }
    arena_fini(&arena);
    return 0;
}
