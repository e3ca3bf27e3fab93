/* From the engine's verdict to what a session is told: one of four words, a delay, and a
 * text for the client.
 *
 * The text says what a customer can act on, limits of volume and when to come again; how
 * an abuse was recognised it does not say. Pure. */
#ifndef POLICY_ANSWER_H
#define POLICY_ANSWER_H

#include <stdint.h>

#include "msa/ipc/messages.h"
#include "policy/engine/engine.h"

#define ANSWER_TEXT_MAX 160

struct answer {
    enum policy_verdict verdict;
    uint32_t delay_ms;
    char text[ANSWER_TEXT_MAX]; /* "": the reply's own words are enough */
};

#define ANSWER_SUSPENDED_TEXT "please contact the support desk"
#define ANSWER_OVERSEAS_TEXT  "signing in from overseas is blocked for this account"

struct answer answer_allow(void);
/* For the event that `v` judges. */
struct answer answer_of(const struct verdict *v, const struct event *e);

/* The stricter of two; delays do not add up. */
void answer_fold(struct answer *to, const struct answer *other);

/* "at most 400 messages in an hour", of a rule about what is used up. */
void answer_say_limit(const struct reason *reason, char out[ANSWER_TEXT_MAX]);

#endif
