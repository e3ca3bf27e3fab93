#include "policy/mmdb.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msa/base/err.h"

struct mmdb {
    MMDB_s db;
};

bool mmdb_path_parse(const char *dotted, struct mmdb_path *out)
{
    size_t n = strlen(dotted), count = 0;
    if (n == 0 || n >= sizeof out->text)
        return false;
    memcpy(out->text, dotted, n + 1);
    for (char *key = out->text; key; count++) {
        char *dot = strchr(key, '.');
        if (count == MMDB_PATH_KEYS_MAX || key[0] == '\0' || key == dot)
            return false;
        out->keys[count] = key;
        if (dot)
            *dot++ = '\0';
        key = dot;
    }
    out->keys[count] = NULL;
    return true;
}

/* ---- sealed memory
 * ------------------------------------------------------------------------------ */

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL)

static bool write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done == -1 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* False with errno set; MMDB_BYTES_MAX bounds a file that grows while it is read. */
static bool copy_file(int from, int to)
{
    static char block[1u << 18];
    int64_t copied = 0;
    for (;;) {
        ssize_t n = read(from, block, sizeof block);
        if (n == -1 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0;
        copied += n;
        if (copied > MMDB_BYTES_MAX) {
            errno = EFBIG;
            return false;
        }
        if (!write_all(to, block, (size_t)n))
            return false;
    }
}

static bool is_file(int fd)
{
    struct stat st;
    if (fstat(fd, &st) == -1)
        return false;
    if (S_ISREG(st.st_mode))
        return true;
    errno = EINVAL;
    return false;
}

/* -1 with errno. A FIFO is not waited for. */
static int sealed_copy_of(const char *file)
{
    int from = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int to = from == -1 ? -1 : memfd_create("mmdb", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    bool is_copied = to != -1 && is_file(from) && copy_file(from, to) &&
                     fcntl(to, F_ADD_SEALS, SEALS) == 0;
    int saved_errno = errno;
    if (from != -1)
        close(from);
    if (is_copied)
        return to;
    if (to != -1)
        close(to);
    errno = saved_errno;
    return -1;
}

static int sealed_copy_of_bytes(struct view bytes)
{
    int fd = memfd_create("mmdb", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd != -1 && write_all(fd, bytes.p, bytes.n) && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        return fd;
    if (fd != -1)
        close(fd);
    return -1;
}

/* ---- is it sound?
 * ------------------------------------------------------------------------------- */

#define NODES_WALKED_MAX  20000
#define RECORDS_TRIED_MAX 5000
#define PENDING_MAX       256 /* twice the depth of an IPv6 tree */

struct walk {
    const struct mmdb *m;
    mmdb_is_wanted_fn *is_wanted;
    const void *arg;
    uint32_t pending[PENDING_MAX];
    unsigned pending_count;
    unsigned record_count;
    bool is_found;
};

static bool take_side(struct walk *w, uint8_t type, uint64_t node,
                      const MMDB_entry_s *entry)
{
    if (type == MMDB_RECORD_TYPE_EMPTY)
        return true;
    if (type == MMDB_RECORD_TYPE_DATA) {
        struct mmdb_record r = {.of = w->m, .offset = entry->offset};
        w->record_count++;
        w->is_found = w->is_found || w->is_wanted(&r, w->arg);
        return true;
    }
    if (type != MMDB_RECORD_TYPE_SEARCH_NODE || w->pending_count == PENDING_MAX)
        return false; /* no tree of a sound database is so deep */
    w->pending[w->pending_count++] = (uint32_t)node;
    return true;
}

/* Depth first, for a while: a tree that leads astray is noticed, and some record has what
 * is wanted. */
static bool is_sound(struct walk *w, char error[MMDB_ERROR_MAX])
{
    w->pending[w->pending_count++] = 0;
    for (unsigned n = 0; n < NODES_WALKED_MAX && w->pending_count > 0; n++) {
        MMDB_search_node_s node;
        uint32_t number = w->pending[--w->pending_count];
        if (MMDB_read_node(&w->m->db, number, &node) != MMDB_SUCCESS ||
            !take_side(w, node.right_record_type, node.right_record,
                       &node.right_record_entry) ||
            !take_side(w, node.left_record_type, node.left_record,
                       &node.left_record_entry)) {
            snprintf(error, MMDB_ERROR_MAX, "its search tree is damaged");
            return false;
        }
        if (w->is_found && w->record_count > RECORDS_TRIED_MAX)
            break;
    }
    if (!w->is_found)
        snprintf(error, MMDB_ERROR_MAX,
                 "none of its first %u records has what is looked for", w->record_count);
    return w->is_found;
}

/* ---- open and close
 * ----------------------------------------------------------------------------- */

static struct mmdb *open_sealed(int fd, mmdb_is_wanted_fn *is_wanted, const void *arg,
                                char error[MMDB_ERROR_MAX])
{
    char name[40];
    struct mmdb *m = calloc(1, sizeof *m);
    if (!m) {
        snprintf(error, MMDB_ERROR_MAX, "out of memory");
        return NULL;
    }
    snprintf(name, sizeof name, "/proc/self/fd/%d",
             fd); /* the library opens by name only */
    int rc = MMDB_open(name, MMDB_MODE_MMAP, &m->db);
    if (rc != MMDB_SUCCESS) {
        snprintf(error, MMDB_ERROR_MAX, "%s", MMDB_strerror(rc));
        free(m);
        return NULL;
    }
    struct walk w = {.m = m, .is_wanted = is_wanted, .arg = arg};
    if (!is_sound(&w, error))
        mmdb_close(&m);
    return m;
}

static struct mmdb *open_and_close(int fd, mmdb_is_wanted_fn *is_wanted, const void *arg,
                                   char error[MMDB_ERROR_MAX])
{
    if (fd == -1) {
        snprintf(error, MMDB_ERROR_MAX, "%s", strerror(errno));
        return NULL;
    }
    struct mmdb *m = open_sealed(fd, is_wanted, arg, error);
    close(fd); /* the mapping holds the memory */
    return m;
}

struct mmdb *mmdb_open(const char *file, mmdb_is_wanted_fn *is_wanted, const void *arg,
                       char error[MMDB_ERROR_MAX])
{
    return open_and_close(sealed_copy_of(file), is_wanted, arg, error);
}

struct mmdb *mmdb_open_bytes(struct view bytes, mmdb_is_wanted_fn *is_wanted,
                             const void *arg, char error[MMDB_ERROR_MAX])
{
    return open_and_close(sealed_copy_of_bytes(bytes), is_wanted, arg, error);
}

void mmdb_close(struct mmdb **m)
{
    if (!*m)
        return;
    MMDB_close(&(*m)->db);
    free(*m);
    *m = NULL;
}

int64_t mmdb_built_s(const struct mmdb *m)
{
    uint64_t built_s = m->db.metadata.build_epoch;
    return built_s < INT64_MAX / 1000 ? (int64_t)built_s : 0;
}

const char *mmdb_type(const struct mmdb *m)
{
    return m->db.metadata.database_type ? m->db.metadata.database_type : "";
}

size_t mmdb_bytes(const struct mmdb *m)
{
    return (size_t)m->db.file_size;
}

/* ---- look-ups
 * ----------------------------------------------------------------------------------- */

bool mmdb_find(const struct mmdb *m, const struct ipaddr *a, struct mmdb_record *out)
{
    struct sockaddr_storage sa;
    int err = MMDB_SUCCESS;
    if (ipaddr_is_none(a))
        return false;
    /* As AF_INET for a v4 address: most databases do not know ::ffff:a.b.c.d. */
    ipaddr_to_sockaddr(a, 0, &sa);
    MMDB_lookup_result_s found =
        MMDB_lookup_sockaddr(&m->db, (const struct sockaddr *)&sa, &err);
    *out = (struct mmdb_record){.of = m, .offset = found.entry.offset};
    return err == MMDB_SUCCESS && found.found_entry;
}

static bool get(const struct mmdb_record *r, const struct mmdb_path *path,
                MMDB_entry_data_s *out)
{
    MMDB_entry_s entry = {.mmdb = &r->of->db, .offset = r->offset};
    return MMDB_aget_value(&entry, out, path->keys) == MMDB_SUCCESS && out->has_data;
}

bool mmdb_text(const struct mmdb_record *r, const struct mmdb_path *path,
               struct view *out)
{
    MMDB_entry_data_s data;
    if (!get(r, path, &data) || data.type != MMDB_DATA_TYPE_UTF8_STRING)
        return false;
    *out = view_of(data.utf8_string, data.data_size);
    return true;
}

bool mmdb_u32(const struct mmdb_record *r, const struct mmdb_path *path, uint32_t *out)
{
    MMDB_entry_data_s data;
    if (!get(r, path, &data))
        return false;
    if (data.type == MMDB_DATA_TYPE_UINT32)
        *out = data.uint32;
    else if (data.type == MMDB_DATA_TYPE_UINT16)
        *out = data.uint16;
    else
        return false;
    return true;
}

bool mmdb_number(const struct mmdb_record *r, const struct mmdb_path *path, double *out)
{
    MMDB_entry_data_s data;
    if (!get(r, path, &data))
        return false;
    if (data.type == MMDB_DATA_TYPE_DOUBLE)
        *out = data.double_value;
    else if (data.type == MMDB_DATA_TYPE_FLOAT)
        *out = (double)data.float_value;
    else
        return false;
    return *out == *out; /* not a NaN */
}
