/* Passwords from people and scripts. Never from the command line, which every user of the host can see. */
#ifndef MSA_CTL_PROMPT_H
#define MSA_CTL_PROMPT_H

#include "msa/base/buf.h"

#define PROMPT_PASSWORD_MAX 1024
#define PROMPT_ERROR_MAX    128

/* From the terminal, without echo, asked twice. 0, or negative with a text. `out` is a secret buf. */
int prompt_password(const char *login, struct buf *out, char error[PROMPT_ERROR_MAX]);

/* One line from `fd`, its end taken off; what follows it is a mistake. */
int prompt_read_line(int fd, struct buf *out, char error[PROMPT_ERROR_MAX]);

#endif
