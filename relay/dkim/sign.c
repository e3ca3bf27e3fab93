#include "relay/dkim/sign.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/mail/base64.h"
#include "msa/mail/header.h"
#include "relay/dkim/author.h"
#include "relay/dkim/canon.h"

#define SCRATCH_BYTES   (32u << 10)
#define LINE_MAX_BYTES  76
#define BASE64_MAX      800 /* of the longest signature */
#define CANON_MAX_BYTES (40u << 20)

/* What the server takes from clients is bounded by its configuration, far below this in all but odd ones. */
static const struct header_limits limits = {
    .block_bytes = 32u << 20, .field_bytes = 32u << 20, .field_count = 200000};

struct signing {
    const struct dkim_message *m;
    struct header header;
    struct dkim_author author;
    struct dkim_body body;
    EVP_MD_CTX *body_hash;
    EVP_MD_CTX *header_hash;
    struct buf names; /* the value of h=, folded */
    struct buf canon; /* the fields in it, in canonical form */
    char body_digest[BASE64_MAX];
    int64_t at_s;
    char scratch[SCRATCH_BYTES];
};

void dkim_signed_init(struct dkim_signed *s)
{
    buf_init(&s->fields, DKIM_FIELDS_MAX);
    s->by[0] = '\0';
}

void dkim_signed_fini(struct dkim_signed *s)
{
    buf_fini(&s->fields);
}

/* ---- reading the message ---- */

/* The next piece behind `*at`, which moves behind it. */
static int next_piece(struct signing *s, uint64_t *at, struct view *piece)
{
    int err = s->m->piece(s->m->arg, *at, s->scratch, sizeof s->scratch, piece);
    if (err == MSA_OK)
        *at += piece->n;
    return err;
}

/* Up to the empty line; `*rest` is what stands behind it in the last piece. */
static int read_header(struct signing *s, uint64_t *at, struct view *rest)
{
    int step = HEADER_MORE;
    *rest = VIEW_EMPTY;
    while (step == HEADER_MORE && *at < s->m->bytes) {
        int err = next_piece(s, at, rest);
        if (err < 0)
            return err;
        step = header_feed(&s->header, rest);
    }
    return step == HEADER_MORE ? header_finish(&s->header) : step < 0 ? step : MSA_OK;
}

static void hash_run(void *arg, struct view run)
{
    struct signing *s = arg;
    (void)EVP_DigestUpdate(s->body_hash, run.p, run.n); /* of SHA-256 in memory: cannot fail */
}

static int hash_body(struct signing *s, uint64_t at, struct view piece)
{
    dkim_body_init(&s->body, hash_run, s);
    for (;;) {
        dkim_body_feed(&s->body, piece);
        if (at >= s->m->bytes)
            break;
        int err = next_piece(s, &at, &piece);
        if (err < 0)
            return err;
    }
    dkim_body_finish(&s->body);
    return MSA_OK;
}

static int encode(const unsigned char *bytes, size_t n, char text[BASE64_MAX])
{
    struct buf b;
    buf_init(&b, BASE64_MAX);
    int err = base64_encode(view_of((const char *)bytes, n), &b);
    if (err == MSA_OK && !view_to_cstr(buf_view(&b), text, BASE64_MAX))
        err = MSA_ETOOBIG;
    buf_fini(&b);
    return err;
}

static int finish_body(struct signing *s)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    return EVP_DigestFinal_ex(s->body_hash, digest, &n) > 0 ? encode(digest, n, s->body_digest)
                                                            : MSA_ENOMEM;
}

/* ---- the fields that are signed ---- */

/* A word of h=, on a line of its own where the present one is full. */
static void list_name(struct buf *names, size_t *line_bytes, const char *name)
{
    size_t n = strlen(name);
    bool is_first = buf_len(names) == 0;
    if (!is_first)
        buf_add_char(names, ':');
    if (!is_first && *line_bytes + n + 2 > LINE_MAX_BYTES) {
        buf_add_cstr(names, "\r\n\t ");
        *line_bytes = 9; /* a tabulator counts as eight */
    }
    buf_add_cstr(names, name);
    *line_bytes += n + 1;
}

/* The last one first, as a verifier takes them (RFC 6376 section 5.4.2). */
static void list_fields(struct signing *s, const char *name, bool is_oversigned, size_t *line_bytes)
{
    const struct header *h = &s->header;
    size_t found = 0;
    for (size_t i = h->field_count; i > 0 && found < DKIM_INSTANCES_MAX; i--) {
        const struct header_field *f = &h->fields[i - 1];
        if (!view_eq_nocase(header_field_name(h, f), view_cstr(name)))
            continue;
        found++;
        list_name(&s->names, line_bytes, name);
        dkim_canon_field(view_cstr(name), header_field_body(h, f), &s->canon);
        buf_add_cstr(&s->canon, "\r\n");
    }
    if (is_oversigned)
        list_name(&s->names, line_bytes, name);
}

static int gather_fields(struct signing *s)
{
    const struct dkim_domain *d = s->author.signer;
    size_t line_bytes = 11;
    for (uint32_t i = 0; i < d->oversign.count; i++)
        list_fields(s, d->oversign.items[i], true, &line_bytes);
    for (uint32_t i = 0; i < d->sign.count; i++)
        list_fields(s, d->sign.items[i], false, &line_bytes);
    return buf_failed(&s->names) || buf_failed(&s->canon) ? MSA_ENOMEM : MSA_OK;
}

/* ---- one signature ---- */

