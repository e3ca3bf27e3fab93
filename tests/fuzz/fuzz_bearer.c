/* What a client sends with a token, and what a provider says of one. A message is read one way only; a good one cannot be
 * made longer or shorter; what comes of an answer is bounded, and good only with a name. */
#include <string.h>

#include "auth/bearer.h"
#include "auth/token_answer.h"
#include "tests/fuzz/fuzz.h"

static void check_message(enum bearer_form form, struct view message)
{
    struct bearer b, other;
    if (bearer_parse(form, message, &b) != AUTH_OK) {
        must(b.token.n == 0 && b.login[0] == '\0');
        return;
    }
    must(strlen(b.login) <= LOGIN_TYPED_MAX && b.token.n <= BEARER_TOKEN_MAX);
    must(b.token.n == 0 || (b.token.p >= message.p && b.token.p + b.token.n <= message.p + message.n));
    must(form == BEARER_OAUTH || (b.login[0] != '\0' && b.token.n > 0));
    must(bearer_parse(form, view_slice(message, 0, message.n - 1), &other) == AUTH_MALFORMED);
    must(bearer_parse(form == BEARER_OAUTH ? BEARER_XOAUTH2 : BEARER_OAUTH, message, &other) == AUTH_MALFORMED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct config_identity_provider p = {
        .login_claim = "username", .issuer = "i", .audience = "a", .scope = "s"};
    struct view in = fuzz_view(data, size);
    struct token_answer a;
    check_message(BEARER_OAUTH, in);
    check_message(BEARER_XOAUTH2, in);
    token_answer_read(in, &p, 1700000000, &a);
    must(strlen(a.finding.login) <= LOGIN_TYPED_MAX && a.why != NULL);
    must((a.finding.kind == FINDING_GOOD) == (a.finding.login[0] != '\0'));
    must((a.finding.kind == FINDING_GOOD) == (a.why[0] == '\0'));
    must(a.finding.kind != FINDING_GOOD || a.expires_s == 0 || a.expires_s > 1700000000);
    return 0;
}
