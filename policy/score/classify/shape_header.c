#include "policy/score/classify/shape_header.h"

#include <string.h>

#include "msa/base/err.h"

static void fact(struct features *f, bool holds, const char *name)
{
    if (holds)
        features_add_shape(f, name, 0);
}

void shape_header_subject(struct features *f, struct view s)
{
    s = view_trim(s);
    unsigned letters = 0, capitals = 0, spaces = 0;
    bool has_gap = false, has_money = false, has_digit = false;
    for (size_t i = 0; i < s.n; i++) {
        letters += ascii_is_alpha(s.p[i]);
        capitals += s.p[i] >= 'A' && s.p[i] <= 'Z';
        spaces = s.p[i] == ' ' ? spaces + 1 : 0;
        has_gap = has_gap || spaces == 4;
        has_money = has_money || s.p[i] == '$' || s.p[i] == '%';
        has_digit = has_digit || ascii_is_digit(s.p[i]);
    }
    if (letters > 4)
        features_add_shape(f, "subject-capitals", capitals * 5 / letters);
    unsigned length = 0;
    for (size_t n = s.n / 4; n && length < 6; n >>= 1)
        length++;
    features_add_shape(f, "subject-length", length);
    fact(f, s.n == 0, "subject-empty");
    fact(f, has_gap, "subject-gap");
    fact(f, has_money, "subject-money");
    fact(f, has_digit, "subject-digit");
    fact(f, view_find(s, '!') < s.n, "subject-exclamation");
    fact(f, view_find(s, '?') < s.n, "subject-question");
    fact(f, s.n && s.p[0] != '[' && view_has_prefix_nocase(s, VIEW_LIT("re:")), "subject-re");
}

/* The address of a mailbox list's first member, roughly: for comparing, not for deciding whose mail it is. */
struct mailbox {
    struct view name;
    struct view local;
    struct view domain;
};

static struct mailbox first_mailbox(struct view value)
{
    size_t at = view_find(value, '@');
    if (at == value.n)
        return (struct mailbox){.name = view_trim(value)};
    size_t from = at, to = at + 1;
    while (from > 0 && (unsigned char)value.p[from - 1] > ' ' && !strchr("<>\"(),;:", value.p[from - 1]))
        from--;
    while (to < value.n && (unsigned char)value.p[to] > ' ' && !strchr("<>\"(),;:", value.p[to]))
        to++;
    size_t name_end = from > 0 && value.p[from - 1] == '<' ? from - 1 : from;
    return (struct mailbox){.name = view_trim(view_slice(value, 0, name_end)),
                            .local = view_slice(value, from, at),
                            .domain = view_slice(value, at + 1, to)};
}

/* The last two labels: enough to see that two belong together. */
static struct view site_of(struct view domain)
{
    unsigned dots = 0;
    for (size_t i = domain.n; i > 0; i--)
        if (domain.p[i - 1] == '.' && ++dots == 2)
            return view_slice(domain, i, domain.n);
    return domain;
}

