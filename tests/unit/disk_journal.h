/* What this process asks of the disk, call by call, so that a test can say what would be
 * left of it had the power gone between any two of them. The calls of the C library that
 * LMDB and relay write with are replaced for the whole test program; they do what they
 * always do, and are noted while a recording is on.
 *
 * The model: bytes written to a file are kept only once the file was synced, or at once
 * where it was opened with O_DSYNC; names in a directory, only once the directory was.
 * What was not synced may be there in part, in any order, cut at any sector. It is that
 * of POSIX, and harsher than what ext4 or XFS do. */
#ifndef TESTS_UNIT_DISK_JOURNAL_H
#define TESTS_UNIT_DISK_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DISK_SECTOR_BYTES 512

enum disk_event_kind {
    DISK_WRITE = 0,
    DISK_SYNC, /* a file; with its content, if none of it was noted by DISK_WRITE */
    DISK_SYNC_DIR,
    DISK_MAKE_DIR, /* name */
    DISK_NAME,     /* the file, name */
    DISK_UNNAME,   /* name */
    DISK_NOTE,     /* the test's own: what, number */
};

struct disk_event {
    enum disk_event_kind kind;
    ino_t file;
    bool is_durable; /* DISK_WRITE with O_DSYNC */
    uint64_t offset;
    char *bytes;
    size_t n;
    char name[64]; /* the last part of a path */
    int what;
    uint64_t number;
};

extern int disk_sync_errno; /* != 0: fdatasync fails so */

void disk_record_start(void);
void disk_record_stop(void);
void disk_note(int what, uint64_t number);

/* The recording, when it is stopped, until disk_record_free. */
const struct disk_event *disk_events(size_t *count_out);
void disk_record_free(void);

/* From now on syncs succeed without touching the disk: for looking at thousands of
 * images. */
void disk_skip_syncs(bool is_skipped);

#endif
