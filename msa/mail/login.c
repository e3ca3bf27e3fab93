#include "msa/mail/login.h"

#include <stdbool.h>
#include <string.h>
#include <stringprep.h>

#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/base/utf8.h"
#include "msa/mail/domain.h"

/* NFKC makes at most eleven bytes of one (U+FDFA: 3 to 33). */
#define PREPARED_SIZE (11 * LOGIN_PASSWORD_MAX + 1)
#define NAME_SIZE     (11 * LOGIN_TYPED_MAX + 1)

static bool has_control(struct view text)
{
    while (text.n > 0) {
        uint32_t code = 0;
        size_t n = utf8_decode(text, &code);
        if (code < 0x20 || (code >= 0x7f && code <= 0x9f))
            return true;
        text = view_slice(text, n, text.n);
    }
    return false;
}

/* In place in `text`, a C string in a block of `size`. */
static int prepare(char *text, size_t size, const Stringprep_profile *profile)
{
    int rc = stringprep(text, size, STRINGPREP_NO_UNASSIGNED, profile);
    if (rc == STRINGPREP_OK)
        return MSA_OK;
    if (rc == STRINGPREP_MALLOC_ERROR)
        return MSA_ENOMEM;
    return rc == STRINGPREP_TOO_SMALL_BUFFER ? MSA_ETOOBIG : MSA_EINVAL;
}

static int check_typed(struct view typed)
{
    if (typed.n > LOGIN_TYPED_MAX)
        return MSA_ETOOBIG;
    return typed.n == 0 || !utf8_is_valid(typed) || has_control(typed) ? MSA_EINVAL : MSA_OK;
}

static bool is_name(struct view name)
{
    bool has_outer_space = name.n > 0 && (name.p[0] == ' ' || name.p[name.n - 1] == ' ');
    return name.n > 0 && !has_outer_space;
}

/* Writes the domain behind the "@" that is at `out + n - 1`. */
static int add_domain(struct view domain, char out[static LOGIN_SIZE], size_t n)
{
    char ascii[DOMAIN_SIZE];
    int domain_n = domain_to_ascii(domain, ascii);
    if (domain_n < 0)
        return domain_n;
    if (n + (size_t)domain_n + 1 > LOGIN_SIZE)
        return MSA_ETOOBIG;
    memcpy(out + n, ascii, (size_t)domain_n + 1);
    return (int)n + domain_n;
}

int login_canonical(struct view typed, struct view default_domain, char out[static LOGIN_SIZE])
{
    char name[NAME_SIZE];
    out[0] = '\0';
    int err = check_typed(typed);
    if (err < 0 || !view_to_cstr(typed, name, sizeof name))
        return err < 0 ? err : MSA_EINVAL;
    err = prepare(name, sizeof name, stringprep_saslprep);
    if (err < 0)
        return err;
    struct view domain = view_cstr(name);
    bool has_at = view_find(domain, '@') < domain.n;
    struct view whole = domain, local = view_cut(&domain, '@');
    if (!is_name(whole) || !is_name(local))
        return MSA_EINVAL;

    char folded[NAME_SIZE];
    view_to_cstr(local, folded, sizeof folded);
    err = prepare(folded, sizeof folded, stringprep_nameprep);
    size_t n = strlen(folded);
    if (err < 0)
        return err;
    if (n == 0 || n + 2 > LOGIN_SIZE)
        return n == 0 ? MSA_EINVAL : MSA_ETOOBIG;
    memcpy(out, folded, n + 1);
    if (!has_at && default_domain.n == 0)
        return (int)n;
    out[n++] = '@'; /* another "@" is in `domain` and no domain has one */
    err = add_domain(has_at ? domain : default_domain, out, n);
    if (err < 0)
        out[0] = '\0';
    return err;
}

int login_prepare_password(struct view raw, struct buf *out)
{
    char text[PREPARED_SIZE];
    if (raw.n > LOGIN_PASSWORD_MAX)
        return MSA_ETOOBIG;
    if (raw.n == 0 || !view_to_cstr(raw, text, sizeof text))
        return MSA_EINVAL;
    /* Unassigned characters pass: the client that hashed the password let them pass too. */
    bool is_prepared = !utf8_is_ascii(raw) && utf8_is_valid(raw) &&
                       stringprep(text, sizeof text, 0, stringprep_saslprep) == STRINGPREP_OK &&
                       text[0] != '\0';
    int err = buf_add(out, is_prepared ? view_cstr(text) : raw);
    secret_wipe(text, sizeof text);
    return err;
}
