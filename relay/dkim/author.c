#include "relay/dkim/author.h"

#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/address.h"

#define AUTHORS_MAX 1000

/* The mailboxes of the only field called `name`; none when there are several, or what it says cannot be read. */
static int read_mailboxes(const struct header *h, struct view name, struct arena *arena,
                          struct mailbox **first_out)
{
    struct address_list list;
    const struct header_field *f = header_find(h, name, NULL);
    *first_out = NULL;
    if (!f || header_find(h, name, f))
        return MSA_OK;
    struct view body = header_field_body(h, f);
    arena_init(arena, ADDRESS_ARENA_BYTES(body.n, AUTHORS_MAX));
    int err = address_parse(body, AUTHORS_MAX, arena, &list);
    if (err == MSA_OK && !(list.findings & ADDRESS_INVALID))
        *first_out = list.first;
    return err;
}

static void consider(const struct dkim_keyring *ring, const struct mailbox *m, struct view wanted,
                     struct dkim_author *out)
{
    char domain[DOMAIN_SIZE];
    int n = domain_to_ascii(m->domain, domain);
    bool is_wanted = n > 0 && wanted.n > 0 && view_eq(view_of(domain, (size_t)n), wanted);
    if (n <= 0 || (out->signer && !is_wanted))
        return;
    const struct dkim_domain *signer = dkim_keyring_find(ring, view_of(domain, (size_t)n));
    if (!signer)
        return;
    out->signer = signer;
    memcpy(out->domain, domain, (size_t)n + 1);
}

int dkim_author_find(const struct dkim_keyring *ring, const struct header *h, struct dkim_author *out)
{
    struct arena from_arena = {0}, sender_arena = {0};
    struct mailbox *author, *sender;
    char wanted[DOMAIN_SIZE];
    int n = 0;
    *out = (struct dkim_author){0};
    int err = read_mailboxes(h, VIEW_LIT("From"), &from_arena, &author);
    if (err == MSA_OK)
        err = read_mailboxes(h, VIEW_LIT("Sender"), &sender_arena, &sender);
    if (err == MSA_OK && sender)
        n = domain_to_ascii(sender->domain, wanted);
    for (; err == MSA_OK && author; author = author->next)
        consider(ring, author, n > 0 ? view_of(wanted, (size_t)n) : VIEW_EMPTY, out);
    arena_fini(&from_arena);
    arena_fini(&sender_arena);
    return err;
}
