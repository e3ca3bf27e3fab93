#include "policy/confusable.h"

#include <stddef.h>
#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "msa/mail/domain.h"
#include "policy/confusable_table.h"

#define CONFUSABLES (sizeof confusables / sizeof confusables[0])

static const char *find(uint32_t code)
{
    size_t low = 0, high = CONFUSABLES;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (confusables[mid].code < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low < CONFUSABLES && confusables[low].code == code ? confusables[low].plain
                                                              : NULL;
}

/* Forms of ASCII that Unicode has whole alphabets of; any other character as it is. */
static uint32_t to_ascii(uint32_t c)
{
    if (c >= 0xff01 && c <= 0xff5e) /* wide */
        return c - 0xff01 + '!';
    if (c >= 0x1d400 && c <= 0x1d6a3) { /* mathematical: thirteen times A-Z a-z */
        uint32_t at = (c - 0x1d400) % 52;
        return at < 26 ? 'A' + at : 'a' + at - 26;
    }
    if (c >= 0x1d7ce && c <= 0x1d7ff)
        return '0' + (c - 0x1d7ce) % 10;
    if (c >= 0x24b6 && c <= 0x24cf) /* circled */
        return 'A' + c - 0x24b6;
    return c >= 0x24d0 && c <= 0x24e9 ? 'a' + c - 0x24d0 : c;
}

static bool is_invisible(uint32_t c)
{
    return c == 0xad || c == 0x34f || c == 0x180e || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) ||
           (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff || (c >= 0xe0000 && c <= 0xe0fff);
}

static void add_ascii(char c, struct buf *out)
{
    switch (c) {
    case '0':
    case 'O':
        buf_add_char(out, 'o');
        break;
    case '1':
    case '|':
    case 'I':
        buf_add_char(out, 'l');
        break;
    case 'm':
    case 'M':
        buf_add_cstr(out, "rn");
        break;
    case 'w':
    case 'W':
        buf_add_cstr(out, "vv");
        break;
    default:
        buf_add_char(out, ascii_lower(c));
    }
}

static void add_code(uint32_t code, struct buf *out)
{
    char bytes[4];
    const char *plain = find(code);
    uint32_t c = to_ascii(code);
    if (plain)
        buf_add_cstr(out, plain);
    else if (c < 0x80)
        add_ascii((char)c, out);
    else if (!is_invisible(c))
        buf_append(out, bytes, utf8_encode(c, bytes));
}

static int add_text(struct view text, struct buf *out)
{
    while (text.n > 0) {
        uint32_t code;
        size_t n = utf8_decode(text, &code);
        if (n == 0)
            return MSA_EINVAL;
        add_code(code, out);
        text = view_slice(text, n, text.n);
    }
    return MSA_OK;
}

static int add_skeleton(struct view local, struct view domain, struct buf *out)
{
    char unicode[DOMAIN_UNICODE_SIZE];
    int n = domain_to_unicode(domain, unicode);
    if (n < 0)
        return n;
    int err = add_text(local, out);
    buf_add_char(out, '@');
    return err < 0 ? err : add_text(view_of(unicode, (size_t)n), out);
}

int confusable_skeleton(struct view address, char out[static CONFUSABLE_SIZE])
{
    const char *at = address.n ? memrchr(address.p, '@', address.n) : NULL;
    struct buf text;
    out[0] = '\0';
    if (!at)
        return MSA_EINVAL;
    size_t local_n = (size_t)(at - address.p);
    buf_init(&text, CONFUSABLE_SIZE - 1);
    int err = add_skeleton(view_slice(address, 0, local_n),
                           view_slice(address, local_n + 1, address.n), &text);
    if (err == MSA_OK &&
        (buf_failed(&text) || !view_to_cstr(buf_view(&text), out, CONFUSABLE_SIZE)))
        err = MSA_ETOOBIG;
    int n = (int)buf_len(&text);
    buf_fini(&text);
    return err < 0 ? err : n;
}

bool confusable_addresses(struct view a, struct view b)
{
    char left[CONFUSABLE_SIZE], right[CONFUSABLE_SIZE];
    if (view_eq_nocase(a, b))
        return false;
    int n = confusable_skeleton(a, left);
    return n > 0 && confusable_skeleton(b, right) == n &&
           memcmp(left, right, (size_t)n) == 0;
}
