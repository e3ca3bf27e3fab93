#include "policy/risk.h"

#include "msa/base/codec.h"
#include "msa/base/err.h"
#include "msa/base/log.h"

#define VERSION      1
#define KEY_BYTES    8
#define RECORD_MAX   256
#define EVERY_MS     60000 /* the same again is written at most so often */

/* ---- the record ---- */

static struct view key_of(uint64_t account, char out[KEY_BYTES])
{
    for (int i = 0; i < KEY_BYTES; i++)
        out[i] = (char)(account >> (56 - 8 * i));
    return view_of(out, KEY_BYTES);
}

static void encode(const struct risk *r, struct buf *out)
{
    put_u8(out, VERSION);
    put_i64(out, r->since_ms);
    put_i64(out, r->last_ms);
    put_i64(out, r->stay_ms);
    put_i64(out, r->score_milli);
    put_i64(out, r->clean_below_milli);
    put_bytes(out, view_cstr(r->route));
    put_bytes(out, view_cstr(r->pool));
}

static int decode(struct view bytes, struct risk *out)
{
    struct reader g = reader_of(bytes);
    bool is_ours = get_u8(&g) == VERSION;
    *out = (struct risk){.since_ms = get_i64(&g)};
    out->last_ms = get_i64(&g);
    out->stay_ms = get_i64(&g);
    out->score_milli = get_i64(&g);
    int64_t below = get_i64(&g);
    struct view route = get_bytes(&g, RISK_NAME_MAX - 1), pool = get_bytes(&g, RISK_NAME_MAX - 1);
    bool is_sound = below >= INT32_MIN && below <= INT32_MAX &&
                    view_to_cstr(route, out->route, sizeof out->route) &&
                    view_to_cstr(pool, out->pool, sizeof out->pool);
    out->clean_below_milli = (int32_t)(is_sound ? below : 0);
    return is_ours && is_sound && reader_end(&g) == MSA_OK ? MSA_OK : MSA_ECORRUPT;
}

int64_t risk_record_until_ms(struct view record)
{
    struct risk r;
    return decode(record, &r) == MSA_OK ? risk_until_ms(&r) : 0;
}

static void save(struct ledger *ledger, uint64_t account, const struct risk *r)
{
    char key[KEY_BYTES];
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX);
    encode(r, &bytes);
    (void)ledger_put(ledger, LEDGER_RISKS, key_of(account, key), buf_view(&bytes)); /* full: said there */
    buf_fini(&bytes);
}

static bool read_record(struct ledger *ledger, uint64_t account, struct risk *out)
{
    char key[KEY_BYTES];
    struct buf bytes;
    buf_init(&bytes, RECORD_MAX);
    enum msa_lookup found = ledger_get(ledger, LEDGER_RISKS, key_of(account, key), &bytes);
    bool is_there = found == MSA_FOUND && decode(buf_view(&bytes), out) == MSA_OK;
    if (found == MSA_RETRY || (found == MSA_FOUND && !is_there))
        log_msg(LOG_LEVEL_ERROR, "policy-record-damaged", "the risk of account %llu cannot be read",
                (unsigned long long)account);
    buf_fini(&bytes);
    return is_there;
}

/* ---- what happens ---- */

static void log_risk(const char *route, const char *pool, struct view login, int64_t score_milli)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_INFO, "account-risky");
    log_view(&l, "user", login);
    log_str(&l, "route", route);
    log_str(&l, "pool", pool);
    log_num(&l, "score_milli", score_milli);
    log_end(&l);
}

static void log_clean(struct view login, const char *pool)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_INFO, "account-clean");
    log_view(&l, "user", login);
    log_str(&l, "pool", pool);
    log_end(&l);
}

bool risk_load(struct ledger *ledger, uint64_t account, int64_t now_ms, struct view login, struct risk *out)
{
    char key[KEY_BYTES];
    if (account == 0 || !read_record(ledger, account, out))
        return false;
    if (now_ms < risk_until_ms(out))
        return true;
    (void)ledger_delete(ledger, LEDGER_RISKS, key_of(account, key));
    log_clean(login, out->pool);
    return false;
}

void risk_begin(struct ledger *ledger, uint64_t account, struct view login,
                const struct config_route *route, const struct risk *before, int64_t score_milli,
                int64_t now_ms)
{
    struct risk r = {
        .since_ms = before ? before->since_ms : now_ms,
        .last_ms = now_ms,
        .stay_ms = route->stay_ms,
        .score_milli = score_milli,
        .clean_below_milli = route->clean_below_milli,
    };
    bool is_same = before && view_eq(view_cstr(before->route), view_cstr(route->name)) &&
                   view_eq(view_cstr(before->pool), view_cstr(route->pool));
    if (account == 0 || (is_same && before->stay_ms == route->stay_ms &&
                         now_ms - before->last_ms < EVERY_MS && now_ms >= before->last_ms))
        return;
    (void)view_to_cstr(view_cstr(route->name), r.route, sizeof r.route);
    (void)view_to_cstr(view_cstr(route->pool), r.pool, sizeof r.pool);
    save(ledger, account, &r);
    if (!is_same)
        log_risk(r.route, r.pool, login, score_milli);
}

void risk_see(struct ledger *ledger, uint64_t account, const struct risk *before, int64_t score_milli,
              int64_t now_ms)
{
    struct risk r = *before;
    bool is_unclean = before->clean_below_milli > CONFIG_SCORE_ANY_MILLI &&
                      score_milli >= before->clean_below_milli;
    if (!is_unclean || (now_ms - before->last_ms < EVERY_MS && now_ms >= before->last_ms))
        return;
    r.last_ms = now_ms;
    r.score_milli = score_milli;
    save(ledger, account, &r);
}

int risk_clear(struct ledger *ledger, uint64_t account, int64_t now_ms)
{
    char key[KEY_BYTES];
    struct risk r;
    if (!read_record(ledger, account, &r) || now_ms >= risk_until_ms(&r))
        return MSA_ENOENT;
    return ledger_delete(ledger, LEDGER_RISKS, key_of(account, key));
}

json_t *risk_json(const struct risk *r)
{
    return json_pack("{s:s, s:s, s:f, s:I, s:I, s:I}", "pool", r->pool, "route", r->route, "score",
                     (double)r->score_milli / 1000.0, "since_ms", (json_int_t)r->since_ms, "last_ms",
                     (json_int_t)r->last_ms, "until_ms", (json_int_t)risk_until_ms(r));
}
