#include "auth/introspect.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "auth/bearer.h"
#include "auth/token_answer.h"
#include "msa/base/breaker.h"
#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/base/list.h"
#include "msa/base/log.h"
#include "msa/base/secret.h"
#include "msa/base/table.h"
#include "msa/mail/base64.h"

#define KEY_BYTES          32
#define ANSWER_MAX_BYTES   (64u << 10)
#define BODY_MAX_BYTES     (3 * BEARER_TOKEN_MAX + 128)
#define CREDENTIAL_BYTES   8192 /* client_id and secret, each byte three, in base64 */
#define FAILURES_MAX       5    /* one behind the other, that open the breaker */
#define PAUSE_MS           5000
#define COMPLAINT_EVERY_MS 1000

/* What is known of one token. */
struct memory {
    struct table_entry entry; /* under `key` */
    struct list link;         /* oldest first */
    uint8_t key[KEY_BYTES];
    int64_t until_ms; /* clock_mono_ms */
    struct finding finding;
};

/* One question on its way. */
struct request {
    struct list link;
    struct introspect *owner;
    uint64_t fetch;
    uint8_t key[KEY_BYTES];
    bool is_probe;
    finding_fn *fn;
    void *arg;
};

struct introspect {
    struct fetcher *fetcher;
    const struct config_identity_provider *provider; /* NULL: none */
    uint8_t hmac_key[KEY_BYTES];
    struct breaker breaker;
    struct table memories;
    struct list by_age;
    struct list requests;
    int64_t complained_ms, refused_ms;
    struct introspect_counts counts;
};

/* ---- memory ---------------------------------------------------------------------------------- */

static void forget(struct introspect *i, struct memory *m)
{
    table_remove(&i->memories, &m->entry);
    list_remove(&m->link);
    secret_wipe(m, sizeof *m);
    free(m);
}

static void forget_all(struct introspect *i)
{
    struct memory *m;
    while ((m = LIST_FIRST(&i->by_age, struct memory, link)) != NULL)
        forget(i, m);
}

/* All of the token counts: what tells two of one provider apart, the signature, stands at their end. */
static void key_of(const struct introspect *i, struct view token, uint8_t out[KEY_BYTES])
{
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    HMAC(EVP_sha256(), i->hmac_key, sizeof i->hmac_key, (const unsigned char *)token.p, token.n, hash, NULL);
    memcpy(out, hash, KEY_BYTES);
    secret_wipe(hash, sizeof hash);
}

static struct view key_view(const uint8_t key[KEY_BYTES])
{
    return view_of((const char *)key, KEY_BYTES);
}

static struct memory *recall(struct introspect *i, const uint8_t key[KEY_BYTES])
{
    struct table_entry *e = table_find(&i->memories, key_view(key));
    struct memory *m = e ? CONTAINER_OF(e, struct memory, entry) : NULL;
    if (m && clock_mono_ms() >= m->until_ms) {
        forget(i, m);
        m = NULL;
    }
    return m;
}

/* How long `a` holds: the configured time, and of a good one no longer than the token. */
static int64_t life_ms(const struct config_identity_provider *p, const struct token_answer *a)
{
    if (a->finding.kind == FINDING_BAD)
        return p->refused_cache_ms;
    int64_t left_ms = a->expires_s != 0 ? a->expires_s * 1000 - clock_wall_ms() : p->cache_ms;
    return left_ms < p->cache_ms ? left_ms : p->cache_ms;
}

/* Without memory for it the next one asks again. */
static void remember(struct introspect *i, const uint8_t key[KEY_BYTES], const struct token_answer *a)
{
    int64_t lasts_ms = life_ms(i->provider, a);
    struct memory *m = recall(i, key);
    if (m)
        forget(i, m); /* two asked at once */
    if (lasts_ms <= 0)
        return;
    while (i->memories.count >= i->provider->cached_token_count)
        forget(i, LIST_FIRST(&i->by_age, struct memory, link));
    m = calloc(1, sizeof *m);
    if (!m)
        return;
    memcpy(m->key, key, KEY_BYTES);
    m->entry.key = key_view(m->key);
    m->until_ms = clock_mono_ms() + lasts_ms;
    m->finding = a->finding;
    if (table_insert(&i->memories, &m->entry) < 0)
        free(m);
    else
        list_append(&i->by_age, &m->link);
}

/* ---- what is said of it ---------------------------------------------------------------------- */

