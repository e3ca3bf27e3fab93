#include "msa/mail/params.h"

#include <stddef.h>

#include "msa/base/utf8.h"
#include "msa/mail/date.h"
#include "msa/mail/xtext.h"

#define ENVID_MAX    100             /* RFC 3461 section 4.4 */
#define ORCPT_MAX    500             /* section 4.2 */
#define AUTH_MAX     500             /* RFC 4954 section 5 */
#define HOLD_FOR_MAX 999999999       /* nine digits, RFC 4865 section 4.1 */

/* Both kinds of parameters go through one reader, so a value parser gets either target. */
union target {
    struct mail_params *mail;
    struct rcpt_params *rcpt;
};

typedef enum params_result value_fn(struct view value, unsigned offered, union target t);

/* Does a parameter take "=value"? */
enum value_need { VALUE_NONE, VALUE_REQUIRED };

struct param {
    const char *keyword;
    unsigned bit;
    enum value_need need;
    value_fn *parse;
};

/* ---- MAIL
 * -------------------------------------------------------------------------------------- */

static enum params_result parse_size(struct view value, unsigned offered, union target t)
{
    (void)offered;
    return view_parse_u64(value, INT64_MAX, &t.mail->size_bytes) ? PARAMS_OK : PARAMS_SYNTAX;
}

static enum params_result parse_body(struct view value, unsigned offered, union target t)
{
    if (view_eq_nocase(value, VIEW_LIT("7BIT")))
        t.mail->body = BODY_7BIT;
    else if (view_eq_nocase(value, VIEW_LIT("8BITMIME")))
        t.mail->body = BODY_8BITMIME;
    else if (view_eq_nocase(value, VIEW_LIT("BINARYMIME")) && (offered & PARAM_BINARYMIME))
        t.mail->body = BODY_BINARYMIME;
    else
        return PARAMS_VALUE;
    return PARAMS_OK;
}

static enum params_result parse_ret(struct view value, unsigned offered, union target t)
{
    (void)offered;
    if (view_eq_nocase(value, VIEW_LIT("FULL")))
        t.mail->ret = RET_FULL;
    else if (view_eq_nocase(value, VIEW_LIT("HDRS")))
        t.mail->ret = RET_HDRS;
    else
        return PARAMS_SYNTAX;
    return PARAMS_OK;
}

static enum params_result parse_envid(struct view value, unsigned offered, union target t)
{
    (void)offered;
    t.mail->envid = value;
    return value.n <= ENVID_MAX && xtext_is_valid(value) ? PARAMS_OK : PARAMS_SYNTAX;
}

static enum params_result parse_auth(struct view value, unsigned offered, union target t)
{
    (void)offered;
    t.mail->auth = value;
    bool is_valid = view_eq(value, VIEW_LIT("<>")) || xtext_is_valid(value);
    return value.n <= AUTH_MAX && is_valid ? PARAMS_OK : PARAMS_SYNTAX;
}

static enum params_result parse_holdfor(struct view value, unsigned offered, union target t)
{
    (void)offered;
    bool is_valid = value.n <= 9 && view_parse_u64(value, HOLD_FOR_MAX, &t.mail->hold_for_s);
    return is_valid ? PARAMS_OK : PARAMS_SYNTAX;
}

static enum params_result parse_holduntil(struct view value, unsigned offered, union target t)
{
    (void)offered;
    return date_parse_iso8601(value, &t.mail->hold_until_s) ? PARAMS_OK : PARAMS_SYNTAX;
}

static const struct param mail_table[] = {
    {"SIZE", PARAM_SIZE, VALUE_REQUIRED, parse_size},
    {"BODY", PARAM_BODY, VALUE_REQUIRED, parse_body},
    {"SMTPUTF8", PARAM_SMTPUTF8, VALUE_NONE, NULL},
    {"RET", PARAM_RET, VALUE_REQUIRED, parse_ret},
    {"ENVID", PARAM_ENVID, VALUE_REQUIRED, parse_envid},
    {"AUTH", PARAM_AUTH, VALUE_REQUIRED, parse_auth},
    {"HOLDFOR", PARAM_HOLDFOR, VALUE_REQUIRED, parse_holdfor},
    {"HOLDUNTIL", PARAM_HOLDUNTIL, VALUE_REQUIRED, parse_holduntil},
    {"REQUIRETLS", PARAM_REQUIRETLS, VALUE_NONE, NULL},
};

