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

/* A start takes as long as it needs: a queue of millions, on a cold disk, is scanned before relay is ready. So a role
 * that is not ready is looked at now and then, and must go when it has done nothing since the last look. */
#define RESTART_LOOK_MS      60000
#define RESTART_START_MAX_MS 3600000
/* `busy_ms`: CPU time since the last look; each page that is read costs some. */
bool restart_start_goes_on(int64_t lived_ms, int64_t busy_ms);

/* Notes a death after `lived_ms` (0: it was never ready) and says how long to wait before the next start. */
int64_t restart_after_ms(struct restart *r, int64_t lived_ms);

/* The waits have become long: something is wrong that starting again does not mend. */
bool restart_is_loop(const struct restart *r);

#endif