/* Everything but the value of b=, which comes last. */
static void write_tags(const struct signing *s, enum dkim_algorithm k, struct buf *out)
{
    const struct dkim_domain *d = s->author.signer;
    buf_addf(out, " v=1; a=%s; c=relaxed/relaxed;\r\n\td=%s; s=%s;\r\n\t", dkim_algorithm_name(k),
             d->name, d->selectors[k]);
    if (strcmp(d->name, s->author.domain) != 0)
        buf_addf(out, "i=@%s; ", s->author.domain);
    buf_addf(out, "t=%" PRId64 ";", s->at_s);
    if (d->expire_s > 0)
        buf_addf(out, " x=%" PRId64 ";", s->at_s + d->expire_s);
    buf_add_cstr(out, "\r\n\th=");
    buf_add(out, buf_view(&s->names));
    buf_addf(out, ";\r\n\tbh=%s;\r\n\tb=", s->body_digest);
}

static int digest_of(struct signing *s, struct view tags, unsigned char digest[EVP_MAX_MD_SIZE])
{
    struct buf own;
    unsigned n = 0;
    struct view fields = buf_view(&s->canon);
    buf_init(&own, DKIM_FIELDS_MAX);
    dkim_canon_field(VIEW_LIT("DKIM-Signature"), tags, &own);
    struct view last = buf_view(&own);
    bool is_good = !buf_failed(&own) && EVP_DigestInit_ex(s->header_hash, EVP_sha256(), NULL) > 0 &&
                   EVP_DigestUpdate(s->header_hash, fields.p, fields.n) > 0 &&
                   EVP_DigestUpdate(s->header_hash, last.p, last.n) > 0 &&
                   EVP_DigestFinal_ex(s->header_hash, digest, &n) > 0;
    buf_fini(&own);
    return is_good && n == DKIM_DIGEST_BYTES ? MSA_OK : MSA_ENOMEM;
}

static void write_folded(struct view text, struct buf *out)
{
    size_t room = LINE_MAX_BYTES - 10;
    while (text.n > 0) {
        buf_add(out, view_slice(text, 0, room));
        text = view_slice(text, room, text.n);
        buf_add_cstr(out, text.n > 0 ? "\r\n\t " : "\r\n");
        room = LINE_MAX_BYTES - 9;
    }
}

static int add_signature(struct signing *s, enum dkim_algorithm k, struct dkim_signed *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE], signature[DKIM_SIGNATURE_MAX];
    char text[BASE64_MAX];
    struct buf tags;
    const struct dkim_domain *d = s->author.signer;
    buf_init(&tags, DKIM_FIELDS_MAX);
    write_tags(s, k, &tags);
    int err = buf_failed(&tags) ? MSA_ENOMEM : digest_of(s, buf_view(&tags), digest);
    int n = err == MSA_OK ? dkim_key_sign(d->keys[k], digest, signature) : err;
    err = n > 0 ? encode(signature, (size_t)n, text) : n;
    if (err == MSA_OK) {
        buf_add_cstr(&out->fields, "DKIM-Signature:");
        buf_add(&out->fields, buf_view(&tags));
        write_folded(view_cstr(text), &out->fields);
        size_t at = strlen(out->by);
        snprintf(out->by + at, sizeof out->by - at, "%s%s", at > 0 ? "," : "", d->selectors[k]);
    }
    buf_fini(&tags);
    return err == MSA_OK && buf_failed(&out->fields) ? MSA_ETOOBIG : err;
}

static int add_signatures(struct signing *s, struct dkim_signed *out)
{
    const struct dkim_domain *d = s->author.signer;
    int err = MSA_OK;
    char selectors[DKIM_BY_SIZE];
    for (int k = 0; err == MSA_OK && k < DKIM_ALGORITHM_COUNT; k++) {
        if (d->keys[k])
            err = add_signature(s, (enum dkim_algorithm)k, out);
    }
    snprintf(selectors, sizeof selectors, "%s", out->by);
    snprintf(out->by, sizeof out->by, "%.255s/%.128s", d->name, selectors);
    return err;
}

/* ---- all of it ---- */

static int sign(struct signing *s, const struct dkim_keyring *ring, struct dkim_signed *out)
{
    uint64_t at = 0;
    struct view rest;
    int err = read_header(s, &at, &rest);
    if (err == MSA_OK)
        err = dkim_author_find(ring, &s->header, &s->author);
    if (err < 0 || !s->author.signer)
        return err;
    s->body_hash = EVP_MD_CTX_new();
    s->header_hash = EVP_MD_CTX_new();
    if (!s->body_hash || !s->header_hash || EVP_DigestInit_ex(s->body_hash, EVP_sha256(), NULL) <= 0)
        return MSA_ENOMEM;
    err = hash_body(s, at, rest);
    if (err == MSA_OK)
        err = finish_body(s);
    if (err == MSA_OK)
        err = gather_fields(s);
    return err == MSA_OK ? add_signatures(s, out) : err;
}

int dkim_sign(const struct dkim_keyring *ring, const struct dkim_message *m, int64_t at_s,
              struct dkim_signed *out)
{
    struct signing *s = calloc(1, sizeof *s);
    if (!s)
        return MSA_ENOMEM;
    s->m = m;
    s->at_s = at_s;
    header_init(&s->header, limits);
    buf_init(&s->names, DKIM_FIELDS_MAX);
    buf_init(&s->canon, CANON_MAX_BYTES);
    int err = sign(s, ring, out);
    EVP_MD_CTX_free(s->body_hash);
    EVP_MD_CTX_free(s->header_hash);
    header_fini(&s->header);
    buf_fini(&s->names);
    buf_fini(&s->canon);
    free(s);
    return err;
}
