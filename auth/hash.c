#include "auth/hash.h"

#include <argon2.h>
#include <crypt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/secret.h"

#define BCRYPT_COST_MAX      14      /* about 1 s; the usual 10 … 12 are 60 … 250 ms */
#define SHACRYPT_ROUNDS_MAX  500000  /* the default is 5000, 1.6 ms */
#define ARGON2_MEMORY_MAX    131072  /* KiB, for each worker at once */
#define ARGON2_WORK_MAX      1048576 /* KiB times passes */
#define ARGON2_LANES_MAX     8
#define YESCRYPT_N_MAX       'B'     /* 2^14, 64 MiB; the usual $y$j9T has 2^12 */
#define YESCRYPT_R_MAX       'T'     /* 32 */
#define PASSWORD_MAX         511     /* CRYPT_MAX_PASSPHRASE_SIZE less the NUL */

static _Atomic uint64_t derivation_count;

uint64_t hash_derivation_count(void)
{
    return atomic_load(&derivation_count);
}

static const char *const kind_names[HASH_KIND_COUNT] = {
    [HASH_NONE] = "none",
    [HASH_SCRAM_SHA_256] = "scram-sha-256",
    [HASH_SHA512_CRYPT] = "sha512-crypt",
    [HASH_SHA256_CRYPT] = "sha256-crypt",
    [HASH_BCRYPT] = "bcrypt",
    [HASH_YESCRYPT] = "yescrypt",
    [HASH_ARGON2ID] = "argon2id",
    [HASH_SASLAUTHD] = "saslauthd",
};

const char *hash_kind_name(enum hash_kind kind)
{
    return (unsigned)kind < HASH_KIND_COUNT ? kind_names[kind] : kind_names[HASH_NONE];
}

enum hash_kind hash_kind_of(struct view text)
{
    static const struct {
        const char *prefix;
        enum hash_kind kind;
    } rows[] = {
        {"SCRAM-SHA-256$", HASH_SCRAM_SHA_256},
        {"$6$", HASH_SHA512_CRYPT},
        {"$5$", HASH_SHA256_CRYPT},
        {"$2b$", HASH_BCRYPT},
        {"$2y$", HASH_BCRYPT}, /* as $2b$; PHP and htpasswd write it */
        {"$y$", HASH_YESCRYPT},
        {"$argon2id$", HASH_ARGON2ID},
        {HASH_SASLAUTHD_TEXT, HASH_SASLAUTHD},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (view_has_prefix(text, view_cstr(rows[i].prefix)))
            return rows[i].kind;
    return HASH_NONE;
}

/* ---- bounds of work -------------------------------------------------------------------------- */

static bool is_crypt64(struct view text, size_t min, size_t max)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '.' && c != '/')
            return false;
    }
    return text.n >= min && text.n <= max;
}

static bool number_within(struct view text, uint64_t max)
{
    uint64_t n;
    return view_parse_u64(text, max, &n) && n > 0;
}

/* "$6$rounds=5000$salt$hash"; without rounds= it is 5000. */
static bool shacrypt_is_cheap(struct view rest)
{
    struct view first = view_cut(&rest, '$');
    if (!view_has_prefix(first, VIEW_LIT("rounds=")))
        return true;
    return number_within(view_slice(first, 7, first.n), SHACRYPT_ROUNDS_MAX);
}

/* "j9T$salt$hash": flags, log2 of N, and r, each in one character of crypt's own base 64, whose
 * order is that of ASCII. */
static bool yescrypt_is_cheap(struct view rest)
{
    struct view params = view_cut(&rest, '$');
    return is_crypt64(params, 3, 3) && params.p[0] == 'j' && params.p[1] <= YESCRYPT_N_MAX &&
           params.p[2] <= YESCRYPT_R_MAX;
}

static bool bcrypt_is_cheap(struct view rest)
{
    struct view cost = view_cut(&rest, '$');
    return cost.n == 2 && number_within(cost, BCRYPT_COST_MAX);
}

/* "v=19$m=19456,t=2,p=1$salt$hash" */
static bool argon2_is_cheap(struct view rest)
{
    uint64_t memory = 0, passes = 0;
    struct view version = view_cut(&rest, '$'), params = view_cut(&rest, '$');
    struct view m = view_cut(&params, ','), t = view_cut(&params, ',');
    return view_eq(version, VIEW_LIT("v=19")) && view_has_prefix(m, VIEW_LIT("m=")) &&
           view_has_prefix(t, VIEW_LIT("t=")) && view_has_prefix(params, VIEW_LIT("p=")) &&
           view_parse_u64(view_slice(m, 2, m.n), ARGON2_MEMORY_MAX, &memory) &&
           view_parse_u64(view_slice(t, 2, t.n), ARGON2_WORK_MAX, &passes) &&
           memory * passes <= ARGON2_WORK_MAX &&
           number_within(view_slice(params, 2, params.n), ARGON2_LANES_MAX);
}

