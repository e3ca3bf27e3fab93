/* What the options of "account set" say, as settings in the form of the API (policy/account_change.h). What a country, a
 * class or a sender may be is msad's to judge; here only the command line's own forms are checked. Pure but for the time
 * zone: days are local ones. */
#ifndef MSA_CTL_SETTINGS_H
#define MSA_CTL_SETTINGS_H

#include <jansson.h>

#include "msa/ctl/command.h"

/* Puts them into `settings`. MSA_OK, or MSA_EINVAL with a text in `error`: a value makes no sense, or there are none. */
int ctl_settings(const struct ctl_line *line, json_t *settings, char error[COMMAND_ERROR_MAX]);

#endif
