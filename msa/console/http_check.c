/* What makes a header ambiguous: whoever stands between a client and us could read it otherwise, and take the rest of
 * one request for another (RFC 9112, 11.2). */
#include <string.h>

#include "msa/console/http_private.h"

#define FIELDS_MAX 100

struct found {
    unsigned fields, hosts, lengths, encodings;
    bool is_malformed;
    struct view length, encoding;
};

static bool is_token_char(char c)
{
    return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static bool is_token(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!is_token_char(v.p[i]))
            return false;
    return v.n > 0;
}

static bool is_clean(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if ((unsigned char)v.p[i] < ' ' && v.p[i] != '\t')
            return false;
    return true;
}

static enum MHD_Result look_at(void *cls, enum MHD_ValueKind kind, const char *key, size_t key_size,
                               const char *value, size_t value_size)
{
    struct found *f = cls;
    struct view name = view_of(key, key_size), v = view_of(value ? value : "", value ? value_size : 0);
    (void)kind;
    f->fields++;
    f->is_malformed = f->is_malformed || !is_token(name) || !is_clean(v);
    if (view_eq_nocase(name, VIEW_LIT("Host"))) {
        f->hosts++;
    } else if (view_eq_nocase(name, VIEW_LIT("Content-Length"))) {
        f->lengths++;
        f->length = v;
    } else if (view_eq_nocase(name, VIEW_LIT("Transfer-Encoding"))) {
        f->encodings++;
        f->encoding = v;
    }
    return MHD_YES;
}

static bool is_number(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (!ascii_is_digit(v.p[i]))
            return false;
    return v.n > 0 && v.n < 19;
}

unsigned http_check_header(struct MHD_Connection *connection, enum http_door door)
{
    struct found f = {0};
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, look_at, &f);
    if (f.fields > FIELDS_MAX)
        return 431;
    if (f.is_malformed || f.hosts > 1 || f.lengths > 1 || f.encodings > 1 || (f.lengths && f.encodings) ||
        (f.lengths && !is_number(f.length)) || (door == HTTP_DOOR_WEB && f.hosts == 0))
        return 400;
    return f.encodings && !view_eq_nocase(f.encoding, VIEW_LIT("chunked")) ? 501 : 0;
}
