/* struct findings: why a message has its score, one line for each reason. Names are those of rules and services, never
 * words of the message: what is found travels through logs and to the support desk.
 *
 * Bounded: beyond FINDINGS_MAX a finding counts, but is not kept. One thread at a time. */
#ifndef POLICY_SCORE_FINDINGS_H
#define POLICY_SCORE_FINDINGS_H

#include <jansson.h>
#include <stdint.h>

#include "msa/base/arena.h"
#include "msa/base/buf.h"
#include "msa/base/view.h"

#define FINDINGS_MAX       256
#define FINDING_NAME_MAX   96
#define FINDING_TEXT_MAX   200
#define FINDING_POINTS_MAX 1000000 /* of one, in thousandths, either way */

struct finding {
    struct view name; /* letters, digits, "-", "_", ".", ":" and "/" */
    int32_t points_milli;
    struct view text; /* one sentence, UTF-8 */
    unsigned order;   /* in which they came */
};

struct findings {
    struct arena arena;
    struct finding *items; /* FINDINGS_MAX, when there is one */
    unsigned count;
    unsigned dropped_count;
    int64_t total_milli; /* of all, also of those that were dropped */
};

void findings_init(struct findings *f);
void findings_fini(struct findings *f);

/* Within FINDING_POINTS_MAX either way. */
int32_t findings_bounded(int64_t points_milli);

/* Copies; a name's other characters become "_", and what is too long is cut. */
void findings_add(struct findings *f, struct view name, int32_t points_milli, struct view text);

/* What the findings do not show: how a service weighs its own. */
void findings_add_total(struct findings *f, int64_t milli);

/* Adds all of `from`. */
void findings_join(struct findings *f, const struct findings *from);

/* The weightiest first, either way; among equals the first that came. */
void findings_sort(struct findings *f);

/* Appends lines "NAME POINTS", as many whole ones as fit the buffer: see score_answer in messages.def. */
void findings_write(const struct findings *f, struct buf *out);
/* "NAME(1.5),…" for the log. */
void findings_write_short(const struct findings *f, struct buf *out);

/* [{"name", "points", "text"}, …]; NULL: out of memory. */
json_t *findings_json(const struct findings *f);

#endif
