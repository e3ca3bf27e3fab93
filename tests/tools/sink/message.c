#include "tests/tools/sink/message.h"

#include <string.h>

#include "msa/base/assert.h"
#include "tests/common/json.h"

#define ENVELOPE_MAX_BYTES (16u << 20)
#define HEAD_MAX_BYTES     (512u << 10)
#define WHOLE_MAX_BYTES    (256u << 20)

void message_init(struct message *m, bool wants_details, bool keeps_whole)
{
    *m = (struct message){.wants_details = wants_details, .keeps_whole = keeps_whole};
    arena_init(&m->arena, ENVELOPE_MAX_BYTES);
    list_init(&m->rcpts);
    buf_init(&m->head, HEAD_MAX_BYTES);
    buf_init(&m->whole, WHOLE_MAX_BYTES);
    if (wants_details) {
        m->whole_sha = EVP_MD_CTX_new();
        m->body_sha = EVP_MD_CTX_new();
        MSA_ASSERT(m->whole_sha && m->body_sha);
    }
}

void message_fini(struct message *m)
{
    arena_fini(&m->arena);
    buf_fini(&m->head);
    buf_fini(&m->whole);
    EVP_MD_CTX_free(m->whole_sha);
    EVP_MD_CTX_free(m->body_sha);
    m->whole_sha = m->body_sha = NULL;
}

void message_reset(struct message *m)
{
    arena_fini(&m->arena);
    list_init(&m->rcpts);
    buf_reset(&m->head);
    buf_reset(&m->whole);
    m->is_open = m->is_bdat = m->head_is_done = false;
    m->from = m->from_params = NULL;
    m->rcpt_count = 0;
    m->size_bytes = 0;
}

bool message_open(struct message *m, struct view from, struct view params)
{
    message_reset(m);
    m->from = arena_strview(&m->arena, from);
    m->from_params = arena_strview(&m->arena, params);
    m->is_open = m->from && m->from_params;
    return m->is_open;
}

bool message_add_rcpt(struct message *m, struct view address, struct view params)
{
    struct rcpt *r = ARENA_NEW(&m->arena, struct rcpt);
    if (!r)
        return false;
    r->address = arena_strview(&m->arena, address);
    r->params = arena_strview(&m->arena, params);
    if (!r->address || !r->params)
        return false;
    list_append(&m->rcpts, &r->link);
    m->rcpt_count++;
    return true;
}

void message_begin_body(struct message *m, bool is_stuffed)
{
    body_begin(&m->body, is_stuffed);
    if (!m->wants_details)
        return;
    EVP_DigestInit_ex(m->whole_sha, EVP_sha256(), NULL);
    EVP_DigestInit_ex(m->body_sha, EVP_sha256(), NULL);
}

/* Adds to the head up to the empty line; returns what lies behind it. */
static struct view put_head(struct message *m, struct view v)
{
    size_t before = buf_len(&m->head);
    size_t from = before < 3 ? 0 : before - 3; /* the empty line may straddle two pieces */
    if (buf_add(&m->head, v) < 0) {
        m->head_is_done = true; /* longer than anybody sends: the rest counts as body */
        return v;
    }
    struct view head = buf_view(&m->head);
    const char *end = memmem(head.p + from, head.n - from, "\r\n\r\n", 4);
    if (!end)
        return VIEW_EMPTY;
    size_t head_bytes = (size_t)(end - head.p) + 4;
    m->head_is_done = true;
    buf_truncate(&m->head, head_bytes);
    return view_slice(v, head_bytes - before, v.n);
}

void message_put(void *message, struct view v)
{
    struct message *m = message;
    m->size_bytes += v.n;
    if (v.n == 0 || !m->wants_details)
        return;
    EVP_DigestUpdate(m->whole_sha, v.p, v.n);
    if (m->keeps_whole)
        buf_add(&m->whole, v);
    if (!m->head_is_done)
        v = put_head(m, v);
    if (v.n > 0)
        EVP_DigestUpdate(m->body_sha, v.p, v.n);
}

struct view message_field(const struct message *m, const char *name)
{
    struct view rest = buf_view(&m->head), want = view_cstr(name);
    while (rest.n > 0) {
        struct view line = view_cut(&rest, '\n');
        if (view_has_prefix_nocase(line, want) && line.n > want.n && line.p[want.n] == ':') {
            struct view value = view_slice(line, want.n + 1, line.n);
            if (value.n > 0 && value.p[value.n - 1] == '\r')
                value.n--;
            return view_trim(value);
        }
    }
    return VIEW_EMPTY;
}

static void describe_hash(struct buf *json, const char *key, EVP_MD_CTX *ctx)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    char hex[2 * EVP_MAX_MD_SIZE];
    EVP_DigestFinal_ex(ctx, digest, &n);
    for (unsigned i = 0; i < n; i++) {
        hex[2 * i] = "0123456789abcdef"[digest[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    put_json_str(json, key, view_of(hex, 2 * n));
}

void message_describe(struct message *m, struct buf *json)
{
    struct rcpt *r, *tmp;
    put_json_str(json, "from", view_cstr(m->from));
    put_json_str(json, "from_params", view_cstr(m->from_params));
    put_json_key(json, "rcpts");
    buf_add_char(json, '[');
    LIST_FOREACH(r, tmp, &m->rcpts, struct rcpt, link) {
        put_json_key(json, NULL);
        buf_add_char(json, '{');
        put_json_str(json, "to", view_cstr(r->address));
        put_json_str(json, "params", view_cstr(r->params));
        buf_add_char(json, '}');
    }
    buf_add_char(json, ']');
    put_json_bool(json, "bdat", m->is_bdat);
    put_json_num(json, "size", (int64_t)m->size_bytes);
    describe_hash(json, "sha256", m->whole_sha);
    describe_hash(json, "body_sha256", m->body_sha);
    put_json_str(json, "message_id", message_field(m, "Message-ID"));
    put_json_str(json, "subject", message_field(m, "Subject"));
    put_json_num(json, "longest_line", (int64_t)m->body.longest_line_bytes);
    put_json_bool(json, "has_8bit", m->body.has_8bit);
    put_json_num(json, "bare_cr", (int64_t)m->body.bare_cr_count);
    put_json_num(json, "bare_lf", (int64_t)m->body.bare_lf_count);
    put_json_num(json, "nul", (int64_t)m->body.nul_count);
    put_json_num(json, "bad_dot", (int64_t)m->body.bad_dot_count);
}
