#include "relay/envelope.h"

#include <string.h>

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/base/table.h"

#define MAGIC_1      0x3151534du /* "MSQ1" */
#define MAGIC        0x3251534du /* "MSQ2" */
#define HEAD_OFFSET  16
#define HOLD_OFFSET  48
#define FLAGS_OFFSET 92
#define HEAD_MIN     100

static uint64_t checksum_of(const char *p, size_t n)
{
    static const uint8_t zero_key[16];
    return siphash13(zero_key, p, n);
}

/* ---- writing ---- */

static void put_head(const struct message *m, uint32_t pending_count, struct buf *b)
{
    put_u64(b, m->id);
    put_u64(b, m->account);
    put_i64(b, m->arrival_ms);
    put_i64(b, m->next_attempt_ms);
    put_i64(b, m->hold_until_ms);
    put_i64(b, m->score_milli);
    put_u64(b, m->header_bytes);
    put_u64(b, content_bytes(&m->content));
    put_u32(b, (uint32_t)m->content.prepend.n);
    put_u32(b, m->attempt_count);
    put_u32(b, pending_count);
    put_u16(b, m->flags);
    put_u8(b, m->body_type);
    put_u8(b, m->dsn_ret);
    put_bytes(b, m->pool);
}

static void put_rcpt(const struct message_rcpt *r, struct buf *b)
{
    put_bytes(b, r->path);
    put_bytes(b, r->orcpt);
    put_u8(b, r->notify);
    put_u16(b, r->answer.code);
    put_cstr(b, r->answer.enhanced);
    put_bytes(b, r->answer.text);
}

static void write_le(char *p, uint64_t n, size_t width)
{
    for (size_t i = 0; i < width; i++)
        p[i] = (char)(n >> (8 * i) & 0xff);
}

/* Length and checksum are known only at the end and written over their places. */
static void seal(char *record, size_t n)
{
    write_le(record + 4, n - HEAD_OFFSET, 4);
    write_le(record + 8, checksum_of(record + HEAD_OFFSET, n - HEAD_OFFSET), 8);
}

int envelope_encode(const struct message *m, struct buf *out)
{
    static const char place[HEAD_OFFSET - 4];
    size_t start = buf_len(out);
    put_u32(out, MAGIC);
    if (buf_append(out, place, sizeof place) < 0)
        return MSA_ENOMEM;
    put_head(m, message_count(m, RCPT_PENDING), out);
    put_ipaddr(out, &m->client_ip);
    put_bytes(out, m->login);
    put_bytes(out, m->sender);
    put_bytes(out, m->envid);
    put_bytes(out, m->findings);
    for (uint32_t i = 0; i < m->rcpt_count; i++) {
        if (m->rcpts[i].state == RCPT_PENDING)
            put_rcpt(&m->rcpts[i], out);
    }
    if (buf_failed(out))
        return MSA_ETOOBIG;
    seal(out->data + out->start + start, buf_len(out) - start);
    return MSA_OK;
}

/* ---- reading ---- */

static bool is_sealed(struct view record)
{
    struct reader r = reader_of(record);
    uint32_t magic = get_u32(&r);
    uint32_t length = get_u32(&r);
    uint64_t checksum = get_u64(&r);
    return !r.failed && (magic == MAGIC || magic == MAGIC_1) && length == record.n - HEAD_OFFSET &&
           checksum == checksum_of(record.p + HEAD_OFFSET, length);
}

static int get_head(struct reader *r, struct envelope_head *h)
{
    h->id = get_u64(r);
    h->account = get_u64(r);
    h->arrival_ms = get_i64(r);
    h->next_attempt_ms = get_i64(r);
    h->hold_until_ms = get_i64(r);
    h->score_milli = get_i64(r);
    h->header_bytes = get_u64(r);
    h->content_bytes = get_u64(r);
    h->prepend_bytes = get_u32(r);
    h->attempt_count = get_u32(r);
    h->rcpt_count = get_u32(r);
    h->flags = get_u16(r);
    h->body_type = get_u8(r);
    h->dsn_ret = get_u8(r);
    h->pool = get_bytes(r, IPC_NAME_MAX);
    /* The sums below rest on these; a checksum does not keep out a record of another make. */
    bool is_sane = !r->failed && h->rcpt_count > 0 && h->rcpt_count <= MESSAGE_RCPTS_MAX &&
                   h->content_bytes <= INT64_MAX && h->prepend_bytes <= h->content_bytes &&
                   h->header_bytes <= h->content_bytes && (h->flags & ~MESSAGE_FLAGS_ALL) == 0 &&
                   h->body_type <= BODY_BINARYMIME && h->dsn_ret <= RET_HDRS;
    return is_sane ? MSA_OK : MSA_ECORRUPT;
}

