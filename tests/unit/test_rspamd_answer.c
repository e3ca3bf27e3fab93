/* rspamd's answers. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/services/rspamd_answer.h"

static const struct config_rspamd set = {
    .common = {.name = "main", .weight_milli = 500},
    .add_headers = true,
    .on_reject = CONFIG_ACT_REFUSE,
    .on_soft_reject = CONFIG_ACT_DEFER,
    .on_rewrite_subject = CONFIG_ACT_HOLD,
};

static struct judgement v;
static unsigned left_out;
static char header[JUDGEMENT_HEADER_MAX + 1];

static void setup(void) { judgement_init(&v); }
static void teardown(void) { judgement_fini(&v); }

TestSuite(rspamd_answer, .timeout = 30, .init = setup, .fini = teardown);

static int take(const char *json)
{
    judgement_fini(&v);
    judgement_init(&v);
    int err = rspamd_answer_take(view_cstr(json), &set, &v, &left_out);
    cr_assert(view_to_cstr(buf_view(&v.header), header, sizeof header));
    return err;
}

#define WHOLE                                                                                      \
    "{\"is_skipped\":false,\"score\":12.5,\"required_score\":15.0,\"action\":\"reject\","           \
    "\"symbols\":{\"A\":{\"name\":\"A\",\"score\":2.5},\"GTUBE\":{\"score\":10}},"                  \
    "\"messages\":{\"smtp_message\":\"Gtube pattern\"},"                                            \
    "\"milter\":{\"add_headers\":{\"X-Spam\":{\"value\":\"Yes\",\"order\":0},\"X-Two\":[\"a\","       \
    "{\"value\":\"b\"}]},\"remove_headers\":{\"X-Old\":0}},\"dkim-signature\":\"v=1;\\n\\tb=x\"}"

Test(rspamd_answer, all_of_it_is_taken)
{
    cr_assert_eq(take(WHOLE), MSA_OK);
    cr_assert(v.is_scored);
    cr_assert_eq(v.score_milli, 6250, "half of it by weight");
    cr_assert_eq(v.action, SCORE_ACTION_REFUSE);
    cr_assert_str_eq(v.text, "Gtube pattern");
    cr_assert_eq(v.finding_count, 3);
    cr_assert_str_eq(v.findings[0].name, "main/GTUBE");
    cr_assert_eq(v.findings[0].milli, 5000);
    cr_assert_str_eq(v.findings[1].name, "main/A");
    cr_assert_str_eq(v.findings[2].name, "main/reject");
    cr_assert_str_eq(header, "X-Spam: Yes\r\nX-Two: a\r\nX-Two: b\r\nDKIM-Signature: v=1;\r\n\tb=x\r\n");
    cr_assert_eq(left_out, 1, "it cannot take a field out");
}

Test(rspamd_answer, half_of_it_is_none)
{
    char *part = strdup(WHOLE);
    for (size_t n = strlen(part) - 1;; n--) {
        part[n] = '\0';
        cr_assert_eq(take(part), MSA_EINVAL, "%zu bytes", n);
        if (n == 0)
            break;
    }
    free(part);
}

Test(rspamd_answer, actions_are_mapped)
{
    static const struct {
        const char *action;
        enum score_action want;
        const char *text;
        unsigned left_out;
    } rows[] = {
        {"no action", SCORE_ACTION_NONE, "", 0},
        {"greylist", SCORE_ACTION_NONE, "", 0},
        {"add header", SCORE_ACTION_NONE, "", 0},
        {"rewrite subject", SCORE_ACTION_HOLD, "message looks like spam", 1},
        {"soft reject", SCORE_ACTION_DEFER, "try again later", 0},
        {"reject", SCORE_ACTION_REFUSE, "message looks like spam", 0},
        {"quarantine", SCORE_ACTION_HOLD, "message looks like spam", 0},
        {"discard", SCORE_ACTION_HOLD, "message looks like spam", 0},
        {"call the police", SCORE_ACTION_NONE, "", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[200];
        snprintf(json, sizeof json, "{\"score\":1,\"action\":\"%s\"}", rows[i].action);
        cr_assert_eq(take(json), MSA_OK, "%s", json);
        cr_assert_eq(v.action, rows[i].want, "%s", json);
        cr_assert_str_eq(v.text, rows[i].text);
        cr_assert_eq(left_out, rows[i].left_out, "%s", json);
    }
}

Test(rspamd_answer, rubbish_is_none)
{
    static const char *const bad[] = {
        "",
        "pong",
        "[]",
        "null",
        "{}",
        "{\"score\":1}",
        "{\"action\":\"reject\"}",
        "{\"score\":\"1\",\"action\":\"reject\"}",
        "{\"score\":1e7,\"action\":\"reject\"}",
        "{\"score\":-1e7,\"action\":\"reject\"}",
        "{\"score\":nan,\"action\":\"reject\"}",
        "{\"score\":1,\"action\":\"\"}",
        "{\"score\":1,\"action\":7}",
        "{\"score\":1,\"action\":\"reject\"} x",
        "{\"score\":1,\"action\":\"reject\",\"symbols\":[]}",
        "{\"score\":1,\"action\":\"reject\",\"symbols\":{\"A\":1}}",
        "{\"score\":1,\"action\":\"reject\",\"symbols\":{\"A\":{\"score\":1e99}}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(take(bad[i]), MSA_EINVAL, "%s", bad[i]);
}

Test(rspamd_answer, fields_of_odd_shapes_are_left_out)
{
    cr_assert_eq(take("{\"score\":1,\"action\":\"no action\",\"milter\":{\"add_headers\":{\"X-A\":7,\"X B\":\"b\","
                      "\"X-C\":{\"value\":null},\"X-D\":[[1]],\"X-E\":\"e\\r\\nBcc: z\"}}}"),
                 MSA_OK);
    cr_assert_str_eq(header, "X-E: e\r\n\tBcc: z\r\n");
    cr_assert_eq(left_out, 4);
    cr_assert_eq(take("{\"score\":1,\"action\":\"no action\",\"milter\":[]}"), MSA_OK);
    cr_assert_eq(take("{\"score\":1,\"action\":\"no action\",\"milter\":{\"add_headers\":[1]}}"), MSA_OK);
}

Test(rspamd_answer, depth_and_length_have_bounds)
{
    size_t n = RSPAMD_ANSWER_MAX_BYTES + 1;
    char *text = malloc(n + 1);
    memset(text, '[', n);
    text[n] = '\0';
    cr_assert_eq(take(text), MSA_ETOOBIG);
    text[n - 1] = '\0';
    cr_assert_eq(take(text), MSA_EINVAL);
    free(text);
}