static bool is_cheap(enum hash_kind kind, struct view text)
{
    struct view rest = text;
    view_cut(&rest, '$'); /* nothing stands before the first */
    view_cut(&rest, '$');
    switch (kind) {
    case HASH_SHA512_CRYPT:
    case HASH_SHA256_CRYPT: return shacrypt_is_cheap(rest);
    case HASH_BCRYPT: return bcrypt_is_cheap(rest);
    case HASH_YESCRYPT: return yescrypt_is_cheap(rest);
    case HASH_ARGON2ID: return argon2_is_cheap(rest);
    case HASH_NONE:
    case HASH_SASLAUTHD:
    case HASH_SCRAM_SHA_256: break;
    }
    return false;
}

/* ---- computing ------------------------------------------------------------------------------- */

static int crypt_matches(const char *text, const char *password, bool *is_match_out)
{
    struct crypt_data *data = calloc(1, sizeof *data); /* 32 KiB: too much for a thread's stack */
    if (!data)
        return MSA_ENOMEM;
    const char *got = crypt_r(password, text, data);
    /* A failure token ("*0") is never a hash that hash_validate took. */
    *is_match_out = got && secret_eq(view_cstr(got), view_cstr(text));
    int err = got && got[0] != '*' ? MSA_OK : MSA_EINVAL;
    secret_wipe(data, sizeof *data);
    free(data);
    return err;
}

static int argon2_matches(const char *text, struct view password, bool *is_match_out)
{
    int rc = argon2id_verify(text, password.p, password.n);
    *is_match_out = rc == ARGON2_OK;
    if (rc == ARGON2_OK || rc == ARGON2_VERIFY_MISMATCH)
        return MSA_OK;
    return rc == ARGON2_MEMORY_ALLOCATION_ERROR ? MSA_ENOMEM : MSA_EINVAL;
}

int hash_matches(struct view text, struct view password, bool *is_match_out)
{
    char text_z[HASH_TEXT_MAX], password_z[PASSWORD_MAX + 1];
    enum hash_kind kind = hash_kind_of(text);
    *is_match_out = false;
    if (!is_cheap(kind, text) || !view_to_cstr(text, text_z, sizeof text_z))
        return MSA_EINVAL;
    atomic_fetch_add(&derivation_count, 1);
    int err = MSA_OK;
    if (kind == HASH_ARGON2ID)
        err = argon2_matches(text_z, password, is_match_out);
    else if (view_to_cstr(password, password_z, sizeof password_z))
        err = crypt_matches(text_z, password_z, is_match_out);
    secret_wipe(password_z, sizeof password_z);
    secret_wipe(text_z, sizeof text_z);
    return err;
}

/* ---- form ------------------------------------------------------------------------------------ */

static bool is_base64(struct view text, size_t min, size_t max)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '+' && c != '/')
            return false;
    }
    return text.n >= min && text.n <= max;
}

/* The fields behind the parameters: "salt$hash", in bcrypt in one piece. Computing would tell as
 * well, but an import of a million accounts cannot wait for that. */
static bool has_whole_hash(enum hash_kind kind, struct view text)
{
    struct view rest = text;
    view_cut(&rest, '$');
    view_cut(&rest, '$');
    struct view params = view_cut(&rest, '$');
    if (kind == HASH_BCRYPT)
        return is_crypt64(rest, 53, 53);
    if (kind == HASH_ARGON2ID) {
        view_cut(&rest, '$'); /* the version was in `params` */
        struct view salt = view_cut(&rest, '$');
        return is_base64(salt, 11, 64) && is_base64(rest, 22, 86);
    }
    bool has_params = kind == HASH_YESCRYPT || view_has_prefix(params, VIEW_LIT("rounds="));
    struct view salt = has_params ? view_cut(&rest, '$') : params;
    size_t hash_length = kind == HASH_SHA512_CRYPT ? 86 : 43;
    return is_crypt64(salt, 1, kind == HASH_YESCRYPT ? 86 : 16) &&
           is_crypt64(rest, hash_length, hash_length);
}

int hash_validate(struct view text, char *why, size_t why_size)
{
    enum hash_kind kind = hash_kind_of(text);
    if (kind == HASH_NONE || kind == HASH_SCRAM_SHA_256) {
        snprintf(why, why_size, "unknown kind of hash; known are $6$, $5$, $2b$, $2y$, $y$, "
                                "$argon2id$ and SCRAM-SHA-256$");
        return MSA_EINVAL;
    }
    if (text.n >= HASH_TEXT_MAX || !has_whole_hash(kind, text)) {
        snprintf(why, why_size, "this %s hash is malformed", hash_kind_name(kind));
        return MSA_EINVAL;
    }
    if (!is_cheap(kind, text)) {
        snprintf(why, why_size, "this %s hash asks for more work than one sign-in may cost",
                 hash_kind_name(kind));
        return MSA_EINVAL;
    }
    return MSA_OK;
}
