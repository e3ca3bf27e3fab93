/* msactl dkim: makes keys that sign mail, and prints what belongs into the DNS. Asks nothing of msad: key files are read
 * and written with the rights of whoever calls it. */
#ifndef MSA_CTL_DKIM_COMMAND_H
#define MSA_CTL_DKIM_COMMAND_H

#include <stdbool.h>

bool dkim_command_is_asked(int argc, char *const argv[]);
int dkim_command(int argc, char *argv[]); /* a CTL_EXIT status */

#endif
