#include "policy/score/traits.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "msa/config/config.h"
#include "msa/mail/registrable.h"

/* So many that no mail program writes them by accident. */
#define SPLIT_WORDS_MIN      3
#define NUMBERED_LETTERS_MIN 20
#define ZERO_WIDTH_MIN       5
#define SHOUTED_LETTERS_MIN  10

struct pair {
    unsigned from;
    uint32_t to;
};

static uint32_t translate(unsigned bits, const struct pair *pairs, size_t count)
{
    uint32_t out = 0;
    for (size_t i = 0; i < count; i++)
        if (bits & pairs[i].from)
            out |= pairs[i].to;
    return out;
}

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

/* ---- parts ---- */

static bool has_magic(const struct document_part *p, struct view magic)
{
    return p->magic_bytes >= magic.n && memcmp(p->magic, magic.p, magic.n) == 0;
}

/* Windows, Linux, macOS. */
static bool is_executable(const struct document_part *p)
{
    return p->kind == DOCUMENT_PART_OTHER &&
           (has_magic(p, VIEW_LIT("MZ")) || has_magic(p, VIEW_LIT("\x7f" "ELF")) ||
            has_magic(p, VIEW_LIT("\xcf\xfa\xed\xfe")));
}

static bool is_one_of(struct view word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (view_eq_nocase(word, view_cstr(words[i])))
            return true;
    return false;
}

/* The part of `name` behind its last dot, which is taken off. */
static struct view take_extension(struct view *name)
{
    size_t at = name->n;
    while (at > 0 && name->p[at - 1] != '.')
        at--;
    struct view extension = view_slice(*name, at, name->n);
    *name = view_slice(*name, 0, at > 0 ? at - 1 : 0);
    return extension;
}

/* "invoice.pdf.exe": looks like a document where the last extension is not shown. */
static bool has_two_extensions(struct view name)
{
    static const char *const runs[] = {"exe", "scr", "com", "pif", "bat", "cmd", "js",  "jse",
                                       "vbs", "vbe", "wsf", "hta", "lnk", "ps1", "msi", "jar",
                                       "cpl", "iso", "img", "html", "htm", "shtml"};
    static const char *const shows[] = {"pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "txt",
                                        "jpg", "jpeg", "png", "gif", "zip",  "mp3", "mp4",  "csv"};
    struct view last = take_extension(&name), before = take_extension(&name);
    return name.n > 0 && is_one_of(last, runs, COUNT(runs)) && is_one_of(before, shows, COUNT(shows));
}

static uint32_t traits_of_parts(const struct document *d)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < d->part_count; i++) {
        if (is_executable(&d->parts[i]))
            bits |= CONFIG_FACT_EXECUTABLE;
        if (has_two_extensions(d->parts[i].file_name))
            bits |= CONFIG_FACT_TWO_EXTENSIONS;
    }
    return bits;
}

/* ---- header ---- */

/* The registrable domain of the address that ends `value`, or of the first one in it. */
static bool domain_in(struct view value, bool is_last, char out[DOMAIN_SIZE])
{
    size_t at = value.n, end;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] != '@')
            continue;
        at = i + 1;
        if (!is_last)
            break;
    }
    for (end = at; end < value.n; end++)
        if (!ascii_is_alpha(value.p[end]) && !ascii_is_digit(value.p[end]) && value.p[end] != '-' &&
            value.p[end] != '.')
            break;
    return at < value.n && registrable_domain(view_slice(value, at, end), out);
}

static bool differs(struct view a, bool is_last_a, struct view b)
{
    char x[DOMAIN_SIZE], y[DOMAIN_SIZE];
    return domain_in(a, is_last_a, x) && domain_in(b, true, y) && strcmp(x, y) != 0;
}

static struct view shown_name(struct view from)
{
    size_t at = from.n;
    while (at > 0 && from.p[at - 1] != '<')
        at--;
    return view_slice(from, 0, at > 0 ? at - 1 : 0);
}

static bool is_shouting(struct view subject)
{
    unsigned letters = 0;
    for (size_t i = 0; i < subject.n; i++) {
        char c = subject.p[i];
        if (c >= 'a' && c <= 'z')
            return false;
        letters += c >= 'A' && c <= 'Z';
    }
    return letters >= SHOUTED_LETTERS_MIN;
}

static uint32_t traits_of_fields(const struct trait_fields *f)
{
    uint32_t bits = 0;
    if (differs(f->reply_to, true, f->from))
        bits |= CONFIG_FACT_REPLY_ELSEWHERE;
    if (differs(shown_name(f->from), false, f->from))
        bits |= CONFIG_FACT_NAME_IS_ADDRESS;
    if (is_shouting(f->subject))
        bits |= CONFIG_FACT_SHOUTING;
    return bits;
}

/* ---- all of it ---- */

