#include "policy/engine/subject.h"

#include <string.h>

#include "msa/base/arena.h"
#include "msa/base/err.h"
#include "msa/base/table.h"

/* First byte of a key. Letters, so that a dump of the store can be read. */
static const char key_letters[PER_KIND_COUNT] = {
    [PER_ACCOUNT] = SUBJECT_KEY_ACCOUNT,
    [PER_ADDRESS] = 'i',
    [PER_NETWORK] = 'n',
    [PER_ACCOUNT_NETWORK] = 'm',
    [PER_ACCOUNT_COUNTRY] = 'c',
    [PER_FINGERPRINT] = 'f',
    [PER_DOMAIN] = 'd',
    [PER_DESTINATION] = 'r',
    [PER_EVERYONE] = 'e',
};
#define LOCK_KEPT_MAX_S            (INT64_C(400) * 86400) /* beyond it the date was wrong */
#define UNKNOWN_KEPT_S             86400
#define KEY_LETTER_UNKNOWN_ACCOUNT 'u'

static void key_add(struct store_key *k, const void *p, size_t n)
{
    memcpy(k->bytes + k->length, p, n);
    k->length = (uint8_t)(k->length + n);
}

static void key_add_u64(struct store_key *k, uint64_t n)
{
    unsigned char big_endian[8]; /* so that keys sort by number */
    for (int i = 0; i < 8; i++)
        big_endian[i] = (unsigned char)(n >> (56 - 8 * i));
    key_add(k, big_endian, sizeof big_endian);
}

static struct ipaddr source_of(const struct rule_set *set, const struct ipaddr *a)
{
    return ipaddr_network(a, 32, set->v6_source_bits).addr;
}

static struct ipaddr network_of(const struct rule_set *set, const struct ipaddr *a)
{
    return ipaddr_network(a, set->v4_network_bits, set->v6_network_bits).addr;
}

static bool has_subject(const struct event *e, enum rule_subject per, unsigned nth)
{
    switch (per) {
    case PER_ACCOUNT:
        return e->account != 0;
    case PER_ADDRESS:
    case PER_NETWORK:
        return !ipaddr_is_none(&e->ip);
    case PER_ACCOUNT_NETWORK:
        return e->account != 0 && !ipaddr_is_none(&e->ip);
    case PER_ACCOUNT_COUNTRY:
        return e->account != 0 && e->place.country != COUNTRY_NONE;
    case PER_FINGERPRINT:
    case PER_DESTINATION:
        return nth < subject_nth_count(per, e);
    case PER_DOMAIN:
        return e->domain != 0;
    case PER_EVERYONE:
        return true;
    case PER_KIND_COUNT:
        break;
    }
    return false;
}

static void make_key(const struct subjects *s, enum rule_subject per, unsigned nth,
                     struct store_key *out)
{
    const struct event *e = s->event;
    struct ipaddr a;
    char letter = key_letters[per];
    if (per == PER_ACCOUNT && (e->account & ACCOUNT_UNKNOWN_BIT))
        letter = KEY_LETTER_UNKNOWN_ACCOUNT;
    out->length = 0;
    key_add(out, &letter, 1);
    if (per == PER_ACCOUNT || per == PER_ACCOUNT_NETWORK || per == PER_ACCOUNT_COUNTRY)
        key_add_u64(out, e->account);
    if (per == PER_ADDRESS) {
        a = source_of(s->set, &e->ip);
        key_add(out, a.bytes, sizeof a.bytes);
    } else if (per == PER_NETWORK || per == PER_ACCOUNT_NETWORK) {
        a = network_of(s->set, &e->ip);
        key_add(out, a.bytes, sizeof a.bytes);
    } else if (per == PER_ACCOUNT_COUNTRY) {
        key_add(out, &e->place.country, sizeof e->place.country);
    } else if (per == PER_FINGERPRINT) {
        key_add_u64(out, e->fingerprints[nth]);
    } else if (per == PER_DESTINATION) {
        key_add_u64(out, e->destinations[nth].hash);
    } else if (per == PER_DOMAIN) {
        key_add_u64(out, e->domain);
    }
}

unsigned subject_nth_count(enum rule_subject per, const struct event *e)
{
    if (per == PER_FINGERPRINT)
        return e->fingerprint_count < FINGERPRINTS_MAX ? e->fingerprint_count
                                                       : FINGERPRINTS_MAX;
    if (per == PER_DESTINATION)
        return e->destination_count < DESTINATIONS_MAX ? e->destination_count
                                                       : DESTINATIONS_MAX;
    return 1;
}

void subjects_init(struct subjects *s, const struct rule_set *set, const struct event *e,
                   struct arena *arena)
{
    s->set = set;
    s->event = e;
    s->arena = arena;
    s->count = 0;
    memset(s->at, -1, sizeof s->at);
}

