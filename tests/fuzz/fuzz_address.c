/* Address lists: an address found is read again as itself alone, and findings agree with what
 * was found. */
#include <string.h>

#include "msa/mail/address.h"
#include "tests/fuzz/fuzz.h"

#define MAX_COUNT 50

static void check_mailbox(const struct mailbox *m)
{
    struct arena arena;
    struct address_list again;
    char canonical[PATH_CANONICAL_SIZE], second[PATH_CANONICAL_SIZE];
    arena_init(&arena, ADDRESS_ARENA_BYTES(m->address.n, 2));
    must(m->domain.n > 0 && m->address.n > m->domain.n);
    must(address_parse(m->address, 2, &arena, &again) == 0);
    must(again.count == 1 && (again.findings & (ADDRESS_SYNTAX | ADDRESS_UNCLOSED)) == 0);
    must(view_eq(again.first->address, m->address));
    must(view_eq(again.first->local, m->local) && view_eq(again.first->domain, m->domain));
    int n = mailbox_canonical(m, canonical);
    if (n >= 0)
        must(mailbox_canonical(again.first, second) == n && strcmp(canonical, second) == 0);
    arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    struct arena arena;
    struct address_list list;
    size_t count = 0;
    arena_init(&arena, ADDRESS_ARENA_BYTES(size, MAX_COUNT));
    must(address_parse(in, MAX_COUNT, &arena, &list) == 0);
    must(list.count > 0 || (list.findings & (ADDRESS_EMPTY | ADDRESS_GROUP)));
    if (!(list.findings & (ADDRESS_CONTROL | ADDRESS_BAD_UTF8)))
        for (const struct mailbox *m = list.first; m; m = m->next, count++)
            check_mailbox(m);
    must(list.count <= MAX_COUNT && count <= list.count);
    arena_fini(&arena);
    return 0;
}
