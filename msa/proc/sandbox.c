#include "msa/proc/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"

/* Rights newer than the kernel headers of Debian 12, by the ABI that brought them. */
#define ACCESS_TRUNCATE  (1ULL << 14) /* 3 */
#define ACCESS_IOCTL_DEV (1ULL << 15) /* 5 */

#define ACCESS_ABI_1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_STATE                                                                               \
    (ACCESS_READ | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |                   \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                                \
     LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REFER | ACCESS_TRUNCATE)
#define ACCESS_OF_FILES (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)

/* glibc has no wrappers for these. */

static int landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

static uint64_t handled_by(int abi)
{
    uint64_t handled = ACCESS_ABI_1;
    if (abi >= 2)
        handled |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        handled |= ACCESS_TRUNCATE;
    if (abi >= 5)
        handled |= ACCESS_IOCTL_DEV;
    return handled;
}

/* A path that is missing gives no right and is no mistake: systems differ in what /etc holds. */
static int allow_path(int ruleset, const char *path, uint64_t access, uint64_t handled)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = access & handled};
    rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.parent_fd == -1)
        return errno == ENOENT ? MSA_OK : MSA_EACCESS;
    long rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    if (rc == -1 && errno == EINVAL) { /* a file, not a directory */
        rule.allowed_access &= ACCESS_OF_FILES;
        rc = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    }
    close(rule.parent_fd);
    return rc == -1 ? MSA_EACCESS : MSA_OK;
}

int sandbox_landlock(const struct sandbox_settings *settings)
{
    int abi = landlock_abi();
    if (abi == 0)
        return 0;
    struct landlock_ruleset_attr attr = {.handled_access_fs = handled_by(abi)};
    int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
    if (ruleset == -1)
        return MSA_EACCESS;
    int err = MSA_OK;
    if (settings->state_dir)
        err = allow_path(ruleset, settings->state_dir, ACCESS_STATE, attr.handled_access_fs);
    for (size_t i = 0; err == MSA_OK && i < settings->read_path_count; i++)
        err = allow_path(ruleset, settings->read_paths[i], ACCESS_READ, attr.handled_access_fs);
    if (err == MSA_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) == -1)
        err = MSA_EACCESS;
    close(ruleset);
    return err < 0 ? err : abi;
}

static void log_walls(int landlock, int calls)
{
    struct log_line l;
    log_begin(&l, landlock > 0 && calls > 0 ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, "sandbox-closed");
    log_num(&l, "landlock", landlock);
    log_num(&l, "calls", calls);
    log_end(&l);
}

static int failed(char error[SANDBOX_ERROR_MAX], const char *wall)
{
    snprintf(error, SANDBOX_ERROR_MAX, "%s: %s", wall, strerror(errno));
    return MSA_EACCESS;
}

/* A sanitizer traces its own process, reads /proc and writes its report at the end, so its builds serve
 * without the walls that would make it silent. */
#if defined(MSA_SANITIZED)
#define IS_SANITIZED true
#else
#define IS_SANITIZED false
#endif

static int close_dumpable(void)
{
    return IS_SANITIZED ? 0 : prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int sandbox_close(const struct sandbox_settings *settings, char error[SANDBOX_ERROR_MAX])
{
    if (close_dumpable() == -1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
        return failed(error, "prctl");
    if (!settings->is_filtered) {
        log_msg(LOG_LEVEL_WARN, "sandbox-off", "the configuration says 'sandbox off'");
        return MSA_OK;
    }
    int landlock = IS_SANITIZED ? 0 : sandbox_landlock(settings);
    if (landlock < 0)
        return failed(error, "landlock");
    log_flush();
    int calls = sandbox_seccomp(settings->rights);
    if (calls < 0)
        return failed(error, "seccomp");
    log_walls(landlock, calls);
    return MSA_OK;
}
