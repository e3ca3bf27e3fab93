#include <criterion/criterion.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msa/base/buf.h"
#include "msa/db/db.h"

static char dir[64];
static char path[96];
static char error[256];
static struct db *db;

static const char *const tables[] = {"first", "second"};

static struct db_settings settings(bool is_throwaway)
{
    return (struct db_settings){.path = path, .map_bytes = 1u << 20, .is_throwaway = is_throwaway,
                                .tables = tables, .table_count = 2};
}

static void set_up(void)
{
    snprintf(dir, sizeof dir, "/tmp/msad-test-db-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/test.mdb", dir);
    struct db_settings set = settings(false);
    db = db_open(&set, error, sizeof error);
    cr_assert_not_null(db, "%s", error);
}

static void tear_down(void)
{
    db_close(&db);
    cr_assert_null(db);
    static const char *const names[] = {"test.mdb", "test.mdb-lock", "test.mdb-boot", "other"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s", dir, names[i]);
        unlink(name);
    }
    cr_assert_eq(rmdir(dir), 0);
}

TestSuite(db, .timeout = 30, .init = set_up, .fini = tear_down);

static void put(unsigned table, const char *key, const char *value)
{
    struct db_txn txn;
    db_begin(db, true, &txn);
    db_put(&txn, table, view_cstr(key), view_cstr(value));
    cr_assert_eq(db_commit(&txn), MSA_OK);
}

/* "?" when absent. */
static const char *get(unsigned table, const char *key)
{
    static char text[64];
    struct db_txn txn;
    struct view value;
    db_begin(db, false, &txn);
    snprintf(text, sizeof text, "?");
    if (db_get(&txn, table, view_cstr(key), &value) == MSA_FOUND)
        view_to_cstr(value, text, sizeof text);
    db_abort(&txn);
    return text;
}

static void reopen(bool is_throwaway)
{
    db_close(&db);
    struct db_settings set = settings(is_throwaway);
    db = db_open(&set, error, sizeof error);
    cr_assert_not_null(db, "%s", error);
}

/* ---- records ---- */

Test(db, what_is_committed_is_there_after_reopening)
{
    put(0, "a", "one");
    put(1, "a", "other table");
    reopen(false);
    cr_assert_str_eq(get(0, "a"), "one");
    cr_assert_str_eq(get(1, "a"), "other table");
    cr_assert_str_eq(get(0, "b"), "?");
}

Test(db, aborted_transaction_changes_nothing)
{
    put(0, "a", "one");
    struct db_txn txn;
    db_begin(db, true, &txn);
    db_put(&txn, 0, view_cstr("a"), view_cstr("two"));
    db_abort(&txn);
    db_abort(&txn);
    cr_assert_str_eq(get(0, "a"), "one");
}

Test(db, abort_after_commit_is_a_no_op)
{
    struct db_txn txn;
    db_begin(db, true, &txn);
    db_put(&txn, 0, view_cstr("a"), view_cstr("kept"));
    cr_assert_eq(db_commit(&txn), MSA_OK);
    db_abort(&txn);
    cr_assert_str_eq(get(0, "a"), "kept");
}

Test(db, put_new_keeps_what_is_there_and_is_not_sticky)
{
    struct db_txn txn;
    db_begin(db, true, &txn);
    cr_assert_eq(db_put_new(&txn, 0, view_cstr("a"), view_cstr("one")), MSA_OK);
    cr_assert_eq(db_put_new(&txn, 0, view_cstr("a"), view_cstr("two")), MSA_EEXIST);
    db_put(&txn, 0, view_cstr("b"), view_cstr("after"));
    cr_assert_eq(db_commit(&txn), MSA_OK);
    cr_assert_str_eq(get(0, "a"), "one");
    cr_assert_str_eq(get(0, "b"), "after");
}

Test(db, reserved_value_is_written_in_place)
{
    struct db_txn txn;
    db_begin(db, true, &txn);
    char *at = db_put_reserve(&txn, 0, view_cstr("a"), 5);
    cr_assert_not_null(at);
    memcpy(at, "12345", 5);
    cr_assert_eq(db_commit(&txn), MSA_OK);
    cr_assert_str_eq(get(0, "a"), "12345");
}

