#include "policy/score/scan.h"

#include <pthread.h>
#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"

#define CUT_FACTS                                                                                  \
    (DOCUMENT_HEADER_CUT_SHORT | DOCUMENT_TOO_DEEP | DOCUMENT_TOO_MANY_PARTS |                     \
     DOCUMENT_TOO_MANY_LINKS | DOCUMENT_TEXT_CUT_SHORT)

/* ---- readers ---- */

struct scanner {
    pthread_mutex_t lock; /* guards both below */
    struct document_reader **idle;
    unsigned idle_count;
};

void scanner_free(struct scanner **s)
{
    struct scanner *scanner = *s;
    *s = NULL;
    if (!scanner)
        return;
    while (scanner->idle_count > 0)
        document_reader_free(scanner->idle[--scanner->idle_count]);
    pthread_mutex_destroy(&scanner->lock);
    free(scanner->idle);
    free(scanner);
}

struct scanner *scanner_new(unsigned thread_count)
{
    struct scanner *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->idle = calloc(thread_count, sizeof *s->idle);
    for (unsigned i = 0; s->idle && i < thread_count; i++) {
        s->idle[s->idle_count] = document_reader_new();
        if (!s->idle[s->idle_count])
            break;
        s->idle_count++;
    }
    if (s->idle_count < thread_count)
        scanner_free(&s);
    return s;
}

static struct document_reader *take_reader(struct scanner *s)
{
    pthread_mutex_lock(&s->lock);
    MSA_ASSERT(s->idle_count > 0);
    struct document_reader *r = s->idle[--s->idle_count];
    pthread_mutex_unlock(&s->lock);
    return r;
}

static void give_reader(struct scanner *s, struct document_reader *r)
{
    pthread_mutex_lock(&s->lock);
    s->idle[s->idle_count++] = r;
    pthread_mutex_unlock(&s->lock);
}

/* ---- one message ---- */

void scan_result_init(struct scan_result *r)
{
    *r = (struct scan_result){0};
    findings_init(&r->findings);
}

void scan_result_fini(struct scan_result *r)
{
    findings_fini(&r->findings);
}

static struct view domain_of(struct view mailbox)
{
    size_t at = mailbox.n;
    while (at > 0 && mailbox.p[at - 1] != '@')
        at--;
    return at > 0 ? view_slice(mailbox, at, mailbox.n) : VIEW_EMPTY;
}

/* What only is loaded, such as images of a letterhead, tells less than where a reader is sent. */
static void take_fingerprints(const struct score_rules *rules, const struct document *d,
                              struct view sender, struct fingerprints *out)
{
    uint32_t known_count;
    const struct view *known = score_rules_known_hosts(rules, &known_count);
    const unsigned not_hosts = DOCUMENT_LINK_MAILTO | DOCUMENT_LINK_RELATIVE |
                               DOCUMENT_LINK_OTHER_SCHEME | DOCUMENT_LINK_HIDDEN;
    for (size_t i = 0; i < d->link_count; i++)
        if (!(d->links[i].flags & not_hosts) && d->links[i].source != DOCUMENT_LINK_IMAGE)
            fingerprint_add_link(out, d->links[i].host, known, known_count, domain_of(sender));
    fingerprint_add_body(out, d->text);
}

static int judge(const struct score_rules *rules, struct document_reader *reader,
                 const struct document *d, const struct scan_request *request,
                 struct scan_result *out)
{
    const struct score_subject subject = {
        .document = d, .reader = reader, .recipient_count = request->recipient_count};
    take_fingerprints(rules, d, request->sender, &out->fingerprints);
    out->is_cut = (d->facts & CUT_FACTS) != 0;
    return score_rules_judge(rules, &subject, &out->findings);
}

int scanner_run(struct scanner *s, const struct score_rules *rules,
                const struct scan_request *request, struct scan_result *out)
{
    const struct document *d;
    struct document_reader *reader = take_reader(s);
    int err = document_read_fd(reader, request->fd, request->message_bytes, &d);
    if (err == MSA_OK && (d->facts & DOCUMENT_READ_FAILED))
        err = MSA_EIO;
    if (err == MSA_OK)
        err = judge(rules, reader, d, request, out);
    give_reader(s, reader);
    return err;
}
