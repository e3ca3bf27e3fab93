/* A browser by the names that people know it by: "Firefox · Windows" of a User-Agent. What is no browser's stays as it
 * is, cut to its first word: "curl/7.88.1". Pure; of a stranger, as what it came from. */
#ifndef MSA_CONSOLE_USER_AGENT_H
#define MSA_CONSOLE_USER_AGENT_H

#include "msa/base/view.h"

#define USER_AGENT_SHORT_MAX 64

void user_agent_short(struct view text, char out[USER_AGENT_SHORT_MAX]);

#endif
