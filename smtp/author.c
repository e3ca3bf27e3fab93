#include "smtp/author.h"

#include "msa/base/err.h"
#include "msa/ipc/messages.h"
#include "msa/mail/address.h"

#define AUTHORS_BYTES_MAX 65536 /* policy_route_ask.authors */
#define AUTHORS_COUNT_MAX 100

/* An address that has no canonical form is nobody's: it is told as it stands, so that it can match
 * no account. */
static void add_mailbox(const struct mailbox *m, struct buf *out)
{
    char canonical[PATH_CANONICAL_SIZE];
    int n = mailbox_canonical(m, canonical);
    buf_add(out, n > 0 ? view_of(canonical, (size_t)n) : m->address);
}

static void add_mailboxes(const struct address_list *list, struct buf *out)
{
    for (const struct mailbox *m = list->first; m; m = m->next) {
        add_mailbox(m, out);
        buf_add_char(out, '\n');
    }
}

static unsigned from_findings(unsigned findings)
{
    unsigned found = 0;
    if (findings & ADDRESS_INVALID)
        found |= HEADER_FINDING_FROM_INVALID;
    if (findings & ADDRESS_SUSPICIOUS)
        found |= HEADER_FINDING_FROM_ODD;
    if (findings & ADDRESS_NAME_HAS_AT)
        found |= HEADER_FINDING_NAME_HAS_AT;
    return found;
}

static int read_from(struct smtp_txn *t, const struct header_field *from, struct buf *authors)
{
    struct view body = header_field_body(&t->body.header, from);
    struct address_list list;
    struct arena work;
    arena_init(&work, ADDRESS_ARENA_BYTES(body.n, AUTHORS_COUNT_MAX));
    int err = address_parse(body, AUTHORS_COUNT_MAX, &work, &list);
    if (err == MSA_OK) {
        t->header_findings |= from_findings(list.findings);
        add_mailboxes(&list, authors);
    }
    if (buf_failed(authors))
        t->header_findings |= HEADER_FINDING_FROM_INVALID;
    arena_fini(&work);
    return err;
}

static int take_sender(struct smtp_txn *t, const struct address_list *list)
{
    char canonical[PATH_CANONICAL_SIZE];
    int n = list->first ? mailbox_canonical(list->first, canonical) : 0;
    if (list->count != 1 || (list->findings & ADDRESS_INVALID) || n <= 0 || n > IPC_PATH_MAX) {
        t->header_findings |= HEADER_FINDING_SENDER_INVALID;
        return MSA_OK;
    }
    t->header_sender = arena_copy(&t->arena, view_of(canonical, (size_t)n));
    return t->header_sender.n > 0 ? MSA_OK : MSA_ENOMEM;
}

static int read_sender(struct smtp_txn *t, const struct header_field *sender)
{
    struct view body = header_field_body(&t->body.header, sender);
    struct address_list list;
    struct arena work;
    arena_init(&work, ADDRESS_ARENA_BYTES(body.n, 2));
    int err = address_parse(body, 2, &work, &list);
    if (err == MSA_OK)
        err = take_sender(t, &list);
    arena_fini(&work);
    return err;
}

static unsigned count_findings(const struct header *h)
{
    size_t from_count = header_count(h, VIEW_LIT("From"));
    unsigned found = 0;
    if (h->defects & HEADER_AMBIGUOUS)
        found |= HEADER_FINDING_AMBIGUOUS;
    if (from_count == 0)
        found |= HEADER_FINDING_NO_FROM;
    if (from_count > 1)
        found |= HEADER_FINDING_MANY_FROM;
    if (header_count(h, VIEW_LIT("Sender")) > 1)
        found |= HEADER_FINDING_MANY_SENDER;
    if (header_find(h, VIEW_LIT("Resent-From"), NULL) ||
        header_find(h, VIEW_LIT("Resent-Sender"), NULL))
        found |= HEADER_FINDING_RESENT;
    return found;
}

/* All From fields together: where there are two, no reader can be trusted to take the same one. */
static int read_authors(struct smtp_txn *t)
{
    const struct header_field *from = NULL;
    struct buf authors;
    int err = MSA_OK;
    buf_init(&authors, AUTHORS_BYTES_MAX);
    while (err == MSA_OK && (from = header_find(&t->body.header, VIEW_LIT("From"), from)) != NULL)
        err = read_from(t, from, &authors);
    t->authors = arena_copy(&t->arena, buf_view(&authors));
    if (t->authors.n != buf_len(&authors))
        err = MSA_ENOMEM;
    buf_fini(&authors);
    return err;
}

bool author_read(struct smtp_txn *t)
{
    const struct header *h = &t->body.header;
    const struct header_field *sender = header_find(h, VIEW_LIT("Sender"), NULL);
    t->header_findings = count_findings(h);
    int err = read_authors(t);
    if (err == MSA_OK && sender)
        err = read_sender(t, sender);
    return err == MSA_OK;
}

bool author_is_alone(const struct smtp_txn *t, const struct path *who)
{
    char canonical[PATH_CANONICAL_SIZE];
    int n = path_canonical(who, canonical);
    return n > 0 && t->authors.n == (size_t)n + 1 &&
           view_eq(view_slice(t->authors, 0, (size_t)n), view_of(canonical, (size_t)n));
}
