#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include "msa/base/err.h"
#include "msa/ctl/trace.h"

TestSuite(trace, .timeout = 20);

Test(trace, a_line_is_an_event)
{
    struct trace_event t;
    cr_assert(
        eq(int,
           trace_parse_json(
               VIEW_LIT("{\"t\":1780240012.5,\"sess\":\"s1\",\"ev\":\"submit\","
                        "\"acct\":\"u1@example.jp\",\"ip\":\"192.0.2.1\",\"cc\":\"JP\","
                        "\"rcpts\":3,\"size\":132648}"),
               &t),
           MSA_OK));
    cr_assert(eq(i64, t.at_ms, 1780240012500));
    cr_assert(eq(int, (int)t.kind, TRACE_SUBMIT));
    cr_assert(eq(str, t.account, "u1@example.jp"));
    cr_assert(eq(str, t.country, "JP"));
    cr_assert(eq(u32, t.recipients, 3));
    cr_assert(eq(u64, t.bytes, 132648));
}

Test(trace, what_is_no_event_is_refused)
{
    static const char *const lines[] = {
        "",
        "{}",
        "[1]",
        "{\"t\":1,\"ev\":\"submit\",\"acct\":\"a\"}",
        "{\"t\":1,\"ev\":\"other\",\"acct\":\"a\",\"ip\":\"192.0.2.1\"}",
        "{\"t\":-1,\"ev\":\"submit\",\"acct\":\"a\",\"ip\":\"192.0.2.1\"}",
        "{\"t\":1e300,\"ev\":\"submit\",\"acct\":\"a\",\"ip\":\"192.0.2.1\"}",
        "{\"t\":1,\"ev\":\"submit\",\"acct\":\"a\",\"ip\":\"192.0.2\"}",
        "{\"t\":1,\"ev\":\"submit\",\"acct\":7,\"ip\":\"192.0.2.1\"}",
        "{\"t\":1,\"t\":2,\"ev\":\"submit\",\"acct\":\"a\",\"ip\":\"192.0.2.1\"}",
    };
    struct trace_event t;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        cr_assert(eq(int, trace_parse_json(view_cstr(lines[i]), &t), MSA_EINVAL), "%s",
                  lines[i]);
}
