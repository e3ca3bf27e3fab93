#include "auth/app_password.h"

#include <string.h>

#include "auth/keyed.h"
#include "msa/base/secret.h"

/* No i, l, o, u, and none of 0, 1, 2, 5, 8, 9, which look like o, l, z, s, b and g. */
static const char signs[] = "abcdefghjkmnpqrstvwxyz3467";
#define SIGN_COUNT (sizeof signs - 1)

void app_password_signs(char *out, size_t n)
{
    size_t at = 0;
    while (at < n) {
        uint8_t bytes[32];
        secret_random(bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof bytes && at < n; i++)
            if (bytes[i] < 256 / SIGN_COUNT * SIGN_COUNT) /* so that none is likelier than another */
                out[at++] = signs[bytes[i] % SIGN_COUNT];
        secret_wipe(bytes, sizeof bytes);
    }
}

void app_password_make(char out[APP_PASSWORD_SIZE])
{
    char plain[APP_PASSWORD_CHARS];
    size_t at = 0;
    app_password_signs(plain, sizeof plain);
    for (size_t i = 0; i < sizeof plain; i++) {
        if (i > 0 && i % 4 == 0)
            out[at++] = '-';
        out[at++] = plain[i];
    }
    out[at] = '\0';
    secret_wipe(plain, sizeof plain);
}

bool app_password_read(struct view typed, char *out, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < typed.n; i++) {
        char c = ascii_lower(typed.p[i]);
        if (c == ' ' || c == '-')
            continue;
        if (c == '\0' || !strchr(signs, c) || at == n)
            return false;
        out[at++] = c;
    }
    return at == n;
}

void app_password_hash(const uint8_t *key, uint64_t account, struct view typed, uint8_t out[FACTORS_HASH_BYTES])
{
    char plain[APP_PASSWORD_CHARS] = {0};
    bool is_one = app_password_read(typed, plain, sizeof plain);
    keyed_hash(key, is_one ? "app password" : "no app password", view_of((const char *)&account, sizeof account),
               view_of(plain, sizeof plain), out);
    secret_wipe(plain, sizeof plain);
}

const struct app_password *app_password_match(const struct factors *f, const uint8_t hash[FACTORS_HASH_BYTES])
{
    const struct app_password *found = NULL;
    for (size_t i = 0; i < FACTORS_APPS_MAX; i++) {
        struct view kept = view_of((const char *)f->apps[i].verifier, FACTORS_HASH_BYTES);
        bool is_same = secret_eq(kept, view_of((const char *)hash, FACTORS_HASH_BYTES));
        if (is_same && i < f->app_count)
            found = &f->apps[i];
    }
    return found;
}

static const struct {
    const char *name;
    unsigned scope;
} scopes[] = {{"smtp", APP_SCOPE_SMTP}, {"imap", APP_SCOPE_IMAP}, {"pop", APP_SCOPE_POP}};

#define SCOPE_COUNT (sizeof scopes / sizeof scopes[0])

const char *app_scope_name(unsigned scope)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if (scopes[i].scope == scope)
            return scopes[i].name;
    return NULL;
}

unsigned app_scope_named(struct view name)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++)
        if (view_eq(name, view_cstr(scopes[i].name)))
            return scopes[i].scope;
    return 0;
}
