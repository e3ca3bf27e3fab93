/* A model as a provider has one: learnt from mail, put into a token database, and read back from it. */
#ifndef TESTS_BENCH_SCORE_BENCH_TAUGHT_H
#define TESTS_BENCH_SCORE_BENCH_TAUGHT_H

#include <stdint.h>

#include "msa/base/buf.h"
#include "policy/score/shared_model.h"

/* Calls `take` for each message of DIR/ham and DIR/spam. Ends the program where they cannot be read. */
typedef void mail_fn(void *arg, struct view message, bool is_spam);
void each_mail(const char *dir, mail_fn *take, void *arg);

/* Learns from the mail of `dir`, or, NULL, from letters made for it. Ends the program when something fails. */
struct shared_model *taught(const char *dir);

_Noreturn void die(const char *what);

#endif
