/* One rule, many limits: what each would have stopped, and whom it would have troubled.
 */
#ifndef MSA_CTL_REPLAY_SWEEP_H
#define MSA_CTL_REPLAY_SWEEP_H

#include <jansson.h>
#include <stdio.h>

#include "msa/ctl/replay.h"

#define SWEEP_ROWS_MAX 200
#define SWEEP_NAME_MAX 64

struct sweep {
    char rule[SWEEP_NAME_MAX];
    uint32_t from, to, step;
};

struct sweep_row {
    uint32_t limit;
    struct replay_summary summary;
    struct replay_tally rule; /* what the rule itself did */
};

struct sweep_result {
    struct sweep sweep;
    struct sweep_row rows[SWEEP_ROWS_MAX];
    unsigned row_count;
};

/* "four-countries.limit=2..12", "messages-hour.limit=100..1000/100". MSA_OK, MSA_EINVAL,
 * or MSA_ETOOBIG for too many. */
int sweep_parse(struct view text, struct sweep *out);

typedef void sweep_progress_fn(unsigned done, unsigned total, void *arg);

/* Over the kept steps of `r`. MSA_OK, MSA_ENOENT (no such rule) or MSA_ENOMEM. */
int sweep_run(struct replay *r, const struct sweep *s, sweep_progress_fn *progress,
              void *arg, struct sweep_result *out);

void sweep_print(const struct sweep_result *s, FILE *out);
json_t *sweep_json(const struct sweep_result *s);
/* SVG: hits against false alarms, and both against the limit. */
void sweep_plot(const struct sweep_result *s, FILE *out);

/* Lawful accounts that would have noticed: suspended, refused or deferred. */
uint32_t sweep_row_troubled(const struct sweep_row *row);

#endif
