#include "smtp/author.h"

#include "msa/base/err.h"
#include "msa/ipc/messages.h"
#include "msa/mail/address.h"
#include "msa/mail/shown.h"

#define AUTHORS_BYTES_MAX 65536 /* policy_route_ask.authors */
#define AUTHORS_COUNT_MAX 100
#define RESENT_BYTES_MAX  16384 /* policy_route_ask.resent */
#define SHOWN_BYTES_MAX   16384 /* policy_route_ask.shown */

/* An address that has no canonical form is nobody's: it is told as it stands, so that it
 * can match no account. */
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

/* What different readers take apart in different ways, or would if they were less strict.
 */
#define REFUSABLE                                                                \
    (ADDRESS_BAD_DOMAIN | ADDRESS_ENCODED_WORD | ADDRESS_ROUTE | ADDRESS_GROUP | \
     ADDRESS_EMPTY_MEMBER | ADDRESS_LITERAL)
#define OBSOLETE (ADDRESS_COMMENT_IN_ADDR | ADDRESS_SPACE_IN_ADDR)

static unsigned from_findings(unsigned findings)
{
    unsigned found = 0;
    if (findings & ADDRESS_INVALID)
        found |= HEADER_FINDING_FROM_INVALID;
    if (findings & REFUSABLE)
        found |= HEADER_FINDING_FROM_ODD;
    if (findings & OBSOLETE)
        found |= HEADER_FINDING_FROM_OBSOLETE;
    if (findings & ADDRESS_NAME_HAS_AT)
        found |= HEADER_FINDING_NAME_HAS_AT;
    return found;
}

/* Takes the field's mailboxes to the end of `out`. */
static int read_mailboxes(const struct header *h, const struct header_field *f,
                          struct buf *out, unsigned *findings_out)
{
    struct view body = header_field_body(h, f);
    struct address_list list;
    struct arena work;
    arena_init(&work, ADDRESS_ARENA_BYTES(body.n, AUTHORS_COUNT_MAX));
    int err = address_parse(body, AUTHORS_COUNT_MAX, &work, &list);
    if (err == MSA_OK)
        add_mailboxes(&list, out);
    *findings_out = list.findings;
    arena_fini(&work);
    return err;
}

/* Keeps the text for as long as the transaction lives. */
static int keep(struct smtp_txn *t, const struct buf *text, struct view *out)
{
    *out = arena_copy(&t->arena, buf_view(text));
    return out->n == buf_len(text) ? MSA_OK : MSA_ENOMEM;
}

/* ---- From
 * ----------------------------------------------------------------------------------------
 */

static int read_from(struct smtp_txn *t, const struct header_field *from,
                     struct buf *authors)
{
    unsigned findings;
    int err = read_mailboxes(&t->body.header, from, authors, &findings);
    t->header_findings |= from_findings(findings);
    if (buf_failed(authors))
        t->header_findings |= HEADER_FINDING_FROM_INVALID;
    return err;
}

/* All From fields together: where there are two, no reader can be trusted to take the
 * same one. */
static int read_authors(struct smtp_txn *t)
{
    const struct header_field *from = NULL;
    struct buf authors;
    int err = MSA_OK;
    buf_init(&authors, AUTHORS_BYTES_MAX);
    while (err == MSA_OK &&
           (from = header_find(&t->body.header, VIEW_LIT("From"), from)) != NULL)
        err = read_from(t, from, &authors);
    if (err == MSA_OK)
        err = keep(t, &authors, &t->authors);
    buf_fini(&authors);
    return err;
}

static bool has_line(struct view lines, struct view line)
{
    while (lines.n > 0)
        if (view_eq_nocase(view_cut(&lines, '\n'), line))
            return true;
    return false;
}

/* Of the addresses seen, those that are no author's. */
static void add_strangers(struct view seen, struct view authors, struct buf *out)
{
    while (seen.n > 0) {
        struct view one = view_cut(&seen, '\n');
        if (has_line(authors, one) || has_line(buf_view(out), one))
            continue;
        buf_add(out, one);
        buf_add_char(out, '\n');
    }
}

static int read_shown(struct smtp_txn *t)
{
    const struct header_field *from =
        header_find(&t->body.header, VIEW_LIT("From"), NULL);
    struct buf seen, strangers;
    buf_init(&seen, AUTHORS_BYTES_MAX);
    buf_init(&strangers, SHOWN_BYTES_MAX);
    int n = from ? shown_addresses(header_field_body(&t->body.header, from), &seen) : 0;
    add_strangers(buf_view(&seen), t->authors, &strangers);
    if (n == MSA_ETOOBIG || buf_failed(&strangers))
        t->header_findings |= HEADER_FINDING_SHOWN_TOO_MANY;
    int err = n == MSA_ENOMEM ? n : keep(t, &strangers, &t->shown);
    buf_fini(&seen);
    buf_fini(&strangers);
    return err;
}

