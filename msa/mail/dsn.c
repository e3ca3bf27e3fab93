#include "msa/mail/dsn.h"

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/header.h"

#define FIELD_MAX 1000 /* octets of a value, unfolded */

/* A field: its name, and its value with the lines that continue it. */
struct field {
    struct view name;
    char value[FIELD_MAX];
    size_t value_bytes;
};

static struct view value_of(const struct field *f)
{
    return view_trim(view_of(f->value, f->value_bytes));
}

static struct view take_line(struct view *text)
{
    struct view line = view_cut(text, '\n');
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return line;
}

static void add_value(struct field *f, struct view more)
{
    size_t room = sizeof f->value - f->value_bytes;
    size_t n = more.n < room ? more.n : room;
    if (n > 0)
        memcpy(f->value + f->value_bytes, more.p, n);
    f->value_bytes += n;
}

static bool is_folded(struct view text)
{
    return text.n > 0 && (text.p[0] == ' ' || text.p[0] == '\t');
}

/* The next field of a block; false at its end, with the empty line taken. A line that is no field is passed over. */
static bool next_field(struct view *text, struct field *f)
{
    while (text->n > 0) {
        struct view ahead = *text, line = take_line(&ahead);
        if (line.n == 0 || (line.n > 1 && line.p[0] == '-' && line.p[1] == '-')) {
            if (line.n == 0)
                *text = ahead;
            return false;
        }
        *text = ahead;
        f->name = view_trim(view_cut(&line, ':'));
        f->value_bytes = 0;
        add_value(f, line);
        while (is_folded(*text))
            add_value(f, take_line(text));
        if (f->name.n > 0)
            return true;
    }
    return false;
}

/* ---- values ---- */

/* "rfc822; a@x.jp": what stands behind the type. */
static void take_address(struct view value, char out[DSN_ADDRESS_MAX + 1])
{
    (void)view_cut(&value, ';');
    value = view_trim(value);
    if (value.n > 1 && value.p[0] == '<' && value.p[value.n - 1] == '>')
        value = view_slice(value, 1, value.n - 1);
    if (!view_to_cstr(value, out, DSN_ADDRESS_MAX + 1))
        out[0] = '\0';
}

static bool take_digits(struct view *text, size_t most)
{
    size_t n = 0;
    while (n < text->n && n < most && text->p[n] >= '0' && text->p[n] <= '9')
        n++;
    *text = view_slice(*text, n, text->n);
    return n > 0;
}

static bool take_dot(struct view *text)
{
    bool is_there = text->n > 0 && text->p[0] == '.';
    *text = view_slice(*text, is_there ? 1 : 0, text->n);
    return is_there;
}

bool dsn_is_status(struct view text)
{
    return text.n > 0 && (text.p[0] == '2' || text.p[0] == '4' || text.p[0] == '5') &&
           take_digits(&text, 1) && take_dot(&text) && take_digits(&text, 3) && take_dot(&text) &&
           take_digits(&text, 3) && text.n == 0;
}

/* "5.1.1 (user unknown)" */
static void take_status(struct view value, char out[16])
{
    struct view word = view_cut(&value, ' ');
    if (!dsn_is_status(word) || !view_to_cstr(word, out, 16))
        out[0] = '\0';
}

/* "smtp; 550 5.1.1 no such user" and "smtp;550-…" */
static unsigned code_of(struct view value)
{
    (void)view_cut(&value, ';');
    value = view_trim(value);
    if (value.n < 3 || value.p[0] < '2' || value.p[0] > '5')
        return 0;
    unsigned code = 0;
    for (size_t i = 0; i < 3; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return 0;
        code = code * 10 + (unsigned)(value.p[i] - '0');
    }
    return value.n == 3 || value.p[3] == ' ' || value.p[3] == '-' ? code : 0;
}

/* "Hana <hana@x.jp>, other@x.jp": the first. A name in quotes may hold anything, so the angle is looked for behind
 * the last quote. */
static void take_mailbox(struct view value, char out[DSN_ADDRESS_MAX + 1])
{
    size_t begin = 0;
    for (size_t i = 0; i < value.n; i++)
        if (value.p[i] == '"')
            begin = i + 1;
    value = view_slice(value, begin, value.n);
    size_t open = view_find(value, '<');
    if (open < value.n) {
        value = view_slice(value, open + 1, value.n);
        value = view_slice(value, 0, view_find(value, '>'));
    } else {
        value = view_slice(value, 0, view_find(value, ','));
    }
    if (!view_to_cstr(view_trim(value), out, DSN_ADDRESS_MAX + 1))
        out[0] = '\0';
}

/* ---- blocks ---- */

static bool is_named(const struct field *f, const char *name)
{
    return view_eq_nocase(f->name, view_cstr(name));
}

