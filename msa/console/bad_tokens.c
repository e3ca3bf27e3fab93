#include "msa/console/bad_tokens.h"

#include <string.h>

static struct ipaddr network_of(const struct ipaddr *ip)
{
    return ipaddr_network(ip, 32, 64).addr;
}

static size_t set_of(const struct bad_tokens *all, const struct ipaddr *network)
{
    uint64_t a, b;
    memcpy(&a, network->bytes, sizeof a);
    memcpy(&b, network->bytes + sizeof a, sizeof b);
    uint64_t h = (a ^ all->key) * 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 32) ^ b) * 0x9e3779b97f4a7c15u;
    return (size_t)(h >> 32) % BAD_TOKENS_SETS;
}

static bool is_over(const struct bad_tokens_of *of, int64_t now_ms)
{
    return ipaddr_is_none(&of->network) || now_ms - of->since_ms >= BAD_TOKENS_WINDOW_MS;
}

uint32_t bad_tokens_wait_s(const struct bad_tokens *all, const struct ipaddr *ip, int64_t now_ms)
{
    struct ipaddr network = network_of(ip);
    const struct bad_tokens_of *set = all->places[set_of(all, &network)];
    for (size_t i = 0; i < BAD_TOKENS_WAYS && !ipaddr_is_none(ip); i++)
        if (ipaddr_eq(&set[i].network, &network) && !is_over(&set[i], now_ms) && set[i].count >= BAD_TOKENS_MAX)
            return (uint32_t)((set[i].since_ms + BAD_TOKENS_WINDOW_MS - now_ms + 999) / 1000);
    return 0;
}

/* Its own place, or else the one that is over or began first. */
static struct bad_tokens_of *place_for(struct bad_tokens_of *set, const struct ipaddr *network, int64_t now_ms)
{
    struct bad_tokens_of *best = &set[0];
    for (size_t i = 0; i < BAD_TOKENS_WAYS; i++) {
        if (ipaddr_eq(&set[i].network, network))
            return &set[i];
        if (!is_over(best, now_ms) && (is_over(&set[i], now_ms) || set[i].since_ms < best->since_ms))
            best = &set[i];
    }
    return best;
}

bool bad_tokens_note(struct bad_tokens *all, const struct ipaddr *ip, int64_t now_ms)
{
    struct ipaddr network = network_of(ip);
    if (ipaddr_is_none(ip))
        return false;
    struct bad_tokens_of *of = place_for(all->places[set_of(all, &network)], &network, now_ms);
    if (!ipaddr_eq(&of->network, &network) || is_over(of, now_ms))
        *of = (struct bad_tokens_of){.network = network, .since_ms = now_ms};
    of->count++;
    return of->count == BAD_TOKENS_MAX;
}
