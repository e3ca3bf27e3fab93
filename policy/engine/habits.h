/* What an account's record knows of its ways, beside what rules count: from where it
 * signs in, from where it reads mail, to whom it writes. Inside of the engine. */
#ifndef POLICY_ENGINE_HABITS_H
#define POLICY_ENGINE_HABITS_H

#include "policy/engine/subject.h"

/* The circumstances of the event, as far as rules ask for them, all but `also`. */
void habits_read(struct subjects *s, struct circumstances *out);

/* The account has signed in from this network on an earlier day. */
bool habits_is_good_network(struct subjects *s);

/* The event passed: what it says of the account's ways is noted. */
void habits_learn(struct subjects *s);

#endif
