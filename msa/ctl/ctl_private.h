/* Inside msactl: what its commands share. */
#ifndef MSA_CTL_CTL_PRIVATE_H
#define MSA_CTL_CTL_PRIVATE_H

#include <stdio.h>

#include <jansson.h>

#include "msa/base/buf.h"
#include "msa/ctl/command.h"
#include "msa/ctl/ctl.h"
#include "msa/ctl/transport.h"

#define CTL_FILE_MAX (256u << 20)

struct ctl {
    struct ctl_line line;
    struct transport *transport;
    struct buf out; /* to stdout in the end */
};

int ctl_complain(int status, const char *text); /* returns `status` */

/* `args` NULL: GET. On CTL_EXIT_OK the answer is the caller's; a refusal was shown. */
int ctl_call(struct ctl *ctl, const char *op, const json_t *args, json_t **answer_out);

/* As text by the command's own function, or as JSON. */
void ctl_show(struct ctl *ctl, const json_t *answer);

/* "-": standard input. MSA_OK, or an error after a complaint. */
int ctl_read_whole(const char *name, struct buf *out);

/* ---- account_commands.c: the forms of command.h that are about settings ---- */

int ctl_account_show(struct ctl *ctl);
int ctl_account_set(struct ctl *ctl);
int ctl_account_set_many(struct ctl *ctl);
int ctl_account_import_senders(struct ctl *ctl);

/* ---- outcome_commands.c ---- */

int ctl_outcome_import(struct ctl *ctl);

/* ---- score_commands.c ---- */

int ctl_score_check(struct ctl *ctl);

/* ---- score_train.c ---- */

int ctl_score_train(struct ctl *ctl);

/* ---- events_command.c ---- */

int ctl_events(struct ctl *ctl);

void ctl_print(FILE *to, const struct buf *b); /* also an empty one */

#endif