/* ---- RCPT
 * -------------------------------------------------------------------------------------- */

static unsigned notify_bit(struct view word)
{
    if (view_eq_nocase(word, VIEW_LIT("NEVER")))
        return NOTIFY_NEVER;
    if (view_eq_nocase(word, VIEW_LIT("SUCCESS")))
        return NOTIFY_SUCCESS;
    if (view_eq_nocase(word, VIEW_LIT("FAILURE")))
        return NOTIFY_FAILURE;
    return view_eq_nocase(word, VIEW_LIT("DELAY")) ? NOTIFY_DELAY : 0;
}

/* NEVER stands alone; the others may be combined (RFC 3461 section 4.1). */
static enum params_result parse_notify(struct view value, unsigned offered, union target t)
{
    (void)offered;
    bool has_more = true;
    while (has_more) {
        has_more = view_find(value, ',') < value.n;
        unsigned bit = notify_bit(view_cut(&value, ','));
        if (bit == 0 || (t.rcpt->notify & bit))
            return PARAMS_SYNTAX;
        t.rcpt->notify |= bit;
    }
    bool never_alone = !(t.rcpt->notify & NOTIFY_NEVER) || t.rcpt->notify == NOTIFY_NEVER;
    return never_alone ? PARAMS_OK : PARAMS_SYNTAX;
}

static bool is_hex(char c)
{
    return ascii_is_digit(c) || (c >= 'A' && c <= 'F');
}

/* "\x{H...}" of RFC 6533 section 3 at the front: its length, or 0. A control character is
 * refused. */
static size_t embedded_char(struct view v)
{
    size_t end = view_find(v, '}');
    if (!view_has_prefix(v, VIEW_LIT("\\x{")) || end == v.n || end < 5 || end > 9)
        return 0;
    uint32_t code = 0;
    for (size_t i = 3; i < end; i++) {
        if (!is_hex(v.p[i]))
            return 0;
        code = code << 4 | (uint32_t)(ascii_is_digit(v.p[i]) ? v.p[i] - '0' : v.p[i] - 'A' + 10);
    }
    bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < 0x20 || code == 0x7f || is_surrogate || code > 0x10ffff ? 0 : end + 1;
}

/* utf-8-addr-xtext or utf-8-addr-unitext of RFC 6533. */
static bool is_utf8_address(struct view v)
{
    while (v.n > 0) {
        uint32_t code;
        size_t n = utf8_decode(v, &code);
        if (n == 1 && code == '\\')
            n = embedded_char(v);
        else if (n == 1 && (code < '!' || code > '~' || code == '+' || code == '='))
            n = 0;
        if (n == 0)
            return false;
        v = view_slice(v, n, v.n);
    }
    return true;
}

static bool is_address_type(struct view type)
{
    for (size_t i = 0; i < type.n; i++)
        if (!ascii_is_alpha(type.p[i]) && !ascii_is_digit(type.p[i]) && type.p[i] != '-')
            return false;
    return type.n > 0;
}

static enum params_result parse_orcpt(struct view value, unsigned offered, union target t)
{
    (void)offered;
    t.rcpt->orcpt = value;
    if (value.n > ORCPT_MAX || view_find(value, ';') == value.n)
        return PARAMS_SYNTAX;
    struct view type = view_cut(&value, ';');
    if (!is_address_type(type) || value.n == 0)
        return PARAMS_SYNTAX;
    bool is_utf8 = view_eq_nocase(type, VIEW_LIT("utf-8"));
    bool is_valid = is_utf8 ? is_utf8_address(value) : xtext_is_valid(value);
    return is_valid ? PARAMS_OK : PARAMS_SYNTAX;
}

