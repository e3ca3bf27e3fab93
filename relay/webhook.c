#include "relay/webhook.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"

#define CALLS_MAX        64 /* policy asks for fewer */
#define ANSWER_MAX_BYTES (64u << 10)
#define DIGEST_BYTES     32

struct call {
    struct list link;
    struct relay *relay;
    struct chan *chan;
    uint64_t ask_id;
    uint64_t delivery;
    const struct config_webhook
        *webhook; /* as long as `query` is under way; then curl has it all */
    struct fetch_url url;
    struct dns_query *query; /* NULL: none */
    uint64_t fetch;          /* 0: none */
    char name[IPC_NAME_MAX + 1];
    char event[IPC_NAME_MAX + 1];
    struct buf body;
};

/* ---- the end ---- */

static void call_free(struct call *c)
{
    dns_cancel(&c->query);
    if (c->fetch != 0)
        fetch_cancel(c->relay->fetcher, c->fetch);
    list_remove(&c->link);
    c->relay->call_count--;
    buf_fini(&c->body);
    free(c);
}

static void answer(struct chan *c, uint64_t ask_id, unsigned status, bool is_delivered)
{
    const struct msg_relay_webhook_answer a = {.status = (uint16_t)status,
                                               .is_delivered = is_delivered};
    (void)CHAN_SEND(c, relay_webhook_answer, ask_id, &a);
}

static void log_call(const struct call *c, bool is_delivered, unsigned status,
                     const char *text)
{
    struct log_line l;
    char delivery[MSGID_TEXT_MAX];
    msgid_format(c->delivery, delivery);
    if (is_delivered)
        log_begin(&l, LOG_LEVEL_INFO, "webhook-called");
    else
        log_begin(&l, LOG_LEVEL_WARN, "webhook-failed");
    log_str(&l, "webhook", c->name);
    log_str(&l, "kind", c->event);
    log_str(&l, "id", delivery);
    log_num(&l, "code", status);
    log_str(&l, "text", text);
    log_end(&l);
}

static void end_call(struct call *c, unsigned status, const char *text)
{
    bool is_delivered = status >= 200 && status <= 299;
    log_call(c, is_delivered, status, text);
    answer(c->chan, c->ask_id, status, is_delivered);
    call_free(c);
}

/* ---- one attempt ---- */

int webhook_sign(struct view secret, int64_t at_s, struct view body,
                 char out[WEBHOOK_SIGNATURE_SIZE])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_bytes = 0;
    struct buf text;
    buf_init(&text, body.n + 32);
    buf_addf(&text, "%" PRId64 ".", at_s);
    buf_add(&text, body);
    struct view v = buf_view(&text);
    bool is_good = !buf_failed(&text) &&
                   HMAC(EVP_sha256(), secret.p, (int)secret.n, (const unsigned char *)v.p,
                        v.n, digest, &digest_bytes) &&
                   digest_bytes == DIGEST_BYTES;
    buf_fini(&text);
    int n = snprintf(out, WEBHOOK_SIGNATURE_SIZE, "t=%" PRId64 ",v1=", at_s);
    for (size_t i = 0; is_good && i < DIGEST_BYTES; i++, n += 2)
        snprintf(out + n, WEBHOOK_SIGNATURE_SIZE - (size_t)n, "%02x", digest[i]);
    return is_good ? MSA_OK : MSA_ENOMEM;
}

static void on_fetched(void *arg, const struct fetch_result *result)
{
    struct call *c = arg;
    c->fetch = 0;
    end_call(c, result->status, result->err == MSA_OK ? "" : result->text);
}

static int start_fetch(struct call *c, const struct ipaddr *addresses, size_t count)
{
    char signature[WEBHOOK_SIGNATURE_SIZE], signed_by[WEBHOOK_SIGNATURE_SIZE + 24];
    char event[IPC_NAME_MAX + 24], delivery[64], id[MSGID_TEXT_MAX];
    int err = webhook_sign(view_cstr(c->webhook->secret), clock_wall_ms() / 1000,
                           buf_view(&c->body), signature);
    if (err < 0)
        return err;
    msgid_format(c->delivery, id);
    snprintf(signed_by, sizeof signed_by, "Msad-Signature: %s", signature);
    snprintf(event, sizeof event, "Msad-Event: %s", c->event);
    snprintf(delivery, sizeof delivery, "Msad-Delivery: %s", id);
    const struct fetch_request request = {
        .url = c->webhook->url,
        .addresses = addresses,
        .address_count = count,
        .ca_pem = c->webhook->ca_pem,
        .headers = {"Content-Type: application/json", "User-Agent: msad", event, delivery,
                    signed_by},
        .body = buf_view(&c->body),
        .timeout_ms = c->webhook->timeout_ms,
        .answer_max_bytes = ANSWER_MAX_BYTES,
    };
    return fetch_start(c->relay->fetcher, &request, on_fetched, c, &c->fetch);
}

