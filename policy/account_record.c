/* The settings of an account on disk, little endian; texts have a u32 length before them:
 *
 *      u8 version 1 | u8 flags: 1 normalizes newlines | u8 overseas | u8 consent | u8 language
 *      i64 created | i64 changed
 *      login | class | notice address | note | senders
 *      u8 count, u16 country …                          homes
 *      u8 count, { u16 country, i64 from, i64 until } … exceptions
 *      u8 count, { rule, u32 limit } …                  overrides
 *
 * Every field is held to its bounds on the way in, so that nothing behind this file checks again. */
#include "policy/account.h"

#include "msa/base/codec.h"
#include "msa/base/utf8.h"
#include "policy/engine/rule.h"
#include "policy/senders.h"

#define VERSION         1
#define FLAG_NORMALIZES 1

/* ---- writing ---- */

static void put_homes(struct buf *b, const struct account *a)
{
    put_u8(b, (uint8_t)a->home_count);
    for (unsigned i = 0; i < a->home_count; i++)
        put_u16(b, a->homes[i]);
}

static void put_exceptions(struct buf *b, const struct account *a)
{
    put_u8(b, (uint8_t)a->exception_count);
    for (unsigned i = 0; i < a->exception_count; i++) {
        put_u16(b, a->exceptions[i].country);
        put_i64(b, a->exceptions[i].from_ms);
        put_i64(b, a->exceptions[i].until_ms);
    }
}

static void put_overrides(struct buf *b, const struct account *a)
{
    put_u8(b, (uint8_t)a->override_count);
    for (unsigned i = 0; i < a->override_count; i++) {
        put_bytes(b, a->override_rules[i]);
        put_u32(b, a->overrides[i].limit);
    }
}

int account_pack(const struct account *a, struct buf *out)
{
    put_u8(out, VERSION);
    put_u8(out, a->normalizes_newlines ? FLAG_NORMALIZES : 0);
    put_u8(out, (uint8_t)a->overseas);
    put_u8(out, (uint8_t)a->consent);
    put_u8(out, (uint8_t)a->language);
    put_i64(out, a->created_ms);
    put_i64(out, a->changed_ms);
    put_bytes(out, a->login);
    put_bytes(out, a->class_name);
    put_bytes(out, a->notice_address);
    put_bytes(out, a->note);
    put_bytes(out, a->senders);
    put_homes(out, a);
    put_exceptions(out, a);
    put_overrides(out, a);
    return buf_failed(out) ? MSA_ETOOBIG : MSA_OK;
}

/* ---- reading ---- */

static struct view get_text(struct reader *r, size_t max)
{
    struct view text = get_bytes(r, max);
    r->failed = r->failed || !utf8_is_valid(text);
    return text;
}

/* A number of `0 … last`. */
static unsigned get_small(struct reader *r, unsigned last)
{
    unsigned n = get_u8(r);
    r->failed = r->failed || n > last;
    return r->failed ? 0 : n;
}

static uint16_t get_country(struct reader *r)
{
    char text[3];
    uint16_t country = get_u16(r);
    country_text(country, text);
    r->failed = r->failed || (country != COUNTRY_NONE && country_code(view_cstr(text)) != country);
    return country;
}

static void get_homes(struct reader *r, struct account *a)
{
    a->home_count = get_small(r, ACCOUNT_HOMES_MAX);
    for (unsigned i = 0; i < a->home_count; i++) {
        a->homes[i] = get_country(r);
        r->failed = r->failed || a->homes[i] == COUNTRY_NONE;
    }
}

static void get_exceptions(struct reader *r, struct account *a)
{
    a->exception_count = get_small(r, ACCOUNT_EXCEPTIONS_MAX);
    for (unsigned i = 0; i < a->exception_count; i++) {
        struct account_exception *e = &a->exceptions[i];
        e->country = get_country(r);
        e->from_ms = get_i64(r);
        e->until_ms = get_i64(r);
        r->failed = r->failed || e->from_ms < 0 || e->until_ms < 0;
    }
}

static void get_overrides(struct reader *r, struct account *a)
{
    a->override_count = get_small(r, ACCOUNT_OVERRIDES_MAX);
    for (unsigned i = 0; i < a->override_count; i++) {
        a->override_rules[i] = get_text(r, ACCOUNT_NAME_MAX);
        a->overrides[i].rule_name_hash = rule_name_hash(a->override_rules[i]);
        a->overrides[i].limit = get_u32(r);
    }
}

static void get_texts(struct reader *r, struct account *a)
{
    a->login = get_text(r, ACCOUNT_ADDRESS_MAX);
    a->class_name = get_text(r, ACCOUNT_NAME_MAX);
    a->notice_address = get_text(r, ACCOUNT_ADDRESS_MAX);
    a->note = get_text(r, ACCOUNT_NOTE_MAX);
    a->senders = get_text(r, SENDERS_BYTES_MAX);
    r->failed = r->failed || !senders_are_sound(a->senders);
}

int account_unpack(struct view record, struct account *out)
{
    struct reader r = reader_of(record);
    struct account a = {0};
    r.failed = get_u8(&r) != VERSION;
    a.normalizes_newlines = get_small(&r, FLAG_NORMALIZES) != 0;
    a.overseas = (enum account_overseas)get_small(&r, ACCOUNT_OVERSEAS_BLOCK);
    a.consent = (enum account_consent)get_small(&r, ACCOUNT_CONSENT_NO);
    a.language = (enum account_language)get_small(&r, ACCOUNT_LANGUAGE_EN);
    a.created_ms = get_i64(&r);
    a.changed_ms = get_i64(&r);
    r.failed = r.failed || a.created_ms < 0 || a.changed_ms < 0;
    get_texts(&r, &a);
    get_homes(&r, &a);
    get_exceptions(&r, &a);
    get_overrides(&r, &a);
    bool is_sound = reader_end(&r) == MSA_OK;
    *out = is_sound ? a : (struct account){0};
    return is_sound ? MSA_OK : MSA_ECORRUPT;
}
