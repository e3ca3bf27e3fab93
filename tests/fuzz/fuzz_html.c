/* HTML: what is shown is clean, and tokens are pieces of the page in order. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/utf8.h"
#include "policy/score/content/document.h"
#include "policy/score/content/html_token.h"
#include "tests/fuzz/fuzz.h"

static void must_be_inside(struct view page, struct view v)
{
    must(v.n == 0 || (v.p >= page.p && v.p + v.n <= page.p + page.n));
}

static void check_tokens(struct view page)
{
    struct html_lexer l = {page};
    struct html_token t;
    size_t left = page.n;
    while (html_next(&l, &t)) {
        must(l.rest.n < left); /* it always moves on */
        left = l.rest.n;
        must(t.attribute_count <= HTML_ATTRIBUTES_MAX);
        if (t.kind == HTML_TEXT)
            must_be_inside(page, t.text);
        if (t.kind == HTML_OPEN || t.kind == HTML_CLOSE)
            must(ascii_is_alpha(t.name[0]) && strlen(t.name) <= HTML_NAME_MAX);
        for (size_t i = 0; t.kind == HTML_OPEN && i < t.attribute_count; i++) {
            must_be_inside(page, t.attributes[i].name);
            must(t.attributes[i].value.n == 0 || t.attributes[i].name.n > 0);
        }
    }
    must(left == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "Content-Type: text/html; charset=utf-8\n\n";
    static struct document_reader *reader;
    const struct document *d;
    struct buf message;
    if (!reader)
        reader = document_reader_new();
    must(reader != NULL);
    check_tokens(fuzz_view(data, size));
    buf_init(&message, size + sizeof head);
    must(buf_add_cstr(&message, head) == MSA_OK &&
         buf_append(&message, data, size) == MSA_OK);
    must(document_read(reader, buf_view(&message), &d) == MSA_OK);
    must(utf8_is_valid(d->text) && utf8_is_valid(d->hidden_text));
    must(!d->text.n || !memchr(d->text.p, '\0', d->text.n));
    for (size_t i = 0; i < d->link_count; i++)
        must(d->links[i].url.n > 0 && d->links[i].host.n <= d->links[i].url.n);
    buf_fini(&message);
    return 0;
}
