#include "policy/expiry.h"

#include <stdbool.h>
#include <string.h>

#include "policy/access.h"
#include "policy/audit.h"
#include "policy/restriction.h"
#include "policy/restrictions.h"
#include "policy/risk.h"

struct slice {
    struct ledger *ledger;
    struct expiry_place *place;
    int64_t now_ms, before_ms; /* older than that: it goes */
    unsigned looked_at;
    bool is_full;
};

/* False: this slice is done, and the next one begins here. */
static bool take_place(struct slice *s, struct view key)
{
    s->is_full = s->looked_at++ == EXPIRY_SLICE;
    if (s->is_full && key.n <= sizeof s->place->key) {
        memcpy(s->place->key, key.p, key.n);
        s->place->key_bytes = key.n;
    }
    return !s->is_full;
}

static void walk(struct slice *s, enum ledger_table table, ledger_each_fn *fn)
{
    char first[LEDGER_KEY_MAX];
    size_t n = s->place->key_bytes;
    memcpy(first, s->place->key, n);
    ledger_each(s->ledger, table, view_of(first, n), fn, s);
    if (!s->is_full)
        s->place->key_bytes = 0; /* round again */
}

static int64_t last_moment(const struct restriction *r)
{
    return r->last_ms > r->released_ms ? r->last_ms : r->released_ms;
}

/* A suspension stands until it was released, which its end by time brings about. */
static bool stands(const struct restriction *r, int64_t now_ms)
{
    return (restriction_is_suspension(r->kind) && r->released_ms == 0) ||
           restriction_is_standing(r, now_ms);
}

static bool look_at_restriction(void *arg, struct view key, struct view value)
{
    struct slice *s = arg;
    struct restriction r;
    if (!take_place(s, key))
        return false;
    if (restriction_decode(value, &r) == 0 && last_moment(&r) < s->before_ms &&
        !stands(&r, s->now_ms))
        restrictions_forget(s->ledger, r.account, r.id);
    return true;
}

static bool look_at_access(void *arg, struct view key, struct view value)
{
    struct slice *s = arg;
    char copy[LEDGER_KEY_MAX];
    (void)value; /* a damaged one grows old as well */
    if (!take_place(s, key))
        return false;
    if (access_time(key) < s->before_ms && key.n <= sizeof copy) {
        memcpy(copy, key.p, key.n); /* the view does not live through the call */
        (void)ledger_delete(s->ledger, LEDGER_ACCESS, view_of(copy, key.n));
    }
    return true;
}

static bool look_at_audit(void *arg, struct view key, struct view value)
{
    struct slice *s = arg;
    char copy[LEDGER_KEY_MAX];
    (void)value;
    if (!take_place(s, key))
        return false;
    if (audit_time(key) < s->before_ms && key.n <= sizeof copy) {
        memcpy(copy, key.p, key.n);
        (void)ledger_delete(s->ledger, LEDGER_AUDIT, view_of(copy, key.n));
    }
    return true;
}

/* The end of the time that an account stays in a pool; the look at its next message says so, too. */
static bool look_at_risk(void *arg, struct view key, struct view value)
{
    struct slice *s = arg;
    char copy[LEDGER_KEY_MAX];
    if (!take_place(s, key))
        return false;
    if (risk_record_until_ms(value) <= s->now_ms && key.n <= sizeof copy) {
        memcpy(copy, key.p, key.n);
        (void)ledger_delete(s->ledger, LEDGER_RISKS, view_of(copy, key.n));
    }
    return true;
}

void expiry_step(struct expiry *e, struct ledger *ledger, const struct config_retention *keep,
                 int64_t now_ms)
{
    struct slice restrictions = {.ledger = ledger,
                                 .place = &e->restrictions,
                                 .now_ms = now_ms,
                                 .before_ms = now_ms - keep->restrictions_ms};
    struct slice access = {.ledger = ledger,
                           .place = &e->access,
                           .now_ms = now_ms,
                           .before_ms = now_ms - keep->access_ms};
    struct slice audit = {.ledger = ledger,
                          .place = &e->audit,
                          .now_ms = now_ms,
                          .before_ms = now_ms - keep->access_ms};
    walk(&audit, LEDGER_AUDIT, look_at_audit);
    struct slice risks = {.ledger = ledger, .place = &e->risks, .now_ms = now_ms};
    walk(&restrictions, LEDGER_RESTRICTIONS, look_at_restriction);
    walk(&access, LEDGER_ACCESS, look_at_access);
    walk(&risks, LEDGER_RISKS, look_at_risk);
}