static void on_resolved(void *arg, const struct dns_answer *a)
{
    struct call *c = arg;
    struct ipaddr ips[FETCH_ADDRESSES_MAX];
    size_t count = 0;
    c->query = NULL;
    for (size_t i = 0; a->err == MSA_OK && i < a->count && count < FETCH_ADDRESSES_MAX;
         i++)
        ips[count++] = a->addresses[i].ip;
    int err = count > 0 ? start_fetch(c, ips, count) : a->err < 0 ? a->err : MSA_ENOENT;
    if (err < 0)
        end_call(c, 0, count > 0 ? msa_strerror(err) : "its name cannot be resolved");
}

static int begin(struct call *c)
{
    int err = fetch_url_parse(c->webhook->url, &c->url);
    if (err < 0)
        return err;
    if (!c->url.is_name)
        return start_fetch(c, NULL, 0);
    c->query = dns_ask(c->relay->dns, c->url.host, false, on_resolved, c);
    return c->query ? MSA_OK : MSA_ENOMEM;
}

/* ---- the question ---- */

static const struct config_webhook *find_webhook(const struct config *config,
                                                 struct view name)
{
    for (uint32_t i = 0; i < config->webhook_count; i++)
        if (view_eq(view_cstr(config->webhooks[i].name), name))
            return &config->webhooks[i];
    return NULL;
}

/* What goes into a header field came from a table of ours; a damaged record must not
 * break out of it. */
static bool is_word(struct view v)
{
    for (size_t i = 0; i < v.n; i++)
        if (v.p[i] <= 0x20 || v.p[i] >= 0x7f)
            return false;
    return v.n > 0;
}

static struct call *call_new(struct relay *r, struct chan *chan, uint64_t ask_id,
                             const struct msg_relay_webhook_ask *ask)
{
    struct call *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    *c = (struct call){
        .relay = r, .chan = chan, .ask_id = ask_id, .delivery = ask->delivery};
    list_append(&r->calls, &c->link);
    r->call_count++;
    buf_init(&c->body, IPC_CALL_MAX);
    if (view_to_cstr(ask->webhook, c->name, sizeof c->name) &&
        view_to_cstr(ask->event, c->event, sizeof c->event) &&
        buf_add(&c->body, ask->body) == MSA_OK)
        return c;
    call_free(c);
    return NULL;
}

int webhook_on_ask(void *owner, struct chan *chan, struct chan_message *m)
{
    struct relay *r = owner;
    struct msg_relay_webhook_ask ask;
    if (msg_relay_webhook_ask_decode(m->payload, &ask) < 0 || !is_word(ask.event))
        return MSA_EPROTO;
    const struct config_webhook *webhook = find_webhook(r->config, ask.webhook);
    struct call *c = r->call_count < CALLS_MAX ? call_new(r, chan, m->id, &ask) : NULL;
    if (!c) {
        answer(chan, m->id, 0, false);
        return MSA_OK;
    }
    c->webhook = webhook;
    int err = webhook ? begin(c) : MSA_ENOENT;
    if (err < 0)
        end_call(c, 0, webhook ? msa_strerror(err) : "the configuration has it no more");
    return MSA_OK;
}

void webhook_forget_names(struct relay *r)
{
    struct call *c, *next;
    LIST_FOREACH(c, next, &r->calls, struct call, link)
    {
        if (c->query)
            end_call(c, 0, "a new configuration came between");
    }
}

void webhook_forget_all(struct relay *r)
{
    struct call *c;
    while ((c = LIST_FIRST(&r->calls, struct call, link)) != NULL)
        call_free(c);
}
