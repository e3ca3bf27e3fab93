/* See windows.h. */
#include "policy/engine/windows.h"

#include <string.h>

#define DAY_MS 86400000
#define DAY_S  86400u

/* ---- sums ---- */

static int64_t bucket_width_ms(int64_t within_ms)
{
    /* Rounded up: twelve buckets are never less than the window. */
    int64_t width = (within_ms + SUM_BUCKETS - 2) / (SUM_BUCKETS - 1);
    return width > 0 ? width : 1;
}

/* Shifts the buckets so that [0] is the one of `now`. A clock that went back a little
 * adds to the newest bucket; one that came back from a wrong date takes its counts along,
 * so that nobody stays shut out. */
static void sum_turn(struct cell_sum *s, int64_t now_bucket)
{
    int64_t ahead = now_bucket - s->newest_bucket;
    if (ahead < -(SUM_BUCKETS - 1)) {
        s->newest_bucket = now_bucket;
        return;
    }
    if (ahead <= 0)
        return;
    size_t shift = ahead < SUM_BUCKETS ? (size_t)ahead : SUM_BUCKETS;
    memmove(s->buckets + shift, s->buckets, (SUM_BUCKETS - shift) * sizeof s->buckets[0]);
    memset(s->buckets, 0, shift * sizeof s->buckets[0]);
    s->newest_bucket = now_bucket;
}

bool cell_sum_come_back(struct cell_sum *s, int64_t within_ms, int64_t now_ms)
{
    int64_t now_bucket = now_ms / bucket_width_ms(within_ms);
    if (s->newest_bucket - now_bucket < SUM_BUCKETS)
        return false;
    sum_turn(s, now_bucket);
    return true;
}

uint32_t cell_sum_at(const struct cell_sum *s, int64_t within_ms, int64_t now_ms)
{
    struct cell_sum turned = *s;
    uint64_t total = 0;
    sum_turn(&turned, now_ms / bucket_width_ms(within_ms));
    for (size_t i = 0; i < SUM_BUCKETS; i++)
        total += turned.buckets[i];
    return total < UINT32_MAX ? (uint32_t)total : UINT32_MAX;
}

void cell_sum_add(struct cell_sum *s, int64_t within_ms, int64_t now_ms, uint32_t n)
{
    sum_turn(s, now_ms / bucket_width_ms(within_ms));
    s->buckets[0] = n < UINT32_MAX - s->buckets[0] ? s->buckets[0] + n : UINT32_MAX;
}

void cell_sum_take(struct cell_sum *s, int64_t within_ms, int64_t then_ms, uint32_t n)
{
    int64_t age = s->newest_bucket - then_ms / bucket_width_ms(within_ms);
    if (age < 0)
        age = 0; /* the clock went back since; it was added to the newest */
    if (age >= SUM_BUCKETS)
        return;
    s->buckets[age] = n < s->buckets[age] ? s->buckets[age] - n : 0;
}

/* ---- distinct ones ---- */

static uint32_t seconds_of(int64_t ms)
{
    return ms > 0 ? (uint32_t)(ms / 1000) : 0;
}

/* Later than now (a clock that went back) counts as now; later by more than the window
 * was noted under a wrong date and says nothing. */
static bool is_within(uint32_t at_s, int64_t within_ms, int64_t now_ms)
{
    int64_t at_ms = (int64_t)at_s * 1000;
    return at_ms > now_ms - within_ms && at_ms <= now_ms + within_ms;
}

static void drop_seen(struct cell_seen *seen, unsigned *count, unsigned at, unsigned n)
{
    memmove(seen + at, seen + at + n, (*count - at - n) * sizeof seen[0]);
    *count -= n;
}

/* Makes room for one more in `room` places. The room may have shrunk by a reload. */
static void drop_oldest(struct cell_seen *seen, unsigned *count, unsigned room)
{
    if (*count >= room)
        drop_seen(seen, count, 0, *count - room + 1);
}

void cell_distinct_add(struct cell_distinct *d, unsigned room, uint32_t what,
                       int64_t now_ms)
{
    for (unsigned i = 0; i < d->count; i++) {
        if (d->seen[i].what == what) {
            drop_seen(d->seen, &d->count, i, 1);
            break;
        }
    }
    drop_oldest(d->seen, &d->count, room < DISTINCT_MAX ? room : DISTINCT_MAX);
    d->seen[d->count++] = (struct cell_seen){.what = what, .last_s = seconds_of(now_ms)};
}

unsigned cell_distinct_at(const struct cell_distinct *d, int64_t within_ms,
                          int64_t now_ms)
{
    unsigned n = 0;
    for (unsigned i = 0; i < d->count; i++)
        n += is_within(d->seen[i].last_s, within_ms, now_ms);
    return n;
}

bool cell_distinct_has(const struct cell_distinct *d, uint32_t what, int64_t within_ms,
                       int64_t now_ms)
{
    for (unsigned i = 0; i < d->count; i++)
        if (d->seen[i].what == what)
            return is_within(d->seen[i].last_s, within_ms, now_ms);
    return false;
}

/* ---- stays in countries ---- */

void cell_stays_add(struct cell_stays *s, unsigned room, uint16_t country, int64_t now_ms)
{
    if (s->count > 0 && s->seen[s->count - 1].what == country)
        return;
    drop_oldest(s->seen, &s->count, room < STAYS_MAX ? room : STAYS_MAX);
    s->seen[s->count++] =
        (struct cell_seen){.what = country, .last_s = seconds_of(now_ms)};
}

