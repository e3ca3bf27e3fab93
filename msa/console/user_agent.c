#include "msa/console/user_agent.h"

#include <stdio.h>

struct known {
    const char *token; /* somewhere in the text */
    const char *name;
};

/* Browsers name those that they are like, too: the first that is found is it. */
static const struct known browsers[] = {
    {"Edg/", "Edge"},       {"EdgA/", "Edge"},      {"EdgiOS/", "Edge"},
    {"OPR/", "Opera"},      {"SamsungBrowser/", "Samsung Internet"},
    {"FxiOS/", "Firefox"},  {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"},
    {"Chrome/", "Chrome"},  {"Safari/", "Safari"},
};

static const struct known systems[] = {
    {"iPhone", "iPhone"},     {"iPad", "iPad"},   {"Android", "Android"},
    {"Windows", "Windows"},   {"Macintosh", "Mac"}, {"CrOS", "Chromebook"},
    {"Linux", "Linux"},
};

static bool has(struct view text, struct view token)
{
    for (size_t i = 0; i + token.n <= text.n; i++)
        if (view_eq(view_slice(text, i, i + token.n), token))
            return true;
    return false;
}

static const char *first_of(const struct known *list, size_t count, struct view text)
{
    for (size_t i = 0; i < count; i++)
        if (has(text, view_cstr(list[i].token)))
            return list[i].name;
    return NULL;
}

void user_agent_short(struct view text, char out[USER_AGENT_SHORT_MAX])
{
    const char *browser = first_of(browsers, sizeof browsers / sizeof browsers[0], text);
    const char *system = first_of(systems, sizeof systems / sizeof systems[0], text);
    struct view word = view_slice(text, 0, view_find(text, ' '));
    word = view_slice(word, 0, word.n < USER_AGENT_SHORT_MAX ? word.n : USER_AGENT_SHORT_MAX - 1);
    if (browser && view_has_prefix(text, VIEW_LIT("Mozilla/")))
        snprintf(out, USER_AGENT_SHORT_MAX, "%s%s%s", browser, system ? " · " : "", system ? system : "");
    else
        (void)view_to_cstr(word, out, USER_AGENT_SHORT_MAX);
}
