/* The second factor: set up, confirmed, asked, switched off. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "auth/keyed.h"
#include "auth/ops_private.h"
#include "auth/qr.h"
#include "auth/totp.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"

#define URI_MAX 1600 /* a login of 320 bytes, each as %XX */

/* ---- totp.begin ---- */

static int show_secret(struct ops_call *call, const uint8_t secret[TOTP_SECRET_BYTES], json_t **answer_out)
{
    char text[TOTP_SECRET_CHARS + 1];
    struct buf uri;
    buf_init_secret(&uri, URI_MAX);
    totp_base32(secret, text);
    totp_uri(text, call->rules->hostname, call->login, &uri);
    struct view v = buf_view(&uri);
    json_t *rows = buf_failed(&uri) ? NULL : qr_rows(v);
    if (rows)
        *answer_out = json_pack("{s:s, s:s, s:s%, s:o}", "login", call->login, "secret", text, "uri", v.p, v.n, "qr", rows);
    buf_fini(&uri);
    secret_wipe(text, sizeof text);
    return *answer_out ? 200 : ops_fail(call, 503, "out of memory");
}

static int begin(struct ops_call *call, struct ops_factors *x, json_t **answer_out)
{
    uint8_t secret[TOTP_SECRET_BYTES];
    struct factors *f = &x->factors;
    if (f->totp == TOTP_ON)
        return ops_fail(call, 409, "codes are asked for already: switch that off first");
    secret_random(secret, sizeof secret);
    int status = totp_seal(store_key(call->store), x->account.id, secret, f->sealed) < 0
                     ? ops_fail(call, 503, "out of memory")
                     : 200;
    f->totp = TOTP_PENDING;
    f->last_step = f->wrong_ms = 0;
    f->wrong_count = 0;
    f->recovery_count = 0;
    if (status == 200)
        status = ops_factors_write(call, x, false);
    if (status == 200)
        status = show_secret(call, secret, answer_out);
    secret_wipe(secret, sizeof secret);
    return status;
}

int ops_totp_begin(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *login;
    struct ops_factors x = {0};
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s}", "login", &login) < 0)
        return ops_fail_arguments(call, &error);
    int status = ops_factors_begin(call, login, &x);
    if (status == 200)
        status = begin(call, &x, answer_out);
    ops_factors_end(&x);
    return status;
}

/* ---- a code is tried ---- */

static int fail_code(struct ops_call *call)
{
    return ops_fail(call, 422, "this is not the code that the authenticator shows now");
}

static int take(struct ops_call *call, struct ops_factors *x, const char *code, size_t code_bytes, bool *is_good_out)
{
    int err = totp_take(&x->factors, store_key(call->store), x->account.id, view_of(code, code_bytes),
                        call->snapshot->now_wall_ms, is_good_out);
    if (err == MSA_ECORRUPT)
        return ops_fail_lookup(call, MSA_RETRY);
    return err < 0 ? ops_fail(call, 503, "out of memory") : 200;
}

/* ---- totp.confirm ---- */

static int confirm(struct ops_call *call, struct ops_factors *x, json_t **answer_out)
{
    char codes[FACTORS_RECOVERY_MAX][TOTP_RECOVERY_SIZE];
    x->factors.totp = TOTP_ON;
    totp_make_recovery(&x->factors, store_key(call->store), x->account.id, codes);
    int status = ops_factors_write(call, x, false);
    json_t *list = status == 200 ? json_array() : NULL;
    for (size_t i = 0; list && i < FACTORS_RECOVERY_MAX; i++)
        json_array_append_new(list, json_string(codes[i]));
    if (list)
        *answer_out = json_pack("{s:s, s:o}", "login", call->login, "recovery_codes", list);
    secret_wipe(codes, sizeof codes);
    return status;
}

/* What each of the operations with a code begins with; ops_factors_end either way (a change that never began is
 * none). */
