/* What is told about an attempt: one log line, and a message to policy, which counts rejected recipients
 * against the account. */
#ifndef RELAY_OUTCOME_H
#define RELAY_OUTCOME_H

#include "relay/delivery.h"
#include "relay/state.h"

/* After message_settle, while the answers stand. */
void outcome_report(struct relay *r, const struct delivery *d, enum delivery_end end);

#endif
