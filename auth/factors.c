#include "auth/factors.h"

#include <string.h>

#include "auth/record.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/base/utf8.h"

#define VERSION      1
#define FLAG_ONLY    1u
#define FLAG_PENDING 2u
#define FLAG_ON      4u

/* ---- encode ---- */

static uint8_t flags_of(const struct factors *f)
{
    return (uint8_t)((f->app_passwords_only ? FLAG_ONLY : 0) | (f->totp == TOTP_PENDING ? FLAG_PENDING : 0) |
                     (f->totp == TOTP_ON ? FLAG_ON : 0));
}

static void put_totp(struct buf *out, const struct factors *f)
{
    buf_append(out, f->sealed, sizeof f->sealed);
    put_i64(out, f->last_step);
    put_u8(out, f->wrong_count);
    put_i64(out, f->wrong_ms);
    put_u8(out, (uint8_t)f->recovery_count);
    buf_append(out, f->recovery, f->recovery_count * FACTORS_HASH_BYTES);
}

static void put_app(struct buf *out, const struct app_password *a)
{
    put_u64(out, a->id);
    put_cstr(out, a->name);
    put_u8(out, a->scopes);
    put_i64(out, a->created_ms);
    put_i64(out, a->used_ms);
    buf_append(out, a->used_from, 2);
    buf_append(out, a->verifier, sizeof a->verifier);
}

void factors_encode(const struct factors *f, struct buf *out)
{
    size_t begin = buf_len(out);
    put_u8(out, VERSION);
    put_u8(out, flags_of(f));
    if (f->totp != TOTP_NONE)
        put_totp(out, f);
    put_u8(out, (uint8_t)f->app_count);
    for (size_t i = 0; i < f->app_count; i++)
        put_app(out, &f->apps[i]);
    record_seal(out, begin);
}

/* ---- decode ---- */

static bool get_totp(struct reader *r, struct factors *f)
{
    record_get_raw(r, f->sealed, sizeof f->sealed);
    f->last_step = get_i64(r);
    f->wrong_count = get_u8(r);
    f->wrong_ms = get_i64(r);
    f->recovery_count = get_u8(r);
    if (f->recovery_count > FACTORS_RECOVERY_MAX)
        return false;
    record_get_raw(r, f->recovery, f->recovery_count * FACTORS_HASH_BYTES);
    return true;
}

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool get_app(struct reader *r, struct app_password *a)
{
    a->id = get_u64(r);
    struct view name = get_bytes(r, FACTORS_NAME_MAX);
    a->scopes = get_u8(r);
    a->created_ms = get_i64(r);
    a->used_ms = get_i64(r);
    record_get_raw(r, a->used_from, 2);
    record_get_raw(r, a->verifier, sizeof a->verifier);
    bool is_place = (is_letter(a->used_from[0]) && is_letter(a->used_from[1])) ||
                    (a->used_from[0] == '\0' && a->used_from[1] == '\0');
    return a->id != 0 && name.n > 0 && utf8_is_valid(name) && view_to_cstr(name, a->name, sizeof a->name) &&
           a->scopes != 0 && (a->scopes & ~APP_SCOPES_ALL) == 0 && is_place;
}

static bool get_apps(struct reader *r, struct factors *f)
{
    f->app_count = get_u8(r);
    if (f->app_count > FACTORS_APPS_MAX)
        return false;
    for (size_t i = 0; i < f->app_count; i++)
        if (!get_app(r, &f->apps[i]))
            return false;
    return true;
}

static bool decode_fields(struct reader *r, struct factors *out)
{
    uint8_t version = get_u8(r), flags = get_u8(r);
    bool is_pending = (flags & FLAG_PENDING) != 0, is_on = (flags & FLAG_ON) != 0;
    if (version != VERSION || (flags & ~(FLAG_ONLY | FLAG_PENDING | FLAG_ON)) != 0 || (is_pending && is_on))
        return false;
    out->app_passwords_only = (flags & FLAG_ONLY) != 0;
    out->totp = is_on ? TOTP_ON : is_pending ? TOTP_PENDING : TOTP_NONE;
    return (out->totp == TOTP_NONE || get_totp(r, out)) && get_apps(r, out) && reader_end(r) == MSA_OK;
}

int factors_decode(struct view record, struct factors *out)
{
    memset(out, 0, sizeof *out);
    struct reader fields;
    if (record_open(record, FACTORS_RECORD_MAX, &fields) && decode_fields(&fields, out))
        return MSA_OK;
    factors_wipe(out);
    return MSA_ECORRUPT;
}

/* ---- the list ---- */

bool factors_are_empty(const struct factors *f)
{
    return !f->app_passwords_only && f->totp == TOTP_NONE && f->app_count == 0;
}

struct app_password *factors_app(struct factors *f, uint64_t id)
{
    for (size_t i = 0; i < f->app_count; i++)
        if (f->apps[i].id == id)
            return &f->apps[i];
    return NULL;
}

void factors_drop_app(struct factors *f, struct app_password *app)
{
    struct app_password *last = &f->apps[f->app_count - 1];
    memmove(app, app + 1, (size_t)(last - app) * sizeof *app); /* the order is that of their making */
    secret_wipe(last, sizeof *last);
    f->app_count--;
}

void factors_wipe(struct factors *f)
{
    secret_wipe(f, sizeof *f);
}
