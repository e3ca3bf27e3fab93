#include "tests/bench/policy_load/dialect.h"

#include <string.h>

#define PLACES       3   /* where a user reads mail: at home, at work, on the way */
#define FAILS_ONE_IN 20  /* sign-ins: a phone that has an old password */
#define BODY_MAX     512

/* splitmix64: the same questions at each run. */
static uint64_t mix(uint64_t n)
{
    n += 0x9e3779b97f4a7c15;
    n = (n ^ n >> 30) * 0xbf58476d1ce4e5b9;
    n = (n ^ n >> 27) * 0x94d049bb133111eb;
    return n ^ n >> 31;
}

/* Who and from where; a pair of questions is about the same. */
struct scene {
    uint64_t account;
    uint64_t dice;
    unsigned address[2]; /* the last two octets, in the network that benchmarks have (RFC 2544) */
    bool is_second;
};

static struct scene scene_of(uint64_t number, uint64_t account_count)
{
    struct scene s = {.dice = mix(number / 2), .is_second = number % 2 == 1};
    s.account = s.dice % account_count;
    uint64_t place = mix(s.account * PLACES + (s.dice >> 40) % PLACES);
    s.address[0] = (unsigned)(place % 256);
    s.address[1] = (unsigned)(place / 256 % 254) + 1;
    return s;
}

/* ---- Dovecot ---- */

static void ask_auth_policy(const struct scene *s, struct buf *out)
{
    struct buf body;
    bool is_good = (s->dice >> 20) % FAILS_ONE_IN != 0;
    buf_init(&body, BODY_MAX);
    buf_addf(&body, "{\"device_id\":\"%s\",\"login\":\"user%llu@bench.test\",\"protocol\":\"%s\",\"pwhash\":\"%04llx\","
                    "\"remote\":\"198.18.%u.%u\",\"session_id\":\"%011llx+Zr\",\"tls\":\"TLSv1.3\"",
             s->dice >> 9 & 1 ? "iPhone Mail 20G81" : "", (unsigned long long)s->account,
             s->dice >> 8 & 3 ? "imap" : "pop3",
             (unsigned long long)(mix(is_good ? s->account : s->dice) & 0xfff), s->address[0], s->address[1],
             (unsigned long long)(s->dice >> 20));
    if (s->is_second)
        buf_addf(&body, ",\"fail_type\":\"%s\",\"policy_reject\":false,\"success\":%s",
                 is_good ? "" : "credentials", is_good ? "true" : "false");
    buf_add_char(&body, '}');
    buf_addf(out, "POST /?command=%s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: dovecot/auth-policy-client\r\n"
                  "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
             s->is_second ? "report" : "allow", buf_len(&body));
    buf_add(out, buf_view(&body));
    buf_fini(&body);
}

static bool take_http(struct view *in, bool *is_good_out, struct view *body_out)
{
    static const char end[] = "\r\n\r\n", length[] = "Content-Length:";
    const char *head_end = memmem(in->p, in->n, end, 4);
    uint64_t n;
    if (!head_end)
        return false;
    size_t head_bytes = (size_t)(head_end - in->p) + 4;
    const char *at = memmem(in->p, head_bytes, length, sizeof length - 1);
    struct view rest = at ? view_slice(*in, (size_t)(at - in->p) + sizeof length - 1, head_bytes) : VIEW_EMPTY;
    bool has_length = view_parse_u64(view_trim(view_cut(&rest, '\r')), BODY_MAX, &n);
    if (has_length && in->n < head_bytes + n)
        return false;
    *is_good_out = has_length && view_has_prefix(*in, VIEW_LIT("HTTP/1.1 200 ")) &&
                   !memmem(in->p, head_bytes, "Connection: close", 17);
    *body_out = has_length ? view_slice(*in, head_bytes, head_bytes + n) : VIEW_EMPTY;
    *in = view_slice(*in, head_bytes + body_out->n, in->n);
    return true;
}

static bool answer_auth_policy(bool is_report, struct view *in, enum said *out)
{
    bool is_good;
    struct view body;
    if (!take_http(in, &is_good, &body))
        return false;
    *out = SAID_NONSENSE;
    if (is_good && is_report && view_eq(body, VIEW_LIT("{\"status\":\"ok\"}")))
        *out = SAID_THANKS;
    else if (is_good && !is_report && view_eq(body, VIEW_LIT("{\"status\":0,\"msg\":\"\"}")))
        *out = SAID_YES;
    else if (is_good && !is_report && view_has_prefix(body, VIEW_LIT("{\"status\":")))
        *out = SAID_NO;
    return true;
}

/* ---- Postfix ---- */

static void ask_postfix(const struct scene *s, struct buf *out)
{
    unsigned long long account = s->account, dice = s->dice;
    buf_addf(out, "request=smtpd_access_policy\nprotocol_state=%s\nprotocol_name=ESMTP\nclient_address=198.18.%u.%u\n"
                  "client_name=unknown\nclient_port=%llu\nreverse_client_name=unknown\nserver_address=192.0.2.1\n"
                  "server_port=587\nhelo_name=[192.168.1.2]\nsender=user%llu@bench.test\nrecipient=r%llu@there.test\n"
                  "recipient_count=%u\nqueue_id=%s\ninstance=%llx.%llx.0\nsize=%u\netrn_domain=\nstress=\n"
                  "sasl_method=plain\nsasl_username=user%llu@bench.test\nsasl_sender=\nccert_subject=\n"
                  "encryption_protocol=TLSv1.3\nencryption_cipher=TLS_AES_256_GCM_SHA384\nencryption_keysize=256\n\n",
             s->is_second ? "END-OF-MESSAGE" : "RCPT", s->address[0], s->address[1], 1024 + dice % 60000, account,
             dice >> 30 & 0xffff, s->is_second ? 1u : 0u, s->is_second ? "4Bq0Zr1C2sz1" : "", dice >> 32,
             dice & 0xffffffff, s->is_second ? 4096u : 0u, account);
}

static bool answer_postfix(struct view *in, enum said *out)
{
    const char *end = memmem(in->p, in->n, "\n\n", 2);
    if (!end)
        return false;
    struct view line = view_slice(*in, 0, (size_t)(end - in->p));
    *in = view_slice(*in, line.n + 2, in->n);
    *out = SAID_NONSENSE;
    if (view_eq(line, VIEW_LIT("action=DUNNO")))
        *out = SAID_YES;
    else if (view_has_prefix(line, VIEW_LIT("action=REJECT 5.7.1 ")) ||
             view_has_prefix(line, VIEW_LIT("action=DEFER 4.7.1 ")))
        *out = SAID_NO;
    return true;
}

/* ---- */

void dialect_ask(enum dialect d, uint64_t number, uint64_t account_count, struct buf *out)
{
    struct scene s = scene_of(number, account_count);
    if (d == DIALECT_AUTH_POLICY)
        ask_auth_policy(&s, out);
    else
        ask_postfix(&s, out);
}

bool dialect_answer(enum dialect d, uint64_t number, struct view *in, enum said *out)
{
    return d == DIALECT_AUTH_POLICY ? answer_auth_policy(number % 2 == 1, in, out) : answer_postfix(in, out);
}
