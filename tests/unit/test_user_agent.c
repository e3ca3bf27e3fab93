#include <criterion/criterion.h>
#include <string.h>

#include "msa/console/user_agent.h"

TestSuite(user_agent, .timeout = 20);

static void expect(const char *text, const char *wanted)
{
    char out[USER_AGENT_SHORT_MAX] = "?";
    user_agent_short(view_cstr(text), out);
    cr_assert_str_eq(out, wanted, "%s: %s", text, out);
}

Test(user_agent, browsers_have_the_names_that_people_know)
{
    expect("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox · Linux");
    expect("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
           "Chrome · Windows");
    expect("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 "
           "Edg/126.0.0.0", "Edge · Windows");
    expect("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
           "Mobile/15E148 Safari/604.1", "Safari · iPhone");
    expect("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 "
           "Safari/605.1.15", "Safari · Mac");
    expect("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
           "Chrome · Android");
}

Test(user_agent, what_is_none_is_its_first_word)
{
    char long_one[300];
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    expect("curl/7.88.1", "curl/7.88.1");
    expect("", "");
    expect("<script>alert(1)</script> Firefox/1", "<script>alert(1)</script>");
    expect("Mozilla/5.0", "Mozilla/5.0");
    char out[USER_AGENT_SHORT_MAX];
    user_agent_short(view_cstr(long_one), out);
    cr_assert_eq(strlen(out), USER_AGENT_SHORT_MAX - 1);
}