Test(db, delete_says_whether_it_was_there)
{
    put(0, "a", "one");
    struct db_txn txn;
    db_begin(db, true, &txn);
    cr_assert(db_delete(&txn, 0, view_cstr("a")));
    cr_assert_not(db_delete(&txn, 0, view_cstr("a")));
    cr_assert_not(db_delete(&txn, 1, view_cstr("a")));
    cr_assert_eq(db_commit(&txn), MSA_OK);
    cr_assert_str_eq(get(0, "a"), "?");
}

Test(db, failure_is_sticky_and_decides_the_commit)
{
    char key[DB_KEY_MAX + 1];
    memset(key, 'k', sizeof key);
    struct db_txn txn;
    struct view value;
    db_begin(db, true, &txn);
    db_put(&txn, 0, view_cstr("before"), view_cstr("x"));
    db_put(&txn, 0, view_of(key, sizeof key), view_cstr("x")); /* one byte too long */
    cr_assert_eq(txn.err, MSA_EINVAL);
    db_put(&txn, 0, view_cstr("after"), view_cstr("x"));
    cr_assert_eq(db_put_new(&txn, 0, view_cstr("n"), view_cstr("x")), MSA_EINVAL);
    cr_assert_null(db_put_reserve(&txn, 0, view_cstr("r"), 1));
    cr_assert_not(db_delete(&txn, 0, view_cstr("before")));
    cr_assert_eq(db_get(&txn, 0, view_cstr("before"), &value), MSA_RETRY);
    cr_assert_eq(db_count(&txn, 0), 0);
    cr_assert_eq(db_commit(&txn), MSA_EINVAL);
    cr_assert_str_eq(get(0, "before"), "?");
    db_begin(db, true, &txn);
    db_put(&txn, 0, view_of(key, DB_KEY_MAX), view_cstr("longest key"));
    cr_assert_eq(db_commit(&txn), MSA_OK);
}

Test(db, cursor_goes_through_keys_in_byte_order)
{
    static const char *const keys[] = {"b", "a", "ab", "c", "\xff", "B"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        put(0, keys[i], keys[i]);
    struct {
        const char *first;
        const char *want;
    } cases[] = {{"", "B a ab b c \xff "}, {"a", "a ab b c \xff "}, {"aa", "ab b c \xff "},
                 {"\xff\xff", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf got;
        struct db_txn txn;
        struct db_cursor cur;
        buf_init(&got, 64);
        db_begin(db, false, &txn);
        for (db_seek(&txn, 0, view_cstr(cases[i].first), &cur); db_cursor_is_at(&cur); db_next(&cur)) {
            cr_assert(view_eq(cur.key, cur.value));
            buf_add(&got, cur.key);
            buf_add_char(&got, ' ');
        }
        db_next(&cur); /* stays at the end */
        cr_assert_not(db_cursor_is_at(&cur));
        db_cursor_end(&cur);
        db_cursor_end(&cur);
        cr_assert_eq(txn.err, MSA_OK);
        db_abort(&txn);
        cr_assert(view_eq(buf_view(&got), view_cstr(cases[i].want)));
        buf_fini(&got);
    }
}

Test(db, empty_table_has_no_first_key)
{
    struct db_txn txn;
    struct db_cursor cur;
    db_begin(db, false, &txn);
    db_seek(&txn, 1, VIEW_EMPTY, &cur);
    cr_assert_not(db_cursor_is_at(&cur));
    db_cursor_end(&cur);
    cr_assert_eq(db_count(&txn, 1), 0);
    db_abort(&txn);
}

/* ---- readers and writers ---- */

Test(db, reader_sees_the_state_of_its_beginning)
{
    put(0, "a", "old");
    struct db_txn reader, second;
    struct view value;
    db_begin(db, false, &reader);
    db_begin(db, false, &second); /* two in one thread are fine */
    put(0, "a", "new");
    cr_assert_eq(db_get(&reader, 0, view_cstr("a"), &value), MSA_FOUND);
    cr_assert(view_eq(value, VIEW_LIT("old")));
    db_abort(&reader);
    db_abort(&second);
    db_begin(db, false, &reader); /* the same slot, renewed */
    cr_assert_eq(db_get(&reader, 0, view_cstr("a"), &value), MSA_FOUND);
    cr_assert(view_eq(value, VIEW_LIT("new")));
    cr_assert_eq(db_commit(&reader), MSA_OK);
}

static void *read_often(void *arg)
{
    for (int i = 0; i < 2000; i++) {
        struct db_txn txn;
        struct view a, b;
        db_begin(arg, false, &txn);
        enum msa_lookup fa = db_get(&txn, 0, view_cstr("x"), &a);
        enum msa_lookup fb = db_get(&txn, 1, view_cstr("x"), &b);
        bool is_same = fa == fb && view_eq(a, b);
        db_abort(&txn);
        if (!is_same)
            return (void *)1;
    }
    return NULL;
}

Test(db, readers_in_other_threads_never_see_half_a_transaction)
{
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, read_often, db), 0);
    for (int i = 0; i < 100; i++) {
        char value[16];
        struct db_txn txn;
        snprintf(value, sizeof value, "%d", i);
        db_begin(db, true, &txn);
        db_put(&txn, 0, view_cstr("x"), view_cstr(value));
        db_put(&txn, 1, view_cstr("x"), view_cstr(value));
        cr_assert_eq(db_commit(&txn), MSA_OK);
    }
    for (int i = 0; i < 3; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        cr_assert_null(failed);
    }
}

