/* What a role may not do really fails. Each probe runs in a forked child that closes the walls and then
 * tries; the parent looks at how it ended. Builds for a sanitizer have no system call filter, so
 * there those probes are passed over. */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/proc/sandbox.h"

TestSuite(sandbox, .timeout = 20);

typedef int probe_fn(void); /* the exit status: 0 done, 1 refused, 2 odd */

/* Exit status, or minus the signal. */
static int outcome_of(probe_fn *fn, const struct sandbox_settings *settings)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        const struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        if ((settings->state_dir || settings->read_path_count > 0) && sandbox_landlock(settings) < 0)
            _exit(90);
        if (settings->is_filtered && sandbox_seccomp(settings->rights) < 0)
            _exit(91);
        _exit(fn());
    }
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int done_or_refused(int rc)
{
    return rc == -1 ? 1 : 0;
}

static int try_open(void) { return done_or_refused(open("/dev/null", O_RDONLY)); }
static int try_make(void) { return done_or_refused(open("/tmp/msad-test-x", O_CREAT | O_WRONLY, 0600)); }
static int try_inet(void) { return done_or_refused(socket(AF_INET, SOCK_STREAM, 0)); }
static int try_unix(void) { return done_or_refused(socket(AF_UNIX, SOCK_STREAM, 0)); }
static int try_packet(void) { return done_or_refused(socket(AF_PACKET, SOCK_RAW, 0)); }
static int try_accept(void) { return accept(-1, NULL, NULL) == -1 && errno == EBADF ? 0 : 1; }
static int try_connect(void) { return connect(-1, NULL, 0) == -1 && errno == EBADF ? 0 : 1; }
static int try_exec(void) { return execl("/bin/true", "true", (char *)NULL) == -1; }
static int try_kill(void) { return done_or_refused(kill(getppid(), 0)); }
static int try_ptrace(void) { return done_or_refused((int)ptrace(PTRACE_TRACEME, 0, 0, 0)); }
static int try_setuid(void) { return done_or_refused(setuid(getuid())); }
static int try_unlink(void) { return done_or_refused(unlink("/tmp/msad-test-x")); }

static int try_fork(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return pid == -1;
}

