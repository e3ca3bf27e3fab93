#include "policy/facts.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/table.h"
#include "msa/base/view.h"
#include "msa/ipc/messages.h"
#include "msa/mail/path.h"
#include "policy/engine/subject.h"
#include "policy/outcome.h"

/* Domains that are told apart in one message; what is in others counts for no
 * destination. */
#define DOMAINS_MAX 64
#define DOMAIN_MAX  255
#define HASH_BYTES  8

uint64_t facts_text_hash(const uint8_t hash_key[16], struct view text)
{
    return siphash13(hash_key, text.p, text.n);
}

uint64_t facts_unknown_account(const uint8_t hash_key[16], struct view login)
{
    return facts_text_hash(hash_key, login) | ACCOUNT_UNKNOWN_BIT;
}

static struct view domain_of(struct view address)
{
    for (size_t i = address.n; i > 0; i--)
        if (address.p[i - 1] == '@')
            return view_slice(address, i, address.n);
    return VIEW_EMPTY;
}

uint64_t facts_domain(const uint8_t hash_key[16], struct view login)
{
    struct view domain = domain_of(login);
    return domain.n > 0 ? facts_text_hash(hash_key, domain) : 0;
}

uint64_t facts_sender(const uint8_t hash_key[16], struct view sender)
{
    char lower[PATH_CANONICAL_SIZE];
    size_t n = sender.n < sizeof lower ? sender.n : sizeof lower;
    for (size_t i = 0; i < n; i++)
        lower[i] = ascii_lower(sender.p[i]);
    return n > 0 ? facts_text_hash(hash_key, view_of(lower, n)) : 0;
}

/* ---- recipients ---- */

struct gathering {
    const uint8_t *hash_key;
    struct arena *arena;
    struct destination *domains;
    unsigned domain_count;
};

static struct view lower(struct arena *arena, struct view text)
{
    struct view copy = arena_copy(arena, text);
    char *p = (char *)(uintptr_t)copy.p; /* the arena's, so ours */
    for (size_t i = 0; i < copy.n; i++)
        p[i] = ascii_lower(p[i]);
    return copy;
}

static int count_domain(struct gathering *g, struct view path)
{
    struct view domain = domain_of(path);
    if (domain.n == 0 || domain.n > DOMAIN_MAX)
        return MSA_OK;
    for (unsigned i = 0; i < g->domain_count; i++) {
        if (!view_eq_nocase(g->domains[i].domain, domain))
            continue;
        g->domains[i].recipients++;
        return MSA_OK;
    }
    if (g->domain_count == DOMAINS_MAX)
        return MSA_OK;
    struct destination *d = &g->domains[g->domain_count++];
    d->domain = lower(g->arena, domain);
    d->hash = facts_text_hash(g->hash_key, d->domain);
    d->recipients = 1;
    return d->domain.n == domain.n ? MSA_OK : MSA_ENOMEM;
}

/* The same mailbox by the same number, whatever its spelling. */
static uint32_t mailbox_hash(const uint8_t hash_key[16], struct view text)
{
    char canonical[PATH_CANONICAL_SIZE];
    struct path path;
    struct view name = text;
    if (path_parse_address(text, &path) == MSA_OK) {
        int n = path_canonical(&path, canonical);
        if (n > 0)
            name = view_of(canonical, (size_t)n);
    }
    uint64_t h = facts_text_hash(hash_key, name);
    return (uint32_t)(h ^ h >> 32);
}

static int by_recipients(const void *a, const void *b)
{
    uint32_t x = ((const struct destination *)a)->recipients;
    uint32_t y = ((const struct destination *)b)->recipients;
    return (x < y) - (x > y);
}

static void give_domains(struct gathering *g, struct event *e)
{
    qsort(g->domains, g->domain_count, sizeof *g->domains, by_recipients);
    e->destinations = g->domains;
    e->destination_count =
        g->domain_count < DESTINATIONS_MAX ? g->domain_count : DESTINATIONS_MAX;
}

static int begin(struct gathering *g, const uint8_t hash_key[16], struct arena *arena)
{
    *g = (struct gathering){.hash_key = hash_key, .arena = arena};
    g->domains = arena_alloc(arena, DOMAINS_MAX * sizeof *g->domains);
    return g->domains ? MSA_OK : MSA_ENOMEM;
}

int facts_recipients(const uint8_t hash_key[16], struct view items, uint32_t count,
                     struct arena *arena, struct event *e)
{
    struct gathering g;
    struct view item;
    uint32_t n = 0;
    uint32_t *hashes = arena_alloc(arena, ((size_t)count + 1) * sizeof *hashes);
    int err = hashes ? begin(&g, hash_key, arena) : MSA_ENOMEM;
    while (err == MSA_OK && items_next(&items, &item)) {
        struct msg_recipient r;
        if (n == count || msg_recipient_decode(item, &r) < 0)
            return MSA_EPROTO;
        hashes[n++] = mailbox_hash(hash_key, r.path);
        err = count_domain(&g, r.path);
    }
    if (err < 0)
        return err;
    if (n != count || items.n > 0)
        return MSA_EPROTO;
    e->recipients = count;
    e->recipient_hashes = hashes;
    give_domains(&g, e);
    return MSA_OK;
}

int facts_rejected(const uint8_t hash_key[16], struct view items, struct arena *arena,
                   struct event *e)
{
    struct gathering g;
    struct view item;
    int err = begin(&g, hash_key, arena);
    while (err == MSA_OK && items_next(&items, &item)) {
        struct msg_recipient_result r;
        if (msg_recipient_result_decode(item, &r) < 0)
            return MSA_EPROTO;
        enum outcome_class class = outcome_class_of(r.code, r.enhanced);
        if (class == OUTCOME_SPAM)
            e->spam_refusals = 1; /* one message, however many it was for */
        if (class != OUTCOME_NO_RECIPIENT)
            continue;
        e->recipients++;
        err = count_domain(&g, r.path);
    }
    if (err < 0 || items.n > 0)
        return err < 0 ? err : MSA_EPROTO;
    give_domains(&g, e);
    return MSA_OK;
}

void facts_fingerprints(struct view bytes, struct arena *arena, struct event *e)
{
    size_t count = bytes.n / HASH_BYTES;
    if (count > FINGERPRINTS_MAX)
        count = FINGERPRINTS_MAX;
    uint64_t *hashes = count > 0 ? arena_alloc(arena, count * sizeof *hashes) : NULL;
    if (!hashes)
        return;
    memcpy(hashes, bytes.p, count * sizeof *hashes);
    e->fingerprints = hashes;
    e->fingerprint_count = (unsigned)count;
}
