#include "policy/score/fingerprint.h"

#include <stdbool.h>
#include <string.h>

#include "msa/mail/registrable.h"
#include "policy/score/fingerprint_text.h"

#define RUN        3 /* units in one run */
#define HEAD_COUNT (2 * FINGERPRINTS_MAX)
#define ALL_COUNT  FINGERPRINTS_MAX

/* splitmix64's finaliser. */
static uint64_t mix(uint64_t h)
{
    h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
    return h ^ h >> 31;
}

/* ---- links ---- */

static bool is_below(struct view host, struct view domain)
{
    return view_has_suffix_nocase(host, domain) &&
           (host.n == domain.n || (host.n > domain.n && host.p[host.n - domain.n - 1] == '.'));
}

static bool is_known(struct view host, const struct view *known, size_t known_count)
{
    for (size_t i = 0; i < known_count; i++)
        if (is_below(host, known[i]))
            return true;
    return false;
}

static uint64_t hash_text(struct view text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
    return mix(h);
}

void fingerprint_add_link(struct fingerprints *f, struct view host,
                          const struct view *known, size_t known_count, struct view sender_domain)
{
    char own[DOMAIN_SIZE];
    if (f->link_count == FINGERPRINT_LINKS_MAX || is_known(host, known, known_count))
        return;
    char *domain = f->domains[f->link_count];
    if (!registrable_domain(host, domain) || (registrable_domain(sender_domain, own) && strcmp(own, domain) == 0))
        return;
    for (unsigned i = 0; i < f->link_count; i++)
        if (strcmp(f->domains[i], domain) == 0)
            return;
    f->link_count++;
    f->numbers[f->count++] = hash_text(view_cstr(domain));
}

/* ---- body ---- */

/* The smallest value of each function over runs [from, to). A function is a multiplication by an odd number. */
static void add_minima(const uint64_t *runs, size_t count, uint64_t first_function,
                       uint64_t *minima, unsigned minimum_count)
{
    uint64_t odd[HEAD_COUNT];
    for (unsigned k = 0; k < minimum_count; k++) {
        odd[k] = mix(first_function + k) | 1;
        minima[k] = UINT64_MAX;
    }
    for (size_t i = 0; i < count; i++) {
        for (unsigned k = 0; k < minimum_count; k++) {
            uint64_t h = runs[i] * odd[k];
            if (h < minima[k])
                minima[k] = h;
        }
    }
}

static size_t make_runs(const uint32_t *units, size_t unit_count, uint64_t *runs)
{
    for (size_t i = 0; i + RUN <= unit_count; i++)
        runs[i] = mix(mix(mix(units[i]) + units[i + 1]) + units[i + 2]);
    return unit_count - RUN + 1;
}

void fingerprint_add_body(struct fingerprints *f, struct view text)
{
    uint32_t units[FINGERPRINT_UNITS_MAX];
    uint64_t runs[FINGERPRINT_UNITS_MAX], head[HEAD_COUNT], all[ALL_COUNT];
    size_t count = fingerprint_units(fingerprint_cut_signature(text), units, FINGERPRINT_UNITS_MAX);
    if (count < FINGERPRINT_UNITS_MIN)
        return;
    count = make_runs(units, count, runs);
    add_minima(runs, (count + 1) / 2, 1, head, HEAD_COUNT);
    add_minima(runs, count, 1 + HEAD_COUNT, all, ALL_COUNT);
    for (unsigned i = 0; f->count < FINGERPRINTS_MAX; i++)
        f->numbers[f->count++] = mix(mix(mix(head[2 * i]) + head[2 * i + 1]) + all[i]);
}
