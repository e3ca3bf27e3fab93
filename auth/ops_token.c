/* Bearer tokens of the API: what is shown once, and what is kept.
 *
 *      msad_<id: 16 hex>_<secret: 43 of base64url, 258 bits>
 *
 * Kept under the id, as JSON: the SHA-256 of the secret (with so many random bits it needs no slow hash), the role,
 * the scopes (none: all of the role), a note, who made it and when, when it ends. Which scopes there are is
 * console's matter. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/ops_private.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/base/wipe_alloc.h"

#define PREFIX        "msad_"
#define ID_CHARS      16
#define SECRET_CHARS  43
#define TOKEN_CHARS   (sizeof PREFIX - 1 + ID_CHARS + 1 + SECRET_CHARS)
#define HASH_BYTES    32
#define DAYS_DEFAULT  365
#define DAYS_MAX      3650
#define NOTE_MAX      200
#define SCOPES_MAX    32
#define SCOPE_MAX     40
#define LISTED_MAX    1000
#define DAY_MS        INT64_C(86400000)

static void hex(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* MSA_OK with the hex text in `out`. */
static int hash_secret(struct view secret, char out[2 * HASH_BYTES + 1])
{
    uint8_t digest[HASH_BYTES];
    if (EVP_Digest(secret.p, secret.n, digest, NULL, EVP_sha256(), NULL) != 1)
        return MSA_ENOMEM;
    hex(digest, sizeof digest, out);
    return MSA_OK;
}

static void make_token(char out[TOKEN_CHARS + 1])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t id[ID_CHARS / 2], secret[SECRET_CHARS];
    size_t at = sizeof PREFIX - 1;
    secret_random(id, sizeof id);
    secret_random(secret, sizeof secret);
    memcpy(out, PREFIX, at);
    hex(id, sizeof id, out + at);
    at += ID_CHARS;
    out[at++] = '_';
    for (size_t i = 0; i < SECRET_CHARS; i++)
        out[at++] = digits[secret[i] & 63];
    out[at] = '\0';
    secret_wipe(secret, sizeof secret);
}

/* False: this is no token of ours. */
static bool split(struct view token, struct view *id_out, struct view *secret_out)
{
    size_t at = sizeof PREFIX - 1;
    if (token.n != TOKEN_CHARS || !view_has_prefix(token, VIEW_LIT(PREFIX)) || token.p[at + ID_CHARS] != '_')
        return false;
    *id_out = view_slice(token, at, at + ID_CHARS);
    *secret_out = view_slice(token, at + ID_CHARS + 1, token.n);
    return true;
}

/* ---- token.add ---- */

/* Joined by blanks; NULL: one of them is no word. */
static json_t *join_scopes(const json_t *list)
{
    char text[SCOPES_MAX * (SCOPE_MAX + 1) + 1] = "";
    size_t n = 0, i;
    const json_t *one;
    if (json_array_size(list) > SCOPES_MAX)
        return NULL;
    json_array_foreach(list, i, one) {
        struct view word = view_cstr(json_string_value(one));
        if (word.n == 0 || word.n > SCOPE_MAX || view_find(word, ' ') < word.n)
            return NULL;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s", n ? " " : "", word.p);
    }
    return json_string(text);
}

static bool is_role(const char *role)
{
    return strcmp(role, "operator") == 0 || strcmp(role, "support") == 0 || strcmp(role, "portal") == 0;
}

static int store_token(struct ops_call *call, struct view id, const json_t *record)
{
    struct store_change change;
    char *text = json_dumps(record, JSON_COMPACT);
    if (!text)
        return ops_fail(call, 503, "out of memory");
    store_begin(call->store, &change);
    int err = store_add_token(&change, id, view_cstr(text));
    if (err == MSA_OK)
        err = store_commit(&change);
    store_abort(&change);
    wipe_free(text);
    return err < 0 ? ops_fail_store(call, err) : 201;
}

/* What everybody may know of it. */
static json_t *describe(struct view id, const json_t *record)
{
    static const char *const shown[] = {"role", "scopes", "note", "by", "created_ms", "expires_ms"};
    json_t *o = json_pack("{s:s%}", "id", id.p, id.n);
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        json_object_set(o, shown[i], json_object_get(record, shown[i]));
    return o;
}

