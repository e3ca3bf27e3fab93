/* Fingerprints: numbers by which policy sees that one campaign leaves through several accounts (rules `per
 * fingerprint`), though each copy has another name, another amount and another link.
 *
 * Of the body: MinHash (Broder 1997) over runs of three words, or of four characters where a script has no spaces.
 * Names, numbers, addresses, links, quotes, greetings and signatures are left out before. Each fingerprint joins
 * the minima of two hash functions over the first half of the text and of one over all of it, so copies that share
 * most of their words have some of them in common, and two letters that share their footer have none. A text of
 * fewer than FINGERPRINT_UNITS_MIN words says nothing.
 *
 * Of links: the registrable domain (publicsuffix.org, as libpsl was built with it), but not of hosts that
 * everybody links to, nor of the sender's own.
 *
 * Not keyed: the processes of all nodes must agree. Whoever writes to evade them can; it costs him the copying.
 * Pure; any thread; bounded time. */
#ifndef POLICY_SCORE_FINGERPRINT_H
#define POLICY_SCORE_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/view.h"
#include "msa/mail/domain.h"

#define FINGERPRINTS_MAX          8 /* what policy counts of one message */
#define FINGERPRINT_LINKS_MAX     3
#define FINGERPRINT_UNITS_MIN     16
#define FINGERPRINT_UNITS_MAX     4096 /* what stands behind them is not looked at */

struct fingerprints {
    uint64_t numbers[FINGERPRINTS_MAX];
    char domains[FINGERPRINT_LINKS_MAX][DOMAIN_SIZE]; /* the first `link_count` are of these */
    unsigned link_count;
    unsigned count; /* links first, then the body's */
};

/* Adds the registrable domain of `host` (lower case, A-labels or an address), unless it is there, is or lies below one
 * of `known`, or is that of `sender_domain` (may be empty), or there is no more room. Links come before the
 * body. */
void fingerprint_add_link(struct fingerprints *f, struct view host,
                          const struct view *known, size_t known_count, struct view sender_domain);

/* Fills what is left with those of `text`: UTF-8 as a reader sees it, lines end in LF. */
void fingerprint_add_body(struct fingerprints *f, struct view text);

#endif