static int try_exec_memory(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int try_raise_limit(void)
{
    const struct rlimit r = {10, 10};
    return done_or_refused(setrlimit(RLIMIT_NOFILE, &r));
}

static void *in_thread(void *arg)
{
    return arg;
}

static int try_thread(void)
{
    pthread_t t;
    int mark = 0;
    void *got = NULL;
    if (pthread_create(&t, NULL, in_thread, &mark) != 0)
        return 1;
    pthread_join(t, &got);
    return got == &mark ? 0 : 2;
}

/* What every role does all day. */
static int try_ordinary(void)
{
    int fds[2];
    char c = 'x';
    char *memory = malloc(8u << 20);
    if (!memory || pipe2(fds, O_CLOEXEC) == -1 || write(fds[1], &c, 1) != 1 ||
        read(fds[0], &c, 1) != 1)
        return 1;
    memset(memory, 1, 8u << 20);
    free(memory);
    return 0;
}

static int try_abort(void)
{
    abort();
}

#define SIGSYS_DEATH (-SIGSYS)

struct filter_case {
    const char *name;
    probe_fn *fn;
    unsigned rights;
    int want;
};

static const struct filter_case filter_cases[] = {
    {"ordinary work", try_ordinary, 0, 0},
    {"abort still names itself", try_abort, 0, -SIGABRT},
    {"open", try_open, 0, SIGSYS_DEATH},
    {"open with files", try_open, SANDBOX_FILES, 0},
    {"open with sync", try_open, SANDBOX_SYNC | SANDBOX_THREADS, SIGSYS_DEATH},
    {"unlink", try_unlink, SANDBOX_ACCEPT | SANDBOX_CONNECT | SANDBOX_THREADS, SIGSYS_DEATH},
    {"make a file", try_make, SANDBOX_ACCEPT, SIGSYS_DEATH},
    {"socket", try_inet, SANDBOX_ACCEPT | SANDBOX_FILES, SIGSYS_DEATH},
    {"unix socket", try_unix, SANDBOX_ACCEPT | SANDBOX_FILES, SIGSYS_DEATH},
    {"socket with connect", try_inet, SANDBOX_CONNECT, 0},
    {"raw socket with connect", try_packet, SANDBOX_CONNECT, SIGSYS_DEATH},
    {"connect", try_connect, SANDBOX_ACCEPT | SANDBOX_FILES, SIGSYS_DEATH},
    {"connect with connect", try_connect, SANDBOX_CONNECT, 0},
    {"accept", try_accept, SANDBOX_CONNECT | SANDBOX_FILES, SIGSYS_DEATH},
    {"accept with accept", try_accept, SANDBOX_ACCEPT, 0},
    {"thread", try_thread, SANDBOX_FILES, SIGSYS_DEATH},
    {"thread with threads", try_thread, SANDBOX_THREADS, 0},
    {"fork with threads", try_fork, SANDBOX_THREADS, SIGSYS_DEATH},
    {"exec with everything", try_exec, ~0u, SIGSYS_DEATH},
    {"executable memory", try_exec_memory, ~0u, SIGSYS_DEATH},
    {"kill", try_kill, ~0u, SIGSYS_DEATH},
    {"ptrace", try_ptrace, ~0u, SIGSYS_DEATH},
    {"setuid", try_setuid, ~0u, SIGSYS_DEATH},
    {"setrlimit", try_raise_limit, ~0u, SIGSYS_DEATH},
};

Test(sandbox, filter_ends_the_process_at_every_call_it_has_no_right_to)
{
#ifndef MSA_SANITIZED
    for (size_t i = 0; i < sizeof filter_cases / sizeof filter_cases[0]; i++) {
        const struct filter_case *c = &filter_cases[i];
        struct sandbox_settings s = {.rights = c->rights, .is_filtered = true};
        cr_expect_eq(outcome_of(c->fn, &s), c->want, "%s", c->name);
    }
#else
    cr_assert_gt(sizeof filter_cases, 0);
#endif
}

/* ---- landlock ---- */

static char state_dir[64];
static char read_dir[64];
static char other_dir[64];
static const char *const read_paths[] = {read_dir, "/nonexistent/msad"};

static void make_dirs(void)
{
    snprintf(state_dir, sizeof state_dir, "/tmp/msad-test-state-XXXXXX");
    snprintf(read_dir, sizeof read_dir, "/tmp/msad-test-read-XXXXXX");
    cr_assert(mkdtemp(state_dir));
    snprintf(other_dir, sizeof other_dir, "/tmp/msad-test-other-XXXXXX");
    cr_assert(mkdtemp(read_dir));
    cr_assert(mkdtemp(other_dir)); /* of our own: /tmp itself may hold any name already */
}

static void remove_dirs(void)
{
    rmdir(state_dir);
    rmdir(read_dir);
    rmdir(other_dir);
}

static int make_and_remove_in(const char *dir)
{
    char path[96];
    snprintf(path, sizeof path, "%s/x", dir);
    int fd = open(path, O_CREAT | O_RDWR | O_EXCL, 0600);
    if (fd == -1)
        return errno == EACCES ? 1 : 2;
    return write(fd, "x", 1) == 1 && ftruncate(fd, 0) == 0 && unlink(path) == 0 ? 0 : 2;
}

static int list(const char *dir)
{
    return open(dir, O_RDONLY | O_DIRECTORY) != -1 ? 0 : errno == EACCES ? 1 : 2;
}

static int try_state(void) { return make_and_remove_in(state_dir); }
static int try_read_dir(void) { return list(read_dir); }
static int try_write_read_dir(void) { return make_and_remove_in(read_dir); }
static int try_other(void) { return make_and_remove_in(other_dir); }
static int try_list_etc(void) { return list("/etc"); }
static int try_passwd(void) { return open("/etc/passwd", O_RDONLY) != -1 ? 0 : errno == EACCES ? 1 : 2; }

Test(sandbox, landlock_leaves_state_and_read_paths_alone, .init = make_dirs, .fini = remove_dirs)
{
    static const struct {
        const char *name;
        probe_fn *fn;
        int want;
    } cases[] = {
        {"state", try_state, 0},           {"read path", try_read_dir, 0},
        {"write to it", try_write_read_dir, 1}, {"other directory", try_other, 1},
        {"list another", try_list_etc, 1}, {"read a file elsewhere", try_passwd, 1},
    };
    const struct sandbox_settings s = {.state_dir = state_dir, .read_paths = read_paths,
                                       .read_path_count = 2};
    if (outcome_of(try_passwd, &s) == 0)
        cr_skip_test("this kernel has no landlock");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(outcome_of(cases[i].fn, &s), cases[i].want, "%s", cases[i].name);
}
