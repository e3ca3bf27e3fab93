#include "policy/tell.h"

#include <stdio.h>

#include "msa/base/clock.h"
#include "msa/base/codec.h"
#include "policy/account.h"
#include "policy/notices.h"

/* ---- configuration ---- */

_Static_assert(1u << MATTER_SUSPENDED == CONFIG_EVENT_SUSPENDED &&
                   1u << MATTER_HELD == CONFIG_EVENT_HELD &&
                   1u << MATTER_LOCKED == CONFIG_EVENT_LOCKED &&
                   1u << MATTER_OVERSEAS == CONFIG_EVENT_OVERSEAS &&
                   1u << MATTER_RELEASED == CONFIG_EVENT_RELEASED &&
                   1u << MATTER_LIMITED == CONFIG_EVENT_LIMITED &&
                   1u << MATTER_WARNED == CONFIG_EVENT_WARNED &&
                   1u << MATTER_LOCKED_BY_OWNER == CONFIG_EVENT_LOCKED_BY_OWNER,
               "the settings name the kinds of matters");

static enum notice_language language_of(enum config_language language)
{
    return language == CONFIG_LANGUAGE_EN ? NOTICE_ENGLISH : NOTICE_JAPANESE;
}

/* One that does not fit counts as none: it could not be mailed either. */
static void copy_address(const char *from, char out[NOTICE_ADDRESS_SIZE])
{
    if (!view_to_cstr(view_cstr(from), out, NOTICE_ADDRESS_SIZE))
        out[0] = '\0';
}

static void take_template(const struct config_template *t, struct notices_config *out)
{
    struct config_template_use use;
    if (t->text[0] == '\0' || !config_template_use(t->name, &use))
        return;
    for (unsigned kind = 0; kind < MATTER_KIND_COUNT; kind++)
        if (use.event == 1u << kind)
            out->templates[language_of(use.language)]
                          [use.is_for_desk ? NOTICE_DESK : NOTICE_CUSTOMER][kind] = t->text;
}

void tell_take_config(struct policy *p)
{
    const struct config_notice *from = &p->config->notice;
    struct notices_config n = {
        .desk_language = language_of(from->desk_language),
        .events = from->events,
        .is_to_customer = from->customer,
        .desk_per_hour = from->desk_per_hour,
    };
    for (uint32_t i = 0; i < p->config->webhook_count && i < NOTICE_HOOKS_MAX; i++) {
        const struct config_webhook *w = &p->config->webhooks[i];
        n.hooks[i].events = w->events;
        n.hook_count +=
            view_to_cstr(view_cstr(w->name), n.hooks[i].name, sizeof n.hooks[i].name);
    }
    for (uint32_t i = 0; i < from->template_count; i++)
        take_template(&from->templates[i], &n);
    copy_address(from->from, n.from);
    copy_address(from->desk, n.desk);
    (void)config_utc_offset(from->utc_offset, &n.offset_min);
    notices_take_config(p->notices, &n);
}

/* ---- matters ---- */

static enum notice_language language_for(const struct policy *p, const struct account *a)
{
    switch (a->language) {
    case ACCOUNT_LANGUAGE_JA:
        return NOTICE_JAPANESE;
    case ACCOUNT_LANGUAGE_EN:
        return NOTICE_ENGLISH;
    case ACCOUNT_LANGUAGE_DEFAULT:
        break;
    }
    return language_of(p->config->notice.language);
}

static void tell(struct policy *p, struct matter *m)
{
    struct account a;
    struct buf bytes;
    buf_init(&bytes, ACCOUNT_BYTES_MAX);
    (void)account_load(p->ledger, m->account, &bytes, &a);
    notices_tell(p->notices, m, a.notice_address.n > 0 ? a.notice_address : m->login,
                 language_for(p, &a));
    buf_fini(&bytes);
}

static int try_all(struct policy *p, struct matter *m, struct view customer,
                   enum notice_language language)
{
    int err = MSA_OK;
    for (unsigned kind = 0; kind < MATTER_KIND_COUNT && err == MSA_OK; kind++) {
        m->kind = (enum matter_kind)kind;
        err = notices_try(p->notices, m, customer, language);
    }
    return err;
}

