/* The events of several logs, in order of time: of servers that ran beside each other (a
 * log of Postfix, one of Dovecot), or one behind the other (rotated logs). Each file is
 * in order by itself. */
#ifndef MSA_CTL_REPLAY_INPUT_H
#define MSA_CTL_REPLAY_INPUT_H

#include <stdint.h>

#include "msa/ctl/log_time.h"
#include "msa/ctl/trace.h"

#define REPLAY_FILES_MAX 64

struct replay_input;

/* `clock` is how each file's times are read. NULL: out of memory. */
struct replay_input *replay_input_new(const struct log_clock *clock);
void replay_input_free(struct replay_input **in);

/* MSA_OK, MSA_EIO with errno, MSA_EFULL or MSA_ENOMEM. */
int replay_input_add(struct replay_input *in, const char *path);

/* 1: the next event, until the next call; 0: there are no more; MSA_EIO. */
int replay_input_next(struct replay_input *in, const struct trace_event **out);

uint64_t replay_input_bad_lines(
    const struct replay_input *in); /* no line of any log we know */
unsigned replay_input_done_permille(const struct replay_input *in);

#endif
