/* The power goes between any two calls to the disk: what had been promised by then is
 * there afterwards, whole.
 *
 * The real relay role takes mail with `handover queue` and delivers it later, while every
 * write, sync and change of a name is recorded. Then the disk is put together as it would
 * have been left behind each of them, and the queue opened from it. What this does not
 * show: that the kernel and the device keep what a sync has promised. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_journal.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "relay/spool.h"
#include "relay_fixture.h"

TestSuite(power_loss, .timeout = 300);

#define MAILS           18
#define LARGE_BYTES     70000
#define STORE_MAX_BYTES (8u << 20)
#define FILES_MAX       64

enum note { NOTE_PROMISED = 1, NOTE_MAY_GO };

/* ---- the disk as it was left ---- */

struct body_file {
    ino_t file;
    const struct disk_event *synced; /* its content; NULL: none of it is safe */
    char name[64], safe_name[64];    /* now, and what is safe; "": none */
};

static struct {
    char store[STORE_MAX_BYTES]; /* queue.mdb, the safe bytes */
    size_t store_bytes;
    const struct disk_event *pending[1024]; /* written to it and not yet safe */
    size_t pending_count;
    struct body_file files[FILES_MAX];
    size_t file_count;
    bool has_store, has_bodies, is_bodies_made;
    bool is_promised[MAILS + 1], may_be_gone;
} disk;

static ino_t store_file, top_dir, bodies_dir;

static void write_store(const struct disk_event *e, size_t from, size_t to)
{
    cr_assert_leq(e->offset + to, sizeof disk.store);
    memcpy(disk.store + e->offset + from, e->bytes + from, to - from);
    if (e->offset + to > disk.store_bytes)
        disk.store_bytes = e->offset + to;
}

static struct body_file *body_file(ino_t file)
{
    for (size_t i = 0; i < disk.file_count; i++) {
        if (disk.files[i].file == file)
            return &disk.files[i];
    }
    cr_assert_lt(disk.file_count, FILES_MAX);
    disk.files[disk.file_count] = (struct body_file){.file = file};
    return &disk.files[disk.file_count++];
}

static void on_sync(const struct disk_event *e)
{
    if (e->file != store_file) {
        body_file(e->file)->synced = e;
        return;
    }
    for (size_t i = 0; i < disk.pending_count; i++)
        write_store(disk.pending[i], 0, disk.pending[i]->n);
    disk.pending_count = 0;
}

static void on_sync_dir(ino_t dir)
{
    if (dir == top_dir) {
        disk.has_store = true;
        disk.has_bodies = disk.is_bodies_made;
    }
    for (size_t i = 0; dir == bodies_dir && i < disk.file_count; i++)
        memcpy(disk.files[i].safe_name, disk.files[i].name, sizeof disk.files[i].name);
}

static void on_write(const struct disk_event *e)
{
    if (e->file != store_file)
        return;
    cr_assert_lt(disk.pending_count, sizeof disk.pending / sizeof disk.pending[0]);
    if (e->is_durable)
        write_store(e, 0, e->n);
    else
        disk.pending[disk.pending_count++] = e;
}

static void on_unname(const char *name)
{
    for (size_t i = 0; i < disk.file_count; i++) {
        if (strcmp(disk.files[i].name, name) == 0)
            disk.files[i].name[0] = '\0';
    }
}

static void on_event(const struct disk_event *e)
{
    switch (e->kind) {
    case DISK_WRITE:
        on_write(e);
        break;
    case DISK_SYNC:
        on_sync(e);
        break;
    case DISK_SYNC_DIR:
        on_sync_dir(e->file);
        break;
    case DISK_MAKE_DIR:
        disk.is_bodies_made |= strcmp(e->name, "bodies") == 0;
        break;
    case DISK_NAME:
        memcpy(body_file(e->file)->name, e->name, sizeof e->name);
        break;
    case DISK_UNNAME:
        on_unname(e->name);
        break;
    case DISK_NOTE:
        disk.is_promised[e->number] |= e->what == NOTE_PROMISED;
        disk.may_be_gone |= e->what == NOTE_MAY_GO;
        break;
    }
}

/* ---- an image of it ---- */

static char image[96];

static void put_file(const char *path, const char *bytes, size_t n)
{
    FILE *f = fopen(path, "w");
    cr_assert(f && fwrite(bytes, 1, n, f) == n && fclose(f) == 0, "%s", path);
}

