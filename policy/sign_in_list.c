#include "policy/sign_in_list.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/base/table.h"
#include "msa/base/utf8.h"
#include "policy/engine/record.h"

#define VERSION   1
#define HOUR_MS   3600000
#define DAY_MS    (24 * (int64_t)HOUR_MS)
#define AHEAD_MS  600000 /* by which clocks may step back */

static const char *const protocol_names[SIGN_IN_PROTOCOL_COUNT] = {
    [SIGN_IN_SMTP] = "smtp", [SIGN_IN_POP] = "pop",     [SIGN_IN_IMAP] = "imap",
    [SIGN_IN_PAGE] = "page", [SIGN_IN_OTHER] = "other",
};
static const char *const result_names[SIGN_IN_RESULT_COUNT] = {
    [SIGN_IN_ALLOWED] = "allowed",       [SIGN_IN_WRONG_PASSWORD] = "wrong-password",
    [SIGN_IN_OVERSEAS] = "overseas",     [SIGN_IN_RESTRICTED] = "restricted",
    [SIGN_IN_REFUSED] = "refused",
};

const char *sign_in_protocol_name(enum sign_in_protocol protocol)
{
    return protocol_names[protocol];
}

const char *sign_in_result_name(enum sign_in_result result)
{
    return result_names[result];
}

void sign_in_clean(struct view text, char *out, size_t size)
{
    struct buf clean;
    buf_init(&clean, size - 1);
    (void)utf8_add_clean(&clean, view_slice(text, 0, 4 * size)); /* what does not fit is cut */
    (void)view_to_cstr(view_trim(buf_view(&clean)), out, size);
    buf_fini(&clean);
}

/* ---- what is the same ---- */

uint64_t sign_in_kind(const struct sign_in_entry *e)
{
    static const uint8_t key[16] = "sign-in kinds";
    struct buf b;
    buf_init(&b, 256);
    put_u8(&b, e->is_folded);
    if (e->is_folded) {
        put_u16(&b, e->country);
    } else {
        put_u8(&b, (uint8_t)e->protocol);
        put_u8(&b, (uint8_t)e->result);
        put_u32(&b, e->network);
        put_cstr(&b, e->program);
    }
    uint64_t kind = siphash13(key, buf_view(&b).p, buf_len(&b));
    buf_fini(&b);
    return kind;
}

static bool goes_on(const struct sign_in_entry *e, int64_t now_ms)
{
    if (e->last_ms > now_ms + AHEAD_MS || e->first_ms > now_ms + AHEAD_MS)
        return false; /* noted under a wrong date */
    if (e->is_folded)
        return now_ms - e->first_ms < HOUR_MS;
    return now_ms - e->last_ms < HOUR_MS && now_ms - e->first_ms < DAY_MS;
}

struct sign_in_entry *sign_in_list_find(struct sign_in_list *list, uint64_t kind, int64_t now_ms)
{
    for (unsigned i = 0; i < list->count; i++)
        if (goes_on(&list->entries[i], now_ms) && sign_in_kind(&list->entries[i]) == kind)
            return &list->entries[i];
    return NULL;
}

static bool is_known_network(const struct sign_in_list *list, uint32_t network)
{
    for (unsigned i = 0; i < list->count; i++)
        if (list->entries[i].result == SIGN_IN_ALLOWED && list->entries[i].network == network)
            return true;
    return false;
}

/* What is not the same of all is of none. */
static void keep_same(char *kept, const char *next)
{
    if (strcmp(kept, next) != 0)
        kept[0] = '\0';
}

static void count_again(struct sign_in_entry *e, const struct sign_in_entry *next)
{
    e->times += e->times < UINT32_MAX;
    if (next->last_ms > e->last_ms)
        e->last_ms = next->last_ms;
    if (!e->is_folded) { /* of one network: the last address */
        memcpy(e->address, next->address, sizeof e->address);
        return;
    }
    e->protocol = next->protocol;
    e->result = next->result == SIGN_IN_WRONG_PASSWORD ? e->result : next->result;
    keep_same(e->address, next->address);
    keep_same(e->network_name, next->network_name);
    keep_same(e->program, next->program);
}

/* ---- room ---- */

enum share { SHARE_LET_IN = 0, SHARE_UNPROVEN, SHARE_REFUSED, SHARE_COUNT };

static const unsigned shares[SHARE_COUNT] = {
    [SHARE_LET_IN] = SIGN_IN_LET_IN_SHARE,
    [SHARE_UNPROVEN] = SIGN_IN_UNPROVEN_SHARE,
    [SHARE_REFUSED] = SIGN_INS_MAX - SIGN_IN_LET_IN_SHARE - SIGN_IN_UNPROVEN_SHARE,
};

static enum share share_of(const struct sign_in_entry *e)
{
    if (e->result == SIGN_IN_ALLOWED)
        return SHARE_LET_IN;
    return e->is_folded || e->result == SIGN_IN_WRONG_PASSWORD ? SHARE_UNPROVEN : SHARE_REFUSED;
}

static unsigned count_like(const struct sign_in_list *list, const struct sign_in_entry *e)
{
    unsigned n = 0;
    for (unsigned i = 0; i < list->count; i++)
        n += share_of(&list->entries[i]) == share_of(e) && list->entries[i].country == e->country;
    return n;
}

