/* Where the log goes: the supervisor opens it and gives duplicates to the roles. */
#ifndef MSA_PROC_LOGFILE_H
#define MSA_PROC_LOGFILE_H

#include "msa/base/log.h"
#include "msa/config/config.h"

struct logfile {
    int fd;
    enum log_target target;
    enum log_level level;
};

/* 0 or MSA_EIO with errno; `*out` is owned by the caller. The directory of a log file must exist. */
int logfile_open(const struct config_log *settings, struct logfile *out);
void logfile_close(struct logfile *l);

#endif
