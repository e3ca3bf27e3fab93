#include "auth/saslauthd_wire.h"

#include <string.h>

#include "msa/base/err.h"

#define LENGTH_BYTES 2
#define WORD_BYTES   2

static bool is_carried(struct view v)
{
    return v.n > 0 && v.n <= SASLAUTHD_FIELD_MAX && memchr(v.p, '\0', v.n) == NULL;
}

bool saslauthd_may_carry(struct view login, struct view password)
{
    return is_carried(login) && is_carried(password);
}

static void add_field(struct buf *out, struct view v)
{
    buf_add_char(out, (char)(v.n >> 8));
    buf_add_char(out, (char)(v.n & 0xff));
    buf_add(out, v);
}

int saslauthd_ask_write(const struct saslauthd_ask *q, struct buf *out)
{
    if (!saslauthd_may_carry(q->login, q->password) || q->service.n > SASLAUTHD_FIELD_MAX ||
        q->realm.n > SASLAUTHD_FIELD_MAX)
        return MSA_ETOOBIG;
    add_field(out, q->login);
    add_field(out, q->password);
    add_field(out, q->service);
    add_field(out, q->realm);
    return buf_failed(out) ? MSA_ENOMEM : MSA_OK;
}

enum saslauthd_answer saslauthd_answer_read(struct view bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    if (bytes.n < LENGTH_BYTES)
        return SASLAUTHD_MORE;
    size_t length = (size_t)p[0] << 8 | p[1];
    struct view text = view_slice(bytes, LENGTH_BYTES, bytes.n);
    if (length < WORD_BYTES || length > SASLAUTHD_ANSWER_MAX - LENGTH_BYTES || text.n > length)
        return SASLAUTHD_RUBBISH;
    bool is_ok = view_has_prefix(VIEW_LIT("OK"), view_slice(text, 0, text.n < WORD_BYTES ? text.n : WORD_BYTES));
    bool is_no = view_has_prefix(VIEW_LIT("NO"), view_slice(text, 0, text.n < WORD_BYTES ? text.n : WORD_BYTES));
    bool is_word = text.n <= WORD_BYTES || text.p[WORD_BYTES] == ' ' || text.p[WORD_BYTES] == '\0';
    if ((!is_ok && !is_no) || !is_word)
        return SASLAUTHD_RUBBISH;
    if (text.n < length)
        return SASLAUTHD_MORE;
    return is_ok ? SASLAUTHD_OK : SASLAUTHD_NO;
}
