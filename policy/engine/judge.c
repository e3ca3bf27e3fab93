#include "policy/engine/judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "policy/engine/subject.h"
#include "policy/engine/windows.h"

#define EARTH_RADIUS_KM   6371.0
#define DEGREE            (3.14159265358979323846 / 180.0)
#define NEAR_KM           100.0 /* databases place the same network differently by so much */
#define SPEED_MAX_KMH     1000000.0
#define CLOCK_SLACK_HOURS 0.1

/* ---- what is used up ---- */

uint32_t judge_new_recipients(const struct event *e, struct record *account)
{
    struct cell *c =
        account ? record_find(account, CELL_ID_KNOWN_RECIPIENTS, CELL_KNOWN) : NULL;
    uint32_t n = 0;
    for (uint32_t i = 0; e->recipient_hashes && i < e->recipients; i++)
        n += !(c && cell_known_has(c->of.known, e->recipient_hashes[i]));
    return n;
}

uint32_t judge_amount(const struct rule *r, const struct event *e, unsigned nth,
                      uint32_t new_recipients)
{
    switch (r->count) {
    case COUNT_MESSAGES:
        return 1;
    case COUNT_RECIPIENTS:
        return rule_recipients(r, e, nth);
    case COUNT_NEW_RECIPIENTS:
        return new_recipients;
    case COUNT_BYTES:
        return e->bytes / 1024 < UINT32_MAX ? (uint32_t)((e->bytes + 1023) / 1024)
                                            : UINT32_MAX;
    default:
        return 0; /* what is open now was counted by the caller */
    }
}

static uint32_t open_now(const struct rule *r, const struct event *e)
{
    bool is_source = r->per == PER_ADDRESS || r->per == PER_NETWORK;
    if (r->count == COUNT_SESSIONS)
        return is_source ? e->address_sessions : e->account_sessions;
    return is_source ? e->address_sending : e->account_sending;
}

static bool is_gauge(const struct rule *r)
{
    return r->count == COUNT_SESSIONS || r->count == COUNT_SENDING;
}

void judge_use(const struct rule *r, const struct event *e, struct record *rec,
               uint32_t amount)
{
    if (is_gauge(r) || amount == 0)
        return;
    struct cell *c = record_get(rec, r->cell_id, CELL_SUM);
    if (!c)
        return;
    cell_sum_add(c->of.sum, r->within_ms, e->at_ms, amount);
    rec->is_changed = true;
}

void judge_give_back(const struct rule *r, const struct event *e, struct record *rec,
                     uint32_t amount)
{
    struct cell *c = record_find(rec, r->cell_id, CELL_SUM);
    if (is_gauge(r) || !c)
        return;
    cell_sum_take(c->of.sum, r->within_ms, e->at_ms, amount);
    rec->is_changed = true;
}

/* ---- signs ---- */

static double distance_km(double lat1, double lon1, double lat2, double lon2)
{
    double dlat = (lat2 - lat1) * DEGREE, dlon = (lon2 - lon1) * DEGREE;
    double h = sin(dlat / 2) * sin(dlat / 2) +
               cos(lat1 * DEGREE) * cos(lat2 * DEGREE) * sin(dlon / 2) * sin(dlon / 2);
    return 2 * EARTH_RADIUS_KM * asin(sqrt(h < 1 ? h : 1));
}

/* km/h between the place before and this one; 0 when near or not known. */
static uint32_t speed_kmh(const struct cell_place *p, const struct event *e)
{
    if (p->at_s == 0 || !e->place.has_coordinates || p->country == e->place.country)
        return 0; /* inside one country the databases are no map of where people are */
    double km =
        distance_km(p->latitude_centideg / 100.0, p->longitude_centideg / 100.0,
                    (double)e->place.latitude_deg, (double)e->place.longitude_deg);
    if (km < NEAR_KM)
        return 0;
    double hours = ((double)e->at_ms / 1000.0 - p->at_s) / 3600.0;
    if (hours < -CLOCK_SLACK_HOURS)
        return 0; /* noted under a wrong date */
    double kmh = hours > 1.0 / 3600.0 ? km / hours : SPEED_MAX_KMH;
    return (uint32_t)(kmh < SPEED_MAX_KMH ? kmh : SPEED_MAX_KMH);
}

