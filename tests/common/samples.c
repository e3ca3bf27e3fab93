#include "tests/common/samples.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/common/json.h"

int64_t now_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void samples_add(struct samples *s, int64_t us)
{
    if (s->count == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 4096;
        uint32_t *grown = realloc(s->us, cap * sizeof *grown);
        if (!grown)
            return; /* the sample is lost, the count below is honest about it */
        s->us = grown;
        s->cap = cap;
    }
    s->us[s->count++] = us < 0 ? 0 : us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
}

void samples_fini(struct samples *s)
{
    free(s->us);
    *s = (struct samples){.us = NULL};
}

static int by_value(const void *a, const void *b)
{
    uint32_t x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static double percentile_ms(const struct samples *s, unsigned percent)
{
    return s->us[(s->count - 1) * percent / 100] / 1000.0;
}

void samples_json(struct samples *s, struct buf *json, const char *key)
{
    double sum = 0;
    put_json_key(json, key);
    buf_add_char(json, '{');
    put_json_num(json, "count", (int64_t)s->count);
    if (s->count > 0) {
        qsort(s->us, s->count, sizeof s->us[0], by_value);
        for (size_t i = 0; i < s->count; i++)
            sum += s->us[i];
        put_json_real(json, "mean", sum / (double)s->count / 1000);
        put_json_real(json, "p50", percentile_ms(s, 50));
        put_json_real(json, "p90", percentile_ms(s, 90));
        put_json_real(json, "p99", percentile_ms(s, 99));
        put_json_real(json, "max", percentile_ms(s, 100));
    }
    buf_add_char(json, '}');
}
