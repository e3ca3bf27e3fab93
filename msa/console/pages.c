/* The page server: a path is compared with the names of what was built in, as it was sent. There is no file system
 * behind it, so there is nothing that dots, escapes or NULs could lead to. */
#include "msa/console/pages.h"

#include <string.h>

#include "msa/console/console_private.h"
#include "msa/console/problem.h"

static const struct page *find(struct view path)
{
    for (size_t i = 0; i < page_count; i++)
        if (view_eq(view_cstr(pages[i].path), path))
            return &pages[i];
    return NULL;
}

/* Whether a list such as `gzip, deflate;q=0.5` has the word, and not with a weight of zero. */
static bool is_listed(struct view list, struct view word)
{
    while (list.n > 0) {
        struct view item = view_trim(view_cut(&list, ',')), name = view_trim(view_cut(&item, ';'));
        item = view_trim(item);
        if (view_eq_nocase(name, word))
            return !view_eq(item, VIEW_LIT("q=0")) && !view_eq(item, VIEW_LIT("q=0.0"));
    }
    return false;
}

static struct view between(const char *from, const char *to)
{
    return view_of(from, (size_t)(to - from));
}

void console_page(struct console *c, struct http_request *r)
{
    const struct page *page = find(http_request_path(r));
    (void)c;
    if (!page) {
        problem_answer(r, 404, "there is nothing at this path");
        return;
    }
    struct view plain = between(page->plain, page->plain_end);
    struct view packed = between(page->packed, page->packed_end);
    http_add_header(r, "ETag", view_cstr(page->tag));
    http_add_header(r, "Cache-Control", VIEW_LIT("no-cache")); /* kept, and asked for anew by its tag */
    http_add_header(r, "Vary", VIEW_LIT("Accept-Encoding"));
    if (is_listed(http_request_header(r, "If-None-Match"), view_cstr(page->tag))) {
        http_answer(r, 304, page->type, VIEW_EMPTY);
    } else if (packed.n < plain.n && is_listed(http_request_header(r, "Accept-Encoding"), VIEW_LIT("gzip"))) {
        http_add_header(r, "Content-Encoding", VIEW_LIT("gzip"));
        http_answer_fixed(r, 200, page->type, packed);
    } else {
        http_answer_fixed(r, 200, page->type, plain);
    }
}
