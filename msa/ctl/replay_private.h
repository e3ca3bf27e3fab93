/* Within replay: accounts in the order of a report. */
#ifndef MSA_CTL_REPLAY_PRIVATE_H
#define MSA_CTL_REPLAY_PRIVATE_H

#include "msa/ctl/replay.h"

struct replay_accounts {
    const struct replay_account **items; /* free() it */
    size_t count;
};

typedef bool replay_is_wanted_fn(const struct replay *r, const struct replay_account *a);

/* By label, scenario and name. MSA_OK or MSA_ENOMEM. */
int replay_accounts(struct replay *r, replay_is_wanted_fn *is_wanted,
                    struct replay_accounts *out);

/* A name in a log that is no account, and one that nobody vouches for, are not judged. */
replay_is_wanted_fn replay_is_judged;
/* Sorts the numbers; 0 of none. */
uint32_t replay_median(uint32_t *numbers, size_t count);
/* MSA_OK or MSA_ENOMEM. */
int replay_print_rules(struct replay *r, FILE *out);

/* One that was stopped, refused anything, or should have been. */
replay_is_wanted_fn replay_matters;

#endif
