/* Dates in mail: written as RFC 5322 section 3.3, written and read as RFC 3339 (RFC 4865). Without
 * the C library's time zone and locale: a role in its sandbox has neither. Pure, any thread. */
#ifndef MSA_MAIL_DATE_H
#define MSA_MAIL_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

#define DATE_SIZE 40 /* "Mon, 01 Jun 2026 09:00:00 +0900" and a NUL; room for any year */

/* `offset_min` minutes east of Greenwich, -1439 to 1439; years 0 to 9999, others are cut to the
 * nearest. Returns the length. */
int date_format(int64_t unix_s, int offset_min, char out[static DATE_SIZE]);

/* "2026-06-01T09:00:00Z"; years as in date_format. Returns the length. */
int date_format_iso8601(int64_t unix_s, char out[static DATE_SIZE]);

/* "2026-06-01T09:00:00Z", ".25" behind the seconds (cut off), "+09:00" for Z; a leap second
 * counts as the next one. False for anything else, days that do not exist, and years before
 * 1970. */
bool date_parse_iso8601(struct view text, int64_t *unix_s_out);

#endif