static enum share find_greediest(const struct sign_in_list *list)
{
    int over[SHARE_COUNT];
    enum share found = SHARE_LET_IN;
    for (unsigned s = 0; s < SHARE_COUNT; s++)
        over[s] = -(int)shares[s];
    for (unsigned i = 0; i < list->count; i++)
        over[share_of(&list->entries[i])]++;
    for (unsigned s = 1; s < SHARE_COUNT; s++)
        if (over[s] > over[found])
            found = (enum share)s;
    return found;
}

static bool goes_before(const struct sign_in_list *list, const struct sign_in_entry *a, const struct sign_in_entry *b)
{
    unsigned of_a = count_like(list, a), of_b = count_like(list, b);
    return of_a != of_b ? of_a > of_b : a->last_ms < b->last_ms;
}

static void drop(struct sign_in_list *list, unsigned at)
{
    list->entries[at] = list->entries[--list->count];
}

static void make_room(struct sign_in_list *list)
{
    enum share share = find_greediest(list);
    const struct sign_in_entry *victim = NULL;
    for (unsigned i = 0; i < list->count; i++) {
        const struct sign_in_entry *e = &list->entries[i];
        if (share_of(e) == share && (!victim || goes_before(list, e, victim)))
            victim = e;
    }
    if (victim)
        drop(list, (unsigned)(victim - list->entries));
}

void sign_in_list_add(struct sign_in_list *list, const struct sign_in_entry *from)
{
    struct sign_in_entry e = *from;
    e.is_folded = !e.is_proven && !is_known_network(list, e.network);
    struct sign_in_entry *same = sign_in_list_find(list, sign_in_kind(&e), e.last_ms);
    if (same) {
        count_again(same, &e);
        return;
    }
    e.first_ms = e.last_ms;
    e.times = 1;
    list->entries[list->count++] = e;
    if (list->count > SIGN_INS_MAX)
        make_room(list);
}

void sign_in_list_expire(struct sign_in_list *list, int64_t before_ms)
{
    for (unsigned i = list->count; i > 0; i--)
        if (list->entries[i - 1].last_ms < before_ms)
            drop(list, i - 1);
}

static int by_time(const void *a, const void *b)
{
    const struct sign_in_entry *x = a, *y = b;
    return (x->last_ms < y->last_ms) - (x->last_ms > y->last_ms);
}

void sign_in_list_sort(struct sign_in_list *list)
{
    qsort(list->entries, list->count, sizeof list->entries[0], by_time);
}

/* ---- form on disk ---- */

int sign_in_list_encode(const struct sign_in_list *list, uint32_t keep_until_s, struct buf *out)
{
    put_u8(out, RECORD_VERSION);
    put_u32(out, keep_until_s);
    put_u8(out, VERSION);
    put_u8(out, (uint8_t)list->count);
    for (unsigned i = 0; i < list->count; i++) {
        const struct sign_in_entry *e = &list->entries[i];
        put_i64(out, e->first_ms);
        put_i64(out, e->last_ms);
        put_u32(out, e->times);
        put_u8(out, (uint8_t)e->protocol);
        put_u8(out, (uint8_t)e->result);
        put_u8(out, e->is_folded);
        put_u16(out, e->country);
        put_u32(out, e->network);
        put_cstr(out, e->address);
        put_cstr(out, e->network_name);
        put_cstr(out, e->program);
    }
    return buf_failed(out) ? MSA_ENOMEM : MSA_OK;
}

static void get_text(struct reader *in, char *out, size_t size)
{
    (void)view_to_cstr(get_bytes(in, size - 1), out, size);
}

static bool decode_entry(struct reader *in, struct sign_in_entry *e)
{
    *e = (struct sign_in_entry){.first_ms = get_i64(in)};
    e->last_ms = get_i64(in);
    e->times = get_u32(in);
    uint8_t protocol = get_u8(in), result = get_u8(in);
    e->protocol = (enum sign_in_protocol)protocol;
    e->result = (enum sign_in_result)result;
    e->is_folded = get_bool(in);
    e->country = get_u16(in);
    e->network = get_u32(in);
    get_text(in, e->address, sizeof e->address);
    get_text(in, e->network_name, sizeof e->network_name);
    get_text(in, e->program, sizeof e->program);
    return !in->failed && protocol < SIGN_IN_PROTOCOL_COUNT && result < SIGN_IN_RESULT_COUNT;
}

int sign_in_list_decode(struct view bytes, struct sign_in_list *out)
{
    struct reader in = reader_of(bytes);
    bool is_ours = get_u8(&in) == RECORD_VERSION;
    (void)get_u32(&in);
    is_ours = get_u8(&in) == VERSION && is_ours;
    unsigned count = get_u8(&in);
    bool is_good = is_ours && count <= SIGN_INS_MAX;
    out->count = 0;
    while (is_good && out->count < count)
        is_good = decode_entry(&in, &out->entries[out->count]) && ++out->count > 0;
    if (is_good && reader_end(&in) == MSA_OK)
        return MSA_OK;
    out->count = 0;
    return MSA_ECORRUPT;
}
