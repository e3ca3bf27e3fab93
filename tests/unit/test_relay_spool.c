#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "relay/spool_impl.h"
#include "smarthost.h"

TestSuite(relay_spool, .timeout = 60);

static char dir[64];

static struct spool *open_spool(void)
{
    char error[256];
    struct spool *s = spool_open(dir, 16u << 20, error, sizeof error);
    cr_assert_not_null(s, "%s", error);
    return s;
}

static struct spool *new_spool(void)
{
    snprintf(dir, sizeof dir, "/tmp/msad-spool-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    log_set_level(LOG_LEVEL_ERROR + 1); /* damage is what these tests make */
    return open_spool();
}

static void drop_spool(struct spool **s)
{
    char command[128];
    spool_close(s);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

static struct message *message_of(uint64_t id, const char *content)
{
    struct message *m = smarthost_message("t@example.jp", "a@x.jp b@x.jp", content);
    m->id = id;
    m->content.prepend = VIEW_LIT("Received: x\r\n");
    return m;
}

static int insert(struct spool *s, const struct message *m)
{
    struct buf b;
    buf_init(&b, ENVELOPE_MAX_BYTES);
    cr_assert_eq(envelope_encode(m, &b), MSA_OK);
    spool_begin(s);
    int err = spool_insert(s, m->id, buf_view(&b), &m->content, message_has(m, MESSAGE_LARGE));
    int commit = spool_commit(s);
    buf_fini(&b);
    return err < 0 ? err : commit;
}

static void put_raw(struct spool *s, enum spool_table table, uint64_t id, struct view value)
{
    struct spool_key key;
    spool_begin(s);
    db_put(&s->txn, table, spool_key_of(id, &key), value);
    cr_assert_eq(spool_commit(s), MSA_OK);
}

static void make_large(struct spool *s, struct message *m, size_t bytes)
{
    static const char line[] = "0123456789abcd\r\n";
    cr_assert_eq(spool_large_new(s, &m->content.fd), MSA_OK);
    for (size_t n = 0; n < bytes; n += sizeof line - 1)
        cr_assert_eq(write(m->content.fd, line, sizeof line - 1), (ssize_t)(sizeof line - 1));
    m->content.fd_bytes = bytes;
    m->flags |= MESSAGE_LARGE;
}

static int count_each(void *arg, const struct envelope_head *head)
{
    (void)head;
    ++*(int *)arg;
    return MSA_OK;
}

static struct spool_scan_result scan(struct spool *s, int *seen)
{
    struct spool_scan_result found;
    *seen = 0;
    cr_assert_eq(spool_scan(s, count_each, seen, &found), MSA_OK);
    return found;
}

static void assert_content(const struct message *m, const char *want)
{
    char got[4096];
    size_t n = (size_t)content_bytes(&m->content);
    cr_assert_lt(n, sizeof got);
    cr_assert_eq(content_copy(&m->content, 0, got, n), MSA_OK);
    cr_expect(view_eq(view_of(got, n), view_cstr(want)));
}

Test(relay_spool, small_message_survives_a_new_start)
{
    struct spool *s = new_spool();
    struct message *m = message_of(5, SMARTHOST_CONTENT), *back;
    int seen;
    cr_assert_eq(insert(s, m), MSA_OK);
    cr_expect_eq(insert(s, m), MSA_EEXIST);
    spool_close(&s);
    s = open_spool();
    cr_expect_eq(scan(s, &seen).message_count, 1);
    cr_assert_eq(spool_load(s, 5, &back), MSA_OK);
    assert_content(back, "Received: x\r\n" SMARTHOST_CONTENT);
    cr_expect_eq(back->rcpt_count, 2);
    message_free(&back);
    spool_begin(s);
    cr_expect_eq(spool_delete(s, 5), MSA_OK);
    cr_expect_eq(spool_delete(s, 5), MSA_ENOENT);
    cr_assert_eq(spool_commit(s), MSA_OK);
    cr_expect_eq(spool_load(s, 5, &back), MSA_ENOENT);
    message_free(&m);
    drop_spool(&s);
}

Test(relay_spool, progress_replaces_the_envelope_and_keeps_the_body)
{
    struct spool *s = new_spool();
    struct message *m = message_of(5, SMARTHOST_CONTENT), *back;
    struct buf b;
    cr_assert_eq(insert(s, m), MSA_OK);
    m->rcpts[0].state = RCPT_DELIVERED;
    m->attempt_count = 1;
    buf_init(&b, ENVELOPE_MAX_BYTES);
    cr_assert_eq(envelope_encode(m, &b), MSA_OK);
    spool_begin(s);
    cr_expect_eq(spool_update(s, 5, buf_view(&b)), MSA_OK);
    cr_expect_eq(spool_update(s, 6, buf_view(&b)), MSA_ENOENT);
    cr_expect_eq(spool_set_held(s, 5, HELD_FOR_OPERATOR, 0), MSA_OK);
    cr_assert_eq(spool_commit(s), MSA_OK);
    cr_assert_eq(spool_load(s, 5, &back), MSA_OK);
    cr_expect_eq(back->rcpt_count, 1);
    cr_expect(message_has(back, MESSAGE_HELD_FOR_OPERATOR));
    assert_content(back, "Received: x\r\n" SMARTHOST_CONTENT);
    message_free(&back);
    message_free(&m);
    buf_fini(&b);
    drop_spool(&s);
}

Test(relay_spool, large_message_is_a_file_and_its_name_goes_with_it)
{
    struct spool *s = new_spool();
    struct message *m = message_of(7, ""), *back;
    make_large(s, m, 1600);
    cr_assert_eq(spool_large_keep(s, m->content.fd, 7), MSA_OK);
    cr_assert_eq(insert(s, m), MSA_OK);
    cr_assert_eq(spool_load(s, 7, &back), MSA_OK);
    cr_expect_eq(content_bytes(&back->content), 1600 + 13);
    char text[32];
    cr_expect_eq(content_copy(&back->content, 0, text, 29), MSA_OK);
    cr_expect(view_eq(view_of(text, 29), VIEW_LIT("Received: x\r\n0123456789abcd\r\n")));
    message_free(&back);
    spool_large_remove(s, 7);
    cr_expect_eq(spool_load(s, 7, &back), MSA_ECORRUPT, "its file is gone");
    message_free(&m);
    drop_spool(&s);
}

Test(relay_spool, scan_moves_damage_aside_and_goes_on)
{
    struct spool *s = new_spool();
    int seen;
    for (uint64_t id = 1; id <= 5; id++) {
        struct message *m = message_of(id, SMARTHOST_CONTENT);
        cr_assert_eq(insert(s, m), MSA_OK);
        message_free(&m);
    }
    put_raw(s, SPOOL_ENVELOPES, 2, VIEW_LIT("torn"));
    put_raw(s, SPOOL_ENVELOPES, 4, VIEW_EMPTY);
    struct spool_scan_result found = scan(s, &seen);
    cr_expect_eq(found.message_count, 3);
    cr_expect_eq(found.damaged_count, 2);
    cr_expect_eq(seen, 3);
    found = scan(s, &seen);
    cr_expect_eq(found.damaged_count, 0, "aside means aside");
    struct message *back;
    cr_expect_eq(spool_load(s, 2, &back), MSA_ENOENT);
    drop_spool(&s);
}

Test(relay_spool, record_under_a_foreign_key_is_damage)
{
    struct spool *s = new_spool();
    int seen;
    struct buf b;
    struct message *m = message_of(1, SMARTHOST_CONTENT), *back;
    buf_init(&b, ENVELOPE_MAX_BYTES);
    cr_assert_eq(envelope_encode(m, &b), MSA_OK);
    put_raw(s, SPOOL_ENVELOPES, 9, buf_view(&b));
    cr_expect_eq(spool_load(s, 9, &back), MSA_ECORRUPT);
    cr_expect_eq(scan(s, &seen).damaged_count, 1);
    message_free(&m);
    buf_fini(&b);
    drop_spool(&s);
}

Test(relay_spool, missing_or_short_bodies_are_damage_not_a_crash)
{
    struct spool *s = new_spool();
    struct message *m = message_of(1, SMARTHOST_CONTENT), *back;
    cr_assert_eq(insert(s, m), MSA_OK);
    put_raw(s, SPOOL_BODIES, 1, VIEW_LIT("short"));
    cr_expect_eq(spool_load(s, 1, &back), MSA_ECORRUPT);
    struct spool_key key;
    spool_begin(s);
    db_delete(&s->txn, SPOOL_BODIES, spool_key_of(1, &key));
    cr_assert_eq(spool_commit(s), MSA_OK);
    cr_expect_eq(spool_load(s, 1, &back), MSA_ECORRUPT);
    message_free(&m);
    drop_spool(&s);
}

Test(relay_spool, leftover_bodies_are_cleaned_at_the_start)
{
    struct spool *s = new_spool();
    int seen;
    char path[160];
    struct message *kept = message_of(1, ""), *orphan = message_of(2, "");
    make_large(s, kept, 320);
    make_large(s, orphan, 320);
    cr_assert_eq(spool_large_keep(s, kept->content.fd, 1), MSA_OK);
    cr_assert_eq(spool_large_keep(s, orphan->content.fd, 2), MSA_OK);
    cr_assert_eq(insert(s, kept), MSA_OK);
    snprintf(path, sizeof path, "%s/bodies/README", dir);
    cr_assert_geq(close(open(path, O_CREAT | O_WRONLY, 0600)), 0);
    struct spool_scan_result found = scan(s, &seen);
    cr_expect_eq(found.orphan_count, 1);
    cr_expect_eq(found.message_count, 1);
    cr_expect_eq(access(path, F_OK), 0, "what is no body stays");
    cr_expect_eq(scan(s, &seen).orphan_count, 0);
    message_free(&kept);
    message_free(&orphan);
    drop_spool(&s);
}

Test(relay_spool, body_that_was_cut_short_behind_our_back_is_not_kept)
{
    struct spool *s = new_spool();
    struct message *m = message_of(3, ""), *back;
    m->content.fd = memfd_create("body", MFD_CLOEXEC);
    m->content.fd_bytes = 100; /* it holds nothing */
    cr_expect_eq(insert(s, m), MSA_EIO);
    cr_expect_eq(spool_load(s, 3, &back), MSA_ENOENT);
    message_free(&m);
    drop_spool(&s);
}

static bool note_id(void *arg, struct view record)
{
    struct envelope_head head;
    uint64_t *sum = arg;
    cr_assert_eq(envelope_read_head(record, &head), MSA_OK);
    *sum = *sum * 10 + head.id;
    return true;
}

Test(relay_spool, pages_go_by_age_and_skip_damage)
{
    struct spool *s = new_spool();
    uint64_t seen = 0;
    for (uint64_t id = 1; id <= 5; id++) {
        struct message *m = message_of(id, "");
        cr_assert_eq(insert(s, m), MSA_OK);
        message_free(&m);
    }
    put_raw(s, SPOOL_ENVELOPES, 3, VIEW_LIT("torn"));
    cr_expect(spool_page(s, 0, 2, note_id, &seen), "there is more");
    cr_expect_eq(seen, 12);
    cr_expect_not(spool_page(s, 2, 10, note_id, &seen));
    cr_expect_eq(seen, 1245);
    drop_spool(&s);
}