static bool flip_coin(void) /* the same ones at every run */
{
    static uint32_t state = 4711;
    state = state * 1664525 + 1013904223;
    return state >> 31;
}

/* Any sector of what was not synced may have arrived, `next` being the write that the
 * power cut short. */
static void put_some_sectors(const struct disk_event *e)
{
    size_t to;
    for (size_t at = 0; at < e->n; at = to) {
        to = at + DISK_SECTOR_BYTES - (e->offset + at) % DISK_SECTOR_BYTES;
        to = to < e->n ? to : e->n;
        if (flip_coin())
            write_store(e, at, to);
    }
}

static void put_bodies(bool is_lucky)
{
    char path[192];
    for (size_t i = 0; i < disk.file_count; i++) {
        const struct body_file *f = &disk.files[i];
        const char *name = is_lucky && flip_coin() ? f->name : f->safe_name;
        if (!disk.has_bodies || name[0] == '\0')
            continue;
        snprintf(path, sizeof path, "%s/bodies/%s", image, name);
        put_file(path, f->synced ? f->synced->bytes : "", f->synced ? f->synced->n : 0);
    }
}

/* With luck some of what was not synced is there, too. */
static void make_image(bool is_lucky, const struct disk_event *next)
{
    static char before[STORE_MAX_BYTES];
    char path[128], command[160];
    size_t before_bytes = disk.store_bytes;
    snprintf(command, sizeof command, "%s/bodies", image);
    cr_assert(mkdir(image, 0700) == 0 && (!disk.has_bodies || mkdir(command, 0700) == 0));
    memcpy(before, disk.store, before_bytes);
    for (size_t i = 0; is_lucky && i < disk.pending_count; i++)
        put_some_sectors(disk.pending[i]);
    if (is_lucky && next && next->kind == DISK_WRITE && next->file == store_file)
        put_some_sectors(next);
    snprintf(path, sizeof path, "%s/queue.mdb", image);
    if (disk.has_store)
        put_file(path, disk.store, disk.store_bytes);
    memset(disk.store, 0, disk.store_bytes);
    memcpy(disk.store, before, before_bytes);
    disk.store_bytes = before_bytes;
    put_bodies(is_lucky);
}

static void drop_image(void)
{
    char command[160];
    snprintf(command, sizeof command, "rm -rf %s", image);
    cr_assert_eq(system(command), 0);
}

/* ---- what is found in it ---- */

static bool is_large(uint64_t id)
{
    return id % 3 == 0;
}

static uint64_t content_bytes_of(uint64_t id)
{
    return is_large(id) ? LARGE_BYTES / 16 * 16 + 17
                        : 17 + strlen("Subject: small\r\n\r\nbody\r\n");
}

static int note_found(void *arg, const struct envelope_head *head)
{
    bool *is_found = arg;
    cr_assert(head->id >= 1 && head->id <= MAILS);
    is_found[head->id] = true;
    return MSA_OK;
}

static void check_whole(struct spool *s, uint64_t id, size_t at)
{
    static char content[LARGE_BYTES + 64];
    struct message *m;
    cr_assert_eq(spool_load(s, id, &m), MSA_OK, "message %d is damaged, event %zu",
                 (int)id, at);
    cr_assert_eq(content_bytes(&m->content), content_bytes_of(id),
                 "message %d, event %zu", (int)id, at);
    cr_assert_eq(content_copy(&m->content, 0, content, content_bytes_of(id)), MSA_OK);
    cr_assert_eq(memcmp(content + content_bytes_of(id) - 2, "\r\n", 2), 0);
    message_free(&m);
}

static void check_image(size_t at)
{
    char error[256];
    bool is_found[MAILS + 1] = {false};
    struct spool_scan_result found;
    struct spool *s = spool_open(image, 64u << 20, error, sizeof error);
    cr_assert_not_null(s, "event %zu: %s", at, error);
    cr_assert_eq(spool_scan(s, note_found, is_found, &found), MSA_OK);
    cr_assert_eq(found.damaged_count, 0, "event %zu", at);
    for (uint64_t id = 1; id <= MAILS; id++) {
        if (is_found[id])
            check_whole(s, id, at);
        cr_assert(is_found[id] || !disk.is_promised[id] || disk.may_be_gone,
                  "message %d was promised and is lost, event %zu", (int)id, at);
    }
    spool_close(&s);
}

/* ---- what is recorded ---- */

/* One by one, so that no later sync makes up for one that is missing; then some together.
 */
