#include "policy/score/findings.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES_MAX (192u << 10) /* names and sentences of FINDINGS_MAX */
#define POINTS_SIZE     16

void findings_init(struct findings *f)
{
    *f = (struct findings){0};
    arena_init(&f->arena, ARENA_BYTES_MAX);
}

void findings_fini(struct findings *f)
{
    arena_fini(&f->arena);
    f->items = NULL;
    f->count = 0;
}

static bool is_name_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' || c == '.' ||
           c == ':' || c == '/';
}

static struct view keep_name(struct arena *arena, struct view name)
{
    char clean[FINDING_NAME_MAX];
    size_t n = name.n < sizeof clean ? name.n : sizeof clean;
    for (size_t i = 0; i < n; i++)
        clean[i] = is_name_char(name.p[i]) ? name.p[i] : '_';
    return arena_copy(arena, view_of(clean, n));
}

/* Not in the middle of a character. */
static struct view cut_text(struct view text)
{
    size_t n = text.n;
    if (n > FINDING_TEXT_MAX) {
        n = FINDING_TEXT_MAX;
        while (n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80)
            n--;
    }
    return view_slice(text, 0, n);
}

int32_t findings_bounded(int64_t points_milli)
{
    return points_milli > FINDING_POINTS_MAX    ? FINDING_POINTS_MAX
           : points_milli < -FINDING_POINTS_MAX ? -FINDING_POINTS_MAX
                                                : (int32_t)points_milli;
}

void findings_add(struct findings *f, struct view name, int32_t points_milli, struct view text)
{
    points_milli = findings_bounded(points_milli);
    f->total_milli += points_milli;
    if (!f->items)
        f->items = arena_alloc(&f->arena, FINDINGS_MAX * sizeof *f->items);
    struct view kept = f->items && f->count < FINDINGS_MAX ? keep_name(&f->arena, name) : VIEW_EMPTY;
    if (kept.n == 0) {
        f->dropped_count++;
        return;
    }
    f->items[f->count] = (struct finding){
        .order = f->count,
        .name = kept,
        .points_milli = points_milli,
        .text = arena_copy(&f->arena, cut_text(text)),
    };
    f->count++;
}

void findings_add_total(struct findings *f, int64_t milli)
{
    f->total_milli += milli;
}

void findings_join(struct findings *f, const struct findings *from)
{
    int64_t kept_milli = 0;
    for (unsigned i = 0; i < from->count; i++) {
        findings_add(f, from->items[i].name, from->items[i].points_milli, from->items[i].text);
        kept_milli += from->items[i].points_milli;
    }
    f->dropped_count += from->dropped_count;
    f->total_milli += from->total_milli - kept_milli;
}

static int by_weight(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    int32_t wx = abs(x->points_milli), wy = abs(y->points_milli);
    if (wx != wy)
        return wx < wy ? 1 : -1;
    return x->order < y->order ? -1 : x->order > y->order;
}

void findings_sort(struct findings *f)
{
    if (f->count > 1)
        qsort(f->items, f->count, sizeof *f->items, by_weight);
}

/* "-1.5", "0", "2.375". */
static void format_points(int32_t milli, char out[POINTS_SIZE])
{
    int32_t size = abs(milli), decimals = size % 1000, width = 3;
    if (decimals == 0) {
        snprintf(out, POINTS_SIZE, "%s%d", milli < 0 ? "-" : "", size / 1000);
        return;
    }
    for (; decimals % 10 == 0; decimals /= 10)
        width--;
    snprintf(out, POINTS_SIZE, "%s%d.%0*d", milli < 0 ? "-" : "", size / 1000, width, decimals);
}

static void write_all(const struct findings *f, const char *format, const char *between,
                      struct buf *out)
{
    char points[POINTS_SIZE], line[FINDING_NAME_MAX + POINTS_SIZE + 8];
    size_t begin = buf_len(out);
    for (unsigned i = 0; i < f->count; i++) {
        size_t before = buf_len(out);
        format_points(f->items[i].points_milli, points);
        snprintf(line, sizeof line, format, (int)f->items[i].name.n, f->items[i].name.p, points);
        if (buf_addf(out, "%s%s", before > begin ? between : "", line) < 0) {
            buf_truncate(out, before);
            out->failed = false; /* what stands there is whole */
            return;
        }
    }
}

void findings_write(const struct findings *f, struct buf *out)
{
    write_all(f, "%.*s %s", "\n", out);
}

void findings_write_short(const struct findings *f, struct buf *out)
{
    write_all(f, "%.*s(%s)", ",", out);
}

json_t *findings_json(const struct findings *f)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < f->count; i++) {
        const struct finding *x = &f->items[i];
        json_t *one = json_pack("{s:s%, s:f, s:s%}", "name", x->name.p, x->name.n, "points",
                                (double)x->points_milli / 1000.0, "text", x->text.n ? x->text.p : "",
                                x->text.n);
        if (!one || json_array_append_new(list, one) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}
