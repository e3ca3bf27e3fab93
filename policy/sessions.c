#include "policy/sessions.h"

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"

/* What a source or an account has open. Lives while it has anything. */
struct tally {
    struct table_entry entry;
    struct open_counts open;
    struct list signed_in; /* an account's sessions */
    char key[16];
};

struct worker_sessions {
    struct list link;
    const void *worker;
    struct list sessions;
};

struct sessions {
    struct table by_id;
    struct table sources;  /* of struct tally */
    struct table accounts; /* of struct tally */
    struct list workers;   /* a handful */
    unsigned v6_bits;
};

#define V6_SOURCE_BITS 64

struct sessions *sessions_new(void)
{
    struct sessions *ss = calloc(1, sizeof *ss);
    if (!ss)
        return NULL;
    table_init(&ss->by_id);
    table_init(&ss->sources);
    table_init(&ss->accounts);
    list_init(&ss->workers);
    ss->v6_bits = V6_SOURCE_BITS;
    return ss;
}

void sessions_set_source_bits(struct sessions *ss, unsigned v6_bits)
{
    ss->v6_bits = v6_bits;
}

size_t sessions_count(const struct sessions *ss)
{
    return ss->by_id.count;
}

/* ---- tallies ---- */

static struct tally *tally_get(struct table *t, const void *key, size_t key_bytes)
{
    struct table_entry *e = table_find(t, view_of(key, key_bytes));
    if (e)
        return CONTAINER_OF(e, struct tally, entry);
    struct tally *tally = calloc(1, sizeof *tally);
    if (!tally)
        return NULL;
    memcpy(tally->key, key, key_bytes);
    tally->entry.key = view_of(tally->key, key_bytes);
    list_init(&tally->signed_in);
    if (table_insert(t, &tally->entry) == MSA_OK)
        return tally;
    free(tally);
    return NULL;
}

static struct tally *source_get(struct sessions *ss, const struct ipaddr *ip)
{
    struct ipaddr source = ipaddr_network(ip, 32, ss->v6_bits).addr;
    return tally_get(&ss->sources, source.bytes, sizeof source.bytes);
}

static void tally_add(struct tally *t, const struct live_session *s)
{
    t->open.sessions++;
    t->open.sending += s->is_sending;
}

static void tally_take(struct table *of, struct tally **t, const struct live_session *s)
{
    struct tally *tally = *t;
    *t = NULL;
    if (!tally)
        return;
    tally->open.sending -= s->is_sending;
    if (--tally->open.sessions > 0)
        return;
    table_remove(of, &tally->entry);
    free(tally);
}

/* ---- a session ---- */

static struct worker_sessions *worker_get(struct sessions *ss, const void *worker)
{
    struct worker_sessions *w, *next;
    LIST_FOREACH(w, next, &ss->workers, struct worker_sessions, link)
    {
        if (w->worker == worker)
            return w;
    }
    w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->worker = worker;
    list_init(&w->sessions);
    list_append(&ss->workers, &w->link);
    return w;
}

static void forget(struct sessions *ss, struct live_session *s)
{
    tally_take(&ss->sources, &s->source, s);
    list_remove(&s->of_account);
    tally_take(&ss->accounts, &s->owner, s);
    table_remove(&ss->by_id, &s->by_id);
    list_remove(&s->of_worker);
    free(s);
}

static struct live_session *add(struct sessions *ss, const void *worker, uint64_t id,
                                const struct ipaddr *ip)
{
    struct worker_sessions *w = worker_get(ss, worker);
    struct live_session *s = w ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return NULL;
    s->id = id;
    s->ip = *ip;
    s->by_id.key = view_of((const char *)&s->id, sizeof s->id);
    list_init(&s->of_worker);
    list_init(&s->of_account);
    if (table_insert(&ss->by_id, &s->by_id) != MSA_OK) {
        free(s);
        return NULL;
    }
    list_append(&w->sessions, &s->of_worker);
    s->source = source_get(ss, ip);
    if (!s->source) {
        forget(ss, s);
        return NULL;
    }
    tally_add(s->source, s);
    return s;
}