int envelope_read_head(struct view record, struct envelope_head *out)
{
    if (record.n < HEAD_MIN || !is_sealed(record))
        return MSA_ECORRUPT;
    struct reader r = reader_of(view_slice(record, HEAD_OFFSET, record.n));
    return get_head(&r, out);
}

static bool has_findings(struct view record)
{
    struct reader r = reader_of(record);
    return get_u32(&r) != MAGIC_1;
}

static void fill_from_head(struct message *m, const struct envelope_head *h)
{
    m->id = h->id;
    m->account = h->account;
    m->arrival_ms = h->arrival_ms;
    m->next_attempt_ms = h->next_attempt_ms;
    m->hold_until_ms = h->hold_until_ms;
    m->score_milli = h->score_milli;
    m->header_bytes = h->header_bytes;
    m->content.prepend.n = h->prepend_bytes;
    m->content.fd_bytes = h->content_bytes - h->prepend_bytes;
    m->attempt_count = h->attempt_count;
    m->flags = h->flags;
    m->body_type = h->body_type;
    m->dsn_ret = h->dsn_ret;
    m->pool = h->pool;
}

static int get_rcpt(struct reader *r, struct message_rcpt *out)
{
    *out = (struct message_rcpt){.path = get_bytes(r, IPC_PATH_MAX)};
    out->orcpt = get_bytes(r, IPC_PATH_MAX);
    out->notify = get_u8(r);
    out->answer.code = get_u16(r);
    struct view enhanced = get_bytes(r, ENHANCED_TEXT_SIZE - 1);
    out->answer.text = get_bytes(r, MESSAGE_ANSWER_MAX);
    bool is_good = !r->failed && out->path.n > 0 && message_is_safe_path(out->path) &&
                   message_is_safe_path(out->orcpt) && message_is_safe_path(out->answer.text) &&
                   view_to_cstr(enhanced, out->answer.enhanced, sizeof out->answer.enhanced);
    return is_good ? MSA_OK : MSA_ECORRUPT;
}

static int fill_from_record(struct message *m, struct view record)
{
    struct envelope_head head;
    struct reader r = reader_of(view_slice(record, HEAD_OFFSET, record.n));
    if (get_head(&r, &head) < 0)
        return MSA_ECORRUPT;
    fill_from_head(m, &head);
    get_ipaddr(&r, &m->client_ip);
    m->login = get_bytes(&r, IPC_LOGIN_MAX);
    m->sender = get_bytes(&r, IPC_PATH_MAX);
    m->envid = get_bytes(&r, 128);
    m->findings = has_findings(record) ? get_bytes(&r, IPC_FINDINGS_MAX) : VIEW_EMPTY;
    if (r.failed || !message_is_safe_path(m->sender) || !message_is_safe_path(m->envid))
        return MSA_ECORRUPT;
    /* A recipient takes 19 bytes at least: a count that cannot be true allocates nothing. */
    if (head.rcpt_count > r.n / 19)
        return MSA_ECORRUPT;
    m->rcpts = arena_alloc(&m->arena, head.rcpt_count * sizeof *m->rcpts);
    if (!m->rcpts)
        return MSA_ENOMEM;
    for (; m->rcpt_count < head.rcpt_count; m->rcpt_count++) {
        if (get_rcpt(&r, &m->rcpts[m->rcpt_count]) < 0)
            return MSA_ECORRUPT;
    }
    return reader_end(&r) == MSA_OK ? MSA_OK : MSA_ECORRUPT;
}

int envelope_decode(struct view record, struct message **out)
{
    *out = NULL;
    if (record.n < HEAD_MIN || !is_sealed(record))
        return MSA_ECORRUPT;
    struct message *m = message_new();
    if (!m)
        return MSA_ENOMEM;
    struct view copy = arena_copy(&m->arena, record);
    int err = copy.n == record.n ? fill_from_record(m, copy) : MSA_ENOMEM;
    if (err < 0)
        message_free(&m);
    *out = m;
    return err;
}

int envelope_set_held(char *record, size_t n, unsigned held_for, int64_t age_from_ms)
{
    struct envelope_head head;
    if (envelope_read_head(view_of(record, n), &head) < 0)
        return MSA_ECORRUPT;
    if (age_from_ms > head.hold_until_ms)
        write_le(record + HOLD_OFFSET, (uint64_t)age_from_ms, 8);
    write_le(record + FLAGS_OFFSET, message_flags_with(head.flags, held_for), 2);
    seal(record, n);
    return MSA_OK;
}
