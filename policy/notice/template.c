#include "policy/notice/template.h"

#include <stddef.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/msgid.h"
#include "msa/base/utf8.h"
#include "msa/mail/date.h"

/* ---- values ---- */

enum value_kind { VALUE_TEXT = 0, VALUE_TIME, VALUE_ID };

static const struct placeholder {
    struct view name;
    enum value_kind kind;
    size_t offset; /* in struct matter */
} placeholders[] = {
    {VIEW_LIT("login"), VALUE_TEXT, offsetof(struct matter, login)},
    {VIEW_LIT("rule"), VALUE_TEXT, offsetof(struct matter, rule)},
    {VIEW_LIT("because"), VALUE_TEXT, offsetof(struct matter, because)},
    {VIEW_LIT("grounds"), VALUE_TEXT, offsetof(struct matter, grounds)},
    {VIEW_LIT("country"), VALUE_TEXT, offsetof(struct matter, country)},
    {VIEW_LIT("address"), VALUE_TEXT, offsetof(struct matter, address)},
    {VIEW_LIT("actor"), VALUE_TEXT, offsetof(struct matter, actor)},
    {VIEW_LIT("note"), VALUE_TEXT, offsetof(struct matter, note)},
    {VIEW_LIT("at"), VALUE_TIME, offsetof(struct matter, at_ms)},
    {VIEW_LIT("until"), VALUE_TIME, offsetof(struct matter, until_ms)},
    {VIEW_LIT("restriction"), VALUE_ID, offsetof(struct matter, restriction)},
};

static const struct placeholder *find_placeholder(struct view name)
{
    for (size_t i = 0; i < sizeof placeholders / sizeof placeholders[0]; i++) {
        if (view_eq(placeholders[i].name, name))
            return &placeholders[i];
    }
    return NULL;
}

/* A cut never leaves half a character, which would show as U+FFFD. */
static struct view cut_value(struct view v)
{
    if (v.n <= TEMPLATE_VALUE_MAX)
        return v;
    size_t n = TEMPLATE_VALUE_MAX;
    while (n > TEMPLATE_VALUE_MAX - 4 && ((unsigned char)v.p[n] & 0xc0) == 0x80)
        n--;
    return view_slice(v, 0, n);
}

static int add_value(struct buf *out, const struct placeholder *p, const struct matter *m,
                     int offset_min)
{
    const char *at = (const char *)m + p->offset;
    char text[DATE_SIZE > MSGID_TEXT_MAX ? DATE_SIZE : MSGID_TEXT_MAX] = "";
    if (p->kind == VALUE_TEXT)
        return utf8_add_clean(out, cut_value(*(const struct view *)(const void *)at));
    if (p->kind == VALUE_TIME && *(const int64_t *)(const void *)at != 0)
        date_format(*(const int64_t *)(const void *)at / 1000, offset_min, text);
    if (p->kind == VALUE_ID && *(const uint64_t *)(const void *)at != 0)
        msgid_format(*(const uint64_t *)(const void *)at, text);
    return buf_add_cstr(out, text);
}

/* ---- lines ---- */

struct line_error {
    const char *what;
    struct view name;
};

/* Cuts the next placeholder off `*rest` and what stands before it. 1: found, 0: none, or MSA_EINVAL. */
static int next_placeholder(struct view *rest, struct view *before,
                            const struct placeholder **found, struct line_error *error)
{
    const char *open = rest->n > 0 ? memmem(rest->p, rest->n, "{{", 2) : NULL;
    size_t from = open ? (size_t)(open - rest->p) : rest->n;
    *before = view_slice(*rest, 0, from);
    struct view behind = view_slice(*rest, from + 2, rest->n);
    *rest = VIEW_EMPTY;
    if (!open)
        return 0;
    const char *close = behind.n > 0 ? memmem(behind.p, behind.n, "}}", 2) : NULL;
    if (!close) {
        error->what = "{{ without }} in the same line";
        return MSA_EINVAL;
    }
    size_t name_bytes = (size_t)(close - behind.p);
    error->name = view_trim(view_slice(behind, 0, name_bytes));
    *found = find_placeholder(error->name);
    if (!*found) {
        error->what = "unknown placeholder";
        return MSA_EINVAL;
    }
    *rest = view_slice(behind, name_bytes + 2, behind.n);
    return 1;
}

/* Appends one line, without its end. `*is_void_out`: it had placeholders, and not one stood for anything. */
static int fill_line(struct view line, const struct matter *m, int offset_min, struct buf *out,
                     bool *is_void_out)
{
    struct line_error error;
    const struct placeholder *p = NULL;
    struct view before;
    bool has_any = false, has_value = false;
    int more;
    while ((more = next_placeholder(&line, &before, &p, &error)) > 0) {
        buf_add(out, before);
        size_t length = buf_len(out);
        has_any = true;
        if (add_value(out, p, m, offset_min) < 0)
            return MSA_ETOOBIG;
        has_value |= buf_len(out) > length;
    }
    *is_void_out = has_any && !has_value;
    return more < 0 ? more : buf_add(out, before);
}

static struct view next_line(struct view *text)
{
    struct view line = view_cut(text, '\n');
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

/* ---- the whole ---- */

static const struct view subject_prefix = VIEW_LIT("Subject:");

static int mistake(struct template_error *error, unsigned line, const char *what)
{
    *error = (struct template_error){.line = line, .what = what};
    return MSA_EINVAL;
}

static bool has_control(struct view line)
{
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

static int check_line(struct view line, unsigned number, struct template_error *error)
{
    struct line_error e = {.what = NULL};
    const struct placeholder *p;
    struct view before;
    int more;
    if (has_control(line))
        return mistake(error, number, "control character");
    if (number == 1 && view_find(line, '\t') < line.n)
        return mistake(error, number, "tab in the subject");
    if (!utf8_is_valid(line))
        return mistake(error, number, "not UTF-8");
    while ((more = next_placeholder(&line, &before, &p, &e)) > 0)
        ;
    if (more < 0)
        *error = (struct template_error){number, e.what, e.name};
    return more;
}

int template_check(struct view text, struct template_error *error)
{
    if (text.n > TEMPLATE_MAX)
        return mistake(error, 1, "longer than 32 KiB");
    for (unsigned number = 1; number <= 2 || text.n > 0; number++) {
        struct view line = next_line(&text);
        if (number == 1 && (!view_has_prefix(line, subject_prefix) ||
                            view_trim(view_slice(line, subject_prefix.n, line.n)).n == 0))
            return mistake(error, 1, "the first line must be \"Subject: …\"");
        if (number == 2 && line.n > 0)
            return mistake(error, 2, "an empty line must follow the subject");
        int err = check_line(line, number, error);
        if (err < 0)
            return err;
    }
    return MSA_OK;
}

int template_fill(struct view text, const struct matter *m, int offset_min, struct buf *subject,
                  struct buf *body)
{
    struct template_error error;
    bool is_void;
    int err = template_check(text, &error);
    if (err < 0)
        return err;
    struct view first = next_line(&text);
    first = view_trim(view_slice(first, subject_prefix.n, first.n));
    err = fill_line(first, m, offset_min, subject, &is_void);
    next_line(&text);
    while (err == MSA_OK && text.n > 0) {
        size_t before = buf_len(body);
        err = fill_line(next_line(&text), m, offset_min, body, &is_void);
        if (err == MSA_OK && is_void)
            buf_truncate(body, before);
        else if (err == MSA_OK)
            err = buf_add(body, VIEW_LIT("\r\n"));
    }
    return err;
}
