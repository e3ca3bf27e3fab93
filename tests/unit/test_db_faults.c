#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk_journal.h"
#include "msa/db/db.h"

static char dir[64];
static char path[96];
static char error[256];
static struct db *db;

static const char *const tables[] = {"t"};

static struct db *open_db(bool is_throwaway)
{
    struct db_settings set = {.path = path, .map_bytes = 1u << 20, .is_throwaway = is_throwaway,
                              .tables = tables, .table_count = 1};
    struct db *d = db_open(&set, error, sizeof error);
    cr_assert_not_null(d, "%s", error);
    return d;
}

static void set_up(void)
{
    snprintf(dir, sizeof dir, "/tmp/msad-test-db-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/test.mdb", dir);
}

static void tear_down(void)
{
    static const char *const suffixes[] = {"", "-lock", "-boot"};
    db_close(&db);
    for (size_t i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
        unlink(name);
    }
    rmdir(dir);
}

TestSuite(db_faults, .timeout = 60, .init = set_up, .fini = tear_down);

/* ---- syncs that fail ---- */

static int put(const char *key, size_t value_bytes)
{
    static char value[200000];
    struct db_txn txn;
    db_begin(db, true, &txn);
    db_put(&txn, 0, view_cstr(key), view_of(value, value_bytes));
    return db_commit(&txn);
}

static bool has(const char *key)
{
    struct db_txn txn;
    struct view value;
    db_begin(db, false, &txn);
    enum msa_lookup found = db_get(&txn, 0, view_cstr(key), &value);
    db_abort(&txn);
    cr_assert_neq(found, MSA_RETRY);
    return found == MSA_FOUND;
}

Test(db_faults, failed_sync_is_never_tried_again)
{
    db = open_db(false);
    cr_assert_eq(put("before", 10), MSA_OK);
    cr_assert(db_is_writable(db));
    disk_sync_errno = EIO;
    cr_assert_eq(put("lost", 10), MSA_EIO);
    disk_sync_errno = 0;
    cr_assert_not(db_is_writable(db));
    cr_assert_eq(put("after", 10), MSA_EIO);
    cr_assert(has("before"), "reading goes on");
    db_close(&db);
    db = open_db(false);
    cr_assert(has("before"));
    cr_assert_not(has("lost"));
    cr_assert_eq(put("after", 10), MSA_OK);
}

Test(db_faults, full_disk_is_not_the_end)
{
    db = open_db(false);
    disk_sync_errno = ENOSPC;
    cr_assert_eq(put("lost", 10), MSA_EFULL);
    disk_sync_errno = 0;
    cr_assert(db_is_writable(db));
    cr_assert_eq(put("kept", 10), MSA_OK);
    cr_assert(has("kept"));
    cr_assert_not(has("lost"));
}

/* ---- a map that is full ---- */

static int fill(int from)
{
    char key[16];
    for (int i = from; i < from + 1000; i++) {
        snprintf(key, sizeof key, "%d", i);
        int err = put(key, 20000);
        if (err < 0)
            return err;
    }
    return MSA_OK;
}

Test(db_faults, full_map_refuses_writes_until_it_grows)
{
    db = open_db(false);
    cr_assert_eq(fill(0), MSA_EFULL);
    cr_assert(has("0"));
    cr_assert_eq(put("more", 100000), MSA_EFULL);
    cr_assert(db_is_writable(db));
    cr_assert_eq(db_grow(db, 3u << 20), MSA_OK);
    cr_assert_eq(put("more", 100000), MSA_OK);
    uint64_t used, max;
    db_usage(db, &used, &max);
    cr_assert_eq(max, 2u << 20);
    cr_assert_eq(db_grow(db, 3u << 20), MSA_OK);
    cr_assert_eq(db_grow(db, 3u << 20), MSA_EFULL, "no larger than allowed");
    db_usage(db, &used, &max);
    cr_assert_eq(max, 3u << 20);
    cr_assert(has("0"));
    cr_assert(has("more"));
}

Test(db_faults, full_map_can_be_emptied)
{
    db = open_db(false);
    cr_assert_eq(fill(0), MSA_EFULL);
    for (int i = 0; i < 10; i++) {
        char key[16];
        struct db_txn txn;
        snprintf(key, sizeof key, "%d", i);
        db_begin(db, true, &txn);
        cr_assert(db_delete(&txn, 0, view_cstr(key)));
        cr_assert_eq(db_commit(&txn), MSA_OK);
    }
    cr_assert_eq(put("again", 20000), MSA_OK);
}

/* A hole in the file would be a SIGBUS on a full disk. */
Test(db_faults, throwaway_has_its_place_on_the_disk)
{
    struct stat st;
    db = open_db(true);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_geq(st.st_blocks * 512, 1 << 20);
    cr_assert_eq(db_grow(db, 2u << 20), MSA_OK);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_geq(st.st_blocks * 512, 2 << 20);
}

Test(db_faults, throwaway_fills_and_grows_too)
{
    db = open_db(true);
    cr_assert_eq(fill(0), MSA_EFULL);
    cr_assert_eq(db_grow(db, 2u << 20), MSA_OK);
    cr_assert_eq(put("more", 100000), MSA_OK);
    cr_assert(has("more"));
}