/* False: nothing of a recipient in this block. */
static bool read_recipient(struct view *text, struct dsn_recipient *out)
{
    struct field f;
    bool is_any = false;
    *out = (struct dsn_recipient){0};
    while (next_field(text, &f)) {
        if (is_named(&f, "Final-Recipient")) {
            take_address(value_of(&f), out->address);
            is_any = true;
        } else if (is_named(&f, "Action")) {
            out->is_failed = view_eq_nocase(value_of(&f), VIEW_LIT("failed"));
        } else if (is_named(&f, "Status")) {
            take_status(value_of(&f), out->status);
        } else if (is_named(&f, "Diagnostic-Code")) {
            out->code = code_of(value_of(&f));
        }
    }
    return is_any;
}

static bool is_boundary(struct view text)
{
    return text.n > 1 && text.p[0] == '-' && text.p[1] == '-';
}

static int read_report(struct view *text, dsn_recipient_fn *fn, void *arg)
{
    int count = 0;
    while (text->n > 0 && !is_boundary(*text) && count < DSN_RECIPIENTS_MAX) {
        struct dsn_recipient r;
        if (!read_recipient(text, &r))
            continue;
        count++;
        if (!fn(arg, &r))
            break;
    }
    return count;
}

/* ---- the header that came back ---- */

/* "from … by mx.example.jp (msad) with ESMTPSA (…) id 0qh3qd0000000 for …" (smtp/fixup.c). */
static void take_queue_id(struct view received, char out[MSGID_TEXT_MAX])
{
    static const struct view mark = VIEW_LIT(" (msad) with "), id = VIEW_LIT("id");
    uint64_t number;
    while (received.n > 0 && !view_has_prefix(received, mark))
        received = view_slice(received, 1, received.n);
    while (received.n > 0) {
        struct view word = view_cut(&received, ' ');
        if (!view_eq(view_trim(word), id))
            continue;
        word = view_trim(view_cut(&received, ' '));
        word = view_slice(word, 0, view_find(word, ';'));
        if (!msgid_parse(word, &number) || !view_to_cstr(word, out, MSGID_TEXT_MAX))
            out[0] = '\0';
        return;
    }
}

/* Lines further down were there before us: anybody may have written them. */
static void read_returned(struct view *text, struct dsn_about *about)
{
    struct field f;
    while (next_field(text, &f)) {
        for (size_t i = 0; i < f.value_bytes; i++)
            if (f.value[i] == '\t')
                f.value[i] = ' ';
        if (is_named(&f, "Received") && about->queue_id[0] == '\0')
            take_queue_id(value_of(&f), about->queue_id);
        else if (is_named(&f, "Message-ID") && about->message_id[0] == '\0')
            (void)view_to_cstr(header_message_id(value_of(&f)), about->message_id, sizeof about->message_id);
    }
}

/* ---- the message ---- */

static bool is_one_of(struct view value, const char *a, const char *b, const char *c, const char *d)
{
    struct view type = view_trim(view_slice(value, 0, view_find(value, ';')));
    return view_eq_nocase(type, view_cstr(a)) || view_eq_nocase(type, view_cstr(b)) ||
           view_eq_nocase(type, view_cstr(c)) || view_eq_nocase(type, view_cstr(d));
}

static bool is_report_type(struct view value)
{
    return is_one_of(value, "message/delivery-status", "message/global-delivery-status", "", "");
}

static bool is_returned_type(struct view value)
{
    return is_one_of(value, "message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers");
}

/* Up to behind the header of the next part of that type; false: there is none. */
static bool find_part(struct view *text, bool (*is_type)(struct view value))
{
    struct field f;
    while (text->n > 0) {
        struct view line = take_line(text);
        bool is_found = false;
        if (!is_boundary(line))
            continue;
        while (next_field(text, &f))
            is_found |= is_named(&f, "Content-Type") && is_type(value_of(&f));
        if (is_found)
            return true;
    }
    return false;
}

int dsn_read(struct view text, struct dsn_about *about, dsn_recipient_fn *fn, void *arg)
{
    struct field f;
    struct view rest = text;
    *about = (struct dsn_about){0};
    if (view_has_prefix_nocase(text, VIEW_LIT("Reporting-MTA:")))
        return read_report(&rest, fn, arg);
    while (next_field(&rest, &f))
        if (is_named(&f, "To") && about->to[0] == '\0')
            take_mailbox(value_of(&f), about->to);
    if (!find_part(&rest, is_report_type))
        return MSA_ENOENT;
    int count = read_report(&rest, fn, arg);
    if (find_part(&rest, is_returned_type))
        read_returned(&rest, about);
    return count;
}
