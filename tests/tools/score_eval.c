/* score_eval: how well the built-in classifier tells spam from ham, on a collection of sorted mail.
 *
 *      score_eval [--no-prior] INDEX DIR [LAWFUL]
 *
 * LAWFUL has mail that nobody would call spam, of kinds that the collection has not: Japanese mail, notices of failure.
 *
 * INDEX is the index.tsv of the collection (file, label, origin, sender …), DIR has the files as a submission server sees
 * them. Prints a table: how much ham is called spam and how much spam is found at the threshold that training
 * set, and how much spam is found where 0.25, 0.5 and 1 % of the ham lie above. Ends with 1 when the first line of
 * it misses its goal: at most 0.5 % of the ham, at least 97 % of the spam; or when any of LAWFUL is called spam. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/classify/model.h"
#include "policy/score/classify/prior.h"

#define MESSAGES_MAX 20000
#define FILE_MAX     ((size_t)16 << 20)

enum part { PART_NONE, PART_TRAIN, PART_TEST };

/* Where a message is from, as far as the collection tells: sources that a filter does not know are what matters. */
enum source {
    SOURCE_SPAM_1,
    SOURCE_SPAM_2,
    SOURCE_NEWSLETTER,
    SOURCE_XENT,
    SOURCE_RSS,
    SOURCE_FORGE,
    SOURCE_LINUX,
    SOURCE_RPM,
    SOURCE_MAILER,
    SOURCE_GROUPS,
    SOURCE_OTHER,
    SOURCE_COUNT
};

static struct corpus all;
static enum source sources[MESSAGES_MAX];
static uint32_t senders[MESSAGES_MAX]; /* ham: a hash of the author's site; spam: of the month */
static struct features *features;
static struct document_reader *reader;
static bool has_prior = true;

struct margins {
    float ham[MESSAGES_MAX * 2], spam[MESSAGES_MAX * 2];
    size_t ham_count, spam_count;
    unsigned ham_above, spam_above; /* at the threshold of the model of each */
};
static struct margins margins;

static enum source source_of(const char *origin, const char *sender, bool is_spam)
{
    static const struct {
        const char *part;
        enum source source;
    } names[] = {{"xent", SOURCE_XENT},          {"jmason", SOURCE_RSS},  {"sourceforge", SOURCE_FORGE},
                 {"linux.ie", SOURCE_LINUX},     {"freshrpms", SOURCE_RPM}, {"redhat", SOURCE_MAILER},
                 {"groups.yahoo", SOURCE_GROUPS}};
    if (is_spam)
        return strncmp(origin, "spam-1", 6) == 0 ? SOURCE_SPAM_1 : SOURCE_SPAM_2;
    if (strncmp(origin, "hard", 4) == 0)
        return SOURCE_NEWSLETTER;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strstr(sender, names[i].part))
            return names[i].source;
    return SOURCE_OTHER;
}

static uint32_t hash_of(struct view v)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < v.n; i++)
        hash = (hash ^ (unsigned char)ascii_lower(v.p[i])) * 16777619u;
    return hash ^ hash >> 15;
}

/* The last two labels of the domain in From. */
static struct view site_of(const struct document *d)
{
    const struct document_field *from = document_field(d, VIEW_LIT("From"), NULL);
    struct view v = from ? from->value : VIEW_EMPTY;
    v = view_slice(v, view_find(v, '@'), v.n);
    size_t end = 0, start, dots = 0;
    while (end < v.n && (unsigned char)v.p[end] > ' ' && v.p[end] != '>' && v.p[end] != '"')
        end++;
    for (start = end; start > 0 && v.p[start - 1] != '@'; start--)
        if (v.p[start - 1] == '.' && ++dots == 2)
            break;
    return view_slice(v, start, end);
}

/* "Aug 2002" of Date. */
static struct view month_of(const struct document *d)
{
    const struct document_field *date = document_field(d, VIEW_LIT("Date"), NULL);
    struct view rest = date ? view_trim(date->value) : VIEW_EMPTY;
    if (view_find(rest, ',') < rest.n)
        rest = view_trim(view_slice(rest, view_find(rest, ',') + 1, rest.n));
    view_cut(&rest, ' ');
    return view_slice(rest, 0, 8);
}

static void read_message(const char *dir, const char *file, bool is_spam)
{
    static char bytes[FILE_MAX];
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, file);
    FILE *in = fopen(path, "rb");
    if (!in) {
        fprintf(stderr, "score_eval: cannot open %s\n", path);
        exit(2);
    }
    size_t n = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    const struct document *d;
    if (document_read(reader, view_of(bytes, n), &d) < 0 || features_read(features, d, reader) < 0)
        exit(2);
    senders[all.count] = hash_of(is_spam ? month_of(d) : site_of(d));
    if (corpus_add_features(&all, features, is_spam, 1, false) < 0)
        exit(2);
}

