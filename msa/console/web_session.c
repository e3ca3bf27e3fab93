#include "msa/console/web_session.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/secret.h"

void web_sessions_init(struct web_sessions *all)
{
    table_init(&all->table);
    list_init(&all->by_use);
}

void web_sessions_end(struct web_sessions *all, struct web_session *s)
{
    table_remove(&all->table, &s->entry);
    list_remove(&s->link);
    secret_wipe(s, sizeof *s);
    free(s);
}

void web_sessions_fini(struct web_sessions *all)
{
    struct web_session *s;
    while ((s = LIST_FIRST(&all->by_use, struct web_session, link)))
        web_sessions_end(all, s);
    table_fini(&all->table);
}

static bool is_over(const struct web_session *s, int64_t now_ms)
{
    return now_ms - s->used_ms >= SESSION_IDLE_MS || now_ms - s->created_ms >= SESSION_LIFE_MS;
}

void web_sessions_expire(struct web_sessions *all, int64_t now_ms)
{
    struct web_session *s, *next;
    LIST_FOREACH(s, next, &all->by_use, struct web_session, link) {
        if (is_over(s, now_ms))
            web_sessions_end(all, s);
    }
}

static bool is_of(const struct web_session *s, struct view name)
{
    return view_eq(view_cstr(s->owner.name), name);
}

/* The list is short or the owner's sessions are few: it is walked at each sign-in, which costs a key derivation. */
static void make_room(struct web_sessions *all, struct view name)
{
    struct web_session *s, *next, *oldest = NULL;
    size_t count = 0;
    LIST_FOREACH(s, next, &all->by_use, struct web_session, link) {
        if (!is_of(s, name))
            continue;
        oldest = oldest ? oldest : s;
        count++;
    }
    if (count >= SESSIONS_PER_NAME_MAX)
        web_sessions_end(all, oldest);
    else if (all->table.count >= SESSIONS_MAX)
        web_sessions_end(all, LIST_FIRST(&all->by_use, struct web_session, link));
}

struct web_session *web_sessions_begin(struct web_sessions *all, const struct session_owner *owner, int64_t now_ms,
                               char cookie_out[SESSION_SECRET_MAX])
{
    struct web_session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    make_room(all, view_cstr(owner->name));
    console_random_text(cookie_out);
    console_random_text(s->csrf);
    console_digest(view_cstr(cookie_out), s->digest);
    s->owner = *owner;
    s->created_ms = s->used_ms = now_ms;
    s->entry.key = view_of((const char *)s->digest, sizeof s->digest);
    if (table_insert(&all->table, &s->entry) < 0) {
        secret_wipe(s, sizeof *s);
        free(s);
        return NULL;
    }
    list_append(&all->by_use, &s->link);
    return s;
}

struct web_session *web_sessions_find(struct web_sessions *all, struct view cookie, int64_t now_ms)
{
    uint8_t digest[SESSION_DIGEST_BYTES];
    if (cookie.n != SESSION_SECRET_MAX - 1)
        return NULL;
    console_digest(cookie, digest);
    struct table_entry *e = table_find(&all->table, view_of((const char *)digest, sizeof digest));
    if (!e)
        return NULL;
    struct web_session *s = CONTAINER_OF(e, struct web_session, entry);
    if (is_over(s, now_ms)) {
        web_sessions_end(all, s);
        return NULL;
    }
    s->used_ms = now_ms;
    list_remove(&s->link);
    list_append(&all->by_use, &s->link);
    return s;
}

bool web_sessions_hold(const struct web_sessions *all, const uint8_t digest[SESSION_DIGEST_BYTES], int64_t now_ms)
{
    const struct table_entry *e = table_find(&all->table, view_of((const char *)digest, SESSION_DIGEST_BYTES));
    return e && !is_over(CONTAINER_OF(e, struct web_session, entry), now_ms);
}

size_t web_sessions_end_of(struct web_sessions *all, struct view name, const struct web_session *except)
{
    struct web_session *s, *next;
    size_t count = 0;
    LIST_FOREACH(s, next, &all->by_use, struct web_session, link) {
        if (!is_of(s, name) || s == except)
            continue;
        web_sessions_end(all, s);
        count++;
    }
    return count;
}

size_t web_sessions_count(const struct web_sessions *all)
{
    return all->table.count;
}
