#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/ipc/messages.h"
#include "relay/webhook.h"
#include "relay_fixture.h"

TestSuite(relay_webhook, .timeout = 60);

/* From `printf '1780000000.{"a":1}' | openssl dgst -sha256 -hmac secret`. */
Test(relay_webhook, a_signature_covers_time_and_body)
{
    char out[WEBHOOK_SIGNATURE_SIZE], other[WEBHOOK_SIGNATURE_SIZE];
    cr_assert_eq(webhook_sign(VIEW_LIT("secret"), 1780000000, VIEW_LIT("{\"a\":1}"), out),
                 MSA_OK);
    cr_assert_str_eq(out,
                     "t=1780000000,v1="
                     "beb6c645b997ab516be5a8e5e2215a3394f24755b01119bf1d4cb6f7d7cf71da");
    cr_assert_eq(
        webhook_sign(VIEW_LIT("secret"), 1780000001, VIEW_LIT("{\"a\":1}"), other),
        MSA_OK);
    cr_assert_str_neq(out, other);
}

/* ---- with the role ---- */

static int resolver; /* a socket; it answers only where a test lets it */
static uint16_t resolver_port;

static struct {
    unsigned count;
    int err;
    struct msg_relay_webhook_answer answer;
} seen;

static const char *settings(char out[512], unsigned timeout_s)
{
    snprintf(out, 512,
             "} dns { servers 127.0.0.1:%u; timeout %us; }\n"
             "webhook crm { url \"http://hooks.example.jp:%u/\"; secret s;",
             resolver_port, timeout_s, rx.port);
    return out;
}

static void set_up(void)
{
    char text[512];
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    memset(&seen, 0, sizeof seen);
    resolver = socket(AF_INET, SOCK_DGRAM, 0);
    cr_assert_eq(bind(resolver, (struct sockaddr *)&at, sizeof at), 0);
    cr_assert_eq(getsockname(resolver, (struct sockaddr *)&at, &size), 0);
    resolver_port = ntohs(at.sin_port);
    rx_set_up("", "");
    rx_reload("", settings(text, 30)); /* now the port of the smarthost is known */
}

static void tear_down(void)
{
    rx_tear_down();
    close(resolver);
}

static void on_answer(void *arg, struct chan_message *m, int err)
{
    (void)arg;
    seen.count++;
    seen.err = err;
    if (m)
        cr_assert_eq(msg_relay_webhook_answer_decode(m->payload, &seen.answer), MSA_OK);
}

static void call(const char *webhook)
{
    const struct msg_relay_webhook_ask ask = {.webhook = view_cstr(webhook),
                                              .delivery = 1,
                                              .event = VIEW_LIT("suspended"),
                                              .body = VIEW_LIT("{}")};
    cr_assert_eq(
        CHAN_ASK(rx.policy, relay_webhook_ask, &ask, 20000, on_answer, NULL, NULL),
        MSA_OK);
}

/* One question of the resolver: 127.0.0.1 for an A, nothing for the rest. */
static void resolve_one(void)
{
    static const unsigned char a[] = {0xc0, 0x0c, 0, 1, 0,   1, 0, 0,
                                      0,    60,   0, 4, 127, 0, 0, 1};
    unsigned char q[600];
    struct sockaddr_in from;
    socklen_t size = sizeof from;
    ssize_t n = recvfrom(resolver, q, 512, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    if (n < 17)
        return;
    size_t end = 12; /* EDNS may stand behind the question: it is cut off */
    while (end < (size_t)n && q[end] != 0)
        end += q[end] + 1u;
    bool is_a = q[end + 2] == 1;
    end += 5;
    q[2] = 0x81, q[3] = 0x80;
    memset(q + 6, 0, 6);
    q[7] = is_a;
    if (is_a)
        memcpy(q + end, a, sizeof a);
    sendto(resolver, q, end + (is_a ? sizeof a : 0), 0, (struct sockaddr *)&from, size);
}

Test(relay_webhook, a_name_is_resolved_by_relay_itself, .init = set_up, .fini = tear_down)
{
    call("crm");
    cr_assert(rx_wait((resolve_one(), rx.connection_count > 0)), "nobody came");
    cr_assert(rx_wait(seen.count > 0));
    cr_assert_eq(seen.err, MSA_OK);
    cr_assert_not(seen.answer.is_delivered, "a greeting of SMTP is no answer");
    cr_assert_eq(seen.answer.status, 0);
}

Test(relay_webhook, one_that_is_not_configured_is_not_delivered, .init = set_up,
     .fini = tear_down)
{
    call("other");
    cr_assert(rx_wait(seen.count > 0));
    cr_assert_not(seen.answer.is_delivered);
}

Test(relay_webhook, a_resolver_that_goes_ends_what_waits_for_it, .init = set_up,
     .fini = tear_down)
{
    char text[512];
    call("crm");
    cr_assert(rx_wait(rx.relay->call_count == 1));
    rx_reload("", settings(text, 29));
    rx_reload("", settings(text, 28));
    cr_assert(rx_wait(seen.count > 0));
    cr_assert_not(seen.answer.is_delivered);
    cr_assert_eq(rx.relay->call_count, 0);
    call("crm");
    cr_assert(rx_wait(rx.relay->call_count == 1)); /* and ends with the role */
}
