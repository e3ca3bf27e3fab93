/* How a message's envelope stands on disk. Little endian, as codec.h writes:
 *
 *    0  u32 magic           "MSQ2"; "MSQ1" is the form before, without findings, still read
 *    4  u32 length          of everything behind the checksum
 *    8  u64 checksum        SipHash-1-3 with an all-zero key over those bytes: damage, not forgery
 *   16  u64 id              \
 *   24  u64 account         |
 *   32  i64 arrival_ms      |
 *   40  i64 next_attempt_ms |
 *   48  i64 hold_until_ms   |  the head, which the index is built
 *   56  i64 score_milli     |  from at the start
 *   64  u64 header_bytes    |
 *   72  u64 content_bytes   |
 *   80  u32 prepend_bytes   |  of the content; in the body table even when the rest is a file
 *   84  u32 attempt_count   |
 *   88  u32 rcpt_count      |  pending ones: those that are done leave the record
 *   92  u16 flags           |  enum message_flag
 *   94  u8  body_type       |
 *   95  u8  dsn_ret         |
 *   96  u32 length, pool    /
 *       client_ip (16 bytes), then with a u32 length each: login, sender, envid, findings
 *       per recipient: path, orcpt, u8 notify, u16 code, enhanced, text
 *
 * Pure, any thread. A record that does not decode is MSA_ECORRUPT, whatever its bytes are. */
#ifndef RELAY_ENVELOPE_H
#define RELAY_ENVELOPE_H

#include "msa/base/buf.h"
#include "relay/message.h"

#define ENVELOPE_MAX_BYTES (24u << 20)

struct envelope_head {
    uint64_t id;
    uint64_t account;
    int64_t arrival_ms;
    int64_t next_attempt_ms;
    int64_t hold_until_ms;
    int64_t score_milli;
    uint64_t header_bytes;
    uint64_t content_bytes;
    uint32_t prepend_bytes;
    uint32_t attempt_count;
    uint32_t rcpt_count;
    uint16_t flags;
    uint8_t body_type;
    uint8_t dsn_ret;
    struct view pool; /* into the record */
};

/* Appends the record of `m` with its pending recipients. MSA_OK, MSA_ETOOBIG or MSA_ENOMEM. */
int envelope_encode(const struct message *m, struct buf *out);

/* Checks the whole record and reads its head. MSA_OK or MSA_ECORRUPT. */
int envelope_read_head(struct view record, struct envelope_head *out);

/* The message without its content; prepend and fd_bytes tell only how long both are to be:
 * content.prepend.p is NULL. MSA_OK, MSA_ECORRUPT or MSA_ENOMEM. */
int envelope_decode(struct view record, struct message **out);

/* Changes what the message is held for (bits of enum hold_reason), in place; its age counts from `age_from_ms` at the
 * earliest. MSA_OK or MSA_ECORRUPT. */
int envelope_set_held(char *record, size_t n, unsigned held_for, int64_t age_from_ms);

#endif
