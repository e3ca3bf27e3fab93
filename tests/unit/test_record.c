#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "msa/base/arena.h"
#include "msa/base/err.h"
#include "policy/engine/record.h"
#include "policy/engine/windows.h"

TestSuite(record, .timeout = 20);

#define T0 1780000000000

static struct arena arena;
static struct buf bytes;

static void begin(void)
{
    arena_init(&arena, 1u << 20);
    buf_init(&bytes, 1u << 20);
}

static void end(void)
{
    arena_fini(&arena);
    buf_fini(&bytes);
}

/* One cell of each kind, each with something in it. */
static void fill(struct record *r)
{
    cell_sum_add(record_get(r, 100, CELL_SUM)->of.sum, 3600000, T0, 5);
    cell_distinct_add(record_get(r, 101, CELL_DISTINCT)->of.distinct, DISTINCT_MAX, 77,
                      T0);
    cell_distinct_add(record_get(r, 101, CELL_DISTINCT)->of.distinct, DISTINCT_MAX, 78,
                      T0);
    cell_stays_add(record_get(r, 102, CELL_STAYS)->of.stays, STAYS_MAX, 'J' << 8 | 'P',
                   T0);
    record_get(r, 103, CELL_PLACE)->of.place = (struct cell_place){
        .at_s = 9, .country = 3, .latitude_centideg = -3568, .longitude_centideg = 13969};
    record_get(r, 104, CELL_LOCK)->of.lock =
        (struct cell_lock){.until_s = 11, .last_s = 10, .level = 3};
    cell_spare_take(&record_get(r, 105, CELL_SPARE)->of.spare, 10, T0, 4);
    cell_known_add(record_get(r, CELL_ID_KNOWN_RECIPIENTS, CELL_KNOWN)->of.known,
                   0xfeedbeef);
}

Test(record, comes_back_as_it_was, .init = begin, .fini = end)
{
    struct record r, back;
    struct buf again;
    record_init(&r, &arena);
    r.keep_until_s = 1234;
    fill(&r);
    cr_assert(eq(int, record_encode(&r, &bytes), MSA_OK));
    cr_assert(eq(int, record_decode(&back, &arena, buf_view(&bytes)), MSA_OK));
    cr_assert(eq(u32, back.keep_until_s, 1234));
    cr_assert(eq(uint, back.cell_count, 7));
    cr_assert(
        eq(i16, record_find(&back, 103, CELL_PLACE)->of.place.latitude_centideg, -3568));
    cr_assert(eq(uint, record_find(&back, 101, CELL_DISTINCT)->of.distinct->count, 2));
    buf_init(&again, 1u << 20);
    cr_assert(eq(int, record_encode(&back, &again), MSA_OK));
    cr_assert(view_eq(buf_view(&bytes), buf_view(&again)));
    buf_fini(&again);
}

Test(record, cut_off_anywhere_is_empty, .init = begin, .fini = end)
{
    struct record r, back;
    record_init(&r, &arena);
    fill(&r);
    cr_assert(eq(int, record_encode(&r, &bytes), MSA_OK));
    for (size_t n = 0; n < buf_len(&bytes); n++) {
        cr_assert(eq(int,
                     record_decode(&back, &arena, view_slice(buf_view(&bytes), 0, n)),
                     MSA_ECORRUPT));
        cr_assert(eq(uint, back.cell_count, 0));
    }
}

Test(record, any_damaged_byte_is_survived, .init = begin, .fini = end)
{
    struct record r, back;
    record_init(&r, &arena);
    fill(&r);
    cr_assert(eq(int, record_encode(&r, &bytes), MSA_OK));
    for (size_t at = 0; at < buf_len(&bytes); at++) {
        for (int flip = 1; flip < 256; flip <<= 1) {
            struct arena scratch;
            struct buf again;
            arena_init(&scratch, 1u << 20);
            buf_init(&again, 1u << 20);
            bytes.data[bytes.start + at] ^= (char)flip;
            if (record_decode(&back, &scratch, buf_view(&bytes)) == MSA_OK)
                cr_assert(eq(int, record_encode(&back, &again), MSA_OK));
            bytes.data[bytes.start + at] ^= (char)flip;
            buf_fini(&again);
            arena_fini(&scratch);
        }
    }
}

