#include "policy/account.h"

#include "msa/base/log.h"
#include "policy/rules.h"

#define KEY_BYTES 8

/* Big endian: accounts lie in the order of their ids. */
static struct view key_of(uint64_t id, char out[KEY_BYTES])
{
    for (int i = 0; i < KEY_BYTES; i++)
        out[i] = (char)(id >> (56 - 8 * i));
    return view_of(out, KEY_BYTES);
}

static void log_damaged(uint64_t id)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_ERROR, "account-damaged");
    log_num(&l, "account", (int64_t)id);
    log_end(&l);
}

enum msa_lookup account_load(struct ledger *ledger, uint64_t id, struct buf *bytes,
                             struct account *out)
{
    char key[KEY_BYTES];
    *out = (struct account){0};
    enum msa_lookup found =
        id == 0 ? MSA_NOT_FOUND
                : ledger_get(ledger, LEDGER_ACCOUNTS, key_of(id, key), bytes);
    if (found == MSA_FOUND && account_unpack(buf_view(bytes), out) < 0) {
        log_damaged(id);
        found = MSA_RETRY;
    }
    out->id = id;
    return found;
}

int account_save(struct ledger *ledger, const struct account *a)
{
    char key[KEY_BYTES];
    struct buf record;
    buf_init(&record, ACCOUNT_BYTES_MAX);
    int err = account_pack(a, &record);
    if (err == MSA_OK)
        err = ledger_put(ledger, LEDGER_ACCOUNTS, key_of(a->id, key), buf_view(&record));
    buf_fini(&record);
    return err;
}

/* ---- home and overseas ---- */

bool account_has_home(const struct account *a, uint16_t country)
{
    for (unsigned i = 0; i < a->home_count; i++)
        if (a->homes[i] == country)
            return true;
    return false;
}

bool account_default_is_home(const struct config *config, uint16_t country)
{
    if (country == COUNTRY_NONE)
        return config->geo.unknown == CONFIG_UNKNOWN_HOME;
    return rules_is_home(config, country);
}

bool account_is_home(const struct account *a, const struct config *config, uint16_t country)
{
    if (country != COUNTRY_NONE && a->home_count > 0)
        return account_has_home(a, country);
    return account_default_is_home(config, country);
}

bool account_is_blocked_overseas(const struct account *a, const struct config *config)
{
    const struct config_accounts *all = &config->accounts;
    bool is_new = all->new_since_ms > 0 && a->created_ms >= all->new_since_ms;
    switch (a->overseas) {
    case ACCOUNT_OVERSEAS_ALLOW: return false;
    case ACCOUNT_OVERSEAS_BLOCK: return true;
    case ACCOUNT_OVERSEAS_DEFAULT: break;
    }
    return (is_new ? all->overseas_new : all->overseas) == CONFIG_OVERSEAS_BLOCK;
}

static bool is_excepted(const struct account_exception *e, uint16_t country, int64_t now_ms)
{
    return (e->country == COUNTRY_NONE || e->country == country) && now_ms >= e->from_ms &&
           (e->until_ms == 0 || now_ms < e->until_ms);
}

bool account_allows_from(const struct account *a, const struct config *config, uint16_t country,
                         bool is_home, int64_t now_ms)
{
    if (is_home || !account_is_blocked_overseas(a, config))
        return true;
    for (unsigned i = 0; i < a->exception_count; i++)
        if (is_excepted(&a->exceptions[i], country, now_ms))
            return true;
    return false;
}

static enum config_content_scoring scoring_of(const struct account *a,
                                               const struct config_accounts *all)
{
    for (uint32_t i = 0; i < all->class_count; i++)
        if (view_eq(view_cstr(all->classes[i].name), a->class_name))
            return all->classes[i].content_scoring;
    return all->content_scoring;
}

bool account_may_score(const struct account *a, const struct config *config)
{
    switch (scoring_of(a, &config->accounts)) {
    case CONFIG_SCORING_YES: return a->consent != ACCOUNT_CONSENT_NO;
    case CONFIG_SCORING_CONSENT: return a->consent == ACCOUNT_CONSENT_YES;
    case CONFIG_SCORING_NO: break;
    }
    return false;
}
