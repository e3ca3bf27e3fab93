/* Moves the wall clock of a program under test: LD_PRELOAD=…/clock_shim.so, and in MSAD_TEST_CLOCK the path of a file
 * of eight bytes, the milliseconds to add (of either sign, in the machine's own order). The file is mapped before
 * main, so that a program may lock itself in afterwards, and its children and theirs too; who writes the file moves
 * all of them at once. Nothing in msad knows of this: it keeps the environment that it was started with, and it is
 * not set-user-ID, so the loader honours LD_PRELOAD for whoever may start it at all.
 *
 * The monotonic clock, and with it every deadline of a session, stays as it is. pthread_cond_timedwait on a moved
 * clock would wait for too long or not at all; msad does so only while its disk is full. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define MS_PER_S  1000
#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

static const volatile int64_t *offset_ms;

/* A test whose clock does not move would pass or fail for the wrong reason. */
static void __attribute__((constructor)) map_offset(void)
{
    const char *path = getenv("MSAD_TEST_CLOCK");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    void *at = fd == -1 ? MAP_FAILED : mmap(NULL, sizeof *offset_ms, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        perror("clock_shim: MSAD_TEST_CLOCK");
        _exit(126);
    }
    close(fd);
    offset_ms = at;
}

static void shift(struct timespec *t)
{
    int64_t by_ms = offset_ms ? *offset_ms : 0; /* before our constructor: as it is */
    t->tv_sec += by_ms / MS_PER_S;
    t->tv_nsec += by_ms % MS_PER_S * NS_PER_MS;
    if (t->tv_nsec >= NS_PER_S) {
        t->tv_nsec -= NS_PER_S;
        t->tv_sec++;
    } else if (t->tv_nsec < 0) {
        t->tv_nsec += NS_PER_S;
        t->tv_sec--;
    }
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    int err = (int)syscall(SYS_clock_gettime, id, t);
    if (err == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
        shift(t);
    return err;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
