/* classify_bench: what the built-in classifier costs for one message, all in all: reading it into a document, taking
 * features, weighing them. Lines "NAME MICROSECONDS", of CPU, the median of several runs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "msa/base/err.h"
#include "policy/score/classify/model.h"

#define RUNS 9

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A message of `bytes`: a header, text without repetition, at times a link. */
static char *make_message(size_t bytes, bool is_html)
{
    char *m = malloc(bytes + 512);
    if (!m)
        exit(1);
    size_t n = (size_t)snprintf(m, 512,
                                "From: Jane Roe <jane@example.org>\nTo: john@example.net\nSubject: about the meeting\n"
                                "Date: Tue, 1 Jul 2025 09:00:00 +0200\nMessage-ID: <1@example.org>\nMIME-Version: 1.0\n"
                                "Content-Type: text/%s; charset=utf-8\n\n", is_html ? "html" : "plain");
    uint32_t dice = 1;
    while (n < bytes) {
        dice = dice * 1664525u + 1013904223u;
        char word[64];
        int length = dice >> 26 == 0 ? snprintf(word, sizeof word, is_html ? "<a href=\"http://h%u.example/\">here</a>\n"
                                                                         : "http://h%u.example/\n", dice >> 8 & 0xfff)
                                     : snprintf(word, sizeof word, "%c%c%c%c%s", 'a' + (dice >> 8) % 26,
                                                'a' + (dice >> 12) % 26, 'a' + (dice >> 16) % 26, 'a' + (dice >> 20) % 26,
                                                dice >> 28 == 0 ? "\n" : dice >> 28 < 8 ? "ing " : " ");
        size_t room = bytes - n < (size_t)length ? bytes - n : (size_t)length;
        memcpy(m + n, word, room);
        n += room;
    }
    return m;
}

static void measure(const char *name, size_t bytes, bool is_html, unsigned times, const struct model *m,
                    struct document_reader *r, struct features *f)
{
    char *message = make_message(bytes, is_html);
    double runs[RUNS];
    for (int k = 0; k < RUNS; k++) {
        double began = cpu_us();
        for (unsigned i = 0; i < times; i++) {
            const struct document *d;
            struct model_result result;
            if (document_read(r, view_of(message, bytes), &d) < 0 || features_read(f, d, r) < 0)
                exit(1);
            model_score(m, f, MODEL_WHY_SHAPES, &result);
        }
        runs[k] = (cpu_us() - began) / times;
    }
    qsort(runs, RUNS, sizeof runs[0], by_size);
    printf("%-16s %10.1f\n", name, runs[RUNS / 2]);
    free(message);
}

int main(void)
{
    struct document_reader *r = document_reader_new();
    struct features *f = features_new();
    struct model *m = calloc(1, sizeof *m);
    if (!r || !f || !m)
        return 1;
    m->scale = (struct model_scale){-1, 0, 1};
    for (size_t i = 0; i < FEATURE_COUNT; i++)
        m->weights.of[i] = (float)(i % 13) - 6;
    measure("text-4k", 4096, false, 500, m, r, f);
    measure("html-4k", 4096, true, 500, m, r, f);
    measure("text-40k", 40960, false, 100, m, r, f);
    measure("text-10m", (size_t)10 << 20, false, 1, m, r, f);
    measure("html-10m", (size_t)10 << 20, true, 1, m, r, f);
    free(m);
    features_free(&f);
    document_reader_free(r);
    return 0;
}
