#include <criterion/criterion.h>

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/committer.h"
#include "smarthost.h"

TestSuite(relay_committer, .timeout = 120);

#define ROUNDS 50

static char dir[64];

static struct spool *open_spool(void)
{
    char error[256];
    struct spool *s = spool_open(dir, 64u << 20, error, sizeof error);
    cr_assert_not_null(s, "%s", error);
    return s;
}

static void make_dir(void)
{
    snprintf(dir, sizeof dir, "/tmp/msad-commit-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    log_set_level(LOG_LEVEL_ERROR + 1);
}

static void remove_dir(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

/* ---- a message that is committed ---- */

struct one {
    struct commit_job job;
    struct message *m;
    unsigned *done_count;
    int pipe_fd; /* -1: nobody to tell */
};

static void on_done(struct commit_job *job)
{
    struct one *o = job->arg;
    if (o->done_count)
        ++*o->done_count;
    if (o->pipe_fd >= 0 && job->err == MSA_OK && write(o->pipe_fd, &job->id, sizeof job->id) < 0)
        _exit(3);
}

static struct one *one_of(uint64_t id, unsigned *done_count)
{
    struct one *o = calloc(1, sizeof *o);
    o->m = smarthost_message("t@example.jp", "a@x.jp", SMARTHOST_CONTENT);
    o->m->id = id;
    o->done_count = done_count;
    o->pipe_fd = -1;
    commit_job_init(&o->job, COMMIT_INSERT, id, on_done, o);
    o->job.content = &o->m->content;
    o->job.is_refusable = true;
    cr_assert_eq(envelope_encode(o->m, &o->job.record), MSA_OK);
    return o;
}

static void free_one(struct one *o)
{
    commit_job_fini(&o->job);
    message_free(&o->m);
    free(o);
}

static int count_each(void *arg, const struct envelope_head *head)
{
    (void)head;
    ++*(unsigned *)arg;
    return MSA_OK;
}

static unsigned count_messages(struct spool *s)
{
    struct spool_scan_result found;
    unsigned count = 0;
    cr_assert_eq(spool_scan(s, count_each, &count, &found), MSA_OK);
    cr_assert_eq(found.damaged_count, 0);
    return count;
}

Test(relay_committer, everything_is_reported_once_and_is_there)
{
    enum { N = 1000 };
    static struct one *all[N];
    unsigned done = 0;
    make_dir();
    struct loop *loop = loop_new();
    struct spool *s = open_spool();
    struct committer *c = committer_new(loop, s, 64);
    for (uint64_t i = 0; i < N; i++) {
        all[i] = one_of(i + 1, &done);
        committer_submit(c, &all[i]->job);
    }
    cr_expect_eq(committer_waiting(c), N);
    while (done < N)
        loop_run_once(loop, true);
    for (int i = 0; i < N; i++) {
        cr_expect_eq(all[i]->job.err, MSA_OK);
        free_one(all[i]);
    }
    cr_expect_eq(committer_waiting(c), 0);
    committer_free(&c);
    cr_expect_eq(count_messages(s), N);
    spool_close(&s);
    loop_free(&loop);
    remove_dir();
}

Test(relay_committer, end_commits_what_still_waits)
{
    enum { N = 100 };
    static struct one *all[N];
    unsigned done = 0;
    make_dir();
    struct loop *loop = loop_new();
    struct spool *s = open_spool();
    struct committer *c = committer_new(loop, s, 8);
    for (uint64_t i = 0; i < N; i++) {
        all[i] = one_of(i + 1, &done);
        committer_submit(c, &all[i]->job);
    }
    committer_free(&c);
    cr_expect_eq(done, N);
    cr_expect_eq(count_messages(s), N);
    for (int i = 0; i < N; i++)
        free_one(all[i]);
    spool_close(&s);
    loop_free(&loop);
    remove_dir();
}

Test(relay_committer, one_bad_job_harms_no_other)
{
    unsigned done = 0;
    make_dir();
    struct loop *loop = loop_new();
    struct spool *s = open_spool();
    struct committer *c = committer_new(loop, s, 64);
    struct one *a = one_of(1, &done), *twin = one_of(1, &done), *b = one_of(2, &done);
    struct list group;
    list_init(&group);
    list_append(&group, &a->job.link);
    list_append(&group, &twin->job.link);
    list_append(&group, &b->job.link);
    committer_submit_all(c, &group);
    while (done < 3)
        loop_run_once(loop, true);
    cr_expect_eq(a->job.err, MSA_OK);
    cr_expect_eq(twin->job.err, MSA_EEXIST);
    cr_expect_eq(b->job.err, MSA_OK);
    cr_expect_not(committer_is_broken(c));
    committer_free(&c);
    free_one(a);
    free_one(twin);
    free_one(b);
    spool_close(&s);
    loop_free(&loop);
    remove_dir();
}

/* ---- kill -9 in the middle ---- */

/* In the child: commits without end, tells each id that is durable, in groups of three that share a
 * transaction. */
static void commit_without_end(int fd, uint64_t first)
{
    struct loop *loop = loop_new();
    struct spool *s = open_spool();
    struct committer *c = committer_new(loop, s, 16);
    for (uint64_t id = first;; id += 3) {
        struct list group;
        list_init(&group);
        for (uint64_t i = 0; i < 3; i++) {
            struct one *o = one_of(id + i, NULL);
            o->pipe_fd = fd;
            o->job.is_with_next = i < 2;
            list_append(&group, &o->job.link);
        }
        committer_submit_all(c, &group);
        while (committer_waiting(c) > 30)
            loop_run_once(loop, true);
    }
}

/* Ids in the store and ids that were told; both fit a bit set. */
#define IDS_MAX 400000
static unsigned char told[IDS_MAX], stored[IDS_MAX];

static void read_told(int fd)
{
    uint64_t ids[512];
    ssize_t n;
    while ((n = read(fd, ids, sizeof ids)) > 0) {
        for (size_t i = 0; i < (size_t)n / sizeof ids[0]; i++) {
            if (ids[i] < IDS_MAX)
                told[ids[i]] = 1;
        }
    }
}

static int note_stored(void *arg, const struct envelope_head *head)
{
    (void)arg;
    if (head->id < IDS_MAX)
        stored[head->id] = 1;
    return MSA_OK;
}

/* A child that is killed after some milliseconds. */
static void kill_one(uint64_t first, int after_ms)
{
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        close(fds[0]);
        commit_without_end(fds[1], first);
    }
    close(fds[1]);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    cr_assert_eq(poll(&p, 1, 20000), 1); /* it is in full swing */
    poll(NULL, 0, after_ms);
    cr_assert_eq(kill(pid, SIGKILL), 0);
    read_told(fds[0]);
    close(fds[0]);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(relay_committer, kill_loses_nothing_that_was_acknowledged)
{
    unsigned acknowledged = 0, lost = 0, torn = 0;
    struct spool_scan_result found;
    make_dir();
    for (uint64_t round = 0; round < ROUNDS; round++)
        kill_one(1 + round * 6000, (int)(round % 7));
    struct spool *s = open_spool();
    cr_assert_eq(spool_scan(s, note_stored, NULL, &found), MSA_OK);
    cr_expect_eq(found.damaged_count, 0);
    for (size_t id = 1; id + 2 < IDS_MAX; id++) {
        acknowledged += told[id];
        lost += told[id] && !stored[id];
    }
    for (size_t id = 1; id + 2 < IDS_MAX; id += 3) /* ids of a group: all or none */
        torn += stored[id] != stored[id + 1] || stored[id] != stored[id + 2];
    cr_expect_gt(acknowledged, ROUNDS);
    cr_expect_eq(lost, 0, "%u of %u", lost, acknowledged);
    cr_expect_eq(torn, 0);
    spool_close(&s);
    remove_dir();
}
