/* The times at the beginning of log lines:
 *
 *      2026-11-23T02:13:00.123Z  2026-11-23T11:13:00+09:00   RFC 3339: msad, newer
 * syslogs 2026-11-23 11:13:00  2026-11-23 11:13:00.123          Exim; local time Nov 23
 * 11:13:00                                       RFC 3164 syslog; local time, no year */
#ifndef MSA_CTL_LOG_TIME_H
#define MSA_CTL_LOG_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

struct log_clock {
    int year;       /* of the line before, for lines that have none */
    int month;      /* likewise, 0 to 11; -1: no line yet */
    bool has_zone;  /* of local times; otherwise this machine's own */
    int32_t zone_s; /* east of Greenwich */
};

/* `year` 0: the last one in which the first line is not in the future. */
void log_clock_init(struct log_clock *c, int year);

/* Takes the time from the front of *line, and one blank behind it. False, with *line as
 * it was: there is none. A new year begins where the months of lines without a year go
 * back by more than six. */
bool log_time_take(struct log_clock *c, struct view *line, int64_t *at_ms_out);

/* "+09:00", "-0330" or "Z". */
bool log_zone_parse(struct view text, int32_t *zone_s_out);

#endif