static void read_all(const char *index, const char *dir)
{
    char line[4096];
    FILE *in = fopen(index, "r");
    if (!in) {
        fprintf(stderr, "score_eval: cannot open %s\n", index);
        exit(2);
    }
    while (fgets(line, sizeof line, in) && all.count < MESSAGES_MAX) {
        char *rest = line, *file = strsep(&rest, "\t\n"), *label = strsep(&rest, "\t\n");
        char *origin = strsep(&rest, "\t\n"), *sender = strsep(&rest, "\t\n");
        if (file[0] == '#' || !sender)
            continue;
        bool is_spam = strcmp(label, "spam") == 0;
        sources[all.count] = source_of(origin, sender, is_spam);
        read_message(dir, file, is_spam);
    }
    fclose(in);
}

static int by_size_down(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static struct model *learn(const enum part *parts)
{
    struct corpus train;
    struct model *m;
    corpus_init(&train);
    for (size_t i = 0; i < all.count; i++) {
        const struct example *e = &all.examples[i];
        if (parts[i] == PART_TRAIN && corpus_add(&train, all.ids + e->first, e->count, e->is_spam, 1, false) < 0)
            exit(2);
    }
    if ((has_prior && prior_add(&train, features, reader) < 0) || model_train(&train, NULL, &m) < 0)
        exit(2);
    corpus_fini(&train);
    return m;
}

static void run(const enum part *parts)
{
    struct model *m = learn(parts);
    for (size_t i = 0; i < all.count; i++) {
        const struct example *e = &all.examples[i];
        if (parts[i] != PART_TEST)
            continue;
        /* Relative to the threshold: what a model says is where a margin lies on its own scale. */
        float margin = weights_margin(&m->weights, all.ids + e->first, e->count) - m->scale.threshold;
        if (e->is_spam) {
            margins.spam[margins.spam_count++] = margin;
            margins.spam_above += margin >= 0;
        } else {
            margins.ham[margins.ham_count++] = margin;
            margins.ham_above += margin >= 0;
        }
    }
    model_free(&m);
}

static double caught_at(double share)
{
    size_t rank = (size_t)(share * (double)margins.ham_count), caught = 0;
    for (size_t i = 0; i < margins.spam_count; i++)
        caught += margins.spam[i] > margins.ham[rank];
    return 100.0 * (double)caught / (double)margins.spam_count;
}

static bool report(const char *name)
{
    qsort(margins.ham, margins.ham_count, sizeof margins.ham[0], by_size_down);
    double ham = 100.0 * margins.ham_above / (double)margins.ham_count;
    double spam = 100.0 * margins.spam_above / (double)margins.spam_count;
    printf("%-46s %6zu %6zu %8.2f %7.2f %8.1f %6.1f %6.1f\n", name, margins.ham_count, margins.spam_count, ham, spam,
           caught_at(0.0025), caught_at(0.005), caught_at(0.01));
    fflush(stdout);
    memset(&margins, 0, sizeof margins);
    return ham <= 0.5 && spam >= 97.0;
}

/* One of five is tested, the others are learnt from; the file's place in its half decides. */
static void split_fifths(unsigned fifth, enum part *parts)
{
    unsigned place[2] = {0, 0};
    for (size_t i = 0; i < all.count; i++)
        parts[i] = place[all.examples[i].is_spam]++ % 5 == fifth ? PART_TEST : PART_TRAIN;
}

/* Ham of all sources but one, and spam of one: tested on what was left out. */
static void split_sources(enum source ham, enum source spam, enum part *parts)
{
    for (size_t i = 0; i < all.count; i++) {
        enum source s = sources[i];
        parts[i] = s == ham || s == (spam == SOURCE_SPAM_1 ? SOURCE_SPAM_2 : SOURCE_SPAM_1) ? PART_TEST : PART_TRAIN;
    }
}

static void split_few_lists(bool is_other_way, enum part *parts)
{
    for (size_t i = 0; i < all.count; i++) {
        enum source s = sources[i];
        bool is_first = s == SOURCE_XENT || s == SOURCE_FORGE || s == SOURCE_GROUPS;
        parts[i] = s == SOURCE_SPAM_1   ? PART_TRAIN
                   : s == SOURCE_SPAM_2 ? PART_TEST
                   : is_first != is_other_way ? PART_TRAIN : PART_TEST;
    }
}

/* A tenth of the authors' sites and of the months of spam is tested: the others of their kind are learnt from. */
static void split_senders(unsigned tenth, enum part *parts)
{
    for (size_t i = 0; i < all.count; i++)
        parts[i] = senders[i] % 10 == tenth ? PART_TEST : PART_TRAIN;
}

/* Half of the newsletters by their authors' sites, all lists' mail, and half of the spam are learnt from. */
static void split_newsletters(unsigned half, enum part *parts)
{
    for (size_t i = 0; i < all.count; i++) {
        enum source s = sources[i];
        bool is_known = s == SOURCE_NEWSLETTER                 ? senders[i] % 2 == half
                        : s == SOURCE_SPAM_1 || s == SOURCE_SPAM_2 ? (s == SOURCE_SPAM_1) == (half == 0)
                                                                   : i % 5 != 0;
        parts[i] = is_known ? PART_TRAIN : PART_TEST;
    }
}

/* With all that there is learnt. */
static bool report_lawful(const char *path)
{
    static enum part parts[MESSAGES_MAX];
    size_t first = all.count, above = 0;
    for (size_t i = 0; i < first; i++)
        parts[i] = PART_TRAIN;
    struct model *m = learn(parts);
    DIR *dir = opendir(path);
    if (!dir)
        exit(2);
    for (struct dirent *e; (e = readdir(dir)) && all.count < MESSAGES_MAX;) {
        if (e->d_name[0] == '.')
            continue;
        struct model_result result;
        read_message(path, e->d_name, false);
        model_score(m, features, MODEL_WHY_SHAPES, &result);
        bool is_above = result.score_milli >= MODEL_THRESHOLD_MILLI;
        if (is_above)
            printf("called spam: %s %d\n", e->d_name, (int)result.score_milli);
        above += is_above;
    }
    closedir(dir);
    model_free(&m);
    printf("%-46s %6zu %6d %8.2f\n", "Japanese mail and notices, all learnt", all.count - first, 0,
           100.0 * (double)above / (double)(all.count - first));
    return above == 0;
}

static bool evaluate(void)
{
    static enum part parts[MESSAGES_MAX];
    printf("%-46s %6s %6s %16s %24s\n", "", "tested", "", "at score 5.0", "spam found where so much ham");
    printf("%-46s %6s %6s %8s %7s %8s %6s %6s\n", "", "ham", "spam", "ham %", "spam %", "0.25 %", "0.5 %", "1 %");
    split_fifths(0, parts);
    run(parts);
    bool is_good = report("800 + 800 learnt, 200 + 200 tested");
    for (unsigned k = 0; k < 5; k++) {
        split_fifths(k, parts);
        run(parts);
    }
    report("the same, each fifth once");
    for (unsigned k = 0; k < 10; k++) {
        split_senders(k, parts);
        run(parts);
    }
    report("a tenth of senders and months as strangers");
    for (unsigned k = 0; k < 2; k++) {
        split_newsletters(k, parts);
        run(parts);
    }
    report("half of the newsletters as strangers");
    for (enum source h = SOURCE_XENT; h < SOURCE_COUNT; h++)
        for (enum source s = SOURCE_SPAM_1; s <= SOURCE_SPAM_2; s++) {
            split_sources(h, s, parts);
            run(parts);
        }
    report("each source of ham and of spam as a stranger");
    for (enum source s = SOURCE_SPAM_1; s <= SOURCE_SPAM_2; s++) {
        split_sources(SOURCE_NEWSLETTER, s, parts);
        run(parts);
    }
    report("newsletters as strangers, lists alone learnt");
    for (int k = 0; k < 2; k++) {
        split_few_lists(k, parts);
        run(parts);
    }
    report("half of the lists learnt, the rest strangers");
    return is_good;
}

int main(int argc, char *argv[])
{
    int at = 1;
    if (at < argc && strcmp(argv[at], "--no-prior") == 0) {
        has_prior = false;
        at++;
    }
    if ((argc - at != 2 && argc - at != 3) || !(features = features_new()) ||
        !(reader = document_reader_new())) {
        fprintf(stderr, "usage: score_eval [--no-prior] INDEX DIR [LAWFUL]\n");
        return 2;
    }
    corpus_init(&all);
    read_all(argv[at], argv[at + 1]);
    bool is_good = evaluate();
    if (argc - at == 3)
        is_good = report_lawful(argv[at + 2]) && is_good;
    corpus_fini(&all);
    features_free(&features);
    document_reader_free(reader);
    return is_good ? 0 : 1;
}