static void submit(uint64_t first, uint64_t count)
{
    static struct rx_answer answers[MAILS + 1];
    for (uint64_t id = first; id < first + count; id++) {
        const struct rx_accept mail = {.id = id,
                                       .account = 7,
                                       .sender = "t@example.jp",
                                       .recipients = "a@x.jp b@x.jp",
                                       .large_bytes = is_large(id) ? LARGE_BYTES : 0};
        rx_accept_async(&mail, &answers[id]);
    }
    for (uint64_t id = first; id < first + count; id++) {
        cr_assert(rx_wait(answers[id].is_here));
        cr_assert_eq(answers[id].a.result, RELAY_QUEUED);
        disk_note(NOTE_PROMISED, id);
    }
}

static ino_t inode_of(const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", rx.dir, name);
    cr_assert_eq(stat(path, &st), 0);
    return st.st_ino;
}

static void record(void)
{
    disk_record_start();
    rx_set_up("handover queue; dead_host_pause 100ms;", "");
    rx_stop_smarthost();
    for (uint64_t id = 1; id <= MAILS / 2; id++)
        submit(id, 1);
    submit(MAILS / 2 + 1, MAILS - MAILS / 2);
    disk_note(NOTE_MAY_GO, 0);
    rx_start_smarthost();
    cr_assert(rx_wait(rx_queued() == 0));
    disk_record_stop();
    store_file = inode_of("queue.mdb");
    top_dir = inode_of(".");
    bodies_dir = inode_of("bodies");
    snprintf(image, sizeof image, "%s/image", rx.dir);
}

Test(power_loss, what_was_promised_is_there_wherever_the_power_goes)
{
    size_t count;
    record();
    disk_skip_syncs(true);
    const struct disk_event *events = disk_events(&count);
    for (size_t at = 0; at < count; at++) {
        on_event(&events[at]);
        for (int luck = 0; luck < 3; luck++) {
            make_image(luck > 0, at + 1 < count ? &events[at + 1] : NULL);
            check_image(at);
            drop_image();
        }
    }
    cr_expect_gt(count, 100);
    cr_expect_eq(disk.file_count, MAILS / 3);
    disk_skip_syncs(false);
    rx_tear_down();
    disk_record_free();
}

/* ---- syncs that fail ---- */

static struct rx_answer submit_one(uint64_t id, size_t large_bytes)
{
    const struct rx_accept mail = {.id = id,
                                   .account = 7,
                                   .sender = "t@example.jp",
                                   .recipients = "a@x.jp",
                                   .large_bytes = large_bytes};
    return rx_accept(&mail);
}

static void expect_later(const struct rx_answer *answer, unsigned code)
{
    cr_expect_eq(answer->a.result, RELAY_FAILED);
    cr_expect_eq(answer->a.code, code, "%u %s", answer->a.code, answer->text);
}

Test(power_loss, failed_sync_of_the_store_ends_all_promises)
{
    struct rx_answer answer;
    rx_set_up("handover queue; dead_host_pause 100ms;", "");
    rx_stop_smarthost();
    cr_assert_eq(submit_one(1, 0).a.result, RELAY_QUEUED);
    disk_sync_errno = EIO;
    answer = submit_one(2, 0);
    expect_later(&answer, 451);
    disk_sync_errno = 0; /* the kernel says so once, and has forgotten the pages */
    answer = submit_one(3, 0);
    expect_later(&answer, 451);
    rx_restart();
    cr_expect_eq(rx_queued(), 1);
    cr_expect_eq(submit_one(4, 0).a.result, RELAY_QUEUED);
    rx_tear_down();
}

Test(power_loss, failed_sync_of_a_body_is_no_promise)
{
    static const struct {
        int sync_errno;
        unsigned code;
    } cases[] = {{EIO, 451}, {ENOSPC, 452}, {EDQUOT, 452}};
    rx_set_up("handover queue; dead_host_pause 100ms;", "");
    rx_stop_smarthost();
    for (uint64_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        disk_sync_errno = cases[i].sync_errno;
        struct rx_answer answer = submit_one(1 + i, LARGE_BYTES);
        disk_sync_errno = 0;
        expect_later(&answer, cases[i].code);
        cr_expect_eq(rx_queued(), i, "what was promised before");
        cr_expect_eq(submit_one(11 + i, LARGE_BYTES).a.result, RELAY_QUEUED,
                     "the next one is taken");
    }
    rx_tear_down();
}
