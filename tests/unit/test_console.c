/* The pure parts of console: which operation is whose, problem documents, metrics. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "msa/console/metrics.h"
#include "msa/console/ops.h"
#include "msa/console/problem.h"

TestSuite(console, .timeout = 20);

Test(console, every_operation_is_found_by_its_name_and_stands_once)
{
    for (size_t i = 0; i < console_op_count; i++)
        cr_assert_eq(console_op_find(view_cstr(console_ops[i].name)), &console_ops[i], "%s",
                     console_ops[i].name);
    cr_assert_null(console_op_find(VIEW_EMPTY));
    cr_assert_null(console_op_find(VIEW_LIT("account")));
    cr_assert_null(console_op_find(VIEW_LIT("account.add ")));
}

/* "queue.…" is relay's and so on: an operation sent to the wrong role would be a 404 for ever. */
Test(console, names_say_whose_the_operation_is)
{
    static const struct {
        const char *prefix;
        enum role role;
    } owners[] = {
        {"account.", ROLE_AUTH},  {"auth.", ROLE_AUTH},   {"queue.", ROLE_RELAY},
        {"relay.", ROLE_RELAY}, {"pool.", ROLE_RELAY},   {"policy.", ROLE_POLICY}, {"supervisor.", ROLE_SUPERVISOR},
        {"mailbox.", ROLE_POLICY},  {"restriction.", ROLE_POLICY}, {"notice.", ROLE_POLICY},
        {"sign_in.verify", ROLE_AUTH}, {"sign_in.judge", ROLE_POLICY}, {"token.", ROLE_AUTH}, {"audit.", ROLE_POLICY},
        {"settings.", ROLE_POLICY}, {"sign-in.", ROLE_POLICY}, {"usage.", ROLE_POLICY}, {"rules.", ROLE_POLICY}, {"access.", ROLE_POLICY}, {"geo.", ROLE_POLICY},
        {"risk.", ROLE_POLICY}, {"outcome.", ROLE_POLICY},
        {"score.", ROLE_SCORE},
        {"app-password.", ROLE_AUTH}, {"totp.", ROLE_AUTH},
        {"postfix.", ROLE_POLICY},
    };
    for (size_t i = 0; i < console_op_count; i++) {
        bool is_known = false;
        for (size_t k = 0; k < sizeof owners / sizeof owners[0]; k++)
            if (view_has_prefix(view_cstr(console_ops[i].name), view_cstr(owners[k].prefix))) {
                is_known = true;
                cr_assert_eq(console_ops[i].role, owners[k].role, "%s", console_ops[i].name);
            }
        cr_assert(is_known, "%s", console_ops[i].name);
        cr_assert_leq(console_ops[i].body_max_bytes, HTTP_BODY_MAX);
    }
}

Test(console, problems_carry_title_status_and_the_roles_own_words)
{
    char *text = problem_text(404, VIEW_LIT("{\"detail\":\"there is no account x\",\"status\":1}"));
    cr_assert_str_eq(text, "{\"title\":\"Not Found\",\"status\":404,\"detail\":\"there is no account x\",\"type\":\"urn:msad:problem:not-found\"}");
    free(text);
}

Test(console, problems_survive_an_answer_that_is_no_object)
{
    static const char *const answers[] = {"", "[]", "null", "{", "\xff"};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char *text = problem_text(500, view_cstr(answers[i]));
        cr_assert_str_eq(text, "{\"title\":\"Internal Server Error\",\"status\":500,\"type\":\"urn:msad:problem:internal\"}");
        free(text);
    }
    cr_assert_str_eq(problem_title(418), "Error");
}

static void metrics_of(const char *json, struct buf *out)
{
    json_t *statuses = json_loads(json, 0, NULL);
    cr_assert(statuses);
    buf_init(out, METRICS_MAX);
    metrics_write(statuses, true, out);
    buf_append(out, "", 1);
    cr_assert_not(buf_failed(out));
    json_decref(statuses);
}

