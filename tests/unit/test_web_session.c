/* Browser sessions: how they begin, are found, and end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "msa/console/web_session.h"

TestSuite(web_session, .timeout = 20);

static struct session_owner owner_of(const char *name)
{
    struct session_owner o = {.who = 8};
    snprintf(o.name, sizeof o.name, "%s", name);
    return o;
}

static struct web_session *begin(struct web_sessions *all, const char *name, int64_t now_ms,
                                 char cookie[SESSION_SECRET_MAX])
{
    struct session_owner o = owner_of(name);
    return web_sessions_begin(all, &o, now_ms, cookie);
}

Test(web_session, it_ends_by_idleness_and_by_age)
{
    struct web_sessions all;
    char cookie[SESSION_SECRET_MAX];
    web_sessions_init(&all);
    begin(&all, "taro", 1000, cookie);
    cr_assert_not_null(web_sessions_find(&all, view_cstr(cookie), 1000 + SESSION_IDLE_MS - 1));
    cr_assert_null(web_sessions_find(&all, view_cstr(cookie), 1000 + 2 * SESSION_IDLE_MS));
    cr_assert_eq(web_sessions_count(&all), 0);
    begin(&all, "taro", 0, cookie);
    int64_t now_ms = 0;
    while (web_sessions_find(&all, view_cstr(cookie), now_ms))
        now_ms += SESSION_IDLE_MS / 2;
    cr_assert_eq(now_ms, SESSION_LIFE_MS);
    begin(&all, "taro", 0, cookie);
    web_sessions_expire(&all, SESSION_IDLE_MS - 1);
    cr_assert_eq(web_sessions_count(&all), 1);
    web_sessions_expire(&all, SESSION_IDLE_MS);
    cr_assert_eq(web_sessions_count(&all), 0);
    web_sessions_fini(&all);
}

Test(web_session, only_its_own_cookie_finds_it)
{
    struct web_sessions all;
    char cookie[SESSION_SECRET_MAX], other[SESSION_SECRET_MAX];
    web_sessions_init(&all);
    struct web_session *s = begin(&all, "taro", 0, cookie);
    begin(&all, "hana", 0, other);
    cr_assert_str_neq(cookie, other);
    cr_assert_str_neq(cookie, s->csrf);
    cr_assert_eq(strlen(cookie), SESSION_SECRET_MAX - 1);
    cr_assert_eq(web_sessions_find(&all, view_cstr(cookie), 0), s);
    cr_assert_null(web_sessions_find(&all, VIEW_EMPTY, 0));
    cr_assert_null(web_sessions_find(&all, view_slice(view_cstr(cookie), 0, 42), 0));
    cookie[0] = cookie[0] == 'A' ? 'B' : 'A';
    cr_assert_null(web_sessions_find(&all, view_cstr(cookie), 0));
    web_sessions_fini(&all);
}

Test(web_session, too_many_of_one_name_push_out_the_oldest)
{
    struct web_sessions all;
    char cookies[SESSIONS_PER_NAME_MAX + 1][SESSION_SECRET_MAX], other[SESSION_SECRET_MAX];
    web_sessions_init(&all);
    begin(&all, "hana", 0, other);
    for (int i = 0; i <= SESSIONS_PER_NAME_MAX; i++)
        begin(&all, "taro", i, cookies[i]);
    cr_assert_eq(web_sessions_count(&all), SESSIONS_PER_NAME_MAX + 1);
    cr_assert_null(web_sessions_find(&all, view_cstr(cookies[0]), 100));
    cr_assert_not_null(web_sessions_find(&all, view_cstr(cookies[1]), 100));
    cr_assert_not_null(web_sessions_find(&all, view_cstr(other), 100));
    struct web_session *own = web_sessions_find(&all, view_cstr(cookies[3]), 100);
    cr_assert_eq(web_sessions_end_of(&all, VIEW_LIT("taro"), own), SESSIONS_PER_NAME_MAX - 1, "but the one who asks");
    cr_assert_eq(web_sessions_find(&all, view_cstr(cookies[3]), 100), own);
    cr_assert_eq(web_sessions_end_of(&all, VIEW_LIT("taro"), NULL), 1);
    cr_assert_eq(web_sessions_count(&all), 1);
    web_sessions_fini(&all);
}