unsigned cell_stays_at(const struct cell_stays *s, int64_t within_ms, int64_t now_ms)
{
    unsigned entered = 0;
    for (unsigned i = 0; i < s->count; i++)
        entered += is_within(s->seen[i].last_s, within_ms, now_ms);
    return entered < s->count ? entered + 1 : entered;
}

/* ---- known ones ---- */

bool cell_known_has(const struct cell_known *k, uint32_t what)
{
    for (unsigned i = 0; i < k->count; i++)
        if (k->what[i] == what)
            return true;
    return false;
}

void cell_known_add(struct cell_known *k, uint32_t what)
{
    k->what[k->next] = what;
    k->next = (k->next + 1) % KNOWN_MAX;
    if (k->count < KNOWN_MAX)
        k->count++;
}

/* ---- what was used on which days ---- */

#define DAY_2020  18262 /* days from 1970 on */
#define DAY_BITS  0x3fffu
#define DAYS_MANY 15u

struct used_days {
    unsigned first, last, count;
};

static unsigned day_of(int64_t ms)
{
    int64_t day = ms / DAY_MS - DAY_2020;
    return day > 0 ? (unsigned)day & DAY_BITS : 0;
}

static struct used_days used_days_of(const struct cell_seen *seen)
{
    return (struct used_days){.first = seen->last_s >> 18,
                              .last = seen->last_s >> 4 & DAY_BITS,
                              .count = seen->last_s & DAYS_MANY};
}

static uint32_t pack_used_days(struct used_days u)
{
    return u.first << 18 | u.last << 4 | u.count;
}

/* A clock that went back leaves the last day ahead of today; that is no reason to forget.
 */
static bool is_fresh(struct used_days u, unsigned today)
{
    return today <= u.last ? u.last - today <= GOOD_FOR_DAYS
                           : today - u.last <= GOOD_FOR_DAYS;
}

static const struct cell_seen *find_seen(const struct cell_distinct *d, uint32_t what)
{
    for (unsigned i = 0; i < d->count; i++)
        if (d->seen[i].what == what)
            return &d->seen[i];
    return NULL;
}

/* Of those used on the fewest days the one that was used longest ago. */
static unsigned least_used(const struct cell_distinct *d)
{
    unsigned least = 0;
    for (unsigned i = 1; i < d->count; i++)
        if (used_days_of(&d->seen[i]).count < used_days_of(&d->seen[least]).count)
            least = i;
    return least;
}

void cell_good_add(struct cell_distinct *d, unsigned room, uint32_t what, int64_t now_ms)
{
    unsigned today = day_of(now_ms);
    struct used_days u = {.first = today, .last = today, .count = 1};
    const struct cell_seen *before = find_seen(d, what);
    if (before) {
        struct used_days b = used_days_of(before);
        drop_seen(d->seen, &d->count, (unsigned)(before - d->seen), 1);
        if (is_fresh(b, today)) {
            u.first = b.first;
            u.count = b.count + (b.last < today && b.count < DAYS_MANY);
        }
    }
    while (d->count >= room)
        drop_seen(d->seen, &d->count, least_used(d), 1);
    d->seen[d->count++] = (struct cell_seen){.what = what, .last_s = pack_used_days(u)};
}

bool cell_good_has(const struct cell_distinct *d, uint32_t what, int64_t now_ms)
{
    const struct cell_seen *seen = find_seen(d, what);
    unsigned today = day_of(now_ms);
    struct used_days u = seen ? used_days_of(seen) : (struct used_days){0};
    return seen && u.first < today && is_fresh(u, today);
}

static bool is_familiar(const struct cell_seen *seen, unsigned today)
{
    struct used_days u = used_days_of(seen);
    unsigned before_today = u.count - (u.count > 0 && u.last == today);
    return before_today >= FAMILIAR_DAYS && is_fresh(u, today);
}

bool cell_familiar_has(const struct cell_distinct *d, uint32_t what, int64_t now_ms)
{
    const struct cell_seen *seen = find_seen(d, what);
    return seen && is_familiar(seen, day_of(now_ms));
}

bool cell_familiar_any(const struct cell_distinct *d, int64_t now_ms)
{
    for (unsigned i = 0; i < d->count; i++)
        if (is_familiar(&d->seen[i], day_of(now_ms)))
            return true;
    return false;
}

/* ---- the reserve of a volume rule ---- */

static uint32_t spare_used(const struct cell_spare *s, uint32_t spare, uint32_t now_s)
{
    uint64_t quiet_s = now_s > s->at_s ? now_s - s->at_s : 0;
    uint64_t refilled = quiet_s * spare / DAY_S;
    if (s->at_s > now_s && s->at_s - now_s > DAY_S)
        return 0; /* noted under a wrong date */
    return refilled < s->used ? s->used - (uint32_t)refilled : 0;
}

bool cell_spare_has(const struct cell_spare *s, uint32_t spare, int64_t now_ms,
                    uint32_t n)
{
    return n <= spare && spare_used(s, spare, seconds_of(now_ms)) <= spare - n;
}

void cell_spare_take(struct cell_spare *s, uint32_t spare, int64_t now_ms, uint32_t n)
{
    uint32_t now_s = seconds_of(now_ms);
    s->used = spare_used(s, spare, now_s) + n;
    s->at_s = now_s;
}

void cell_spare_give_back(struct cell_spare *s, uint32_t n)
{
    s->used -= n < s->used ? n : s->used;
}
