#include "smtp/replies.h"

#include <stdio.h>
#include <string.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"

static const struct reply_entry catalogue[REPLY_COUNT] = {
#define REPLY(name, code, enhanced, text) [REPLY_##name] = {#name, code, enhanced, text},
#include "smtp/replies.def"
#undef REPLY
};

const struct reply_entry *reply_entry(enum smtp_reply id)
{
    MSA_ASSERT(id > REPLY_NONE && id < REPLY_COUNT);
    return &catalogue[id];
}

/* A line under construction; always leaves room for CRLF. */
struct line {
    char *p;
    size_t n;
};

static void add_byte(struct line *l, char c)
{
    if (l->n < REPLY_LINE_MAX - 2)
        l->p[l->n++] = c;
}

static void add_plain(struct line *l, const char *s)
{
    for (; *s; s++)
        add_byte(l, *s);
}

/* Never echo a byte that could begin a new line or drive a terminal. */
static void add_foreign(struct line *l, struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        add_byte(l, v.p[i] >= 0x20 && v.p[i] <= 0x7e ? v.p[i] : '?');
}

static void add_text(struct line *l, const char *text, struct view detail)
{
    for (const char *c = text; *c; c++) {
        if (*c != '%') {
            add_byte(l, *c);
            continue;
        }
        bool follows_word = c > text && c[-1] != ' ';
        if (follows_word && detail.n > 0)
            add_plain(l, ": ");
        add_foreign(l, detail);
    }
}

static void add_head(struct line *l, unsigned code, struct view enhanced)
{
    add_byte(l, (char)('0' + code / 100 % 10));
    add_byte(l, (char)('0' + code / 10 % 10));
    add_byte(l, (char)('0' + code % 10));
    add_byte(l, ' ');
    if (enhanced.n > 0) {
        add_foreign(l, enhanced);
        add_byte(l, ' ');
    }
}

static void end_line(struct line *l, size_t *len_out)
{
    l->p[l->n++] = '\r';
    l->p[l->n++] = '\n';
    *len_out = l->n;
}

void reply_format(enum smtp_reply id, struct view detail, char line[REPLY_LINE_MAX],
                  size_t *len_out)
{
    const struct reply_entry *e = reply_entry(id);
    struct line l = {.p = line};
    add_head(&l, e->code, view_cstr(e->enhanced));
    add_text(&l, e->text, detail);
    end_line(&l, len_out);
}

/* RFC 3463: class "." subject "." detail, of one to three digits; the class fits the code. */
static bool enhanced_is_sound(struct view v, unsigned code)
{
    struct view rest = v;
    struct view class = view_cut(&rest, '.');
    struct view subject = view_cut(&rest, '.');
    uint64_t ignored;
    return class.n == 1 && class.p[0] == (char)('0' + code / 100) && subject.n <= 3 && rest.n <= 3 &&
           view_parse_u64(subject, 999, &ignored) && view_parse_u64(rest, 999, &ignored);
}

void reply_format_foreign(enum smtp_reply id, unsigned code, struct view enhanced,
                          struct view text, char line[REPLY_LINE_MAX], size_t *len_out)
{
    const struct reply_entry *e = reply_entry(id);
    struct line l = {.p = line};
    if (code / 100 != e->code / 100u || code % 100 / 10 > 5)
        code = e->code;
    if (!enhanced_is_sound(enhanced, code))
        enhanced = view_cstr(e->enhanced);
    add_head(&l, code, enhanced);
    add_foreign(&l, text);
    end_line(&l, len_out);
}

int reply_document(struct buf *out)
{
    buf_add_cstr(out, "# Replies of msad\n\n"
                      "Made from smtp/replies.def; do not edit. `%` stands for a name, a number or the\n"
                      "reason that policy gave. Replies of the smarthost come through in its own words.\n\n"
                      "| code | enhanced | text |\n|---|---|---|\n");
    for (int id = REPLY_NONE + 1; id < REPLY_COUNT; id++) {
        const struct reply_entry *e = &catalogue[id];
        buf_addf(out, "| %u | %s | %s |\n", (unsigned)e->code, e->enhanced, e->text);
    }
    return buf_failed(out) ? MSA_ETOOBIG : MSA_OK;
}