int tell_samples(struct policy *p, uint64_t account, struct view login)
{
    struct account a;
    struct buf bytes;
    struct matter m = {
        .account = account,
        .at_ms = clock_wall_ms(),
        .login = login,
        .rule = VIEW_LIT("test"),
        .because = VIEW_LIT("this is a test: nothing happened to the account"),
        .address = VIEW_LIT("これは試験です / this is only a test"),
    };
    buf_init(&bytes, ACCOUNT_BYTES_MAX);
    (void)account_load(p->ledger, account, &bytes, &a);
    int err = try_all(p, &m, a.notice_address.n > 0 ? a.notice_address : login,
                      language_for(p, &a));
    buf_fini(&bytes);
    return err;
}

static enum matter_kind kind_of(const struct restriction *r)
{
    if (r->released_ms != 0)
        return MATTER_RELEASED;
    switch (r->kind) {
    case RESTRICTION_SUSPENDED:
        return MATTER_SUSPENDED;
    case RESTRICTION_OWNER_LOCKED:
        return MATTER_LOCKED_BY_OWNER;
    case RESTRICTION_LOCKED:
        return MATTER_LOCKED;
    case RESTRICTION_HELD:
        return MATTER_HELD;
    case RESTRICTION_LIMITED:
        return MATTER_LIMITED;
    case RESTRICTION_OVERSEAS:
        return MATTER_OVERSEAS;
    case RESTRICTION_KIND_COUNT:
        break;
    }
    return MATTER_WARNED;
}

static void tell_as(struct policy *p, enum matter_kind kind, uint64_t id,
                    const struct restriction *r)
{
    char country[3] = "";
    if (r->account == 0)
        return;
    if (r->country != COUNTRY_NONE)
        country_text(r->country, country);
    struct matter m = {
        .kind = kind,
        .account = r->account,
        .restriction = id,
        .at_ms = kind == MATTER_RELEASED ? r->released_ms : r->at_ms,
        .until_ms = kind == MATTER_RELEASED ? 0 : r->until_ms,
        .login = r->login,
        .rule = r->rule,
        .because = r->because,
        .grounds = r->grounds,
        .country = view_cstr(country),
        .address = r->source,
        .actor = r->released_by,
        .note = r->release_note,
    };
    tell(p, &m);
}

/* ---- who has not heard of a suspension does not hear of its end ---- */

/* In LEDGER_NOTICES: 's' and the id of the suspension, until it is lifted. */
static void make_mark(struct buf *key, uint64_t id)
{
    buf_init(key, LEDGER_KEY_MAX);
    put_u8(key, 's');
    put_u64(key, id);
}

static void mark(struct policy *p, uint64_t id)
{
    struct buf key;
    make_mark(&key, id);
    (void)ledger_put(p->ledger, LEDGER_NOTICES, buf_view(&key), VIEW_LIT("1")); /* full: said there */
    buf_fini(&key);
}

static bool take_mark(struct policy *p, uint64_t id)
{
    struct buf key, value;
    make_mark(&key, id);
    buf_init(&value, 16);
    bool is_there = ledger_get(p->ledger, LEDGER_NOTICES, buf_view(&key), &value) == MSA_FOUND;
    if (is_there)
        (void)ledger_delete(p->ledger, LEDGER_NOTICES, buf_view(&key));
    buf_fini(&key);
    buf_fini(&value);
    return is_there;
}

void tell_restriction(struct policy *p, uint64_t id, const struct restriction *r)
{
    enum matter_kind kind = kind_of(r);
    if (kind == MATTER_RELEASED && !take_mark(p, id))
        return;
    if (kind == MATTER_SUSPENDED || kind == MATTER_LOCKED_BY_OWNER)
        mark(p, id);
    tell_as(p, kind, id, r);
}

void tell_forget(struct policy *p, uint64_t id)
{
    (void)take_mark(p, id);
}

void tell_warning(struct policy *p, const struct restriction *r)
{
    tell_as(p, MATTER_WARNED, 0, r);
}