struct live_session *sessions_find(struct sessions *ss, uint64_t id)
{
    struct table_entry *e = table_find(&ss->by_id, view_of((const char *)&id, sizeof id));
    return e ? CONTAINER_OF(e, struct live_session, by_id) : NULL;
}

struct live_session *sessions_get(struct sessions *ss, const void *worker, uint64_t id,
                                  const struct ipaddr *ip)
{
    struct live_session *s = sessions_find(ss, id);
    if (s || ss->by_id.count >= SESSIONS_MAX)
        return s;
    return add(ss, worker, id, ip);
}

int sessions_sign_in(struct sessions *ss, struct live_session *s, uint64_t account)
{
    if (s->owner && s->account == account)
        return MSA_OK;
    list_remove(&s->of_account);
    tally_take(&ss->accounts, &s->owner, s);
    s->account = account;
    s->owner = tally_get(&ss->accounts, &account, sizeof account);
    if (!s->owner)
        return MSA_ENOMEM;
    list_append(&s->owner->signed_in, &s->of_account);
    tally_add(s->owner, s);
    return MSA_OK;
}

void sessions_set_sending(struct live_session *s, bool is_sending)
{
    if (s->is_sending == is_sending)
        return;
    s->is_sending = is_sending;
    uint32_t step = is_sending ? 1 : UINT32_MAX; /* modulo: minus one */
    s->source->open.sending += step;
    if (s->owner)
        s->owner->open.sending += step;
}

struct open_counts sessions_of_source(const struct live_session *s)
{
    return s->source->open;
}

struct open_counts sessions_of_account(const struct live_session *s)
{
    return s->owner ? s->owner->open : (struct open_counts){0};
}

static struct tally *owner_find(const struct sessions *ss, uint64_t account)
{
    struct table_entry *e =
        table_find(&ss->accounts, view_of((const char *)&account, sizeof account));
    return e ? CONTAINER_OF(e, struct tally, entry) : NULL;
}

struct open_counts sessions_open_of(const struct sessions *ss, uint64_t account)
{
    const struct tally *owner = owner_find(ss, account);
    return owner ? owner->open : (struct open_counts){0};
}

void sessions_each_of(const struct sessions *ss, uint64_t account, sessions_each_fn *fn,
                      void *arg)
{
    struct tally *owner = owner_find(ss, account);
    struct live_session *s, *next;
    if (!owner)
        return;
    LIST_FOREACH(s, next, &owner->signed_in, struct live_session, of_account)
    fn(arg, s);
}

/* ---- the end ---- */

static void end(struct sessions *ss, struct live_session *s, sessions_over_fn *over,
                void *arg)
{
    if (over)
        over(arg, s);
    forget(ss, s);
}

void sessions_end(struct sessions *ss, uint64_t id, sessions_over_fn *over, void *arg)
{
    struct live_session *s = sessions_find(ss, id);
    if (s)
        end(ss, s, over, arg);
}

void sessions_end_worker(struct sessions *ss, const void *worker, sessions_over_fn *over,
                         void *arg)
{
    struct worker_sessions *w, *next_worker;
    struct live_session *s, *next;
    LIST_FOREACH(w, next_worker, &ss->workers, struct worker_sessions, link)
    {
        if (w->worker != worker)
            continue;
        LIST_FOREACH(s, next, &w->sessions, struct live_session, of_worker)
        end(ss, s, over, arg);
        list_remove(&w->link);
        free(w);
    }
}

void sessions_free(struct sessions **ss)
{
    struct worker_sessions *w;
    if (!*ss)
        return;
    while ((w = LIST_FIRST(&(*ss)->workers, struct worker_sessions, link)) != NULL)
        sessions_end_worker(*ss, w->worker, NULL, NULL);
    table_fini(&(*ss)->by_id);
    table_fini(&(*ss)->sources);
    table_fini(&(*ss)->accounts);
    free(*ss);
    *ss = NULL;
}
