/* Questions of mail servers: what comes out is of bounded texts; headers do no harm. */
#include "msa/base/err.h"
#include "msa/console/auth_policy.h"
#include "msa/mail/login.h"
#include "tests/fuzz/fuzz.h"

static void check(struct view in, enum auth_policy_command command)
{
    struct auth_policy_question q;
    if (auth_policy_question(in, command, &q) == MSA_OK) {
        must(q.login.n > 0 && q.login.n <= LOGIN_TYPED_MAX && view_find(q.login, '\0') == q.login.n);
        must(q.protocol.n <= 16 && q.program.n <= 256 && q.password_hash.n <= 128); /* as policy_mailbox_ask has it */
        must((command == AUTH_POLICY_REPORT) == (q.kind != MAILBOX_MAY_IT));
        must(q.kind == MAILBOX_FAILED || q.password_hash.n == 0);
    }
    auth_policy_question_fini(&q);
}

static void check_verify(struct view in)
{
    json_t *check, *judge;
    bool is_good = auth_policy_verify_args(in, &check, &judge) == MSA_OK;
    must(is_good == (check != NULL) && is_good == (judge != NULL));
    if (!is_good)
        return;
    must(json_string_length(json_object_get(check, "password")) > 0);
    must(json_string_length(json_object_get(check, "scope")) > 0);
    must(!json_object_get(judge, "password"));
    must(json_equal(json_object_get(check, "login"), json_object_get(judge, "login")));
    json_decref(check);
    json_decref(judge);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    check(in, AUTH_POLICY_ALLOW);
    check(in, AUTH_POLICY_REPORT);
    check_verify(in);
    must(!auth_policy_has_token(VIEW_EMPTY, in, VIEW_EMPTY));
    (void)auth_policy_has_token(in, in, VIEW_LIT("token"));
    return 0;
}
