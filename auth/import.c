#include "auth/import.h"

#include <stdio.h>
#include <string.h>

#include "auth/scram.h"
#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/mail/base64.h"

#define SCRAM_PREFIX VIEW_LIT("SCRAM-SHA-256$")

struct why {
    char *text;
    size_t size;
};

static int refuse(struct why *why, const char *text)
{
    snprintf(why->text, why->size, "%s", text);
    return MSA_EINVAL;
}

/* ---- secrets --------------------------------------------------------------------------------- */

static int take_scram(struct view text, struct import_secret *out, struct why *why)
{
    struct scram_verifier v;
    int err = scram_parse(text, &v);
    secret_wipe(&v, sizeof v);
    if (err < 0 || !view_to_cstr(text, out->hash, sizeof out->hash))
        return refuse(why, "a SCRAM verifier must be "
                           "SCRAM-SHA-256$<4096 … 200000>:<salt>$<StoredKey>:<ServerKey>");
    out->kind = HASH_SCRAM_SHA_256;
    return MSA_OK;
}

static int take_hash(struct view text, struct import_secret *out, struct why *why)
{
    if (view_has_prefix(text, SCRAM_PREFIX))
        return take_scram(text, out, why);
    int err = hash_validate(text, why->text, why->size);
    if (err < 0)
        return err;
    out->kind = hash_kind_of(text);
    return view_to_cstr(text, out->hash, sizeof out->hash) ? MSA_OK : MSA_EINVAL;
}

/* Dovecot's "{SCRAM-SHA-256}4096,salt,stored,server", turned into RFC 5803's form. */
static int take_dovecot_scram(struct view text, struct import_secret *out, struct why *why)
{
    struct view count = view_cut(&text, ','), salt = view_cut(&text, ','),
                stored = view_cut(&text, ',');
    struct buf b;
    buf_init_secret(&b, HASH_TEXT_MAX - 1);
    buf_add(&b, SCRAM_PREFIX);
    buf_add(&b, count);
    buf_add_char(&b, ':');
    buf_add(&b, salt);
    buf_add_char(&b, '$');
    buf_add(&b, stored);
    buf_add_char(&b, ':');
    buf_add(&b, text);
    int err = take_scram(buf_failed(&b) ? VIEW_EMPTY : buf_view(&b), out, why);
    buf_fini(&b);
    return err;
}

static int take_password(struct view text, struct import_secret *out, struct why *why)
{
    if (text.n == 0)
        return refuse(why, "the password is empty");
    if (text.n > sizeof out->password)
        return refuse(why, "the password is too long");
    memcpy(out->password, text.p, text.n);
    out->password_bytes = text.n;
    out->is_password = true;
    return MSA_OK;
}

static int take_encoded_password(struct view text, struct import_secret *out, struct why *why)
{
    struct buf b;
    buf_init_secret(&b, PASSWORD_MAX);
    int err = base64_decode(text, &b) == MSA_OK ? take_password(buf_view(&b), out, why)
                                                : refuse(why, "this is not base64");
    buf_fini(&b);
    return err;
}

/* OpenLDAP writes a name behind it, which may be another account's: here it is always the login's own. */
static int take_saslauthd(struct view text, struct import_secret *out, struct why *why)
{
    if (text.n > 0)
        return refuse(why, "nothing may stand behind {SASL}: saslauthd is asked about the login itself");
    out->kind = HASH_SASLAUTHD;
    return view_to_cstr(VIEW_LIT(HASH_SASLAUTHD_TEXT), out->hash, sizeof out->hash) ? MSA_OK : MSA_EINVAL;
}

typedef int take_fn(struct view text, struct import_secret *out, struct why *why);

static const struct {
    const char *name;
    take_fn *take;
} schemes[] = {
    {"SASL", take_saslauthd},
    {"PLAIN", take_password},
    {"CLEARTEXT", take_password},
    {"PLAIN.b64", take_encoded_password},
    {"SCRAM-SHA-256", take_dovecot_scram},
    {"CRYPT", take_hash},
    {"SHA512-CRYPT", take_hash},
    {"SHA256-CRYPT", take_hash},
    {"BLF-CRYPT", take_hash},
    {"ARGON2ID", take_hash},
};

static take_fn *scheme_of(struct view *text, struct why *why)
{
    struct view rest = view_slice(*text, 1, text->n), name = view_cut(&rest, '}');
    if (name.n + 1 == text->n) {
        refuse(why, "the scheme lacks its closing brace");
        return NULL;
    }
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (view_eq_nocase(name, view_cstr(schemes[i].name))) {
            *text = rest;
            return schemes[i].take;
        }
    }
    refuse(why, "unknown scheme; known are PLAIN, PLAIN.b64, CRYPT, SHA512-CRYPT, SHA256-CRYPT, "
                "BLF-CRYPT, ARGON2ID, SCRAM-SHA-256 and SASL");
    return NULL;
}

int import_parse_secret(struct view text, struct import_secret *out, char *why_text,
                        size_t why_size)
{
    struct why why = {why_text, why_size};
    take_fn *take = take_hash;
    *out = (struct import_secret){0};
    if (view_has_prefix(text, VIEW_LIT("!"))) {
        out->is_locked = true;
        text = view_slice(text, 1, text.n);
    }
    if (text.n == 0 || view_has_prefix(text, VIEW_LIT("!")) || view_has_prefix(text, VIEW_LIT("*")))
        return refuse(&why, "there is no hash, the account is locked for good");
    if (view_has_prefix(text, VIEW_LIT("{")))
        take = scheme_of(&text, &why);
    return take ? take(text, out, &why) : MSA_EINVAL;
}

/* ---- lines ----------------------------------------------------------------------------------- */

/* The secret's end: the next colon, but a verifier holds two of its own. */
static struct view cut_secret(struct view *rest)
{
    struct view whole = *rest;
    int colon_count = view_has_prefix(whole, SCRAM_PREFIX) ? 3 : 1;
    for (int i = 0; i < colon_count; i++)
        view_cut(rest, ':');
    size_t n = whole.n - rest->n;
    if (n > 0 && whole.p[n - 1] == ':')
        n--;
    return view_slice(whole, 0, n);
}

int import_parse_line(struct view line, struct view *login_out, struct import_secret *out,
                      char *why_text, size_t why_size)
{
    struct why why = {why_text, why_size};
    *out = (struct import_secret){0};
    *login_out = VIEW_EMPTY;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (view_trim(line).n == 0 || line.p[0] == '#')
        return MSA_ENOENT;
    if (view_find(line, ':') == line.n)
        return refuse(&why, "a line must be login:hash");
    *login_out = view_cut(&line, ':');
    struct view rest = line, secret = cut_secret(&rest);
    int err = import_parse_secret(secret, out, why_text, why_size);
    bool has_more = secret.n < line.n;
    if (err == MSA_OK && out->is_password && has_more &&
        !view_has_prefix_nocase(secret, VIEW_LIT("{PLAIN.b64}"))) {
        secret_wipe(out, sizeof *out);
        return refuse(&why, "a colon behind {PLAIN}: use {PLAIN.b64}, or leave other fields out");
    }
    return err;
}