/* ---- Sender
 * --------------------------------------------------------------------------------------
 */

static int take_sender(struct smtp_txn *t, struct view line, unsigned findings)
{
    struct view sender = view_cut(&line, '\n');
    if (line.n > 0 || sender.n == 0 || sender.n > IPC_PATH_MAX ||
        (findings & (ADDRESS_INVALID | REFUSABLE))) {
        t->header_findings |= HEADER_FINDING_SENDER_INVALID;
        return MSA_OK;
    }
    t->header_sender = arena_copy(&t->arena, sender);
    return t->header_sender.n > 0 ? MSA_OK : MSA_ENOMEM;
}

static int read_sender(struct smtp_txn *t)
{
    const struct header *h = &t->body.header;
    const struct header_field *sender = header_find(h, VIEW_LIT("Sender"), NULL);
    unsigned findings;
    struct buf line;
    if (!sender)
        return MSA_OK;
    buf_init(&line, AUTHORS_BYTES_MAX);
    int err = read_mailboxes(h, sender, &line, &findings);
    if (err == MSA_OK)
        err = take_sender(t, buf_view(&line), findings);
    buf_fini(&line);
    return err;
}

/* ---- Resent-From, Resent-Sender
 * ------------------------------------------------------------------ */

static int add_resent(struct smtp_txn *t, struct view name, struct buf *out)
{
    const struct header *h = &t->body.header;
    int err = MSA_OK;
    for (const struct header_field *f = header_find(h, name, NULL); f && err == MSA_OK;
         f = header_find(h, name, f)) {
        unsigned findings;
        err = read_mailboxes(h, f, out, &findings);
        t->header_findings |= HEADER_FINDING_RESENT;
        if (findings & (ADDRESS_INVALID | REFUSABLE) || buf_failed(out))
            t->header_findings |= HEADER_FINDING_RESENT_INVALID;
        if (buf_failed(out))
            break;
    }
    return err;
}

static int read_resent(struct smtp_txn *t)
{
    struct buf resent;
    buf_init(&resent, RESENT_BYTES_MAX);
    int err = add_resent(t, VIEW_LIT("Resent-From"), &resent);
    if (err == MSA_OK)
        err = add_resent(t, VIEW_LIT("Resent-Sender"), &resent);
    if (err == MSA_OK)
        err = keep(t, &resent, &t->resent);
    buf_fini(&resent);
    return err;
}

/* ---- all of them
 * --------------------------------------------------------------------------------- */

/* The names of fields that say who a message is from. */
static const struct view who_names[] = {VIEW_LIT("From"), VIEW_LIT("Sender"),
                                        VIEW_LIT("Resent-From"),
                                        VIEW_LIT("Resent-Sender")};

static bool has_spaced_name(const struct header *h)
{
    for (size_t i = 0; i < sizeof who_names / sizeof who_names[0]; i++)
        for (const struct header_field *f = header_find(h, who_names[i], NULL); f;
             f = header_find(h, who_names[i], f))
            if (f->body_offset - f->offset != f->name_length + 1)
                return true;
    return false;
}

static unsigned count_findings(const struct header *h)
{
    size_t from_count = header_count(h, VIEW_LIT("From"));
    unsigned found = 0;
    if (h->defects & HEADER_AMBIGUOUS)
        found |= HEADER_FINDING_AMBIGUOUS;
    if (h->defects & HEADER_SPACE_BEFORE_COLON && has_spaced_name(h))
        found |= HEADER_FINDING_SPACED_NAME;
    if (from_count == 0)
        found |= HEADER_FINDING_NO_FROM;
    if (from_count > 1)
        found |= HEADER_FINDING_MANY_FROM;
    if (header_count(h, VIEW_LIT("Sender")) > 1)
        found |= HEADER_FINDING_MANY_SENDER;
    return found;
}

bool author_read(struct smtp_txn *t)
{
    t->header_findings = count_findings(&t->body.header);
    return read_authors(t) == MSA_OK && read_shown(t) == MSA_OK &&
           read_sender(t) == MSA_OK && read_resent(t) == MSA_OK;
}

bool author_is_alone(const struct smtp_txn *t, const struct path *who)
{
    char canonical[PATH_CANONICAL_SIZE];
    int n = path_canonical(who, canonical);
    return n > 0 && t->authors.n == (size_t)n + 1 &&
           view_eq(view_slice(t->authors, 0, (size_t)n), view_of(canonical, (size_t)n));
}
