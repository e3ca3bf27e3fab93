#include "msa/base/err.h"

#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/log.h"

const char *msa_strerror(int err)
{
    switch (err) {
    case MSA_OK: return "no error";
    case MSA_ENOMEM: return "out of memory";
    case MSA_EINVAL: return "malformed input";
    case MSA_ETOOBIG: return "a limit is exceeded";
    case MSA_EIO: return "input/output error";
    case MSA_EFULL: return "no space left";
    case MSA_ETIMEOUT: return "timed out";
    case MSA_ECLOSED: return "closed by the other side";
    case MSA_EEXIST: return "exists already";
    case MSA_ENOENT: return "does not exist";
    case MSA_EACCESS: return "not permitted";
    case MSA_EAGAIN: return "temporarily unavailable";
    case MSA_EPROTO: return "protocol error";
    case MSA_ECORRUPT: return "stored data is damaged";
    default: return "unknown error";
    }
}

void msa_assert_failed(const char *expr, const char *file, int line)
{
    log_msg(LOG_LEVEL_ERROR, "assert", "%s at %s:%d", expr, file, line);
    log_flush();
    abort();
}
