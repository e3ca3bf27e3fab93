#include "policy/restriction.h"

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/base/utf8.h"
#include "policy/engine/event.h"

#define VERSION 1

static const char *const kind_names[RESTRICTION_KIND_COUNT] = {
    [RESTRICTION_SUSPENDED] = "suspended", [RESTRICTION_LOCKED] = "locked",
    [RESTRICTION_HELD] = "held",           [RESTRICTION_LIMITED] = "limited",
    [RESTRICTION_OVERSEAS] = "overseas",   [RESTRICTION_OWNER_LOCKED] = "locked-by-owner",
};

const char *restriction_kind_name(enum restriction_kind kind)
{
    return kind > 0 && kind < RESTRICTION_KIND_COUNT ? kind_names[kind] : "?";
}

/* The texts in the order of the form on disk. */
#define TEXTS(r)                                                                         \
    {                                                                                    \
        &(r)->login, &(r)->rule, &(r)->because, &(r)->grounds, &(r)->source, &(r)->told, \
            &(r)->released_by, &(r)->release_note                                        \
    }

/* Clean, and cut between characters. */
static void put_text(struct buf *out, struct view text)
{
    struct buf clean;
    buf_init(&clean, RESTRICTION_TEXT_MAX);
    (void)utf8_add_clean(&clean, text);
    put_bytes(out, buf_view(&clean));
    buf_fini(&clean);
}

int restriction_encode(const struct restriction *r, struct buf *out)
{
    const struct view *const texts[] = TEXTS(r);
    put_u8(out, VERSION);
    put_u8(out, (uint8_t)r->kind);
    put_u64(out, r->id);
    put_u64(out, r->account);
    put_i64(out, r->at_ms);
    put_i64(out, r->last_ms);
    put_u32(out, r->times);
    put_i64(out, r->until_ms);
    put_i64(out, r->released_ms);
    put_u16(out, r->country);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        put_text(out, *texts[i]);
    return buf_failed(out) ? MSA_ENOMEM : MSA_OK;
}

int restriction_decode(struct view bytes, struct restriction *out)
{
    struct view *const texts[] = TEXTS(out);
    struct reader g = reader_of(bytes);
    bool is_ours = get_u8(&g) == VERSION;
    *out = (struct restriction){.kind = (enum restriction_kind)get_u8(&g)};
    out->id = get_u64(&g);
    out->account = get_u64(&g);
    out->at_ms = get_i64(&g);
    out->last_ms = get_i64(&g);
    out->times = get_u32(&g);
    out->until_ms = get_i64(&g);
    out->released_ms = get_i64(&g);
    out->country = get_u16(&g);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = get_bytes(&g, RESTRICTION_TEXT_MAX);
    bool is_kind = out->kind > 0 && out->kind < RESTRICTION_KIND_COUNT;
    return is_ours && is_kind && reader_end(&g) == MSA_OK ? MSA_OK : MSA_ECORRUPT;
}

bool restriction_is_suspension(enum restriction_kind kind)
{
    return kind == RESTRICTION_SUSPENDED || kind == RESTRICTION_OWNER_LOCKED;
}

bool restriction_is_standing(const struct restriction *r, int64_t now_ms)
{
    if (r->released_ms != 0)
        return false;
    if (restriction_is_suspension(r->kind))
        return r->until_ms == 0 || r->until_ms > now_ms;
    return r->kind == RESTRICTION_LOCKED && r->until_ms > now_ms;
}

/* ---- for people and programs ---- */

static json_t *text(struct view v)
{
    return json_stringn(v.p ? v.p : "", v.n);
}

static void set_text(json_t *o, const char *key, struct view v)
{
    if (v.n > 0)
        json_object_set_new(o, key, text(v));
}

static void set_time(json_t *o, const char *key, int64_t ms)
{
    if (ms != 0)
        json_object_set_new(o, key, json_integer(ms));
}

json_t *restriction_json(const struct restriction *r, int64_t now_ms)
{
    char id[MSGID_TEXT_MAX], country[3];
    msgid_format(r->id, id);
    country_text(r->country, country);
    json_t *o = json_pack("{s:s, s:s, s:b, s:o, s:I}", "id", id, "kind",
                          restriction_kind_name(r->kind), "standing",
                          restriction_is_standing(r, now_ms), "login", text(r->login),
                          "at_ms", (json_int_t)r->at_ms);
    if (!o)
        return NULL;
    set_time(o, "last_ms", r->last_ms);
    json_object_set_new(o, "times", json_integer(r->times));
    set_time(o, "until_ms", r->until_ms);
    set_text(o, "rule", r->rule);
    set_text(o, "because", r->because);
    set_text(o, "grounds", r->grounds);
    if (r->country != COUNTRY_NONE)
        json_object_set_new(o, "country", json_string(country));
    set_text(o, "source", r->source);
    set_text(o, "told", r->told);
    set_time(o, "released_ms", r->released_ms);
    set_text(o, "released_by", r->released_by);
    set_text(o, "release_note", r->release_note);
    return o;
}