/* The cell keeps the place before this sign-in until it was judged; see judge_value. */
static void note_place(struct cell_place *p, const struct event *e)
{
    if (!e->place.has_coordinates)
        return;
    p->at_s = (uint32_t)(e->at_ms / 1000);
    p->country = e->place.country;
    p->latitude_centideg = (int16_t)lrintf(e->place.latitude_deg * 100);
    p->longitude_centideg = (int16_t)lrintf(e->place.longitude_deg * 100);
}

static enum cell_kind cell_kind_of(const struct rule *r)
{
    if (rule_is_distinct(r->count))
        return CELL_DISTINCT;
    if (r->count == COUNT_SWITCHES)
        return CELL_STAYS;
    return r->count == COUNT_SPEED ? CELL_PLACE : CELL_SUM;
}

static uint32_t fold(uint64_t h)
{
    return (uint32_t)(h ^ h >> 32);
}

static uint32_t distinct_of(const struct rule_set *set, const struct rule *r,
                            const struct event *e)
{
    switch (r->count) {
    case COUNT_FAILED_ACCOUNTS:
        return fold(e->tried_account_hash);
    case COUNT_PASSWORDS:
        return fold(e->wrong_password);
    case COUNT_NETWORKS:
        return subject_network_hash(set, &e->ip);
    case COUNT_ADDRESSES:
        return subject_address_hash(set, &e->ip);
    case COUNT_ACCOUNTS:
        return fold(e->account);
    case COUNT_BLOCKS:
        return subject_block_hash(set, &e->ip);
    case COUNT_SENDERS:
        return fold(e->sender_hash);
    default:
        return e->place.country;
    }
}

/* Whether the event says anything to this count. */
static bool is_known(const struct rule *r, const struct event *e)
{
    switch (r->count) {
    case COUNT_COUNTRIES:
    case COUNT_SWITCHES:
        return e->place.country != COUNTRY_NONE;
    case COUNT_NETWORKS:
    case COUNT_ADDRESSES:
    case COUNT_BLOCKS:
        return !ipaddr_is_none(&e->ip);
    case COUNT_SENDERS:
        return e->sender_hash != 0;
    case COUNT_PASSWORDS:
        return e->wrong_password != 0;
    case COUNT_ACCOUNTS:
        return e->account != 0;
    default:
        return true;
    }
}

/* An account's own limit may be higher than that of any rule. */
static unsigned room_for(const struct rule *r, const struct event *e)
{
    uint32_t limit = rule_limit_for(r, e);
    return limit > r->room && limit != UINT32_MAX ? limit : r->room;
}

void judge_note(const struct rule_set *set, const struct rule *r, const struct event *e,
                unsigned nth, struct record *rec)
{
    struct cell *c = is_known(r, e) ? record_get(rec, r->cell_id, cell_kind_of(r)) : NULL;
    if (!c)
        return;
    rec->is_changed = true;
    switch (c->kind) {
    case CELL_DISTINCT:
        cell_distinct_add(c->of.distinct, room_for(r, e), distinct_of(set, r, e),
                          e->at_ms);
        break;
    case CELL_STAYS:
        cell_stays_add(c->of.stays, room_for(r, e), e->place.country, e->at_ms);
        break;
    case CELL_PLACE:
        note_place(&c->of.place, e);
        break;
    default:
        cell_sum_add(c->of.sum, r->within_ms, e->at_ms,
                     r->count == COUNT_REJECTED_RECIPIENTS ? rule_recipients(r, e, nth)
                                                           : 1);
    }
}

uint32_t judge_value(const struct rule *r, const struct event *e, struct record *rec)
{
    if (is_gauge(r))
        return open_now(r, e);
    struct cell *c = record_find(rec, r->cell_id, cell_kind_of(r));
    if (!c)
        return 0;
    switch (c->kind) {
    case CELL_DISTINCT:
        return cell_distinct_at(c->of.distinct, r->within_ms, e->at_ms);
    case CELL_STAYS:
        return cell_stays_at(c->of.stays, r->within_ms, e->at_ms);
    case CELL_PLACE:
        return speed_kmh(&c->of.place, e);
    default:
        rec->is_changed |= cell_sum_come_back(c->of.sum, r->within_ms, e->at_ms);
        return cell_sum_at(c->of.sum, r->within_ms, e->at_ms);
    }
}

