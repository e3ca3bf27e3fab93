/* Questions of mail servers: what comes out is an object of bounded texts; answers and
 * headers do no harm. */
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/base/ipaddr.h"
#include "msa/console/auth_policy.h"
#include "msa/mail/login.h"
#include "tests/fuzz/fuzz.h"

static void check(struct view in, enum auth_policy_command command)
{
    json_t *args;
    struct ipaddr ip;
    int err = auth_policy_args(in, command, &args);
    must((err == MSA_OK) == (args != NULL));
    if (!args)
        return;
    const char *login = json_string_value(json_object_get(args, "login"));
    const char *address = json_string_value(json_object_get(args, "ip"));
    must(login && login[0] && strlen(login) <= LOGIN_TYPED_MAX);
    must(address && (!address[0] || ipaddr_parse(view_cstr(address), &ip)));
    must((command == AUTH_POLICY_REPORT) ==
         json_is_boolean(json_object_get(args, "success")));
    json_decref(args);
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
    int status = 0;
    check(in, AUTH_POLICY_ALLOW);
    check(in, AUTH_POLICY_REPORT);
    check_verify(in);
    if (auth_policy_status(in, &status))
        must(status >= AUTH_POLICY_REFUSE && status <= AUTH_POLICY_DELAY_MAX_S);
    must(!auth_policy_has_token(VIEW_EMPTY, in, VIEW_EMPTY));
    (void)auth_policy_has_token(in, in, VIEW_LIT("token"));
    return 0;
}
