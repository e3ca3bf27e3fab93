#include "policy/score/scan.h"

#include <pthread.h>
#include <stdlib.h>

#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "policy/score/bayes.h"

#define CUT_FACTS                                                                                  \
    (DOCUMENT_HEADER_CUT_SHORT | DOCUMENT_TOO_DEEP | DOCUMENT_TOO_MANY_PARTS |                     \
     DOCUMENT_TOO_MANY_LINKS | DOCUMENT_TEXT_CUT_SHORT)

/* ---- readers ---- */

/* What one thread needs. */
struct seat {
    struct document_reader *reader;
    struct features *features;
};

struct scanner {
    pthread_mutex_t lock; /* guards all below */
    struct seat *idle;
    unsigned idle_count;
    struct shared_model *model; /* NULL: nothing was learnt */
};

static bool seat_init(struct seat *seat)
{
    *seat = (struct seat){.reader = document_reader_new(), .features = features_new()};
    return seat->reader && seat->features;
}

static void seat_fini(struct seat *seat)
{
    document_reader_free(seat->reader);
    features_free(&seat->features);
}

void scanner_free(struct scanner **s)
{
    struct scanner *scanner = *s;
    *s = NULL;
    if (!scanner)
        return;
    while (scanner->idle_count > 0)
        seat_fini(&scanner->idle[--scanner->idle_count]);
    pthread_mutex_destroy(&scanner->lock);
    shared_model_unref(&scanner->model);
    free(scanner->idle);
    free(scanner);
}

struct scanner *scanner_new(unsigned thread_count)
{
    bool is_whole = true;
    struct scanner *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->idle = calloc(thread_count, sizeof *s->idle);
    while (s->idle && is_whole && s->idle_count < thread_count)
        is_whole = seat_init(&s->idle[s->idle_count++]);
    if (!s->idle || !is_whole)
        scanner_free(&s);
    return s;
}

void scanner_set_model(struct scanner *s, struct shared_model *model)
{
    pthread_mutex_lock(&s->lock);
    struct shared_model *was = s->model;
    s->model = model;
    pthread_mutex_unlock(&s->lock);
    shared_model_unref(&was);
}

static struct seat take_seat(struct scanner *s, struct shared_model **model_out)
{
    pthread_mutex_lock(&s->lock);
    MSA_ASSERT(s->idle_count > 0);
    struct seat seat = s->idle[--s->idle_count];
    *model_out = shared_model_ref(s->model);
    pthread_mutex_unlock(&s->lock);
    return seat;
}

static void give_seat(struct scanner *s, struct seat seat, struct shared_model **model)
{
    pthread_mutex_lock(&s->lock);
    s->idle[s->idle_count++] = seat;
    pthread_mutex_unlock(&s->lock);
    shared_model_unref(model);
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

static int classify(const struct score_rules *rules, const struct seat *seat, const struct document *d,
                    const struct shared_model *model, bool is_explained, struct findings *out)
{
    struct model_result result;
    int32_t weight_milli = score_rules_classifier_weight_milli(rules);
    if (!model || weight_milli == 0)
        return MSA_OK;
    int err = features_read(seat->features, d, seat->reader);
    if (err < 0)
        return err;
    model_score(model->model, seat->features, is_explained ? MODEL_WHY_SHAPES : MODEL_WHY_NONE, &result);
    bayes_add(&result, weight_milli, out);
    return MSA_OK;
}

int scanner_run(struct scanner *s, const struct score_rules *rules,
                const struct scan_request *request, struct scan_result *out)
{
    const struct document *d;
    struct shared_model *model;
    struct seat seat = take_seat(s, &model);
    int err = document_read_fd(seat.reader, request->fd, request->message_bytes, &d);
    if (err == MSA_OK && (d->facts & DOCUMENT_READ_FAILED))
        err = MSA_EIO;
    if (err == MSA_OK)
        err = judge(rules, seat.reader, d, request, out);
    if (err == MSA_OK)
        err = classify(rules, &seat, d, model, request->is_explained, &out->findings);
    give_seat(s, seat, &model);
    return err;
}
