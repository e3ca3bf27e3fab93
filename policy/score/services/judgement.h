/* What one service makes of a message, bounded in every direction. Findings are names of rules, never words of the
 * message; whatever comes from outside is cleaned on its way in. */
#ifndef POLICY_SCORE_SERVICES_JUDGEMENT_H
#define POLICY_SCORE_SERVICES_JUDGEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"
#include "msa/config/settings_services.h"
#include "msa/ipc/messages.h"

#define FINDING_NAME_SIZE     96 /* with NUL: "SERVICE/RULE" */
#define JUDGEMENT_FINDINGS_MAX  32
#define JUDGEMENT_HEADER_MAX    8192     /* score_answer.added_header */
#define JUDGEMENT_SCORE_MAX     1000000000 /* a million points, in thousandths, either way */

struct service_finding {
    char name[FINDING_NAME_SIZE]; /* printable ASCII without blanks */
    int64_t milli;
};

struct judgement {
    bool is_scored;
    int64_t score_milli;
    enum score_action action;
    char text[IPC_REPLY_MAX + 1]; /* of the action, to the client; printable ASCII */
    size_t finding_count;
    struct service_finding findings[JUDGEMENT_FINDINGS_MAX]; /* the weightiest first */
    struct buf header; /* fields, each ended by CRLF */
};

void judgement_init(struct judgement *v);
void judgement_fini(struct judgement *v);

/* Keeps the weightiest JUDGEMENT_FINDINGS_MAX. */
void judgement_find(struct judgement *v, const char *service, struct view rule, int64_t milli);
/* Adds to the score, within JUDGEMENT_SCORE_MAX. */
void judgement_score(struct judgement *v, int64_t milli);
/* What `act` says: `weight_milli` to the score, or an action with `text` unless a stricter one is there. The
 * points that it added. */
int64_t judgement_act(struct judgement *v, enum config_service_act act, int32_t weight_milli,
                    struct view text);

/* A field "name:value", the value as it stands behind the colon: line ends of any kind become CRLF and a folding
 * blank, other controls go. MSA_EINVAL for no field name, MSA_ETOOBIG; nothing is added then. `at_top`: above those
 * that are there. */
int judgement_add_field(struct judgement *v, struct view name, struct view value, bool at_top);

/* `milli` thousandths of `weight_milli` thousandths, within JUDGEMENT_SCORE_MAX. */
int64_t judgement_weigh(int64_t milli, int32_t weight_milli);

#endif
