/* When a role that has died is started again: at once after a long life, ever later in a crash loop. */
#ifndef MSA_PROC_RESTART_H
#define MSA_PROC_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#define RESTART_FIRST_MS     100   /* a role is back within a second (house rule) */
#define RESTART_MAX_MS       30000
#define RESTART_LONG_LIFE_MS 10000 /* who lived this long has not died of its start */

struct restart {
    unsigned short_lives; /* in a row */
};

/* Notes a death after `lived_ms` and says how long to wait before the next start. */
int64_t restart_after_ms(struct restart *r, int64_t lived_ms);

/* The waits have become long: something is wrong that starting again does not mend. */
bool restart_is_loop(const struct restart *r);

#endif