/* ---- the file ---- */

Test(db, file_is_private_and_not_inherited)
{
    struct stat st;
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0600);
    int seen_count = 0;
    for (int fd = 3; fd < 64; fd++) {
        struct stat open_st;
        if (fstat(fd, &open_st) == -1 || open_st.st_ino != st.st_ino || open_st.st_dev != st.st_dev)
            continue;
        seen_count++;
        cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    }
    cr_assert_geq(seen_count, 1);
}

Test(db, usage_grows_and_falls_with_what_is_kept)
{
    uint64_t empty, full, after, max;
    char value[50000];
    memset(value, 'v', sizeof value);
    db_usage(db, &empty, &max);
    cr_assert_eq(max, 1u << 20);
    struct db_txn txn;
    db_begin(db, true, &txn);
    db_put(&txn, 0, view_cstr("big"), view_of(value, sizeof value));
    cr_assert_eq(db_commit(&txn), MSA_OK);
    db_usage(db, &full, &max);
    cr_assert_geq(full, empty + sizeof value);
    db_begin(db, true, &txn);
    db_delete(&txn, 0, view_cstr("big"));
    cr_assert_eq(db_commit(&txn), MSA_OK);
    db_usage(db, &after, &max);
    cr_assert_lt(after, full - sizeof value / 2);
}

Test(db, missing_directory_is_explained)
{
    struct db_settings set = settings(false);
    set.path = "/tmp/msad-no-such-directory/x.mdb";
    cr_assert_null(db_open(&set, error, sizeof error));
    cr_assert_not_null(strstr(error, "/tmp/msad-no-such-directory/x.mdb: No such file"), "%s", error);
}

Test(db, file_of_another_kind_is_refused_and_left_alone)
{
    char other[96], lock[96];
    snprintf(other, sizeof other, "%s/other", dir);
    snprintf(lock, sizeof lock, "%s/other-lock", dir);
    FILE *f = fopen(other, "w");
    for (int i = 0; i < 10000; i++)
        fputs("not a database ", f);
    fclose(f);
    struct db_settings set = settings(false);
    set.path = other;
    cr_assert_null(db_open(&set, error, sizeof error));
    cr_assert_not_null(strstr(error, "restore it from a copy"), "%s", error);
    cr_assert_eq(access(other, F_OK), 0);
    unlink(lock);
}