/* ---- throw-away files ---- */

static void write_file(const char *name, const char *bytes, size_t n)
{
    FILE *f = fopen(name, "r+");
    if (!f)
        f = fopen(name, "w");
    cr_assert_not_null(f);
    cr_assert_eq(fwrite(bytes, 1, n, f), n);
    cr_assert_eq(fclose(f), 0);
}

Test(db_faults, throwaway_keeps_its_records_over_an_ordinary_restart)
{
    db = open_db(true);
    cr_assert_eq(put("kept", 10), MSA_OK);
    db_close(&db);
    db = open_db(true);
    cr_assert(has("kept"));
}

Test(db_faults, damaged_throwaway_is_begun_anew)
{
    static const char garbage[8192] = "garbage";
    db = open_db(true);
    cr_assert_eq(put("old", 10), MSA_OK);
    db_close(&db);
    write_file(path, garbage, sizeof garbage); /* both meta pages */
    db = open_db(true);
    cr_assert_not(has("old"));
    cr_assert_eq(put("new", 10), MSA_OK);
}

Test(db_faults, throwaway_open_in_an_earlier_boot_is_begun_anew)
{
    char note[128];
    snprintf(note, sizeof note, "%s-boot", path);
    db = open_db(true);
    cr_assert_eq(put("old", 10), MSA_OK);
    db_close(&db);
    write_file(note, "another boot of the machine\n", 28);
    db = open_db(true);
    cr_assert_not(has("old"));
}

/* ---- kill -9 ---- */

static void store_number(struct db_txn *txn, const char *key, uint32_t n)
{
    db_put(txn, 0, view_cstr(key), view_of((const char *)&n, sizeof n));
}

static uint32_t load_number(struct db_txn *txn, const char *key)
{
    struct view v;
    uint32_t n = 0;
    if (db_get(txn, 0, view_cstr(key), &v) == MSA_FOUND && v.n == sizeof n)
        memcpy(&n, v.p, sizeof n);
    return n;
}

/* Raises both numbers in each transaction and reports what is committed. Only _exit and kill end it. */
_Noreturn static void write_until_killed(int report_fd, bool is_throwaway)
{
    struct db_settings set = {.path = path, .map_bytes = 1u << 20, .is_throwaway = is_throwaway,
                              .tables = tables, .table_count = 1};
    struct db *d = db_open(&set, error, sizeof error);
    struct db_txn txn;
    for (uint32_t n = 0; d; ) {
        db_begin(d, true, &txn);
        n = load_number(&txn, "a") + 1;
        store_number(&txn, "a", n);
        store_number(&txn, "b", n);
        if (db_commit(&txn) < 0 || write(report_fd, &n, sizeof n) != (ssize_t)sizeof n)
            break;
    }
    _exit(1);
}

static void kill_writers(bool is_throwaway)
{
    uint32_t committed = 0;
    for (int round = 0; round < 12; round++) {
        int fds[2];
        cr_assert_eq(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0)
            write_until_killed(fds[1], is_throwaway);
        close(fds[1]);
        for (int reports = 0; reports < 3 + round * 2; reports++)
            cr_assert_eq(read(fds[0], &committed, sizeof committed), (ssize_t)sizeof committed);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        while (read(fds[0], &committed, sizeof committed) > 0)
            continue;
        close(fds[0]);

        db = open_db(is_throwaway);
        struct db_txn txn;
        db_begin(db, false, &txn);
        uint32_t a = load_number(&txn, "a"), b = load_number(&txn, "b");
        db_abort(&txn);
        cr_assert_eq(a, b);
        cr_assert_geq(a, committed);
        cr_assert_leq(a, committed + 1);
        db_close(&db);
    }
}

Test(db_faults, killed_writer_loses_nothing_committed)
{
    kill_writers(false);
}

Test(db_faults, killed_writer_of_a_throwaway_loses_nothing_either)
{
    kill_writers(true);
}

Test(db_faults, slot_of_a_killed_reader_is_given_back)
{
    db = open_db(false);
    cr_assert_eq(put("a", 1000), MSA_OK);
    int fds[2];
    cr_assert_eq(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct db_settings set = {.path = path, .map_bytes = 1u << 20, .tables = tables,
                                  .table_count = 1};
        struct db *d = db_open(&set, error, sizeof error);
        struct db_txn txn;
        db_begin(d, false, &txn);
        (void)!write(fds[1], "x", 1);
        pause();
        _exit(0);
    }
    char c;
    cr_assert_eq(read(fds[0], &c, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    db_check_readers(db);
    uint64_t first, last, max;
    for (int i = 0; i < 10; i++)
        cr_assert_eq(put("a", 50000), MSA_OK);
    db_usage(db, &first, &max);
    for (int i = 0; i < 40; i++) /* with the reader left this would fill the map */
        cr_assert_eq(put("a", 50000), MSA_OK);
    db_usage(db, &last, &max);
    cr_assert_leq(last, first + 100000);
    close(fds[0]);
    close(fds[1]);
}
