/* Postfix's policy delegation: requests however they come in pieces, what is asked of policy, what Postfix is told. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/console/postfix_ask.h"
#include "msa/console/postfix_request.h"

TestSuite(postfix_request, .timeout = 20);

#define BEGIN "request=smtpd_access_policy\n"

struct request_case {
    const char *name;
    const char *text;
    int err;
    struct postfix_request want;
};

#define V(text) VIEW_LIT(text)

static const struct request_case cases[] = {
    {"as Postfix 3.7 sends it at RCPT",
     BEGIN "protocol_state=RCPT\nprotocol_name=ESMTP\nclient_address=192.0.2.1\nclient_name=unknown\nclient_port=4711\n"
           "reverse_client_name=unknown\nserver_address=192.0.2.9\nserver_port=587\nhelo_name=pc\n"
           "sender=taro@example.jp\nrecipient=a@example.org\nrecipient_count=0\nqueue_id=\n"
           "instance=123.4567.0\nsize=812\netrn_domain=\nstress=\nsasl_method=PLAIN\nsasl_username=taro@example.jp\n"
           "sasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n"
           "encryption_protocol=TLSv1.3\nencryption_cipher=X\nencryption_keysize=256\npolicy_context=\n\n",
     MSA_OK,
     {.state = POSTFIX_RCPT, .client_address = V("192.0.2.1"), .client_port = V("4711"),
      .sender = V("taro@example.jp"), .recipient = V("a@example.org"), .instance = V("123.4567.0"), .size = 812,
      .sasl_username = V("taro@example.jp")}},
    {"MAIL of the null sender", BEGIN "protocol_state=MAIL\nsender=\nsasl_username=taro\n\n", MSA_OK,
     {.state = POSTFIX_MAIL, .sasl_username = V("taro")}},
    {"DATA of three", BEGIN "protocol_state=DATA\nrecipient_count=3\nrecipient=\n\n", MSA_OK,
     {.state = POSTFIX_DATA, .recipient_count = 3}},
    {"the end", BEGIN "protocol_state=END-OF-MESSAGE\nsize=99\n\n", MSA_OK,
     {.state = POSTFIX_END_OF_MESSAGE, .size = 99}},
    {"a state that is none of ours", BEGIN "protocol_state=VRFY\n\n", MSA_OK, {.state = POSTFIX_OTHER}},
    {"a value with an equals sign", BEGIN "sender==a=b@c\n\n", MSA_OK, {.sender = V("=a=b@c")}},
    {"another request", "request=junk\n\n", MSA_EPROTO, {0}},
    {"no request", "protocol_state=MAIL\n\n", MSA_EPROTO, {0}},
    {"nothing", "\n", MSA_EPROTO, {0}},
    {"no equals sign", BEGIN "sender\n\n", MSA_EPROTO, {0}},
    {"no name", BEGIN "=x\n\n", MSA_EPROTO, {0}},
    {"given twice", BEGIN "sasl_username=a\nsasl_username=b\n\n", MSA_EPROTO, {0}},
    {"no number", BEGIN "recipient_count=many\n\n", MSA_EPROTO, {0}},
    {"a negative number", BEGIN "size=-1\n\n", MSA_EPROTO, {0}},
    {"too large a number", BEGIN "size=99999999999999999999\n\n", MSA_EPROTO, {0}},
    {"CRLF is not its line end", BEGIN "protocol_state=MAIL\r\n\r\n\n", MSA_EPROTO, {0}},
};

static void same(const char *name, const struct postfix_request *got, const struct postfix_request *want)
{
    cr_assert_eq(got->state, want->state, "%s", name);
    cr_assert(view_eq(got->sasl_username, want->sasl_username), "%s", name);
    cr_assert(view_eq(got->client_address, want->client_address), "%s", name);
    cr_assert(view_eq(got->client_port, want->client_port), "%s", name);
    cr_assert(view_eq(got->sender, want->sender), "%s", name);
    cr_assert(view_eq(got->recipient, want->recipient), "%s", name);
    cr_assert(view_eq(got->instance, want->instance), "%s", name);
    cr_assert_eq(got->recipient_count, want->recipient_count, "%s", name);
    cr_assert_eq(got->size, want->size, "%s", name);
}

static void take_whole(const struct request_case *c, struct view text, size_t behind)
{
    struct postfix_request r;
    struct view rest = text;
    cr_assert_eq(postfix_request_take(&rest, &r), c->err, "%s", c->name);
    cr_assert_eq(rest.n, c->err == MSA_OK ? behind : text.n, "%s", c->name);
    if (c->err == MSA_OK)
        same(c->name, &r, &c->want);
}

/* Every front of it: not yet, or already refused; never anything else. So it is the same split or byte by byte. */
Test(postfix_request, requests_are_read_whole_split_and_byte_by_byte)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct request_case *c = &cases[i];
        struct view text = view_cstr(c->text);
        take_whole(c, text, 0);
        for (size_t n = 0; n < text.n; n++) {
            struct postfix_request r;
            struct view front = view_slice(text, 0, n);
            cr_assert_eq(postfix_request_take(&front, &r), MSA_EAGAIN, "%s at %zu", c->name, n);
            cr_assert_eq(front.n, n);
        }
        char two[4096];
        int n = snprintf(two, sizeof two, "%s%s", c->text, "request=smtpd");
        take_whole(c, view_of(two, (size_t)n), 13);
    }
}

