#include <criterion/criterion.h>

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_journal.h"
#include "msa/base/clock.h"
#include "msa/base/log.h"
#include "policy/ledger.h"

static char dir[64], path[96];
static struct loop *loop;
static struct ledger *ledger;
static struct buf out;

static void open_it(void)
{
    char error[256] = "";
    ledger = ledger_open(loop, path, 16u << 20, error, sizeof error);
    cr_assert_not_null(ledger, "%s", error);
    cr_assert_eq(ledger_start(ledger), MSA_OK);
}

static void setup(void)
{
    snprintf(dir, sizeof dir, "/tmp/msad-ledger-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/policy.mdb", dir);
    buf_init(&out, LEDGER_VALUE_MAX);
    loop = loop_new();
    open_it();
}

static int remove_one(const char *name, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(name);
}

static void teardown(void)
{
    ledger_close(&ledger);
    loop_free(&loop);
    buf_fini(&out);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

TestSuite(ledger, .timeout = 60, .init = setup, .fini = teardown);

static void put(const char *key, const char *value)
{
    cr_assert_eq(ledger_put(ledger, LEDGER_META, view_cstr(key), view_cstr(value)), MSA_OK);
}

static const char *get(const char *key)
{
    static char text[256];
    if (ledger_get(ledger, LEDGER_META, view_cstr(key), &out) != MSA_FOUND)
        return NULL;
    view_to_cstr(buf_view(&out), text, sizeof text);
    return text;
}

static void on_done(void *arg, int err)
{
    *(int *)arg = err;
}

#define PENDING 12345

static int sync_it(void)
{
    int result = PENDING;
    cr_assert_eq(ledger_sync(ledger, on_done, &result), MSA_OK);
    cr_assert_eq(result, PENDING, "never from inside the call");
    while (result == PENDING)
        loop_run_once(loop, true);
    return result;
}

static bool note_key(void *arg, struct view key, struct view value)
{
    char *text = arg;
    size_t n = strlen(text);
    snprintf(text + n, 4096 - n, "%.*s=%.*s ", (int)key.n, key.p, (int)value.n, value.p);
    return true;
}

static const char *all(const char *first)
{
    static char text[4096];
    text[0] = '\0';
    ledger_each(ledger, LEDGER_META, view_cstr(first), note_key, text);
    return text;
}

Test(ledger, what_is_put_can_be_read_at_once_and_after_a_restart)
{
    put("b", "1");
    cr_assert_str_eq(get("b"), "1");
    put("b", "2");
    put("a", "0");
    cr_assert_str_eq(get("b"), "2");
    cr_assert_eq(sync_it(), MSA_OK);
    cr_assert_str_eq(get("b"), "2");
    ledger_close(&ledger);
    open_it();
    cr_assert_str_eq(get("b"), "2");
    cr_assert_str_eq(get("a"), "0");
    cr_assert_null(get("c"));
}

Test(ledger, closing_writes_what_is_left)
{
    put("k", "v");
    ledger_close(&ledger);
    open_it();
    cr_assert_str_eq(get("k"), "v");
}

Test(ledger, what_is_deleted_is_gone_at_once)
{
    put("k", "v");
    sync_it();
    ledger_delete(ledger, LEDGER_META, VIEW_LIT("k"));
    cr_assert_null(get("k"));
    cr_assert_str_eq(all(""), "");
    cr_assert_eq(sync_it(), MSA_OK);
    cr_assert_null(get("k"));
    ledger_delete(ledger, LEDGER_META, VIEW_LIT("never was"));
    cr_assert_eq(sync_it(), MSA_OK);
}

Test(ledger, a_walk_sees_the_file_and_what_is_new_in_one_order)
{
    put("b", "old");
    put("d", "old");
    put("e", "old");
    sync_it();
    put("a", "new");
    put("b", "new");
    put("c", "new");
    ledger_delete(ledger, LEDGER_META, VIEW_LIT("d"));
    ledger_put(ledger, LEDGER_NOTICES, VIEW_LIT("c"), VIEW_LIT("of another table"));
    cr_assert_str_eq(all(""), "a=new b=new c=new e=old ");
    cr_assert_str_eq(all("bb"), "c=new e=old ");
    sync_it();
    cr_assert_str_eq(all(""), "a=new b=new c=new e=old ");
}

static bool delete_it(void *arg, struct view key, struct view value)
{
    char copy[LEDGER_KEY_MAX];
    (void)value;
    memcpy(copy, key.p, key.n);
    ledger_delete(ledger, LEDGER_META, view_of(copy, key.n));
    return ++*(int *)arg < 3;
}

Test(ledger, a_walk_may_delete_and_stop)
{
    int seen = 0;
    put("a", "1");
    put("b", "1");
    sync_it();
    put("c", "1");
    put("d", "1");
    ledger_each(ledger, LEDGER_META, VIEW_EMPTY, delete_it, &seen);
    cr_assert_eq(seen, 3);
    cr_assert_str_eq(all(""), "d=1 ");
}

Test(ledger, bounds_are_kept)
{
    char key[LEDGER_KEY_MAX + 1];
    memset(key, 'k', sizeof key);
    cr_assert_eq(ledger_put(ledger, LEDGER_META, view_of(key, sizeof key), VIEW_EMPTY), MSA_EINVAL);
    cr_assert_eq(ledger_put(ledger, LEDGER_META, VIEW_EMPTY, VIEW_EMPTY), MSA_EINVAL);
    cr_assert_eq(ledger_put(ledger, LEDGER_META, view_of(key, LEDGER_KEY_MAX), VIEW_EMPTY), MSA_OK);
    char *large = calloc(1, LEDGER_VALUE_MAX + 1);
    cr_assert_eq(ledger_put(ledger, LEDGER_META, VIEW_LIT("k"), view_of(large, LEDGER_VALUE_MAX + 1)),
                 MSA_EINVAL);
    cr_assert_eq(ledger_put(ledger, LEDGER_META, VIEW_LIT("k"), view_of(large, LEDGER_VALUE_MAX)), MSA_OK);
    cr_assert_eq(sync_it(), MSA_OK);
    free(large);
}

Test(ledger, a_full_file_is_told_and_answers_go_on)
{
    char key[16];
    char *large = calloc(1, LEDGER_VALUE_MAX);
    for (int i = 0; i < 64; i++) { /* more than the map takes */
        snprintf(key, sizeof key, "k%d", i);
        ledger_put(ledger, LEDGER_META, view_cstr(key), view_of(large, LEDGER_VALUE_MAX));
    }
    put("z", "small");
    cr_assert_neq(sync_it(), MSA_OK);
    cr_assert_str_eq(get("z"), "small");
    json_t *status = ledger_status(ledger);
    cr_assert(json_is_false(json_object_get(status, "writable")));
    json_decref(status);
    for (int i = 0; i < 64; i++) {
        snprintf(key, sizeof key, "k%d", i);
        ledger_delete(ledger, LEDGER_META, view_cstr(key));
    }
    ledger_close(&ledger); /* now there is room */
    open_it();
    cr_assert_str_eq(get("z"), "small");
    free(large);
}

static bool is_writable(void)
{
    json_t *status = ledger_status(ledger);
    bool is = json_is_true(json_object_get(status, "writable"));
    json_decref(status);
    return is;
}

Test(ledger, after_a_failed_sync_the_memory_answers)
{
    log_set_level(LOG_LEVEL_ERROR + 1);
    put("before", "1");
    cr_assert_eq(sync_it(), MSA_OK);
    cr_assert(is_writable());
    disk_sync_errno = EIO;
    put("lost", "2");
    cr_assert_eq(sync_it(), MSA_EIO);
    disk_sync_errno = 0;
    cr_assert_not(is_writable());
    put("after", "3");
    cr_assert_eq(sync_it(), MSA_EIO, "a disk that lied once is not believed again");
    cr_assert_str_eq(all(""), "after=3 before=1 lost=2 ");
    ledger_close(&ledger);
    open_it();
    cr_assert_str_eq(get("before"), "1");
    cr_assert_null(get("after"));
}

Test(ledger, a_full_disk_is_tried_again)
{
    log_set_level(LOG_LEVEL_ERROR + 1);
    clock_set_for_test(1000, 1000000);
    disk_sync_errno = ENOSPC;
    put("k", "v");
    cr_assert_eq(sync_it(), MSA_EFULL);
    cr_assert_eq(sync_it(), MSA_EFULL, "who asks in between is told at once");
    disk_sync_errno = 0;
    clock_advance_for_test(6000);
    for (int i = 0; i < 1000 && !is_writable(); i++)
        loop_run_once(loop, true);
    cr_assert(is_writable());
    cr_assert_eq(sync_it(), MSA_OK);
}

Test(ledger, memory_is_bounded_while_nothing_can_be_written)
{
    char key[16];
    char *large = calloc(1, LEDGER_VALUE_MAX);
    log_set_level(LOG_LEVEL_ERROR + 1);
    disk_sync_errno = ENOSPC;
    int err = MSA_OK;
    unsigned taken = 0;
    for (; err == MSA_OK && taken < 1000; taken++) {
        snprintf(key, sizeof key, "k%u", taken);
        err = ledger_put(ledger, LEDGER_META, view_cstr(key), view_of(large, LEDGER_VALUE_MAX));
    }
    cr_assert_eq(err, MSA_EFULL);
    cr_assert_leq(taken, 130);
    cr_assert_eq(ledger_get(ledger, LEDGER_META, VIEW_LIT("k0"), &out), MSA_FOUND);
    disk_sync_errno = 0;
    free(large);
}

/* ---- killed ---- */

struct told {
    int pipe;
    int number;
};

static void on_durable(void *arg, int err)
{
    struct told *t = arg;
    if (err == MSA_OK && write(t->pipe, &t->number, sizeof t->number) < 0)
        _exit(3);
}

/* Says on the pipe which number is durable, until it is killed. */
static void write_for_ever(int pipe)
{
    enum { ROOM = 4096 };
    static struct told told[ROOM];
    char key[16];
    loop = loop_new();
    open_it();
    for (int i = 0;; i++) {
        struct told *t = &told[i % ROOM];
        *t = (struct told){pipe, i};
        snprintf(key, sizeof key, "%08d", i);
        put(key, "v");
        ledger_sync(ledger, on_durable, t);
        loop_run_once(loop, false);
        if (i % 64 == 0)
            sync_it();
    }
}

Test(ledger, what_was_told_durable_survives_a_kill)
{
    for (int round = 0; round < 10; round++) {
        int ends[2], last = -1, number, status;
        char key[16];
        ledger_close(&ledger);
        cr_assert_eq(pipe(ends), 0);
        pid_t pid = fork();
        if (pid == 0) {
            close(ends[0]);
            write_for_ever(ends[1]);
        }
        close(ends[1]);
        for (int i = 0; i < 20 + 17 * round && read(ends[0], &number, sizeof number) > 0; i++)
            last = number > last ? number : last;
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        cr_assert(WIFSIGNALED(status));
        while (read(ends[0], &number, sizeof number) > 0)
            last = number > last ? number : last;
        close(ends[0]);
        cr_assert_geq(last, 19);
        open_it();
        for (int i = 0; i <= last; i++) {
            snprintf(key, sizeof key, "%08d", i);
            cr_assert_eq(ledger_get(ledger, LEDGER_META, view_cstr(key), &out), MSA_FOUND, "%d", i);
        }
    }
}

/* Against a plain array, with syncs, restarts and turns of the loop in between. */
Test(ledger, any_sequence_reads_like_an_array)
{
    enum { KEYS = 20, STEPS = 4000 };
    char model[KEYS][16] = {{0}}, key[16], value[16], want[4096];
    int results[STEPS];
    unsigned seed = 7;
    for (int step = 0; step < STEPS; step++) {
        seed = seed * 1103515245 + 12345;
        unsigned i = seed / 65536 % KEYS, what = seed / 131 % 16;
        snprintf(key, sizeof key, "k%02u", i);
        snprintf(value, sizeof value, "%d", step);
        if (what < 8) {
            put(key, value);
            memcpy(model[i], value, sizeof model[i]);
        } else if (what < 11) {
            ledger_delete(ledger, LEDGER_META, view_cstr(key));
            model[i][0] = '\0';
        } else if (what < 14) {
            loop_run_once(loop, false);
        } else if (what == 14) {
            results[step] = PENDING;
            ledger_sync(ledger, on_done, &results[step]);
        } else if (seed % 64 == 0) {
            ledger_close(&ledger);
            open_it();
        }
        const char *got = get(key);
        cr_assert_str_eq(got ? got : "", model[i]);
        if (step % 16 != 0)
            continue;
        want[0] = '\0';
        for (unsigned k = 0; k < KEYS; k++)
            if (model[k][0])
                snprintf(want + strlen(want), sizeof want - strlen(want), "k%02u=%s ", k, model[k]);
        cr_assert_str_eq(all(""), want);
    }
}