static int add_token(struct ops_call *call, const json_t *record_base, json_t **answer_out)
{
    char token[TOKEN_CHARS + 1], hash[2 * HASH_BYTES + 1];
    struct view id, secret;
    make_token(token);
    (void)split(view_cstr(token), &id, &secret);
    json_t *record = json_copy((json_t *)(uintptr_t)record_base);
    int status = 503;
    if (record && hash_secret(secret, hash) == MSA_OK &&
        json_object_set_new(record, "hash", json_string(hash)) == 0)
        status = store_token(call, id, record);
    if (status == 201) {
        *answer_out = describe(id, record);
        json_object_set_new(*answer_out, "token", json_string(token));
    }
    json_decref(record);
    secret_wipe(token, sizeof token);
    return status;
}

int ops_token_add(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    const char *role, *note;
    json_int_t days = DAYS_DEFAULT;
    json_t *scopes = NULL;
    int64_t now_ms = call->snapshot->now_wall_ms;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s, s:s, s?o, s?I}", "role", &role, "note", &note, "scopes",
                       &scopes, "days", &days) < 0)
        return ops_fail_arguments(call, &error);
    if (!is_role(role))
        return ops_fail(call, 400, "'role' is operator, support or portal");
    if (days < 1 || days > DAYS_MAX || strlen(note) > NOTE_MAX || note[0] == '\0')
        return ops_fail(call, 400, "'note' says who has it and what for, in at most %d octets; 'days' is 1 to %d",
                        NOTE_MAX, DAYS_MAX);
    json_t *joined = join_scopes(scopes);
    if (!joined)
        return ops_fail(call, 400, "'scopes' is a list of at most %d words", SCOPES_MAX);
    json_t *record =
        json_pack("{s:i, s:s, s:o, s:s, s:s%, s:I, s:I}", "version", 1, "role", role, "scopes", joined, "note", note,
                  "by", call->actor.n ? call->actor.p : "", call->actor.n, "created_ms", (json_int_t)now_ms,
                  "expires_ms", (json_int_t)(now_ms + days * DAY_MS));
    int status = record ? add_token(call, record, answer_out) : ops_fail(call, 503, "out of memory");
    json_decref(record);
    return status;
}

/* ---- token.list, token.remove ---- */

static bool list_one(void *arg, struct view id, struct view text)
{
    json_t *list = arg;
    json_t *record = json_loadb(text.p, text.n, 0, NULL);
    json_array_append_new(list, describe(id, record));
    json_decref(record);
    return json_array_size(list) < LISTED_MAX;
}

int ops_token_list(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_t *list = json_array();
    (void)args;
    int err = store_each_token(call->store, list_one, list);
    if (err < 0) {
        json_decref(list);
        return ops_fail_store(call, err);
    }
    *answer_out = json_pack("{s:o}", "tokens", list);
    return 200;
}

int ops_token_remove(struct ops_call *call, json_t *args, json_t **answer_out)
{
    json_error_t error;
    struct store_change change;
    const char *id;
    if (json_unpack_ex(args, &error, JSON_STRICT, "{s:s}", "id", &id) < 0)
        return ops_fail_arguments(call, &error);
    if (strlen(id) != ID_CHARS)
        return ops_fail(call, 404, "there is no such token");
    store_begin(call->store, &change);
    bool was_there = store_remove_token(&change, view_cstr(id));
    int err = was_there ? store_commit(&change) : MSA_OK;
    store_abort(&change);
    if (!was_there)
        return ops_fail(call, 404, "there is no such token");
    if (err < 0)
        return ops_fail_store(call, err);
    *answer_out = json_pack("{s:s}", "id", id);
    return 200;
}

/* ---- token.check ---- */

static bool is_good(const json_t *record, struct view secret, int64_t now_ms)
{
    char hash[2 * HASH_BYTES + 1];
    struct view kept = view_cstr(json_string_value(json_object_get(record, "hash")));
    return hash_secret(secret, hash) == MSA_OK && secret_eq(kept, view_cstr(hash)) &&
           json_integer_value(json_object_get(record, "expires_ms")) > now_ms;
}

int ops_token_check(struct ops_call *call, json_t *args, json_t **answer_out)
{
    struct view id, secret;
    struct buf text;
    json_t *record = NULL;
    if (!split(view_cstr(json_string_value(json_object_get(args, "token"))), &id, &secret))
        return ops_fail(call, 401, "this is no token");
    buf_init_secret(&text, STORE_TOKEN_RECORD_MAX);
    enum msa_lookup found = store_find_token(call->store, id, &text);
    if (found == MSA_FOUND)
        record = json_loadb(buf_view(&text).p, buf_view(&text).n, 0, NULL);
    buf_fini(&text);
    if (found == MSA_RETRY)
        return ops_fail_store(call, MSA_EIO);
    if (is_good(record, secret, call->snapshot->now_wall_ms))
        *answer_out = describe(id, record);
    json_decref(record);
    return *answer_out ? 200 : ops_fail(call, 401, "this token does not hold");
}
