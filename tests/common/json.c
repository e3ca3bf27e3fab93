#include "tests/common/json.h"

#include <stddef.h>

static void comma(struct buf *b)
{
    struct view so_far = buf_view(b);
    char last = so_far.n > 0 ? so_far.p[so_far.n - 1] : '{';
    if (last != '{' && last != '[' && last != ':')
        buf_add_char(b, ',');
}

static void quoted(struct buf *b, struct view v)
{
    buf_add_char(b, '"');
    for (size_t i = 0; i < v.n; i++) {
        unsigned char c = (unsigned char)v.p[i];
        if (c == '"' || c == '\\')
            buf_addf(b, "\\%c", c);
        else if (c < 0x20 || c > 0x7e)
            buf_addf(b, "\\u%04x", c);
        else
            buf_add_char(b, (char)c);
    }
    buf_add_char(b, '"');
}

void put_json_key(struct buf *b, const char *key)
{
    comma(b);
    if (!key)
        return;
    quoted(b, view_cstr(key));
    buf_add_char(b, ':');
}

void put_json_str(struct buf *b, const char *key, struct view value)
{
    put_json_key(b, key);
    quoted(b, value);
}

void put_json_num(struct buf *b, const char *key, int64_t value)
{
    put_json_key(b, key);
    buf_addf(b, "%lld", (long long)value);
}

void put_json_real(struct buf *b, const char *key, double value)
{
    put_json_key(b, key);
    buf_addf(b, "%.4f", value);
}

void put_json_bool(struct buf *b, const char *key, bool value)
{
    put_json_key(b, key);
    buf_add_cstr(b, value ? "true" : "false");
}
