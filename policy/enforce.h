/* What a verdict brings about beside the answer: a line in the log for each reason, a
 * durable record, sessions cut off, queued mail held, notices. Called once for each
 * decision. */
#ifndef POLICY_ENFORCE_H
#define POLICY_ENFORCE_H

#include "msa/base/view.h"
#include "policy/answer.h"
#include "policy/state.h"

void enforce_verdict(struct policy *p, const struct event *e, const struct verdict *v,
                     struct view login, const struct answer *told);

/* An overseas sign-in of an account whose customer has blocked them was refused. */
void enforce_overseas(struct policy *p, const struct event *e, struct view login);

#define ENFORCE_ACTIONS_MAX 96
/* "defer,notify" */
void enforce_action_names(unsigned actions, char out[ENFORCE_ACTIONS_MAX]);
/* The rule's own sentence; empty: it has none. */
struct view enforce_because(const struct policy *p, struct view rule);

/* ---- by hand, or by the rules ---- */

struct suspension {
    bool is_by_owner; /* "that was not me" */
    uint64_t account;
    struct view login;
    struct view rule; /* empty: by hand */
    struct view because;
    struct view grounds;
    const struct ipaddr *ip; /* NULL: of none */
    uint16_t country;
    int64_t until_ms; /* 0: until it is released */
    bool notifies;
};

/* Durable soon, effective now: sessions get 421, queued mail is held. The id of the
 * restriction, also of one that stands already; an owner's lock gives way to a suspension, which its owner cannot
 * lift, and a suspension to one that lasts longer. */
uint64_t enforce_suspend(struct policy *p, const struct suspension *s);

/* The account may sign in again, or the address, its windows begin anew, its mail is let go.
 * MSA_OK, MSA_ENOENT, MSA_EEXIST: it was lifted before, or MSA_EACCESS: it is neither an
 * account's nor of an address that is known, and ends by itself. */
int enforce_release(struct policy *p, uint64_t restriction, struct view by,
                    struct view note);

/* The owner has another password now: what he locked himself is lifted. False: nothing of that kind stands. */
bool enforce_owner_is_back(struct policy *p, uint64_t account, struct view by);

/* Its settings were changed: where one of its sessions stands where it may no longer, all
 * of them end. Who is at home signs in again. */
struct account;
void enforce_places(struct policy *p, const struct account *account);

/* By timer: releases the suspensions whose time is over. */
void enforce_release_due(struct policy *p);

/* A worker has come (again): what it may have missed. */
void enforce_tell_worker(struct policy *p, struct chan *worker);

#endif
