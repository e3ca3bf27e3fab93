/* The reading half of the spool, and the scan at the start. Read transactions are short: what a
 * message needs is copied out, so that no reader keeps old pages alive while a smarthost thinks. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "relay/spool_impl.h"

#define DAMAGED_PER_SCAN 4096 /* more of them stay in place and are skipped until the next start */

static uint64_t id_of_key(struct view key)
{
    uint64_t id = 0;
    for (size_t i = 0; i < key.n && i < 8; i++)
        id = id << 8 | (unsigned char)key.p[i];
    return id;
}

/* ---- one message ---- */

static int open_large(struct spool *s, uint64_t id, struct content *c)
{
    char name[MSGID_TEXT_MAX];
    struct stat st;
    msgid_format(id, name);
    int fd = openat(s->bodies_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd == -1)
        return errno == ENOENT ? MSA_ECORRUPT : errno == ENOMEM ? MSA_ENOMEM : MSA_EIO;
    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size < c->fd_bytes) {
        close(fd);
        return MSA_ECORRUPT;
    }
    c->fd = fd;
    return MSA_OK;
}

/* Copies what the body table holds; the lengths that the record gave must fit it exactly. */
static int load_body(struct db_txn *txn, struct view key, struct message *m)
{
    struct content *c = &m->content;
    bool is_large = message_has(m, MESSAGE_LARGE);
    uint64_t want = c->prepend.n + (is_large ? 0 : c->fd_bytes);
    struct view body = VIEW_EMPTY;
    if (want > 0 && db_get(txn, SPOOL_BODIES, key, &body) != MSA_FOUND)
        return txn->err < 0 ? txn->err : MSA_ECORRUPT;
    if (body.n != want)
        return MSA_ECORRUPT;
    if (want == 0)
        return MSA_OK;
    c->owned = malloc(body.n);
    if (!c->owned)
        return MSA_ENOMEM;
    memcpy(c->owned, body.p, body.n);
    size_t prepended = c->prepend.n;
    c->prepend = view_of(c->owned, prepended);
    c->memory = view_slice(view_of(c->owned, body.n), prepended, body.n);
    return MSA_OK;
}

static int load_in(struct db_txn *txn, struct view key, struct message **out)
{
    struct view record;
    enum msa_lookup found = db_get(txn, SPOOL_ENVELOPES, key, &record);
    if (found != MSA_FOUND)
        return found == MSA_NOT_FOUND ? MSA_ENOENT : txn->err < 0 ? txn->err : MSA_EIO;
    int err = envelope_decode(record, out);
    if (err == MSA_OK)
        err = load_body(txn, key, *out);
    return err;
}

int spool_load(struct spool *s, uint64_t id, struct message **out)
{
    struct db_txn txn;
    struct spool_key buf;
    *out = NULL;
    db_begin(s->db, false, &txn);
    int err = load_in(&txn, spool_key_of(id, &buf), out);
    db_abort(&txn);
    if (err == MSA_OK && (*out)->id != id)
        err = MSA_ECORRUPT;
    if (err == MSA_OK && message_has(*out, MESSAGE_LARGE))
        err = open_large(s, id, &(*out)->content);
    if (err < 0)
        message_free(out);
    return err;
}

bool spool_page(struct spool *s, uint64_t after, uint32_t max_count, spool_page_fn *fn, void *arg)
{
    struct db_txn txn;
    struct db_cursor cur;
    struct spool_key buf;
    struct envelope_head head;
    bool is_wanted = true;
    uint32_t seen = 0;
    db_begin(s->db, false, &txn);
    db_seek(&txn, SPOOL_ENVELOPES, spool_key_of(after + 1, &buf), &cur);
    for (; db_cursor_is_at(&cur) && is_wanted && seen < max_count; db_next(&cur), seen++) {
        if (envelope_read_head(cur.value, &head) == MSA_OK)
            is_wanted = fn(arg, cur.value);
    }
    bool is_more = db_cursor_is_at(&cur);
    db_cursor_end(&cur);
    db_abort(&txn);
    return is_more;
}

