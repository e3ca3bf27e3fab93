#include "policy/sent.h"

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/base/table.h"
#include "policy/engine/record.h"

#define VERSION   1
#define VALUE_MAX (32 + IPC_LOGIN_MAX)

enum { KEY_ID = 'i', KEY_MESSAGE_ID = 'm' };

static struct store_record record_of(char kind, uint64_t number)
{
    struct store_record r = {.key = {.length = 9, .bytes = {kind}}};
    for (int i = 0; i < 8; i++)
        r.key.bytes[1 + i] = (char)(number >> (56 - 8 * i));
    return r;
}

/* Those of the message; how many. */
static unsigned records_of(const struct sent *s, uint64_t id, struct view message_id, struct store_record out[2])
{
    unsigned count = 0;
    if (id != 0)
        out[count++] = record_of(KEY_ID, id);
    if (message_id.n > 0)
        out[count++] = record_of(KEY_MESSAGE_ID, siphash13(s->hash_key, message_id.p, message_id.n));
    return count;
}

/* False: nothing that counts. */
static bool decode(struct view bytes, int64_t now_ms, struct sent_owner *out)
{
    struct reader r = reader_of(bytes);
    bool is_ours = get_u8(&r) == RECORD_VERSION;
    int64_t until_ms = (int64_t)get_u32(&r) * 1000;
    is_ours &= get_u8(&r) == VERSION;
    out->account = get_u64(&r);
    struct view login = view_of((const char *)r.p, r.n);
    return !r.failed && is_ours && now_ms < until_ms && view_to_cstr(login, out->login, sizeof out->login);
}

static void encode(uint64_t account, struct view login, int64_t until_ms, struct buf *out)
{
    put_u8(out, RECORD_VERSION);
    put_u32(out, (uint32_t)(until_ms / 1000));
    put_u8(out, VERSION);
    put_u64(out, account);
    buf_add(out, login);
}

void sent_note(const struct sent *s, const struct sent_message *m, int64_t now_ms, int64_t keep_ms)
{
    struct store_record records[2];
    struct sent_owner before;
    struct buf own, several;
    unsigned count = records_of(s, m->id, m->message_id, records);
    if (!s->store || keep_ms <= 0 || m->account == 0 || s->store->ops->read_many(s->store, records, count) != MSA_OK)
        return;
    buf_init(&own, VALUE_MAX);
    buf_init(&several, VALUE_MAX);
    encode(m->account, m->login, now_ms + keep_ms, &own);
    encode(0, VIEW_EMPTY, now_ms + keep_ms, &several);
    for (unsigned i = 0; i < count; i++) {
        bool is_shared = decode(records[i].bytes, now_ms, &before) && before.account != m->account;
        records[i].bytes = buf_view(is_shared ? &several : &own);
    }
    if (!buf_failed(&own) && !buf_failed(&several))
        (void)s->store->ops->swap_many(s->store, records, count);
    buf_fini(&own);
    buf_fini(&several);
}

int sent_find(const struct sent *s, uint64_t id, struct view message_id, int64_t now_ms, struct sent_owner *out)
{
    struct store_record records[2];
    unsigned count = records_of(s, id, message_id, records);
    if (!s->store || count == 0 || s->store->ops->read_many(s->store, records, count) != MSA_OK)
        return MSA_ENOENT;
    for (unsigned i = 0; i < count; i++)
        if (decode(records[i].bytes, now_ms, out))
            return out->account != 0 ? MSA_OK : MSA_EEXIST;
    return MSA_ENOENT;
}