Test(postfix_request, a_nul_is_refused)
{
    static const char text[] = BEGIN "sender=a\0b\n\n";
    struct view bytes = view_of(text, sizeof text - 1);
    struct postfix_request r;
    cr_assert_eq(postfix_request_take(&bytes, &r), MSA_EPROTO);
}

Test(postfix_request, what_is_too_long_is_refused)
{
    char *text = malloc(POSTFIX_REQUEST_MAX + 1);
    struct postfix_request r;
    cr_assert_not_null(text);
    memset(text, 'x', POSTFIX_REQUEST_MAX + 1);
    struct view bytes = view_of(text, POSTFIX_REQUEST_MAX - 1);
    cr_assert_eq(postfix_request_take(&bytes, &r), MSA_EAGAIN);
    bytes = view_of(text, POSTFIX_REQUEST_MAX);
    cr_assert_eq(postfix_request_take(&bytes, &r), MSA_ETOOBIG);
    int n = snprintf(text, POSTFIX_REQUEST_MAX, BEGIN "sender=%0*d\n\n", POSTFIX_ADDRESS_MAX + 1, 0);
    bytes = view_of(text, (size_t)n);
    cr_assert_eq(postfix_request_take(&bytes, &r), MSA_EPROTO, "a sender that long");
    free(text);
}

/* ---- what is asked ---- */

TestSuite(postfix_question, .timeout = 20);

static struct postfix_request request(enum postfix_state state, const char *instance, const char *recipient)
{
    return (struct postfix_request){.state = state,
                                    .sasl_username = V("taro"),
                                    .client_address = V("192.0.2.1"),
                                    .client_port = V("5"),
                                    .sender = V("taro@example.jp"),
                                    .instance = view_cstr(instance),
                                    .recipient = view_cstr(recipient)};
}

static void asks(struct postfix_memory *m, const struct postfix_request *r, const char *want)
{
    const char *action;
    json_t *args = postfix_question(m, r, &action);
    (void)json_object_del(args, "login");
    (void)json_object_del(args, "ip");
    (void)json_object_del(args, "sender");
    char *text = args ? json_dumps(args, JSON_COMPACT | JSON_SORT_KEYS) : strdup(action);
    cr_assert_str_eq(text, want);
    free(text);
    json_decref(args);
}

Test(postfix_question, client_and_message_are_remembered)
{
    struct postfix_memory m;
    postfix_memory_init(&m);
    struct postfix_request r = request(POSTFIX_RCPT, "1", "a@x");
    asks(&m, &r, "{\"begins\":true,\"is_first\":true,\"stage\":\"mail\"}");
    asks(&m, &r, "{\"begins\":false,\"is_first\":false,\"stage\":\"mail\"}");
    r = request(POSTFIX_RCPT, "1", "b@x");
    asks(&m, &r, "{\"begins\":false,\"is_first\":false,\"stage\":\"mail\"}");
    r = request(POSTFIX_DATA, "1", "");
    r.recipient_count = 2;
    asks(&m, &r,
         "{\"begins\":false,\"bytes\":0,\"count\":2,\"counts\":true,\"is_first\":false,"
         "\"recipients\":[\"a@x\",\"b@x\"],\"stage\":\"data\"}");
    r.state = POSTFIX_END_OF_MESSAGE;
    r.size = 9;
    asks(&m, &r,
         "{\"begins\":false,\"bytes\":9,\"count\":2,\"counts\":false,\"is_first\":false,"
         "\"recipients\":[\"a@x\",\"b@x\"],\"stage\":\"end\"}");
    r = request(POSTFIX_MAIL, "2", "");
    asks(&m, &r, "{\"begins\":false,\"is_first\":true,\"stage\":\"mail\"}");
    r.client_port = V("6");
    asks(&m, &r, "{\"begins\":true,\"is_first\":true,\"stage\":\"mail\"}");
    postfix_memory_fini(&m);
}