static void log_failure(struct introspect *i, unsigned status, const char *text)
{
    struct log_line l;
    i->counts.failed++;
    if (!log_is_due(&i->complained_ms, COMPLAINT_EVERY_MS))
        return;
    log_begin(&l, LOG_LEVEL_WARN, "identity-provider-failed");
    log_num(&l, "code", status);
    log_str(&l, "text", text);
    log_end(&l);
}

static void log_refusal(struct introspect *i, const char *why)
{
    struct log_line l;
    if (!log_is_due(&i->refused_ms, COMPLAINT_EVERY_MS))
        return;
    log_begin(&l, LOG_LEVEL_INFO, "token-refused");
    log_str(&l, "why", why);
    log_end(&l);
}

/* ---- an answer ------------------------------------------------------------------------------- */

static void request_free(struct request *r)
{
    list_remove(&r->link);
    r->owner->counts.running--;
    secret_wipe(r, sizeof *r);
    free(r);
}

static void note_failure(struct introspect *i, unsigned status, const char *text)
{
    log_failure(i, status, text);
    if (breaker_failure(&i->breaker, clock_mono_ms()))
        log_msg(LOG_LEVEL_ERROR, "identity-provider-down", "%d failures one behind the other: left alone for %d s",
                FAILURES_MAX, PAUSE_MS / 1000);
}

/* A redirect, or a 401 that means msad's own credentials, is a failure of the provider like no answer at all. */
static void judge(struct introspect *i, const struct fetch_result *result, struct token_answer *out)
{
    *out = (struct token_answer){.why = ""};
    if (result->err != MSA_OK || result->status != 200) {
        note_failure(i, result->status, result->err != MSA_OK ? result->text : "not the answer to a question");
        return;
    }
    token_answer_read(result->body, i->provider, clock_wall_s(), out);
    if (out->finding.kind == FINDING_AWAY)
        note_failure(i, result->status, "the answer is not of RFC 7662's form");
    else if (breaker_success(&i->breaker))
        log_msg(LOG_LEVEL_INFO, "identity-provider-up", "it answers again");
    if (out->finding.kind == FINDING_BAD)
        log_refusal(i, out->why);
}

static void on_fetched(void *arg, const struct fetch_result *result)
{
    struct request *r = arg;
    struct introspect *i = r->owner;
    struct token_answer answer;
    finding_fn *fn = r->fn;
    void *fn_arg = r->arg;
    judge(i, result, &answer);
    if (answer.finding.kind != FINDING_AWAY)
        remember(i, r->key, &answer);
    request_free(r);
    fn(fn_arg, &answer.finding);
}

/* ---- a question ------------------------------------------------------------------------------ */

