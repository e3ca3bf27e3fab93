#include "policy/reservation.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"

#define ARENA_BYTES_MAX (1u << 20) /* four octets for each recipient are most of it */

/* A copy in the arena; false when it is full. */
static bool copy_array(struct arena *arena, const void **array, size_t count,
                       size_t item_bytes)
{
    if (!*array || count == 0) {
        *array = NULL;
        return true;
    }
    void *copy = arena_alloc(arena, count * item_bytes);
    if (!copy)
        return false;
    memcpy(copy, *array, count * item_bytes);
    *array = copy;
    return true;
}

#define COPY_ARRAY(arena, e, field, count)                              \
    copy_array((arena), (const void **)(void *)&(e)->field, (e)->count, \
               sizeof *(e)->field)

static bool copy_view(struct arena *arena, struct view *v)
{
    struct view copy = arena_copy(arena, *v);
    bool is_whole = copy.n == v->n;
    *v = copy;
    return is_whole;
}

static bool copy_destinations(struct arena *arena, struct event *e)
{
    const void *array = e->destinations;
    if (!copy_array(arena, &array, e->destination_count, sizeof *e->destinations))
        return false;
    struct destination *copy = (struct destination *)(uintptr_t)array; /* our own */
    e->destinations = copy;
    for (unsigned i = 0; copy && i < e->destination_count; i++)
        if (!copy_view(arena, &copy[i].domain))
            return false;
    return true;
}

/* `to` shares nothing with `from`. */
static bool copy_event(struct arena *arena, const struct event *from, struct event *to)
{
    *to = *from;
    return copy_view(arena, &to->account_class) && copy_view(arena, &to->listener) &&
           copy_view(arena, &to->protocol) && copy_destinations(arena, to) &&
           COPY_ARRAY(arena, to, overrides, override_count) &&
           (to->recipient_hashes == NULL ||
            COPY_ARRAY(arena, to, recipient_hashes, recipients)) &&
           COPY_ARRAY(arena, to, fingerprints, fingerprint_count);
}

static bool note_held(struct arena *arena, const struct rule_set *rules, const struct circumstances *c,
                      struct held_rules *out)
{
    uint32_t names[RULES_MAX];
    const void *array = names;
    *out = (struct held_rules){0};
    for (unsigned i = 0; i < rules->rule_count; i++)
        if (c->also[i / 64] >> i % 64 & 1)
            names[out->count++] = rules->rules[i].name_hash;
    if (!copy_array(arena, &array, out->count, sizeof names[0]))
        return false;
    out->names = array;
    return true;
}

static bool holds(const struct held_rules *held, uint32_t name)
{
    for (size_t i = 0; i < held->count; i++)
        if (held->names[i] == name)
            return true;
    return false;
}

static struct circumstances under(const struct rule_set *rules, const struct circumstances *then,
                                  const struct held_rules *held)
{
    struct circumstances now = *then;
    memset(now.also, 0, sizeof now.also);
    for (unsigned i = 0; held->count > 0 && i < rules->rule_count; i++)
        if (holds(held, rules->rules[i].name_hash))
            now.also[i / 64] |= UINT64_C(1) << i % 64;
    return now;
}

static bool note_verdict(struct reservation *r, const struct verdict *v)
{
    r->is_held = r->is_held || (v->actions & THEN_HOLD) != 0;
    r->must_align = r->must_align || (v->actions & THEN_ALIGN) != 0;
    r->score_hundredths += v->score_hundredths;
    if (v->pool.n == 0)
        return true;
    r->pool = v->pool;
    return copy_view(&r->arena, &r->pool);
}

struct reservation *reservation_new(uint64_t id, const struct rule_set *rules, const struct event *e,
                                    const struct verdict *v)
{
    struct reservation *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->id = id;
    r->is_message_counted = v->is_counted;
    r->message_circumstances = v->circumstances;
    arena_init(&r->arena, ARENA_BYTES_MAX);
    if (!copy_event(&r->arena, e, &r->message) || !note_verdict(r, v) ||
        !note_held(&r->arena, rules, &v->circumstances, &r->message_held))
        reservation_free(&r);
    return r;
}

void reservation_free(struct reservation **r)
{
    if (!*r)
        return;
    arena_fini(&(*r)->arena);
    free(*r);
    *r = NULL;
}

int reservation_add_content(struct reservation *r, const struct rule_set *rules, const struct event *e,
                            const struct verdict *v)
{
    r->content_circumstances = v->circumstances;
    bool is_copied = copy_event(&r->arena, e, &r->content) &&
                     note_held(&r->arena, rules, &v->circumstances, &r->content_held);
    r->is_content_counted = is_copied && v->is_counted;
    return note_verdict(r, v) && is_copied ? MSA_OK : MSA_ENOMEM;
}

void reservation_give_back(const struct reservation *r, const struct rule_set *rules,
                           struct store *store)
{
    const struct circumstances message = under(rules, &r->message_circumstances, &r->message_held);
    const struct circumstances content = under(rules, &r->content_circumstances, &r->content_held);
    if (r->is_message_counted)
        (void)engine_give_back(rules, store, &r->message, &message);
    if (r->is_content_counted)
        (void)engine_give_back(rules, store, &r->content, &content);
}