Test(postfix_question, recipients_that_were_not_all_heard_of_are_a_number)
{
    struct postfix_memory m;
    postfix_memory_init(&m);
    struct postfix_request r = request(POSTFIX_RCPT, "1", "a@x");
    asks(&m, &r, "{\"begins\":true,\"is_first\":true,\"stage\":\"mail\"}");
    r = request(POSTFIX_END_OF_MESSAGE, "1", "");
    r.recipient_count = 7;
    asks(&m, &r,
         "{\"begins\":false,\"bytes\":0,\"count\":7,\"counts\":true,\"is_first\":false,"
         "\"recipients\":[],\"stage\":\"end\"}");
    postfix_memory_fini(&m);
}

Test(postfix_question, recipients_beyond_the_room_are_a_number)
{
    struct postfix_memory m;
    char address[64], want[160];
    const char *action;
    postfix_memory_init(&m);
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(address, sizeof address, "somebody-with-a-long-name-%06u@example.org", i);
        struct postfix_request r = request(POSTFIX_RCPT, "1", address);
        json_decref(postfix_question(&m, &r, &action));
    }
    struct postfix_request r = request(POSTFIX_DATA, "1", "");
    r.recipient_count = 1000;
    snprintf(want, sizeof want,
             "{\"begins\":false,\"bytes\":0,\"count\":1000,\"counts\":true,\"is_first\":false,"
             "\"recipients\":[],\"stage\":\"data\"}");
    asks(&m, &r, want);
    postfix_memory_fini(&m);
}

Test(postfix_question, nothing_is_asked_of_who_has_not_signed_in_or_is_no_text)
{
    struct postfix_memory m;
    postfix_memory_init(&m);
    struct postfix_request r = request(POSTFIX_RCPT, "1", "a@x");
    r.sasl_username = VIEW_EMPTY;
    asks(&m, &r, "DUNNO");
    r = request(POSTFIX_OTHER, "1", "");
    asks(&m, &r, "DUNNO");
    r = request(POSTFIX_RCPT, "1", "\xff@x");
    asks(&m, &r, "REJECT 5.6.7 an address is no UTF-8");
    postfix_memory_fini(&m);
}

/* ---- what Postfix is told ---- */

Test(postfix_question, verdicts_become_actions_of_one_line)
{
    static const struct {
        const char *json, *want;
    } verdicts[] = {
        {"{\"verdict\":\"allow\",\"text\":\"\"}", "DUNNO"},
        {"{\"verdict\":\"allow\",\"text\":\"x\",\"delay_ms\":5}", "DUNNO"},
        {"{\"verdict\":\"defer\",\"text\":\"at most 3 messages in an hour\"}",
         "DEFER 4.7.1 at most 3 messages in an hour"},
        {"{\"verdict\":\"refuse\",\"text\":\"\"}", "REJECT 5.7.1 refused by policy"},
        {"{\"verdict\":\"refuse\",\"text\":\"a\\nb\"}", "REJECT 5.7.1 a b"},
        {"{\"verdict\":\"hold\"}", "HOLD held by policy"},
        {"{\"verdict\":\"FILTER\"}", NULL},
        {"{}", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++) {
        char action[POSTFIX_ACTION_MAX];
        int64_t delay_ms;
        bool is_known = postfix_action(view_cstr(verdicts[i].json), action, &delay_ms);
        cr_assert_eq(is_known, verdicts[i].want != NULL, "%s", verdicts[i].json);
        if (is_known)
            cr_assert_str_eq(action, verdicts[i].want);
    }
}