static bool is_free_mail(struct view domain)
{
    static const char *const names[] = {"gmail.com",   "yahoo.com", "hotmail.com", "outlook.com", "aol.com",
                                        "msn.com",     "live.com",  "icloud.com",  "mail.ru",     "yandex.ru",
                                        "yandex.com",  "gmx.de",    "gmx.net",     "gmx.com",     "web.de",
                                        "yahoo.co.jp", "qq.com",    "163.com",     "126.com",     "mail.com",
                                        "proton.me",   "protonmail.com", "googlemail.com", "lycos.com",
                                        "excite.com",  "yahoo.co.uk", "naver.com", "hanmail.net"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (view_eq_nocase(domain, view_cstr(names[i])))
            return true;
    return false;
}

static void take_from(struct features *f, const struct mailbox *m)
{
    unsigned digits = 0, capitals = 0, small = 0, name_digits = 0;
    for (size_t i = 0; i < m->local.n; i++)
        digits += ascii_is_digit(m->local.p[i]);
    for (size_t i = 0; i < m->name.n; i++) {
        capitals += m->name.p[i] >= 'A' && m->name.p[i] <= 'Z';
        small += m->name.p[i] >= 'a' && m->name.p[i] <= 'z';
        name_digits += ascii_is_digit(m->name.p[i]);
    }
    fact(f, m->name.n == 0, "from-no-name");
    fact(f, m->local.n == 0, "from-no-address");
    fact(f, digits >= 3, "from-digits");
    fact(f, name_digits > 0, "from-name-digits");
    fact(f, capitals > 3 && !small, "from-name-capitals");
    fact(f, small > 2 && !capitals, "from-name-small");
    fact(f, is_free_mail(m->domain), "from-free-mail");
}

static unsigned count_addresses(struct view value)
{
    unsigned count = 0;
    for (size_t i = 0; i < value.n; i++)
        count += value.p[i] == '@';
    return count;
}

static void take_reply_to(struct features *f, const struct mailbox *from, struct view value)
{
    struct mailbox m = first_mailbox(value);
    bool is_same = view_eq_nocase(site_of(m.domain), site_of(from->domain));
    features_add_shape(f, is_same ? "reply-to-same" : "reply-to-other", 0);
    fact(f, !is_same && is_free_mail(m.domain), "reply-to-free-mail");
}

static void take_to(struct features *f, const struct mailbox *from, struct view value)
{
    struct mailbox m = first_mailbox(value);
    unsigned count = count_addresses(value);
    features_add_shape(f, "to-count", count < 2 ? count : count < 5 ? 2 : 3);
    fact(f, m.name.n && m.local.n, "to-name");
    fact(f, m.domain.n && view_eq_nocase(site_of(m.domain), site_of(from->domain)), "to-same-site");
    fact(f, m.local.n && view_eq_nocase(m.local, from->local) && view_eq_nocase(m.domain, from->domain),
         "to-self");
}

static void take_presence(struct features *f, const struct document *d)
{
    static const struct {
        const char *field, *there, *missing;
    } fields[] = {
        {"In-Reply-To", "in-reply-to", "no-in-reply-to"}, {"References", "references", "no-references"},
        {"Cc", "cc", "no-cc"},                            {"Date", "date", "no-date"},
        {"Message-ID", "message-id", "no-message-id"},    {"To", "to", "no-to"},
        {"MIME-Version", "mime", "no-mime"},              {"Reply-To", "reply-to", "no-reply-to"},
        {"Organization", "organization", NULL},           {"X-Priority", "priority", NULL},
        {"List-Unsubscribe", "list-unsubscribe", NULL},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        bool is_there = document_field(d, view_cstr(fields[i].field), NULL) != NULL;
        const char *name = is_there ? fields[i].there : fields[i].missing;
        if (name)
            features_add_shape(f, name, 0);
    }
    bool has_program = document_field(d, VIEW_LIT("User-Agent"), NULL) ||
                       document_field(d, VIEW_LIT("X-Mailer"), NULL);
    features_add_shape(f, has_program ? "program" : "no-program", 0);
}

static void take_trail(struct features *f, const struct document *d, const struct mailbox *from)
{
    const struct document_field *id = document_field(d, VIEW_LIT("Message-ID"), NULL);
    if (id) {
        struct mailbox m = first_mailbox(id->value);
        bool is_same = from->domain.n && view_eq_nocase(site_of(m.domain), site_of(from->domain));
        features_add_shape(f, is_same ? "id-same-site" : "id-other-site", 0);
        fact(f, !m.domain.n || view_find(m.domain, '.') == m.domain.n, "id-odd");
    }
    const struct document_field *date = document_field(d, VIEW_LIT("Date"), NULL);
    if (date) {
        size_t plus = view_find(date->value, '+'), minus = view_find(date->value, '-');
        fact(f, plus == date->value.n && minus == date->value.n, "date-no-zone");
        fact(f, view_find(date->value, ',') == date->value.n, "date-no-day");
    }
}

int shape_header_take(struct features *f, const struct document *d, struct document_reader *r)
{
    const struct document_field *from = document_field(d, VIEW_LIT("From"), NULL);
    buf_reset(&f->field);
    if (from && document_decode(r, view_slice(from->value, 0, 1024), &f->field) == MSA_ENOMEM)
        return MSA_ENOMEM;
    struct mailbox author = first_mailbox(buf_view(&f->field));
    take_presence(f, d);
    take_from(f, &author);
    const struct document_field *reply_to = document_field(d, VIEW_LIT("Reply-To"), NULL);
    const struct document_field *to = document_field(d, VIEW_LIT("To"), NULL);
    if (reply_to)
        take_reply_to(f, &author, view_slice(reply_to->value, 0, 1024));
    if (to)
        take_to(f, &author, view_slice(to->value, 0, 8192));
    take_trail(f, d, &author);
    return MSA_OK;
}
