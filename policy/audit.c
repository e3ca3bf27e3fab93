#include "policy/audit.h"

#include "msa/base/codec.h"
#include "msa/base/utf8.h"

#define VERSION   1
#define VALUE_MAX (6 * AUDIT_TEXT_MAX)

static void put_big(struct buf *b, uint64_t n, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--)
        buf_add_char(b, (char)(n >> (8 * i)));
}

static void put_text(struct buf *b, struct view text)
{
    size_t n = text.n < AUDIT_TEXT_MAX ? text.n : AUDIT_TEXT_MAX;
    while (n > 0 && n < text.n && ((unsigned char)text.p[n] & 0xc0) == 0x80)
        n--; /* not in the middle of a character */
    put_bytes(b, view_slice(text, 0, n));
}

int audit_note(struct ledger *ledger, const struct audit *a)
{
    static uint32_t number; /* tells apart what happens in one millisecond */
    struct buf key, value;
    buf_init(&key, AUDIT_KEY_BYTES);
    buf_init(&value, VALUE_MAX);
    put_big(&key, ~(uint64_t)a->at_ms, 8);
    put_big(&key, ~(uint64_t)number++, 4);
    put_u8(&value, VERSION);
    put_i64(&value, a->at_ms);
    put_u16(&value, a->status);
    put_text(&value, a->actor);
    put_text(&value, a->from);
    put_text(&value, a->op);
    put_text(&value, a->target);
    put_text(&value, a->why);
    int err = buf_failed(&key) || buf_failed(&value)
                  ? MSA_ENOMEM
                  : ledger_put(ledger, LEDGER_AUDIT, buf_view(&key), buf_view(&value));
    buf_fini(&key);
    buf_fini(&value);
    return err;
}

bool audit_decode(struct view value, struct audit *out)
{
    struct reader r = reader_of(value);
    bool is_known = get_u8(&r) == VERSION;
    *out = (struct audit){.at_ms = get_i64(&r)};
    out->status = get_u16(&r);
    struct view *texts[] = {&out->actor, &out->from, &out->op, &out->target, &out->why};
    bool is_text = true;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = get_bytes(&r, AUDIT_TEXT_MAX);
        is_text = is_text && utf8_is_valid(*texts[i]);
    }
    return is_known && reader_end(&r) == MSA_OK && is_text;
}

int64_t audit_time(struct view key)
{
    uint64_t n = 0;
    for (size_t i = 0; i < 8 && i < key.n; i++)
        n = n << 8 | (unsigned char)key.p[i];
    return (int64_t)~n;
}

struct walk {
    struct view after;
    audit_each_fn *fn;
    void *arg;
};

static bool walk_one(void *arg, struct view key, struct view value)
{
    const struct walk *w = arg;
    struct audit a;
    if (view_eq(key, w->after) || !audit_decode(value, &a))
        return true;
    return w->fn(w->arg, key, &a);
}

void audit_each(struct ledger *ledger, struct view after, audit_each_fn *fn, void *arg)
{
    struct walk w = {after, fn, arg};
    ledger_each(ledger, LEDGER_AUDIT, after, walk_one, &w);
}
