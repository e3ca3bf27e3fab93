/* One question of a Postfix, from its attributes to the action it is told: what is remembered of the client and the
 * message before it, policy's operation postfix.judge, the words of the answer. */
#ifndef MSA_CONSOLE_POSTFIX_ASK_H
#define MSA_CONSOLE_POSTFIX_ASK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/console/postfix_request.h"
#include "msa/mail/login.h"

#define POSTFIX_ACTION_MAX     256
#define POSTFIX_RECIPIENTS_MAX 24576 /* octets of the addresses of one message; beyond, only their number counts */

/* Of one connection. */
struct postfix_memory {
    char client[LOGIN_TYPED_MAX + 96]; /* login, address and port; empty: nobody was judged */
    char instance[POSTFIX_INSTANCE_MAX + 1];
    bool is_counted; /* the quota of this message */
    struct buf recipients; /* each with a LF */
    uint64_t recipient_count;
};

void postfix_memory_init(struct postfix_memory *m);
void postfix_memory_fini(struct postfix_memory *m);

/* The arguments of postfix.judge, a new object, and what it asks about is remembered. NULL: there is nothing to ask,
 * and *action_out is the answer. Pure. */
json_t *postfix_question(struct postfix_memory *m, const struct postfix_request *r, const char **action_out);

/* What policy's answer means in Postfix's words, one line. False: it is none. Pure. */
bool postfix_action(struct view json, char action_out[POSTFIX_ACTION_MAX], int64_t *delay_ms_out);

#define POSTFIX_ACTION_PASS "DUNNO"
#define POSTFIX_ACTION_AWAY "DEFER 4.3.0 try again later"

struct postfix_answer {
    const char *action;
    int64_t delay_ms;
    bool is_away;
};

/* Asks policy. `args` is taken over. `fn` is called once, perhaps before it returns. */
struct console;
typedef void postfix_answer_fn(void *arg, const struct postfix_answer *answer);
void postfix_ask(struct console *console, json_t *args, postfix_answer_fn *fn, void *arg);

#endif
