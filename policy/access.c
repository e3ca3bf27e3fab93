#include "policy/access.h"

#include "msa/base/codec.h"
#include "msa/base/utf8.h"

#define VERSION       1
#define ACCOUNT_BYTES 8
#define KEY_BYTES     20
#define VALUE_MAX     512

static void put_big(struct buf *b, uint64_t n, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buf_add_char(b, (char)(n >> (8 * i)));
}

static uint64_t get_big(struct view bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < bytes.n; i++)
        n = n << 8 | (unsigned char)bytes.p[i];
    return n;
}

void access_note(struct ledger *ledger, uint64_t account, struct view actor, struct view op,
                 int64_t now_ms)
{
    static uint32_t number; /* tells apart what happens in one millisecond */
    struct buf key, value;
    if (account == 0)
        return;
    buf_init(&key, KEY_BYTES);
    buf_init(&value, VALUE_MAX);
    put_big(&key, account, 8);
    put_big(&key, ~(uint64_t)now_ms, 8);
    put_big(&key, ~(uint64_t)number++, 4);
    put_u8(&value, VERSION);
    put_i64(&value, now_ms);
    put_bytes(&value, view_slice(actor, 0, ACCESS_TEXT_MAX));
    put_bytes(&value, view_slice(op, 0, ACCESS_TEXT_MAX));
    if (!buf_failed(&key) && !buf_failed(&value))
        (void)ledger_put(ledger, LEDGER_ACCESS, buf_view(&key), buf_view(&value)); /* it logs */
    buf_fini(&key);
    buf_fini(&value);
}

bool access_decode(struct view key, struct view value, struct access *out)
{
    struct reader r = reader_of(value);
    bool is_known = get_u8(&r) == VERSION && key.n == KEY_BYTES;
    *out = (struct access){.account = get_big(view_slice(key, 0, ACCOUNT_BYTES)),
                           .at_ms = get_i64(&r)};
    out->actor = get_bytes(&r, ACCESS_TEXT_MAX);
    out->op = get_bytes(&r, ACCESS_TEXT_MAX);
    return is_known && reader_end(&r) == MSA_OK && utf8_is_valid(out->actor) &&
           utf8_is_valid(out->op);
}

int64_t access_time(struct view key)
{
    return (int64_t)~get_big(view_slice(key, ACCOUNT_BYTES, ACCOUNT_BYTES + 8));
}

struct walk {
    uint64_t account;
    access_each_fn *fn;
    void *arg;
};

static bool walk_one(void *arg, struct view key, struct view value)
{
    const struct walk *w = arg;
    struct access a;
    if (get_big(view_slice(key, 0, ACCOUNT_BYTES)) != w->account)
        return false;
    return !access_decode(key, value, &a) || w->fn(w->arg, &a);
}

void access_each(struct ledger *ledger, uint64_t account, access_each_fn *fn, void *arg)
{
    struct walk w = {account, fn, arg};
    struct buf first;
    buf_init(&first, ACCOUNT_BYTES);
    put_big(&first, account, 8);
    ledger_each(ledger, LEDGER_ACCESS, buf_view(&first), walk_one, &w);
    buf_fini(&first);
}
