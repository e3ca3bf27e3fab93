/* The pages, which are part of the program: made by embed.sh from the files in pages/. `pages/index.html` is served at
 * "/", `pages/desk/index.html` at "/desk/", any other file at its own name. */
#ifndef MSA_CONSOLE_PAGES_H
#define MSA_CONSOLE_PAGES_H

#include <stddef.h>

struct page {
    const char *path;
    const char *type;
    const char *tag; /* with its quotes, as in ETag */
    const char *plain, *plain_end;
    const char *packed, *packed_end; /* by gzip */
};

extern const struct page pages[];
extern const size_t page_count;

#endif
