/* Who brought tokens that are none: so many in a minute from one address (of IPv6: one network), then none of its
 * tokens is looked up for the rest of that minute; those that are known go on. A token cannot be guessed; what is saved is auth, which
 * would have to look each of them up. A fixed table: with many addresses at once the oldest are forgotten. Pure. */
#ifndef MSA_CONSOLE_BAD_TOKENS_H
#define MSA_CONSOLE_BAD_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"

#define BAD_TOKENS_MAX       10
#define BAD_TOKENS_WINDOW_MS 60000
#define BAD_TOKENS_SETS      256
#define BAD_TOKENS_WAYS      8

struct bad_tokens {
    uint64_t key; /* random: nobody chooses addresses that meet in one set */
    struct bad_tokens_of {
        struct ipaddr network; /* none: the place is free */
        int64_t since_ms;
        uint32_t count;
    } places[BAD_TOKENS_SETS][BAD_TOKENS_WAYS];
};

/* 0: it may try. Else for how many seconds it may not. An address that is none always may. */
uint32_t bad_tokens_wait_s(const struct bad_tokens *all, const struct ipaddr *ip, int64_t now_ms);
/* True: it may try no more from now on. */
bool bad_tokens_note(struct bad_tokens *all, const struct ipaddr *ip, int64_t now_ms);

#endif
