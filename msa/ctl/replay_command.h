/* The command line of msactl replay. */
#ifndef MSA_CTL_REPLAY_COMMAND_H
#define MSA_CTL_REPLAY_COMMAND_H

#include <stdbool.h>

/* `msactl [-f FILE] replay …`: it asks nothing of msad and has options of its own. */
bool replay_is_asked(int argc, char *const argv[]);

/* An enum ctl_exit. Puts argv in another order. */
int replay_command(int argc, char *argv[]);

#endif
