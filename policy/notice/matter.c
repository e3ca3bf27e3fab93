#include "policy/notice/matter.h"

#include "msa/base/buf.h"
#include "msa/base/msgid.h"
#include "msa/base/utf8.h"

#define TEXT_MAX 4096

static const char *const names[MATTER_KIND_COUNT] = {
    [MATTER_SUSPENDED] = "suspended", [MATTER_HELD] = "held",
    [MATTER_LOCKED] = "locked",       [MATTER_OVERSEAS] = "overseas",
    [MATTER_RELEASED] = "released",   [MATTER_LIMITED] = "limited",
    [MATTER_WARNED] = "warned",       [MATTER_LOCKED_BY_OWNER] = "locked-by-owner",
};

const char *matter_kind_name(enum matter_kind kind)
{
    return kind < MATTER_KIND_COUNT ? names[kind] : "unknown";
}

bool matter_kind_find(struct view name, enum matter_kind *out)
{
    for (unsigned i = 0; i < MATTER_KIND_COUNT; i++) {
        if (view_eq(name, view_cstr(names[i]))) {
            *out = (enum matter_kind)i;
            return true;
        }
    }
    return false;
}

/* ---- for programs ---- */

static void set_text(json_t *o, const char *key, struct view v)
{
    struct buf clean;
    buf_init(&clean, TEXT_MAX);
    (void)utf8_add_clean(&clean, v); /* too long: cut */
    struct view text = buf_view(&clean);
    if (text.n > 0)
        json_object_set_new(o, key, json_stringn(text.p, text.n));
    buf_fini(&clean);
}

static void set_time(json_t *o, const char *key, int64_t ms)
{
    if (ms != 0)
        json_object_set_new(o, key, json_integer(ms));
}

json_t *matter_json(const struct matter *m)
{
    char id[MSGID_TEXT_MAX];
    json_t *o = json_pack("{s:s}", "event", matter_kind_name(m->kind));
    if (!o)
        return NULL;
    msgid_format(m->restriction, id);
    set_text(o, "id", m->restriction != 0 ? view_cstr(id) : VIEW_EMPTY);
    set_text(o, "login", m->login);
    set_time(o, "at_ms", m->at_ms);
    set_time(o, "until_ms", m->until_ms);
    set_text(o, "rule", m->rule);
    set_text(o, "because", m->because);
    set_text(o, "grounds", m->grounds);
    set_text(o, "country", m->country);
    set_text(o, "source", m->address);
    set_text(o, "released_by", m->actor);
    set_text(o, "release_note", m->note);
    return o;
}
