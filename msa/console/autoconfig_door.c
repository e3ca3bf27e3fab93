/* The door for autoconfiguration files: who asks for what. */
#include "msa/console/autoconfig.h"

#include <string.h>

#include "msa/console/api.h"
#include "msa/console/console_private.h"
#include "msa/console/problem.h"

#define XML     "text/xml; charset=utf-8"
#define PROFILE "application/x-apple-aspen-config"

static bool is_thunderbird(struct view path)
{
    return view_eq(path, VIEW_LIT(AUTOCONFIG_WELL_KNOWN)) || view_eq(path, VIEW_LIT(AUTOCONFIG_THUNDERBIRD));
}

/* Outlook writes it in upper case, too. */
static bool is_outlook(struct view path)
{
    return view_eq_nocase(path, VIEW_LIT(AUTOCONFIG_OUTLOOK));
}

bool autoconfig_is_path(struct view path)
{
    return is_thunderbird(path) || is_outlook(path) || view_eq(path, VIEW_LIT(AUTOCONFIG_APPLE));
}

/* The value of `name` in the query as it was sent, decoded once. False: there is none, or it cannot be read. */
static bool query_value(struct view query, struct view name, char out[AUTOCONFIG_ADDRESS_MAX + 1])
{
    size_t n;
    while (query.n > 0) {
        struct view value = view_cut(&query, '&'), key = view_cut(&value, '=');
        /* '+' stands for itself: no address holds a space, and programs do not encode it */
        if (view_eq_nocase(key, name))
            return api_decode(value, false, out, AUTOCONFIG_ADDRESS_MAX + 1, &n) && n > 0;
    }
    return false;
}

/* The address that the request is about; "" where there is none. False: it cannot be read. */
static bool address_of(struct http_request *r, char out[AUTOCONFIG_ADDRESS_MAX + 1])
{
    struct view path = http_request_path(r), query = http_request_query_text(r);
    struct view name = is_thunderbird(path) ? VIEW_LIT("emailaddress") : VIEW_LIT("email");
    out[0] = '\0';
    if (is_outlook(path))
        return autoconfig_find_address(http_request_body(r), out);
    return query_value(query, name, out) || (is_thunderbird(path) && query.n == 0);
}

static void answer(struct console *c, struct http_request *r, struct view address)
{
    struct buf text;
    struct view path = http_request_path(r);
    const struct config_autoconfig *set = &c->config->autoconfig;
    const char *hostname = c->config->hostname;
    bool is_apple = view_eq(path, VIEW_LIT(AUTOCONFIG_APPLE));
    buf_init(&text, AUTOCONFIG_BYTES_MAX);
    if (is_thunderbird(path))
        autoconfig_thunderbird(set, hostname, &text);
    else if (is_apple)
        autoconfig_apple(set, hostname, address, &text);
    else
        autoconfig_outlook(set, hostname, address, &text);
    if (is_apple)
        http_add_header(r, "Content-Disposition", VIEW_LIT("attachment; filename=\"email.mobileconfig\""));
    if (buf_failed(&text))
        problem_answer(r, 503, "out of memory");
    else
        http_answer(r, 200, is_apple ? PROFILE : XML, buf_view(&text));
    buf_fini(&text);
}

void console_autoconfig(struct console *c, struct http_request *r)
{
    char address[AUTOCONFIG_ADDRESS_MAX + 1];
    const char *domain;
    const struct config_autoconfig *set = &c->config->autoconfig;
    enum http_method wanted = is_outlook(http_request_path(r)) ? HTTP_POST : HTTP_GET;
    if (set->domains.count == 0)
        problem_answer(r, 404, "there is nothing at this path");
    else if (http_request_method(r) != wanted)
        problem_answer(r, 405, "this path takes another method");
    else if (http_request_body(r).n > HTTP_SMALL_BODY_MAX)
        problem_answer(r, 413, "that is no question for an account");
    else if (!address_of(r, address))
        problem_answer(r, 400, "the request names no address, or it cannot be read");
    else if (address[0] && !autoconfig_is_ours(set, view_cstr(address), &domain))
        problem_answer(r, 404, "nothing is known of this address");
    else
        answer(c, r, view_cstr(address));
}