/* application/x-www-form-urlencoded, of which only unreserved characters stand for themselves. */
static void add_form(struct buf *out, struct view v)
{
    for (size_t i = 0; i < v.n; i++) {
        char c = v.p[i];
        if (ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~')
            buf_add_char(out, c);
        else
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

/* RFC 6749 §2.3.1: both are encoded as in a form before they are put together. */
static void add_credentials(struct buf *out, const struct config_identity_provider *p)
{
    struct buf pair;
    buf_init_secret(&pair, CREDENTIAL_BYTES);
    add_form(&pair, view_cstr(p->client_id));
    buf_add_char(&pair, ':');
    add_form(&pair, view_cstr(p->client_secret));
    buf_add_cstr(out, "Authorization: Basic ");
    base64_encode(buf_view(&pair), out);
    buf_add_char(out, '\0');
    buf_fini(&pair);
}

static int post(struct introspect *i, struct request *r, struct view token)
{
    const struct config_identity_provider *p = i->provider;
    struct buf body, credentials;
    int err = MSA_ENOMEM;
    buf_init_secret(&body, BODY_MAX_BYTES);
    buf_init_secret(&credentials, 2 * CREDENTIAL_BYTES);
    buf_add_cstr(&body, "token_type_hint=access_token&token=");
    add_form(&body, token);
    add_credentials(&credentials, p);
    if (!buf_failed(&body) && !buf_failed(&credentials)) {
        const struct fetch_request request = {
            .url = p->introspection,
            .addresses = p->addresses.items,
            .address_count = p->addresses.count,
            .ca_pem = p->ca_pem,
            .headers = {"Content-Type: application/x-www-form-urlencoded", "Accept: application/json",
                        "User-Agent: msad", p->client_id[0] != '\0' ? buf_view(&credentials).p : NULL},
            .body = buf_view(&body),
            .timeout_ms = p->deadline_ms,
            .answer_max_bytes = ANSWER_MAX_BYTES,
        };
        err = fetch_start(i->fetcher, &request, on_fetched, r, &r->fetch);
    }
    buf_fini(&body);
    buf_fini(&credentials);
    return err;
}

static struct request *request_new(struct introspect *i, const uint8_t key[KEY_BYTES], bool is_probe)
{
    struct request *r = calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->owner = i;
    r->is_probe = is_probe;
    memcpy(r->key, key, KEY_BYTES);
    list_append(&i->requests, &r->link);
    i->counts.running++;
    return r;
}

/* The id of what is under way, or 0 when it cannot be asked now. */
static uint64_t start(struct introspect *i, struct view token, const uint8_t key[KEY_BYTES], finding_fn *fn,
                      void *arg)
{
    bool is_probe;
    if (!i->provider || !breaker_take(&i->breaker, clock_mono_ms(), &is_probe))
        return 0;
    bool has_room = i->counts.running < i->provider->request_count;
    struct request *r = has_room ? request_new(i, key, is_probe) : NULL;
    if (!has_room)
        log_failure(i, 0, "more questions at once than 'requests' allows");
    if (r && post(i, r, token) == MSA_OK) {
        r->fn = fn;
        r->arg = arg;
        i->counts.asked++;
        return r->fetch;
    }
    if (r)
        request_free(r);
    if (is_probe)
        breaker_abandon(&i->breaker, clock_mono_ms());
    return 0;
}

static void ask(void *self, const struct question *q, finding_fn *fn, void *arg, uint64_t *id_out)
{
    static const struct finding away = {.kind = FINDING_AWAY};
    struct introspect *i = self;
    uint8_t key[KEY_BYTES];
    struct finding known;
    key_of(i, q->secret, key);
    const struct memory *m = i->provider ? recall(i, key) : NULL;
    *id_out = 0;
    if (m) {
        i->counts.recognized++;
        known = m->finding;
        fn(arg, &known);
    } else if ((*id_out = start(i, q->secret, key, fn, arg)) == 0) {
        fn(arg, &away);
    }
}

static void cancel(void *self, uint64_t id)
{
    struct introspect *i = self;
    struct request *r, *next;
    LIST_FOREACH(r, next, &i->requests, struct request, link)
    {
        if (r->fetch != id)
            continue;
        fetch_cancel(i->fetcher, id);
        if (r->is_probe)
            breaker_abandon(&i->breaker, clock_mono_ms());
        request_free(r);
        return;
    }
}

struct authority introspect_authority(struct introspect *i)
{
    return (struct authority){ask, cancel, i};
}

/* ---- the whole ------------------------------------------------------------------------------- */

/* Those under way are judged by the new settings; without a provider there is nobody's word to go by. */
void introspect_configure(struct introspect *i, const struct config_identity_provider *p)
{
    static const struct finding away = {.kind = FINDING_AWAY};
    forget_all(i);
    breaker_init(&i->breaker, FAILURES_MAX, PAUSE_MS);
    i->provider = p;
    if (p) {
        fetcher_limit(i->fetcher, p->request_count, p->request_count);
        return;
    }
    struct request *r;
    while ((r = LIST_FIRST(&i->requests, struct request, link)) != NULL) {
        finding_fn *fn = r->fn;
        void *arg = r->arg;
        fetch_cancel(i->fetcher, r->fetch);
        request_free(r);
        fn(arg, &away);
    }
}

struct introspect *introspect_new(struct fetcher *fetcher)
{
    struct introspect *i = calloc(1, sizeof *i);
    if (!i)
        return NULL;
    i->fetcher = fetcher;
    secret_random(i->hmac_key, sizeof i->hmac_key);
    table_init(&i->memories);
    list_init(&i->by_age);
    list_init(&i->requests);
    breaker_init(&i->breaker, FAILURES_MAX, PAUSE_MS);
    return i;
}

void introspect_free(struct introspect **i)
{
    struct request *r;
    if (!*i)
        return;
    while ((r = LIST_FIRST(&(*i)->requests, struct request, link)) != NULL) {
        fetch_cancel((*i)->fetcher, r->fetch);
        request_free(r);
    }
    forget_all(*i);
    table_fini(&(*i)->memories);
    secret_wipe(*i, sizeof **i);
    free(*i);
    *i = NULL;
}

void introspect_counts(const struct introspect *i, struct introspect_counts *out)
{
    *out = i->counts;
    out->remembered = i->memories.count;
}
