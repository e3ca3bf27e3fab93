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

/* "@" and what NFKC makes of it: full width and small form. */
static bool is_at_sign(uint32_t code)
{
    return code == '@' || code == 0xff20 || code == 0xfe6b;
}

/* Parts the name at its last "@" (add_local refuses another one); without any all of it is the
 * local part. The parts are prepared each by itself: the rule on writing directions holds
 * within one, not over both. */
static bool split(struct view typed, struct view *local_out, struct view *domain_out)
{
    bool has_at = false;
    *local_out = typed;
    *domain_out = VIEW_EMPTY;
    for (size_t at = 0, n; at < typed.n; at += n) {
        uint32_t code = 0;
        n = utf8_decode(view_slice(typed, at, typed.n), &code);
        if (!is_at_sign(code))
            continue;
        has_at = true;
        *local_out = view_slice(typed, 0, at);
        *domain_out = view_slice(typed, at + n, typed.n);
    }
    return has_at;
}

/* What both profiles do to printable ASCII, which nearly every name is: capitals become small. */
static void fold_ascii(char *text)
{
    for (; *text; text++)
        *text = ascii_lower(*text);
}

/* Writes the local part in its form; its length. */
static int add_local(struct view local, char out[static LOGIN_SIZE])
{
    char name[NAME_SIZE];
    bool is_ascii = utf8_is_ascii(local);
    if (!view_to_cstr(local, name, sizeof name))
        return MSA_EINVAL;
    if (is_ascii)
        fold_ascii(name);
    int err = is_ascii ? MSA_OK : prepare(name, sizeof name, stringprep_saslprep);
    size_t n = strlen(name);
    if (err == MSA_OK && (n == 0 || name[0] == ' ' || name[n - 1] == ' '))
        err = MSA_EINVAL;
    if (err == MSA_OK && !is_ascii)
        err = prepare(name, sizeof name, stringprep_nameprep);
    n = strlen(name);
    if (err < 0)
        return err;
    if (n == 0 || strchr(name, '@'))
        return MSA_EINVAL;
    if (n + 2 > LOGIN_SIZE)
        return MSA_ETOOBIG;
    memcpy(out, name, n + 1);
    return (int)n;
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

static int canonical(struct view typed, struct view default_domain, char out[static LOGIN_SIZE])
{
    struct view local, domain;
    int err = check_typed(typed);
    if (err < 0)
        return err;
    bool has_at = split(typed, &local, &domain);
    int n = add_local(local, out);
    if (n < 0 || (!has_at && default_domain.n == 0))
        return n;
    out[n++] = '@';
    return add_domain(has_at ? domain : default_domain, out, (size_t)n);
}

int login_canonical(struct view typed, struct view default_domain, char out[static LOGIN_SIZE])
{
    out[0] = '\0';
    int n = canonical(typed, default_domain, out);
    if (n < 0)
        out[0] = '\0';
    return n;
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
