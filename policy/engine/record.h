/* struct record: what is remembered of one subject (an account, an address, …) between
 * events.
 *
 * A record is a list of cells, one for each rule that counts for this subject, found by
 * the rule's cell_id, and a few with fixed ids. On disk:
 *
 *      u8 version | u32 keep_until_s | u16 epoch | u8 cells | cells…
 *      cell: u32 id | u8 kind | u16 length | payload
 *
 * A cell is decoded when somebody asks for it, and written back byte for byte if nobody
 * did: a decision costs what it looks at, not what is remembered.
 *
 * Bounded: at most RECORD_CELLS_MAX cells and RECORD_BYTES_MAX bytes. The configuration
 * refuses rules that would need more (msa/config/check_rules.c), and cells of rules that
 * are gone are dropped, so nothing in use is ever lost to the bound. Bytes that do not
 * decode are an empty record or cell: a counter may be lost, mail may not be refused for
 * it. */
#ifndef POLICY_ENGINE_RECORD_H
#define POLICY_ENGINE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

#define RECORD_VERSION   3
#define RECORD_CELLS_MAX 64
#define RECORD_BYTES_MAX 8192
#define SUM_BUCKETS \
    13 /* a window is twelve buckets wide and may begin within a thirteenth */
#define DISTINCT_MAX  128
#define STAYS_MAX     48
#define KNOWN_MAX     256
#define NETWORKS_MAX  48 /* that are remembered of an account */
#define BLOCKS_MAX    32
#define COUNTRIES_MAX 16
#define GOOD_FOR_DAYS 60
#define FAMILIAR_DAYS 3

enum cell_kind {
    CELL_SUM = 1,  /* how many in a window */
    CELL_DISTINCT, /* which different ones in a window */
    CELL_STAYS,    /* the sequence of countries */
    CELL_PLACE,    /* the last sign-in's place */
    CELL_LOCK,
    CELL_SPARE,
    CELL_KNOWN, /* a ring of hashes without times: recipients mailed before */
};

/* Cells that belong to no single rule. */
enum cell_fixed_id {
    CELL_ID_KNOWN_RECIPIENTS = 1,
    CELL_ID_GOOD_NETWORKS = 2,  /* from which the account signed in well */
    CELL_ID_MAILBOX_BLOCKS = 3, /* from which POP or IMAP was used */
    CELL_ID_MAILBOX_FEED = 4,   /* of everyone: that such accesses are reported at all */
    CELL_ID_MAILBOX_COUNTRIES = 5, /* foreign ones, from which it was used */
    CELL_ID_GOOD_BLOCKS = 6,       /* from which the account signed in or read mail */
    CELL_ID_FIRST_OF_RULES = 16,
};

struct cell_sum {
    int64_t newest_bucket;         /* index of the newest: time / width */
    uint32_t buckets[SUM_BUCKETS]; /* [0] is the newest */
};

struct cell_seen {
    uint32_t what; /* a short hash, or a country */
    uint32_t last_s;
};

struct cell_distinct {
    unsigned count;
    struct cell_seen seen[DISTINCT_MAX]; /* oldest first */
};

struct cell_stays {
    unsigned count;
    struct cell_seen
        seen[STAYS_MAX]; /* `what`: country; last_s: when it was entered; oldest first */
};

struct cell_place {
    uint32_t at_s;
    uint16_t country;
    int16_t latitude_centideg;
    int16_t longitude_centideg;
};

struct cell_lock {
    uint32_t until_s;
    uint32_t last_s; /* when it was set last */
    uint8_t level;   /* doublings so far */
};

struct cell_spare {
    uint32_t used;
    uint32_t at_s; /* as of */
};

struct cell_known {
    unsigned count;
    unsigned next; /* where the next one goes */
    uint32_t what[KNOWN_MAX];
};

struct cell {
    uint32_t id;
    enum cell_kind kind;
    bool is_open;    /* decoded; otherwise it is still what was read */
    struct view raw; /* while not open */
    union {          /* the large ones live in the record's own arena */
        struct cell_sum *sum;
        struct cell_distinct *distinct;
        struct cell_stays *stays;
        struct cell_known *known;
        struct cell_place place;
        struct cell_lock lock;
        struct cell_spare spare;
    } of;
};

struct arena;

struct record {
    uint32_t keep_until_s; /* after which nothing in it says anything any more */
    uint16_t epoch;        /* counts the account's releases */
    unsigned cell_count;
    bool is_changed;
    struct arena *arena; /* of the decision under way */
    struct cell cells[RECORD_CELLS_MAX];
};

void record_init(struct record *r, struct arena *arena);
/* MSA_OK, or MSA_ECORRUPT with `r` empty. `bytes` must outlive `r`. */
int record_decode(struct record *r, struct arena *arena, struct view bytes);
/* MSA_OK or MSA_ENOMEM; never more than RECORD_BYTES_MAX. */
int record_encode(const struct record *r, struct buf *out);
/* keep_until_s of encoded bytes; 0 if they are damaged. */
uint32_t record_keep_until(struct view bytes);

/* NULL: not there, or memory is out. */
struct cell *record_find(struct record *r, uint32_t id, enum cell_kind kind);
/* The cell, made anew and empty if it is not there. NULL when memory is out, or the
 * record is full, which cells of the rules in force cannot make it. */
struct cell *record_get(struct record *r, uint32_t id, enum cell_kind kind);

/* Drops the cells whose ids `keeps` says no to. */
typedef bool record_keeps_fn(uint32_t id, const void *arg);
void record_drop_cells(struct record *r, record_keeps_fn *keeps, const void *arg);
/* Forgets what the rules counted (after a release), not what is known of the subject. */
void record_forget_counts(struct record *r);

#endif
