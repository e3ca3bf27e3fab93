#include "msa/ipc/news.h"

#include "msa/base/clock.h"
#include "msa/base/err.h"

const char *news_kind_name(enum news_kind kind)
{
    static const char *const names[] = {
#define X(name, word, teller) [NEWS_##name] = (word),
        NEWS_KINDS(X)
#undef X
    };
    return names[kind];
}

enum role news_kind_teller(enum news_kind kind)
{
    static const enum role tellers[] = {
#define X(name, word, teller) [NEWS_##name] = (teller),
        NEWS_KINDS(X)
#undef X
    };
    return tellers[kind];
}

void news_peer_up(struct news_teller *t, struct chan *peer)
{
    if (chan_peer(peer) == ROLE_CONSOLE)
        t->console = peer;
}

void news_peer_down(struct news_teller *t, const struct chan *peer)
{
    if (t->console == peer)
        t->console = NULL;
}

static bool has_room(struct news_teller *t)
{
    int64_t second = clock_mono_ms() / 1000;
    if (t->second != second)
        t->in_second = 0;
    t->second = second;
    return t->console && t->in_second < NEWS_PER_SECOND;
}

static void count_untold(struct news_teller *t)
{
    t->untold += t->untold < UINT32_MAX;
}

bool news_is_worth_it(struct news_teller *t)
{
    if (has_room(t))
        return true;
    count_untold(t);
    return false;
}

static bool send_to_console(struct news_teller *t, enum news_kind kind, const json_t *o)
{
    json_free_t release; /* a role may have given jansson an allocator of its own */
    json_get_alloc_funcs(NULL, &release);
    char *text = json_dumps(o, JSON_COMPACT);
    const struct msg_news_tell m = {
        .at_ms = clock_wall_ms(), .kind = (uint8_t)kind, .untold = t->untold, .json = view_cstr(text)};
    bool is_sent = text && CHAN_SEND(t->console, news_tell, 0, &m) == MSA_OK;
    release(text);
    return is_sent;
}

void news_tell(struct news_teller *t, enum news_kind kind, json_t *o)
{
    bool may_tell = o && has_room(t);
    t->in_second += may_tell;
    if (may_tell && send_to_console(t, kind, o))
        t->untold = 0;
    else
        count_untold(t);
    json_decref(o);
}