uint32_t traits_of(const struct document *d, const struct trait_fields *fields)
{
    static const struct pair pairs[] = {
        {DOCUMENT_HTML_ONLY, CONFIG_FACT_HTML_ONLY},
        {DOCUMENT_IMAGE_ONLY, CONFIG_FACT_IMAGE_ONLY},
        {DOCUMENT_HAS_HIDDEN_TEXT, CONFIG_FACT_HIDDEN_TEXT},
        {DOCUMENT_HAS_FORM, CONFIG_FACT_FORM},
        {DOCUMENT_HAS_SCRIPT, CONFIG_FACT_SCRIPT},
        {DOCUMENT_HAS_ATTACHMENT, CONFIG_FACT_ATTACHMENT},
        {DOCUMENT_HAS_MESSAGE, CONFIG_FACT_MESSAGE},
        {DOCUMENT_ENCRYPTED, CONFIG_FACT_ENCRYPTED},
        {DOCUMENT_SIGNED, CONFIG_FACT_SIGNED},
        {DOCUMENT_BAD_CHARSET, CONFIG_FACT_BAD_CHARSET},
        {DOCUMENT_8BIT_UNDECLARED, CONFIG_FACT_UNDECLARED_8BIT},
        {DOCUMENT_HEADER_8BIT_BAD, CONFIG_FACT_HEADER_8BIT},
        {DOCUMENT_HEADER_BAD_LINE, CONFIG_FACT_BAD_HEADER_LINE},
        {DOCUMENT_BAD_ENCODING, CONFIG_FACT_BAD_ENCODING},
        {DOCUMENT_UNCLOSED, CONFIG_FACT_UNCLOSED},
        {DOCUMENT_NO_MIME_VERSION, CONFIG_FACT_NO_MIME_VERSION},
        {DOCUMENT_TOO_DEEP | DOCUMENT_TOO_MANY_PARTS, CONFIG_FACT_TOO_DEEP},
    };
    uint32_t bits = translate(d->facts, pairs, COUNT(pairs));
    const unsigned has_anything = DOCUMENT_HAS_TEXT | DOCUMENT_HAS_HTML | DOCUMENT_HAS_ATTACHMENT |
                                  DOCUMENT_HAS_MESSAGE | DOCUMENT_ENCRYPTED;
    if (!(d->facts & has_anything))
        bits |= CONFIG_FACT_NO_TEXT;
    if (d->html.split_word_count >= SPLIT_WORDS_MIN)
        bits |= CONFIG_FACT_SPLIT_WORDS;
    if (d->html.numeric_letter_count >= NUMBERED_LETTERS_MIN)
        bits |= CONFIG_FACT_NUMBERED_LETTERS;
    if (d->html.zero_width_count >= ZERO_WIDTH_MIN)
        bits |= CONFIG_FACT_ZERO_WIDTH;
    return bits | traits_of_parts(d) | traits_of_fields(fields);
}

/* ---- links ---- */

uint32_t traits_of_link(const struct document_link *link)
{
    static const struct pair pairs[] = {
        {DOCUMENT_LINK_IP_LITERAL, CONFIG_LINK_IP},
        {DOCUMENT_LINK_NUMBER_HOST, CONFIG_LINK_NUMBER_HOST},
        {DOCUMENT_LINK_ESCAPED_HOST, CONFIG_LINK_ESCAPED_HOST},
        {DOCUMENT_LINK_8BIT_HOST, CONFIG_LINK_8BIT_HOST},
        {DOCUMENT_LINK_PUNYCODE, CONFIG_LINK_PUNYCODE},
        {DOCUMENT_LINK_HOST_DIFFERS, CONFIG_LINK_HOST_DIFFERS},
        {DOCUMENT_LINK_HIDDEN, CONFIG_LINK_HIDDEN},
        {DOCUMENT_LINK_USERINFO, CONFIG_LINK_USERINFO},
        {DOCUMENT_LINK_PORT, CONFIG_LINK_PORT},
        {DOCUMENT_LINK_DATA_OR_SCRIPT, CONFIG_LINK_SCRIPT},
        {DOCUMENT_LINK_MAILTO, CONFIG_LINK_MAILTO},
        {DOCUMENT_LINK_HTTPS, CONFIG_LINK_HTTPS},
    };
    uint32_t bits = translate(link->flags, pairs, COUNT(pairs));
    if (link->source == DOCUMENT_LINK_FORM)
        bits |= CONFIG_LINK_FORM;
    if (link->source == DOCUMENT_LINK_IMAGE)
        bits |= CONFIG_LINK_IMAGE;
    return bits;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t hash_host(struct view host)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < host.n; i++)
        h = (h ^ (unsigned char)host.p[i]) * UINT64_C(0x100000001b3);
    return h;
}

unsigned traits_link_hosts(const struct document *d)
{
    uint64_t hashes[DOCUMENT_LINKS_MAX];
    unsigned count = 0, different = 0;
    for (size_t i = 0; i < d->link_count && count < DOCUMENT_LINKS_MAX; i++)
        if (!(d->links[i].flags & DOCUMENT_LINK_MAILTO) && d->links[i].host.n > 0)
            hashes[count++] = hash_host(d->links[i].host);
    if (count > 0)
        qsort(hashes, count, sizeof hashes[0], by_number);
    for (unsigned i = 0; i < count; i++)
        different += i == 0 || hashes[i] != hashes[i - 1];
    return different;
}
