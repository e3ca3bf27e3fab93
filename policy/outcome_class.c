#include "policy/outcome.h"

#include <stddef.h>

static const struct {
    const char *prefix;
    enum outcome_class class;
} by_status[] = {
    {"5.1.", OUTCOME_NO_RECIPIENT},
    {"5.2.2", OUTCOME_FULL},
    {"5.2.3", OUTCOME_CONTENT}, /* longer than the mailbox takes */
    {"5.2.", OUTCOME_NO_RECIPIENT}, /* disabled, moved away */
    {"5.3.", OUTCOME_CONTENT},
    {"5.4.", OUTCOME_NO_RECIPIENT}, /* no host of that name */
    {"5.5.", OUTCOME_CONTENT},
    {"5.6.", OUTCOME_CONTENT},
    {"5.7.", OUTCOME_SPAM},
};

/* RFC 5321 section 4.2.3. */
enum outcome_class outcome_class_of(unsigned code, struct view enhanced)
{
    if (code < 500 || code > 599)
        return OUTCOME_FINE;
    for (size_t i = 0; i < sizeof by_status / sizeof by_status[0]; i++)
        if (view_has_prefix(enhanced, view_cstr(by_status[i].prefix)))
            return by_status[i].class;
    if (code == 552)
        return OUTCOME_FULL;
    return code >= 500 && code < 510 ? OUTCOME_CONTENT : OUTCOME_NO_RECIPIENT;
}

const char *outcome_class_name(enum outcome_class c)
{
    static const char *const names[] = {[OUTCOME_FINE] = "fine",
                                        [OUTCOME_NO_RECIPIENT] = "no-recipient",
                                        [OUTCOME_FULL] = "full",
                                        [OUTCOME_SPAM] = "spam",
                                        [OUTCOME_CONTENT] = "content"};
    return names[c];
}