static int begin_with_code(struct ops_call *call, json_t *args, const char **code_out, size_t *code_bytes_out,
                           struct ops_factors *x)
{
    json_error_t error;
    const char *login;
    *code_out = NULL;
    *code_bytes_out = 0;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s, s?s%}", "login", &login, "code", code_out,
                       code_bytes_out) < 0)
        return ops_fail_arguments(call, &error);
    return ops_factors_begin(call, login, x);
}

int ops_totp_confirm(struct ops_call *call, json_t *args, json_t **answer_out)
{
    const char *code;
    size_t code_bytes;
    bool is_good = false;
    struct ops_factors x = {0};
    int status = begin_with_code(call, args, &code, &code_bytes, &x);
    if (status == 200 && x.factors.totp != TOTP_PENDING)
        status = ops_fail(call, 409, "there is nothing to confirm: begin first");
    if (status == 200)
        status = take(call, &x, code, code_bytes, &is_good);
    if (status == 200 && is_good)
        status = confirm(call, &x, answer_out);
    else if (status == 200)
        status = fail_code(call); /* nobody gains by guessing the code of a secret that was shown to him */
    ops_factors_end(&x);
    return status;
}

/* ---- totp.off ---- */

/* The desk says why, which is in the record; customers prove that they have the authenticator. */
static bool needs_code(const struct ops_call *call)
{
    return view_has_prefix(call->actor, VIEW_LIT("customer:"));
}

static void switch_off(struct factors *f)
{
    f->totp = TOTP_NONE;
    f->recovery_count = 0;
    secret_wipe(f->sealed, sizeof f->sealed);
}

static int off(struct ops_call *call, struct ops_factors *x, const char *code, size_t code_bytes)
{
    bool is_good = !code && !needs_code(call);
    if (x->factors.totp == TOTP_NONE)
        return ops_fail(call, 404, "no codes are asked for");
    if (x->factors.totp == TOTP_PENDING)
        is_good = true; /* nothing hangs on it yet */
    int status = is_good ? 200 : take(call, x, code ? code : "", code_bytes, &is_good);
    if (status != 200)
        return status;
    if (is_good)
        switch_off(&x->factors);
    status = ops_factors_write(call, x, false); /* a wrong one is counted */
    return status == 200 && !is_good ? fail_code(call) : status;
}

int ops_totp_off(struct ops_call *call, json_t *args, json_t **answer_out)
{
    const char *code;
    size_t code_bytes;
    struct ops_factors x = {0};
    int status = begin_with_code(call, args, &code, &code_bytes, &x);
    if (status == 200)
        status = off(call, &x, code, code_bytes);
    if (status == 200)
        *answer_out = json_pack("{s:s, s:b}", "login", call->login, "totp", 0);
    ops_factors_end(&x);
    return status;
}

/* ---- totp.check: at a sign-in, behind the right password ---- */

/* As of a wrong password: the same wrong code again counts once, another one anew. As text, as JSON has no u64. */
static void format_mark(const struct ops_call *call, struct view code, char out[24])
{
    uint8_t hash[KEYED_BYTES];
    uint64_t mark = 0;
    keyed_hash(store_key(call->store), "wrong code", view_cstr(call->login), code, hash);
    memcpy(&mark, hash, sizeof mark);
    snprintf(out, 24, "%" PRIu64, mark ? mark : 1);
}

int ops_totp_check(struct ops_call *call, json_t *args, json_t **answer_out)
{
    const char *code;
    size_t code_bytes;
    bool is_good = false;
    char mark[24] = "";
    struct ops_factors x = {0};
    int status = begin_with_code(call, args, &code, &code_bytes, &x);
    if (status == 200 && x.factors.totp != TOTP_ON)
        status = ops_fail(call, 409, "no codes are asked for");
    if (status == 200)
        status = take(call, &x, code ? code : "", code_bytes, &is_good);
    if (status == 200)
        status = ops_factors_write(call, &x, false);
    if (status == 200) {
        if (!is_good)
            format_mark(call, view_of(code ? code : "", code_bytes), mark);
        *answer_out = json_pack("{s:b, s:s}", "is_good", is_good, "wrong_code", mark);
    }
    ops_factors_end(&x);
    return status;
}
