/* "did you mean": what somebody may have meant who wrote a word that is not known, and how such a word is
 * shown. Pure, any thread. */
#ifndef MSA_CONFIG_SUGGEST_H
#define MSA_CONFIG_SUGGEST_H

#include "msa/base/view.h"

/* A view of the input in a message, after "%.*s": as much of it as is useful. */
#define SHOWN_MAX    80
#define SHOWN(v)     (int)((v).n < SHOWN_MAX ? (v).n : SHOWN_MAX), ((v).n > 0 ? (v).p : "")

/* "did you mean": offer every candidate, then ask for the text. Start: {.word = …}. */
#define SUGGEST_WORD_MAX 40
struct suggest {
    struct view word;
    const char *best;
    unsigned distance;
    char text[SUGGEST_WORD_MAX + 24];
};

void suggest_offer(struct suggest *s, const char *candidate);
const char *suggest_text(struct suggest *s); /* " (did you mean 'x'?)", or "" if nothing is near */

#endif
