/* Ids of sessions and messages: 64 bits of time, worker and a counter, never handed out twice; 13 characters
 * of lower-case base 32 in text (digits and letters without i, l, o, u), which sort by time. */
#ifndef MSA_BASE_MSGID_H
#define MSA_BASE_MSGID_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

#define MSGID_TEXT_MAX 14 /* with NUL */

void msgid_setup(unsigned worker); /* 0 … 63, once per process */
uint64_t msgid_next(void);
uint64_t msgid_first_at(int64_t wall_ms); /* no id of that moment or later is smaller */
void msgid_format(uint64_t id, char out[MSGID_TEXT_MAX]);
bool msgid_parse(struct view text, uint64_t *out);

#endif
