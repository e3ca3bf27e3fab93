#include "policy/engine/subject.h"

#include <string.h>

#include "msa/base/arena.h"
#include "msa/base/err.h"
#include "msa/base/table.h"

/* First byte of a key. Letters, so that a dump of the store can be read. */
static const char key_letters[PER_KIND_COUNT] = {
    [PER_ACCOUNT] = 'a',         [PER_ADDRESS] = 'i',         [PER_NETWORK] = 'n',
    [PER_ACCOUNT_NETWORK] = 'm', [PER_ACCOUNT_COUNTRY] = 'c', [PER_FINGERPRINT] = 'f',
    [PER_EVERYONE] = 'e',
};

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

void subject_account_key(uint64_t account, struct store_key *out)
{
    out->length = 0;
    key_add(out, &key_letters[PER_ACCOUNT], 1);
    key_add_u64(out, account);
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
        return nth < e->fingerprint_count && nth < FINGERPRINTS_MAX;
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
    out->length = 0;
    key_add(out, &key_letters[per], 1);
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
    }
}

static int index_of(const struct subjects *s, const struct store_key *key)
{
    for (unsigned i = 0; i < s->count; i++)
        if (s->stored[i].key.length == key->length &&
            memcmp(s->stored[i].key.bytes, key->bytes, key->length) == 0)
            return (int)i;
    return -1;
}

bool subjects_need(struct subjects *s, enum rule_subject per, unsigned nth_fingerprint)
{
    struct store_key key;
    if (!has_subject(s->event, per, nth_fingerprint))
        return false;
    make_key(s, per, nth_fingerprint, &key);
    if (index_of(s, &key) >= 0)
        return true;
    if (s->count == STORE_MANY_MAX)
        return false;
    s->stored[s->count++] = (struct store_record){.key = key};
    return true;
}

struct record *subjects_find(struct subjects *s, enum rule_subject per,
                             unsigned nth_fingerprint)
{
    struct store_key key;
    if (!has_subject(s->event, per, nth_fingerprint))
        return NULL;
    make_key(s, per, nth_fingerprint, &key);
    int i = index_of(s, &key);
    return i >= 0 ? &s->records[i] : NULL;
}

int subjects_read(struct subjects *s, struct store *store)
{
    int err = store->ops->read_many(store, s->stored, s->count);
    if (err < 0)
        return err;
    for (unsigned i = 0; i < s->count; i++) {
        if (s->stored[i].bytes.n == 0)
            record_init(&s->records[i], s->arena);
        else
            (void)record_decode(&s->records[i], s->arena,
                                s->stored[i].bytes); /* damaged: empty */
    }
    return MSA_OK;
}

int subjects_write(struct subjects *s, struct store *store)
{
    struct store_record changed[STORE_MANY_MAX];
    unsigned count = 0;
    struct buf out;
    size_t ends[STORE_MANY_MAX];
    int err = MSA_OK;
    buf_init(&out, STORE_MANY_MAX * RECORD_BYTES_MAX);
    for (unsigned i = 0; i < s->count && err == MSA_OK; i++) {
        if (!s->records[i].is_changed)
            continue;
        s->records[i].touched_s = (uint32_t)(s->event->at_ms / 1000);
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

uint32_t subject_network_hash(const struct rule_set *set, const struct ipaddr *a)
{
    struct ipaddr network = network_of(set, a);
    return short_hash(set, &network);
}