/* ---- the scan ---- */

struct damaged_list {
    uint64_t ids[DAMAGED_PER_SCAN];
    size_t count;
};

static bool is_large_there(struct spool *s, const struct envelope_head *h)
{
    char name[MSGID_TEXT_MAX];
    struct stat st;
    if (!(h->flags & MESSAGE_LARGE))
        return true;
    msgid_format(h->id, name);
    return fstatat(s->bodies_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (uint64_t)st.st_size >= h->content_bytes - h->prepend_bytes;
}

static void note_damaged(struct damaged_list *list, struct view key)
{
    char text[MSGID_TEXT_MAX];
    msgid_format(id_of_key(key), text);
    log_msg(LOG_LEVEL_ERROR, "queue-record-damaged", "message %s is moved aside", text);
    if (list->count < DAMAGED_PER_SCAN)
        list->ids[list->count++] = id_of_key(key);
}

static int scan_records(struct spool *s, spool_scan_fn *fn, void *arg, struct damaged_list *damaged,
                        struct spool_scan_result *out)
{
    struct db_txn txn;
    struct db_cursor cur;
    int err = MSA_OK;
    db_begin(s->db, false, &txn);
    for (db_seek(&txn, SPOOL_ENVELOPES, VIEW_EMPTY, &cur); db_cursor_is_at(&cur) && err == MSA_OK;
         db_next(&cur)) {
        struct envelope_head head;
        bool is_good = envelope_read_head(cur.value, &head) == MSA_OK &&
                       head.id == id_of_key(cur.key) && is_large_there(s, &head);
        if (!is_good) {
            note_damaged(damaged, cur.key);
            continue;
        }
        out->message_count++;
        err = fn(arg, &head);
    }
    db_cursor_end(&cur);
    if (err == MSA_OK)
        err = txn.err;
    db_abort(&txn);
    return err;
}

static int set_damaged_aside(struct spool *s, const struct damaged_list *damaged)
{
    if (damaged->count == 0)
        return MSA_OK;
    spool_begin(s);
    for (size_t i = 0; i < damaged->count; i++)
        (void)spool_set_aside(s, damaged->ids[i]); /* what concerns all of them the commit tells */
    return spool_commit(s);
}

static bool has_envelope(struct db_txn *txn, uint64_t id)
{
    struct spool_key buf;
    struct view ignored, key = spool_key_of(id, &buf);
    /* A damaged message keeps its body; a spool that cannot answer removes nothing. */
    return db_get(txn, SPOOL_ENVELOPES, key, &ignored) != MSA_NOT_FOUND ||
           db_get(txn, SPOOL_DAMAGED, key, &ignored) != MSA_NOT_FOUND;
}

static int remove_orphans(struct spool *s, struct spool_scan_result *out)
{
    struct db_txn txn;
    int fd = openat(s->bodies_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return MSA_EIO;
    }
    db_begin(s->db, false, &txn);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        uint64_t id;
        if (!msgid_parse(view_cstr(entry->d_name), &id) || has_envelope(&txn, id))
            continue;
        spool_large_remove(s, id);
        out->orphan_count++;
    }
    db_abort(&txn);
    closedir(dir);
    return MSA_OK;
}

int spool_scan(struct spool *s, spool_scan_fn *fn, void *arg, struct spool_scan_result *out)
{
    struct damaged_list *damaged = calloc(1, sizeof *damaged);
    *out = (struct spool_scan_result){0};
    if (!damaged)
        return MSA_ENOMEM;
    int err = scan_records(s, fn, arg, damaged, out);
    if (err == MSA_OK)
        err = set_damaged_aside(s, damaged);
    if (err == MSA_OK)
        err = remove_orphans(s, out);
    out->damaged_count = damaged->count;
    free(damaged);
    return err;
}
