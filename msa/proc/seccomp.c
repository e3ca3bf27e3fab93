/* The system calls a role may make, by right. An allow-list: what is not named ends the process
 * (SIGSYS), so that a missing one shows in the first test instead of hiding behind an error code.
 *
 * clone3 cannot be filtered by its flags (they stand in memory), so it is answered ENOSYS, and glibc
 * falls back to clone, whose flags must say "thread". No role may exec, nor get executable memory. */
#include "msa/proc/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/err.h"

struct call_set {
    unsigned right; /* 0: everybody */
    const int *calls;
    size_t count;
};

#define CALL(name) SCMP_SYS(name)

static const int calls_for_all[] = {
    /* descriptors */
    CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(pwrite64),
    CALL(preadv), CALL(pwritev), CALL(preadv2), CALL(pwritev2), CALL(lseek), CALL(close),
    CALL(close_range), CALL(dup), CALL(dup2), CALL(dup3), CALL(fcntl), CALL(fstat), CALL(pipe2),
    CALL(ftruncate), CALL(fallocate), CALL(fadvise64), CALL(eventfd2), CALL(memfd_create),
    /* sockets it holds; the socketpair of getaddrinfo and friends is not among them */
    CALL(recvmsg), CALL(sendmsg), CALL(recvfrom), CALL(sendto), CALL(recvmmsg), CALL(sendmmsg),
    CALL(shutdown), CALL(getsockopt), CALL(setsockopt), CALL(getsockname), CALL(getpeername),
    /* waiting and time */
    CALL(epoll_create1), CALL(epoll_ctl), CALL(epoll_wait), CALL(epoll_pwait), CALL(poll),
    CALL(ppoll), CALL(select), CALL(pselect6), CALL(timerfd_create), CALL(timerfd_settime),
    CALL(clock_gettime), CALL(clock_getres), CALL(gettimeofday), CALL(time), CALL(nanosleep),
    CALL(clock_nanosleep), CALL(restart_syscall),
    /* memory */
    CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise), CALL(msync), CALL(mlock), CALL(munlock),
    /* itself */
    CALL(futex), CALL(sched_yield), CALL(sched_getaffinity), CALL(getpid), CALL(gettid),
    CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getrandom), CALL(uname),
    CALL(sysinfo), CALL(getrusage), CALL(rt_sigaction), CALL(rt_sigprocmask), CALL(rt_sigreturn),
    CALL(sigaltstack), CALL(exit), CALL(exit_group),
};

static const int calls_to_accept[] = {CALL(accept4), CALL(accept)};

static const int calls_to_connect[] = {CALL(connect), CALL(bind)};

static const int calls_for_files[] = {
    CALL(open), CALL(openat), CALL(stat), CALL(lstat), CALL(newfstatat), CALL(statx), CALL(access),
    CALL(faccessat), CALL(faccessat2), CALL(statfs), CALL(fstatfs), CALL(getdents64), CALL(mkdir),
    CALL(mkdirat), CALL(unlink), CALL(unlinkat), CALL(rmdir), CALL(link), CALL(linkat),
    CALL(rename), CALL(renameat), CALL(renameat2), CALL(fchmod), CALL(syncfs), CALL(flock), CALL(truncate), CALL(copy_file_range),
    CALL(sendfile), CALL(readlink), CALL(readlinkat), CALL(getcwd),
};

static const int calls_to_sync[] = {CALL(fsync), CALL(fdatasync), CALL(sync_file_range)};

static const int calls_for_threads[] = {
    CALL(set_robust_list), CALL(rseq), CALL(set_tid_address), CALL(sched_getparam),
    CALL(sched_getscheduler), CALL(membarrier),
};

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static const struct call_set sets[] = {
    {0, calls_for_all, COUNT(calls_for_all)},
    {SANDBOX_ACCEPT, calls_to_accept, COUNT(calls_to_accept)},
    {SANDBOX_CONNECT, calls_to_connect, COUNT(calls_to_connect)},
    {SANDBOX_FILES, calls_for_files, COUNT(calls_for_files)},
    {SANDBOX_FILES | SANDBOX_SYNC, calls_to_sync, COUNT(calls_to_sync)},
    {SANDBOX_THREADS, calls_for_threads, COUNT(calls_for_threads)},
};

static int add_set(scmp_filter_ctx ctx, const struct call_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, set->calls[i], 0) < 0)
            return MSA_EACCESS;
    return (int)set->count;
}

/* A pure thread: shares memory, files, signals. Anything less would be a new process. */
#define THREAD_FLAGS                                                                               \
    ((uint64_t)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD))

static int add_threads(scmp_filter_ctx ctx)
{
    if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0) < 0 ||
        seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(clone), 1,
                         SCMP_A0(SCMP_CMP_MASKED_EQ, THREAD_FLAGS, THREAD_FLAGS)) < 0)
        return MSA_EACCESS;
    return 2;
}

static int add_sockets(scmp_filter_ctx ctx)
{
    static const uint64_t families[] = {AF_INET, AF_INET6, AF_UNIX, AF_NETLINK};
    for (size_t i = 0; i < COUNT(families); i++)
        if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(socket), 1,
                             SCMP_A0(SCMP_CMP_EQ, families[i], 0)) < 0)
            return MSA_EACCESS;
    return 1;
}

/* abort() raises SIGABRT with tgkill; a role may signal nobody but itself. */
static int add_guarded(scmp_filter_ctx ctx)
{
    const uint64_t exec = PROT_EXEC;
    uint64_t self = (uint64_t)getpid();
    if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(mmap), 1,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0)) < 0 ||
        seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(mprotect), 1,
                         SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0)) < 0 ||
        seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(tgkill), 1, SCMP_A0(SCMP_CMP_EQ, self, 0)) < 0 ||
        /* prlimit64 to read: the new limits (third argument) must be absent */
        seccomp_rule_add(ctx, SCMP_ACT_ALLOW, CALL(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0, 0)) < 0)
        return MSA_EACCESS;
    return 4;
}

static int fill(scmp_filter_ctx ctx, unsigned rights)
{
    int total = add_guarded(ctx);
    for (size_t i = 0; i < COUNT(sets) && total > 0; i++) {
        if (sets[i].right != 0 && !(rights & sets[i].right))
            continue;
        int n = add_set(ctx, &sets[i]);
        total = n < 0 ? n : total + n;
    }
    if (total > 0 && (rights & SANDBOX_CONNECT))
        total = add_sockets(ctx) < 0 ? MSA_EACCESS : total + 1;
    if (total > 0 && (rights & SANDBOX_THREADS))
        total = add_threads(ctx) < 0 ? MSA_EACCESS : total + 2;
    return total;
}

static int load(unsigned rights)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!ctx)
        return MSA_ENOMEM;
    int total = fill(ctx, rights);
    /* TSYNC: a library may have started a thread behind our back. */
    if (total > 0 && (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) < 0 || seccomp_load(ctx) < 0))
        total = MSA_EACCESS;
    seccomp_release(ctx);
    return total;
}

/* Sanitizers call what no role may (their leak check forks and traces). */
int sandbox_seccomp(unsigned rights)
{
#if defined(MSA_SANITIZED)
    (void)load;
    (void)rights;
    return 0;
#else
    return load(rights);
#endif
}
