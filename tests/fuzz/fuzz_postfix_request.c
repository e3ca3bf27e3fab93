/* Requests of a Postfix, one behind the other: what comes out lies within what came in, is bounded, makes a question
 * that can be sent, and no front of a request is taken for a whole one. */
#include <string.h>

#include "msa/base/err.h"
#include "msa/console/postfix_ask.h"
#include "tests/fuzz/fuzz.h"

static void check_inside(struct view part, struct view whole, size_t max)
{
    must(part.n <= max);
    must(part.n == 0 || (part.p >= whole.p && part.p + part.n <= whole.p + whole.n));
}

static void check(struct postfix_memory *m, const struct postfix_request *r, struct view whole)
{
    const char *action = NULL;
    check_inside(r->sasl_username, whole, LOGIN_TYPED_MAX);
    check_inside(r->sender, whole, POSTFIX_ADDRESS_MAX);
    check_inside(r->recipient, whole, POSTFIX_ADDRESS_MAX);
    check_inside(r->instance, whole, POSTFIX_INSTANCE_MAX);
    must(r->recipient_count <= POSTFIX_COUNT_MAX && r->size <= POSTFIX_SIZE_MAX);
    json_t *args = postfix_question(m, r, &action);
    must(args ? r->sasl_username.n > 0 : action != NULL);
    must(m->recipients.end - m->recipients.start <= POSTFIX_RECIPIENTS_MAX);
    json_decref(args);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view bytes = fuzz_view(data, size), before;
    struct postfix_memory m;
    struct postfix_request r, again;
    char action[POSTFIX_ACTION_MAX];
    int64_t delay_ms;
    postfix_memory_init(&m);
    for (before = bytes; postfix_request_take(&bytes, &r) == MSA_OK; before = bytes) {
        struct view whole = view_slice(before, 0, before.n - bytes.n);
        struct view front = view_slice(whole, 0, whole.n - 1);
        must(postfix_request_take(&front, &again) == MSA_EAGAIN);
        check(&m, &r, whole);
    }
    postfix_memory_fini(&m);
    if (postfix_action(fuzz_view(data, size), action, &delay_ms))
        must(strlen(action) < POSTFIX_ACTION_MAX && !strchr(action, '\n'));
    return 0;
}