static const struct param rcpt_table[] = {
    {"NOTIFY", PARAM_NOTIFY, VALUE_REQUIRED, parse_notify},
    {"ORCPT", PARAM_ORCPT, VALUE_REQUIRED, parse_orcpt},
};

/* ---- both
 * -------------------------------------------------------------------------------------- */

struct table {
    const struct param *params;
    size_t count;
};

#define TABLE(array) ((struct table){(array), sizeof(array) / sizeof((array)[0])})

static const struct param *find_param(struct table table, struct view keyword)
{
    for (size_t i = 0; i < table.count; i++)
        if (view_eq_nocase(keyword, view_cstr(table.params[i].keyword)))
            return &table.params[i];
    return NULL;
}

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-"), RFC 5321 section 4.1.2. */
static bool is_keyword(struct view v)
{
    return v.n > 0 && v.p[0] != '-' && is_address_type(v);
}

static enum params_result read_word(struct table table, struct view word, unsigned offered,
                                    unsigned *seen, union target t)
{
    bool has_value = view_find(word, '=') < word.n;
    struct view keyword = view_cut(&word, '=');
    if (!is_keyword(keyword) || (has_value && word.n == 0)) /* esmtp-value is never empty */
        return PARAMS_SYNTAX;
    const struct param *param = find_param(table, keyword);
    if (!param || !(param->bit & offered))
        return PARAMS_UNKNOWN;
    if (*seen & param->bit)
        return PARAMS_DUPLICATE;
    if (has_value != (param->need == VALUE_REQUIRED))
        return PARAMS_SYNTAX;
    *seen |= param->bit;
    return param->parse ? param->parse(word, offered, t) : PARAMS_OK;
}

static enum params_result read_all(struct table table, struct view in, unsigned offered,
                                   unsigned *seen, union target t, struct view *culprit_out)
{
    *culprit_out = VIEW_EMPTY;
    while (in.n > 0) {
        if (in.p[0] != ' ') { /* only the first word can lack the space before it */
            *culprit_out = view_cut(&in, ' ');
            return PARAMS_SYNTAX;
        }
        while (in.n > 0 && in.p[0] == ' ')
            in = view_slice(in, 1, in.n);
        if (in.n == 0)
            break;
        struct view word = view_slice(in, 0, view_find(in, ' '));
        in = view_slice(in, word.n, in.n);
        *culprit_out = word;
        enum params_result result = read_word(table, word, offered, seen, t);
        if (result != PARAMS_OK)
            return result;
    }
    return PARAMS_OK;
}

enum params_result params_parse_mail(struct view in, unsigned offered, struct mail_params *out,
                                     struct view *culprit_out)
{
    *out = (struct mail_params){.seen = 0};
    enum params_result result = read_all(TABLE(mail_table), in, offered, &out->seen,
                                         (union target){.mail = out}, culprit_out);
    /* RFC 4865 section 4.1: one of the two, not both. */
    if (result == PARAMS_OK && (out->seen & PARAM_HOLD) == PARAM_HOLD)
        return PARAMS_CONFLICT;
    return result;
}

enum params_result params_parse_rcpt(struct view in, unsigned offered, struct rcpt_params *out,
                                     struct view *culprit_out)
{
    *out = (struct rcpt_params){.seen = 0};
    return read_all(TABLE(rcpt_table), in, offered, &out->seen, (union target){.rcpt = out},
                    culprit_out);
}

const char *params_name(unsigned bit)
{
    const struct table tables[2] = {TABLE(mail_table), TABLE(rcpt_table)};
    for (size_t t = 0; t < 2; t++)
        for (size_t i = 0; i < tables[t].count; i++)
            if (tables[t].params[i].bit == bit)
                return tables[t].params[i].keyword;
    return bit == PARAM_BINARYMIME ? "BINARYMIME" : "unknown";
}
