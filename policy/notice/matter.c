#include "policy/notice/matter.h"

static const char *const names[MATTER_KIND_COUNT] = {
    [MATTER_SUSPENDED] = "suspended", [MATTER_HELD] = "held",
    [MATTER_LOCKED] = "locked",       [MATTER_OVERSEAS] = "overseas",
    [MATTER_RELEASED] = "released",   [MATTER_LIMITED] = "limited",
    [MATTER_WARNED] = "warned",
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