static bool same_key(const struct store_key *a, const struct store_key *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

bool subjects_need(struct subjects *s, enum rule_subject per, unsigned nth)
{
    struct store_key key;
    if (s->at[per][nth] >= 0)
        return true;
    if (!has_subject(s->event, per, nth) || s->count == STORE_MANY_MAX)
        return false;
    make_key(s, per, nth, &key);
    unsigned i = 0; /* one fingerprint may stand in an event twice */
    while (i < s->count && !same_key(&s->stored[i].key, &key))
        i++;
    if (i == s->count) {
        s->kinds[i] = per;
        s->stored[s->count++] = (struct store_record){.key = key};
    }
    s->at[per][nth] = (int8_t)i;
    return true;
}

struct record *subjects_find(struct subjects *s, enum rule_subject per, unsigned nth)
{
    int at = s->at[per][nth];
    return at >= 0 ? &s->records[at] : NULL;
}

static bool is_in_use(uint32_t cell_id, const void *set)
{
    return rules_have_cell(set, cell_id);
}

/* What was counted before the account's last release counts no more. */
static void match_epochs(struct subjects *s)
{
    struct record *account = subjects_find(s, PER_ACCOUNT, 0);
    for (unsigned i = 0; account && i < s->count; i++) {
        if (s->kinds[i] != PER_ACCOUNT_NETWORK && s->kinds[i] != PER_ACCOUNT_COUNTRY)
            continue;
        if (s->records[i].epoch != account->epoch)
            record_init(&s->records[i], s->arena);
        s->records[i].epoch = account->epoch;
    }
}

int subjects_read(struct subjects *s, struct store *store)
{
    int err = store->ops->read_many(store, s->stored, s->count);
    if (err < 0)
        return err;
    for (unsigned i = 0; i < s->count; i++) {
        if (s->stored[i].bytes.n == 0) {
            record_init(&s->records[i], s->arena);
            continue;
        }
        (void)record_decode(&s->records[i], s->arena, s->stored[i].bytes); /* damaged:
                                                                              empty */
        record_drop_cells(&s->records[i], is_in_use, s->set);
    }
    match_epochs(s);
    return MSA_OK;
}

/* A lock may outlast the windows. */
static uint32_t keep_until_s(const struct subjects *s, unsigned i)
{
    const struct record *r = &s->records[i];
    int64_t now_s = s->event->at_ms / 1000;
    bool is_unknown = s->stored[i].key.bytes[0] == KEY_LETTER_UNKNOWN_ACCOUNT;
    int64_t until_s = now_s + (is_unknown ? UNKNOWN_KEPT_S : s->set->keep_s[s->kinds[i]]);
    if (r->keep_until_s > until_s && r->keep_until_s < now_s + LOCK_KEPT_MAX_S)
        until_s = r->keep_until_s;
    return until_s < UINT32_MAX ? (uint32_t)until_s : UINT32_MAX;
}

int subjects_write(struct subjects *s, struct store *store)
{
    struct store_record changed[STORE_MANY_MAX];
    unsigned count = 0;
    struct buf out;
    size_t ends[STORE_MANY_MAX];
    int err = MSA_OK;
    buf_init(&out, STORE_MANY_MAX * RECORD_BYTES_MAX);
    buf_lend(&out, s->encoded, sizeof s->encoded);
    for (unsigned i = 0; i < s->count && err == MSA_OK; i++) {
        if (!s->records[i].is_changed)
            continue;
        s->records[i].keep_until_s = keep_until_s(s, i);
        err = record_encode(&s->records[i], &out);
        changed[count] = s->stored[i];
        ends[count++] = buf_len(&out);
    }
    struct view all = buf_view(&out); /* only now: it moved while it grew */
    for (unsigned i = 0; i < count; i++)
        changed[i].bytes = view_slice(all, i == 0 ? 0 : ends[i - 1], ends[i]);
    if (err == MSA_OK && count > 0)
        err = store->ops->swap_many(store, changed, count);
    buf_fini(&out);
    return err == MSA_ENOMEM ? MSA_EAGAIN : err;
}

static uint32_t short_hash(const struct rule_set *set, const struct ipaddr *a)
{
    uint64_t h = siphash13(set->hash_key, a->bytes, sizeof a->bytes);
    return (uint32_t)(h ^ h >> 32);
}

uint32_t subject_address_hash(const struct rule_set *set, const struct ipaddr *a)
{
    struct ipaddr source = source_of(set, a);
    return short_hash(set, &source);
}

uint32_t subject_block_hash(const struct rule_set *set, const struct ipaddr *a)
{
    struct ipaddr block = ipaddr_network(a, set->v4_block_bits, set->v6_block_bits).addr;
    return short_hash(set, &block);
}

uint32_t subject_network_hash(const struct rule_set *set, const struct ipaddr *a)
{
    struct ipaddr network = network_of(set, a);
    return short_hash(set, &network);
}
