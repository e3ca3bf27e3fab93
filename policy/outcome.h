/* What receivers said of an account's mail: the smarthost at once, or somebody downstream later. */
#ifndef POLICY_OUTCOME_H
#define POLICY_OUTCOME_H

#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"

struct policy;

/* Counts it against the account. `results` are items (msg_recipient_result) of one message; `ip` is that of the
 * client who sent it, or none. MSA_OK, MSA_ENOMEM, or MSA_EPROTO: the items do not decode. */
int outcome_note(struct policy *p, uint64_t account, struct view login, const struct ipaddr *ip,
                 struct view results);

/* ---- outcome_class.c ---- */

enum outcome_class {
    OUTCOME_FINE = 0,     /* taken, or not refused for good */
    OUTCOME_NO_RECIPIENT, /* 5.1.x: nobody of that name; or refused without saying why */
    OUTCOME_FULL,         /* 5.2.2, 552: theirs to mend */
    OUTCOME_SPAM,         /* 5.7.x: policy or content; the sender's doing */
    OUTCOME_CONTENT,      /* 5.3.4, 5.5.x, 5.6.x: size, syntax, form: a fault of programs */
};

/* Of a reply's code and enhanced status ("" if there is none). Pure. */
enum outcome_class outcome_class_of(unsigned code, struct view enhanced);
const char *outcome_class_name(enum outcome_class c);

#endif