/* How much of `amount` goes beyond the limit, when `value` was used before. */
static uint32_t beyond(uint32_t limit, uint32_t value, uint32_t amount)
{
    uint32_t left = value < limit ? limit - value : 0;
    return amount > left ? amount - left : 0;
}

static bool has_spare(const struct rule *r, const struct event *e, struct record *rec,
                      uint32_t n)
{
    static const struct cell_spare full;
    struct cell *c = record_find(rec, r->name_hash, CELL_SPARE);
    return r->spare > 0 &&
           cell_spare_has(c ? &c->of.spare : &full, r->spare, e->at_ms, n);
}

bool judge_acts(const struct rule *r, const struct event *e, struct record *rec,
                uint32_t value, uint32_t amount)
{
    uint32_t limit = rule_limit_for(r, e);
    if (limit == UINT32_MAX)
        return false;
    if (!rule_is_used_up(r->count))
        return limit > 0 && value >= limit;
    if (is_gauge(r))
        return value > limit;
    uint32_t over = beyond(limit, value, amount);
    return over > 0 && !has_spare(r, e, rec, over);
}

void judge_draw(const struct rule *r, const struct event *e, struct record *rec,
                uint32_t amount)
{
    uint32_t limit = rule_limit_for(r, e);
    if (r->spare == 0 || limit == UINT32_MAX || is_gauge(r))
        return;
    uint32_t over = beyond(limit, judge_value(r, e, rec), amount);
    struct cell *c = over > 0 && has_spare(r, e, rec, over)
                         ? record_get(rec, r->name_hash, CELL_SPARE)
                         : NULL;
    if (!c)
        return;
    cell_spare_take(&c->of.spare, r->spare, e->at_ms, over);
    rec->is_changed = true;
}

void judge_refill(const struct rule *r, const struct event *e, struct record *rec,
                  uint32_t amount)
{
    uint32_t limit = rule_limit_for(r, e), value = judge_value(r, e, rec);
    struct cell *c = record_find(rec, r->name_hash, CELL_SPARE);
    if (!c || limit == UINT32_MAX || is_gauge(r))
        return;
    cell_spare_give_back(&c->of.spare,
                         beyond(limit, value > amount ? value - amount : 0, amount));
    rec->is_changed = true;
}

/* ---- grounds ---- */

static size_t add_seen(const struct cell_seen *seen, bool is_country, char *out,
                       size_t size)
{
    char country[3], at[24];
    struct tm tm;
    time_t t = seen->last_s;
    gmtime_r(&t, &tm);
    strftime(at, sizeof at, "%Y-%m-%dT%H:%MZ", &tm);
    country_text((uint16_t)seen->what, country);
    int n = is_country ? snprintf(out, size, "%s %s, ", country, at)
                       : snprintf(out, size, "%s, ", at);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

/* The newest first, as many as fit. */
static void list_seen(const struct cell_seen *seen, unsigned count, bool is_country,
                      char *out, size_t size)
{
    size_t used = 0;
    while (count > 0) {
        size_t n = add_seen(&seen[--count], is_country, out + used, size - used);
        if (n == 0)
            break;
        used += n;
    }
    out[used >= 2 ? used - 2 : 0] = '\0';
}

void judge_grounds(const struct rule *r, struct record *rec, uint32_t value, char *out,
                   size_t out_size)
{
    struct cell *c = record_find(rec, r->cell_id, cell_kind_of(r));
    if (c && c->kind == CELL_STAYS)
        list_seen(c->of.stays->seen, c->of.stays->count, true, out, out_size);
    else if (c && c->kind == CELL_DISTINCT)
        list_seen(c->of.distinct->seen, c->of.distinct->count,
                  r->count == COUNT_COUNTRIES, out, out_size);
    else if (is_gauge(r))
        snprintf(out, out_size, "%" PRIu32 " open at once", value);
    else if (r->count == COUNT_SPEED)
        snprintf(out, out_size, "%" PRIu32 " km/h between sign-ins", value);
    else
        snprintf(out, out_size, "%" PRIu32 " %s in %" PRId64 " s", value,
                 rule_count_name(r->count), r->within_ms / 1000);
}