Test(record, is_bounded_however_much_is_counted, .init = begin, .fini = end)
{
    struct record r, back;
    record_init(&r, &arena);
    for (uint32_t id = 100; id < 100 + RECORD_CELLS_MAX; id++)
        for (uint32_t i = 0; i < 2 * DISTINCT_MAX; i++)
            cell_distinct_add(record_get(&r, id, CELL_DISTINCT)->of.distinct,
                              DISTINCT_MAX, i, T0);
    cr_assert(record_get(&r, 99, CELL_DISTINCT) == NULL);
    cr_assert(record_get(&r, 100, CELL_DISTINCT) != NULL);
    cr_assert(eq(int, record_encode(&r, &bytes), MSA_OK));
    cr_assert(le(sz, buf_len(&bytes), (size_t)RECORD_BYTES_MAX));
    cr_assert(eq(int, record_decode(&back, &arena, buf_view(&bytes)), MSA_OK));
    cr_assert(back.cell_count > 0 && record_find(&back, 100, CELL_DISTINCT),
              "the first ones stay");
}

Test(record, a_damaged_cell_is_empty_and_its_neighbours_are_whole, .init = begin,
     .fini = end)
{
    struct record r, back;
    record_init(&r, &arena);
    fill(&r);
    cr_assert(eq(int, record_encode(&r, &bytes), MSA_OK));
    /* The first payload byte of the second cell, its count. */
    size_t at = 8 + 7 + 8 + 1 + 5 + 7;
    cr_assert(eq(int, bytes.data[bytes.start + at], 2));
    bytes.data[bytes.start + at] = 77;
    cr_assert(eq(int, record_decode(&back, &arena, buf_view(&bytes)), MSA_OK));
    cr_assert(eq(uint, record_find(&back, 101, CELL_DISTINCT)->of.distinct->count, 0));
    cr_assert(
        eq(u32, cell_sum_at(record_find(&back, 100, CELL_SUM)->of.sum, 3600000, T0), 5));
    cr_assert(eq(uint, record_find(&back, 102, CELL_STAYS)->of.stays->count, 1));
}

static bool is_odd(uint32_t id, const void *arg)
{
    (void)arg;
    return id % 2 == 1;
}

Test(record, cells_nobody_asked_for_come_back_byte_for_byte, .init = begin, .fini = end)
{
    struct record r, back;
    struct buf again;
    record_init(&r, &arena);
    fill(&r);
    cr_assert(eq(int, record_encode(&r, &bytes), MSA_OK));
    cr_assert(eq(int, record_decode(&back, &arena, buf_view(&bytes)), MSA_OK));
    record_find(&back, 104, CELL_LOCK);
    buf_init(&again, 1u << 20);
    cr_assert(eq(int, record_encode(&back, &again), MSA_OK));
    cr_assert(view_eq(buf_view(&bytes), buf_view(&again)));
    record_drop_cells(&back, is_odd, NULL);
    cr_assert(eq(uint, back.cell_count, 4), "101, 103, 105 and the known recipients");
    cr_assert(eq(u32, back.cells[1].id, 103));
    buf_fini(&again);
}

Test(record, release_forgets_counts_and_keeps_what_is_known, .init = begin, .fini = end)
{
    struct record r;
    record_init(&r, &arena);
    fill(&r);
    cell_good_add(record_get(&r, CELL_ID_GOOD_NETWORKS, CELL_DISTINCT)->of.distinct,
                  NETWORKS_MAX, 5, T0);
    record_forget_counts(&r);
    cr_assert(eq(uint, r.cell_count, 2));
    cr_assert(record_find(&r, CELL_ID_KNOWN_RECIPIENTS, CELL_KNOWN) != NULL);
    cr_assert(record_find(&r, CELL_ID_GOOD_NETWORKS, CELL_DISTINCT) != NULL);
    cr_assert(r.is_changed);
}