Test(console, metrics_have_one_head_and_a_line_for_each_process)
{
    struct buf out;
    metrics_of("{\"smtp\":[{\"index\":0,\"sessions\":3},{\"index\":1,\"sessions\":4}],"
               "\"supervisor\":[{\"index\":0,\"processes\":[{\"role\":\"relay\",\"index\":0,"
               "\"state\":\"ready\",\"restarts\":2},{\"role\":\"auth\",\"index\":0,\"state\":\"down\","
               "\"restarts\":0}]}]}",
               &out);
    const char *text = buf_view(&out).p;
    cr_assert(strstr(text, "# TYPE msad_sessions gauge\n# HELP msad_sessions Sessions open now.\n"
                           "msad_sessions{role=\"smtp\",index=\"0\"} 3\n"
                           "msad_sessions{role=\"smtp\",index=\"1\"} 4\n"), "%s", text);
    cr_assert(strstr(text, "msad_process_up{role=\"relay\",index=\"0\"} 1\n"));
    cr_assert(strstr(text, "msad_process_up{role=\"auth\",index=\"0\"} 0\n"));
    cr_assert(strstr(text, "msad_process_restarts_total{role=\"relay\",index=\"0\"} 2\n"));
    cr_assert_str_eq(text + strlen(text) - 6, "# EOF\n");
    buf_fini(&out);
}

Test(console, metrics_tell_what_the_classifier_has_learnt_from)
{
    struct buf out;
    metrics_of("{\"score\":[{\"index\":0,\"classifier\":{\"state\":\"ready\",\"ham\":800,\"spam\":790,"
               "\"trained_ms\":1748000000999},\"verdicts\":{\"clean\":7,\"suspect\":2,\"spam\":1}},"
               "{\"index\":1,\"classifier\":{\"state\":\"untrained\"}}]}",
               &out);
    const char *text = buf_view(&out).p;
    cr_assert(strstr(text, "msad_score_learnt_ham{role=\"score\",index=\"0\"} 800\n"), "%s", text);
    cr_assert(strstr(text, "msad_score_learnt_spam{role=\"score\",index=\"0\"} 790\n"));
    cr_assert_null(strstr(text, "msad_score_learnt_ham{role=\"score\",index=\"1\"}"), "absent is not zero");
    cr_assert(strstr(text, "msad_score_trained_timestamp_seconds{role=\"score\",index=\"0\"} 1748000000\n"));
    cr_assert_null(strstr(text, "msad_score_trained_timestamp_seconds{role=\"score\",index=\"1\"}"));
    cr_assert(strstr(text, "msad_score_messages_total{role=\"score\",index=\"0\",verdict=\"clean\"} 7\n"));
    cr_assert(strstr(text, "msad_score_messages_total{role=\"score\",index=\"0\",verdict=\"spam\"} 1\n"));
    buf_fini(&out);
}

Test(console, metrics_find_nested_figures)
{
    struct buf out;
    metrics_of("{\"relay\":[{\"index\":0,\"queue\":{\"waiting\":7},\"bounce_count\":2}]}", &out);
    const char *text = buf_view(&out).p;
    cr_assert(strstr(text, "\nmsad_queue_waiting{role=\"relay\",index=\"0\"} 7\n"), "%s", text);
    cr_assert(strstr(text, "\nmsad_bounces_total{role=\"relay\",index=\"0\"} 2\n"), "%s", text);
    buf_fini(&out);
}

Test(console, metrics_tell_services_apart)
{
    struct buf out;
    metrics_of("{\"score\":[{\"index\":0,\"asked\":5,\"services\":[{\"kind\":\"clamd\",\"name\":\"a\","
               "\"asked\":5,\"failed\":2},{\"kind\":\"rspamd\",\"name\":\"b\",\"asked\":4,\"failed\":0}]}]}",
               &out);
    const char *text = buf_view(&out).p;
    cr_assert(strstr(text, "# TYPE msad_score_service_failed counter\n"), "%s", text);
    cr_assert(strstr(text, "\nmsad_score_service_failed_total{role=\"score\",index=\"0\",kind=\"clamd\","
                           "service=\"a\"} 2\n"), "%s", text);
    cr_assert(strstr(text, "kind=\"rspamd\",service=\"b\"} 4\n"));
    buf_fini(&out);
}

Test(console, metrics_of_nobody_are_an_empty_page)
{
    struct buf out;
    metrics_of("{\"smtp\":[],\"relay\":[{\"index\":0,\"error\":\"closed\"}]}", &out);
    cr_assert_str_eq(buf_view(&out).p, "# EOF\n");
    buf_fini(&out);
}

Test(console, metrics_tell_when_the_oldest_message_came)
{
    struct buf out;
    metrics_of("{\"relay\":[{\"index\":0,\"oldest_arrived_ms\":1780000000123}]}", &out);
    cr_assert(strstr(buf_view(&out).p, "\nmsad_queue_oldest_timestamp_seconds{role=\"relay\",index=\"0\"} 1780000000\n"));
    buf_fini(&out);
    metrics_of("{\"relay\":[{\"index\":0,\"oldest_arrived_ms\":0}]}", &out);
    cr_assert_null(strstr(buf_view(&out).p, "oldest"));
    buf_fini(&out);
}
