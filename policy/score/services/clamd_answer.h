/* What clamd says to zINSTREAM: one text, ended by NUL. Pure. */
#ifndef POLICY_SCORE_SERVICES_CLAMD_ANSWER_H
#define POLICY_SCORE_SERVICES_CLAMD_ANSWER_H

#include "msa/base/view.h"

#define CLAMD_ANSWER_MAX_BYTES 1024

enum clamd_result {
    CLAMD_MORE = 0, /* its end is still to come */
    CLAMD_CLEAN,
    CLAMD_FOUND,
    CLAMD_TOO_BIG, /* more than its StreamMaxLength */
    CLAMD_ERROR,   /* it says that it cannot */
    CLAMD_RUBBISH,
};

/* Of all that has come so far. `*name_out`: with CLAMD_FOUND that of the signature, with CLAMD_ERROR what it
 * says; into `text`. */
enum clamd_result clamd_answer_parse(struct view text, struct view *name_out);

#endif
