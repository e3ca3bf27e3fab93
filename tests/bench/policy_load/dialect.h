/* The questions that mail servers ask about sign-ins and messages, made up by number: which account, from where, what;
 * and what was answered. Pure. */
#ifndef TESTS_BENCH_POLICY_LOAD_DIALECT_H
#define TESTS_BENCH_POLICY_LOAD_DIALECT_H

#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

enum dialect {
    DIALECT_AUTH_POLICY, /* Dovecot's: one sign-in is an allow and then a report */
    DIALECT_POSTFIX,     /* policy delegation: one message is RCPT and then END-OF-MESSAGE */
};

enum said {
    SAID_YES,     /* the sign-in or the message passes */
    SAID_NO,      /* it does not */
    SAID_THANKS,  /* a report was taken */
    SAID_NONSENSE,
};

/* Adds question `number`; user0@bench.test and so on, `account_count` of them. */
void dialect_ask(enum dialect d, uint64_t number, uint64_t account_count, struct buf *out);

/* Takes the answer to question `number` off the front of `in`. False: it is not whole yet. */
bool dialect_answer(enum dialect d, uint64_t number, struct view *in, enum said *out);

#endif
