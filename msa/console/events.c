#include "msa/console/events.h"

#include <inttypes.h>
#include <stdlib.h>

#include "msa/base/err.h"

void events_init(struct events *all, uint64_t life)
{
    *all = (struct events){.life = life, .first = 1, .next = 1};
}

static void drop_first(struct events *all)
{
    struct event *e = &all->ring[all->first % EVENTS_MAX];
    all->bytes -= e->n;
    all->first++;
    free(e->frame);
    *e = (struct event){0};
}

void events_fini(struct events *all)
{
    while (all->first < all->next)
        drop_first(all);
}

static void write_id(const struct events *all, uint64_t number, struct buf *out)
{
    buf_addf(out, "id: %" PRIx64 "-%" PRIu64 "\n", all->life, number);
}

/* JSON without white space between its parts holds no line feed, which would end the field. */
static void write_frame(const struct events *all, enum news_kind kind, const json_t *o, struct buf *out)
{
    char *text = json_dumps(o, JSON_COMPACT);
    write_id(all, all->next, out);
    buf_addf(out, "event: %s\ndata: %s\n\n", news_kind_name(kind), text ? text : "");
    out->failed = out->failed || !text;
    free(text);
}

static bool keep(struct events *all, enum news_kind kind, struct view frame)
{
    char *copy = malloc(frame.n);
    if (!copy)
        return false;
    while (all->next - all->first == EVENTS_MAX ||
           (all->first < all->next && all->bytes + frame.n > EVENTS_BYTES_MAX))
        drop_first(all);
    for (size_t i = 0; i < frame.n; i++)
        copy[i] = frame.p[i];
    all->ring[all->next % EVENTS_MAX] = (struct event){.kind = kind, .n = frame.n, .frame = copy};
    all->bytes += frame.n;
    all->next++;
    return true;
}

uint64_t events_add(struct events *all, enum news_kind kind, json_t *o)
{
    struct buf frame;
    buf_init(&frame, EVENT_FRAME_MAX);
    if (o && json_object_set_new(o, "kind", json_string(news_kind_name(kind))) == 0)
        write_frame(all, kind, o, &frame);
    else
        frame.failed = true;
    json_decref(o);
    bool is_kept = !buf_failed(&frame) && keep(all, kind, buf_view(&frame));
    buf_fini(&frame);
    return is_kept ? all->next - 1 : 0;
}

const struct event *events_at(const struct events *all, uint64_t number)
{
    return number >= all->first && number < all->next ? &all->ring[number % EVENTS_MAX] : NULL;
}

static bool is_of_life(const struct events *all, struct view life)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRIx64, all->life);
    return view_eq(life, view_of(text, (size_t)n));
}

bool events_resume(const struct events *all, struct view last_id, uint64_t *from_out)
{
    uint64_t last = 0;
    struct view number = last_id, life = view_cut(&number, '-');
    bool is_ours = is_of_life(all, life) && view_parse_u64(number, all->next - 1, &last);
    *from_out = is_ours && last + 1 >= all->first ? last + 1 : all->first;
    return is_ours && last + 1 >= all->first;
}

void events_write_hello(const struct events *all, uint64_t number, struct buf *out)
{
    buf_addf(out, "retry: 3000\n");
    write_id(all, number - 1, out);
    buf_addf(out, "event: hello\ndata: {\"kind\":\"hello\"}\n\n");
}

void events_write_gap(const struct events *all, uint64_t number, struct buf *out)
{
    write_id(all, number - 1, out);
    buf_addf(out, "event: gap\ndata: {\"kind\":\"gap\"}\n\n");
}
