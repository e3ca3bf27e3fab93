/* The canonical forms and a whole signature: in pieces they are what they are in one. What is canonical stays as it is.
 * First byte: size of the pieces. */
#include <string.h>

#include "msa/base/buf.h"
#include "msa/base/err.h"
#include "relay/dkim/canon.h"
#include "relay/dkim/sign.h"
#include "tests/fuzz/fuzz.h"

#define KEY                                                                                        \
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n" \
    "-----END PRIVATE KEY-----\n"

static void collect(void *arg, struct view run)
{
    must(run.n > 0);
    must(buf_add(arg, run) == 0);
}

static void canon(struct view body, size_t piece, struct buf *out)
{
    static struct dkim_body b;
    buf_init(out, 2 * body.n + 2);
    dkim_body_init(&b, collect, out);
    for (size_t at = 0; at < body.n; at += piece)
        dkim_body_feed(&b, view_slice(body, at, at + piece));
    dkim_body_finish(&b);
}

static void check_body(struct view body, size_t piece)
{
    struct buf whole, parts, again;
    canon(body, body.n + 1, &whole);
    canon(body, piece, &parts);
    must(view_eq(buf_view(&whole), buf_view(&parts)));
    must(buf_len(&whole) <= body.n + 2);
    canon(buf_view(&whole), piece, &again);
    must(view_eq(buf_view(&whole), buf_view(&again)));
    buf_fini(&whole);
    buf_fini(&parts);
    buf_fini(&again);
}

struct text {
    struct view v;
    size_t piece;
};

static int read_text(const void *arg, uint64_t offset, char *scratch, size_t scratch_bytes,
                     struct view *piece_out)
{
    const struct text *t = arg;
    struct view v = view_slice(view_slice(t->v, (size_t)offset, (size_t)offset + t->piece), 0, scratch_bytes);
    must(offset < t->v.n);
    memcpy(scratch, v.p, v.n);
    *piece_out = view_of(scratch, v.n);
    return MSA_OK;
}

static const struct dkim_keyring *keyring(void)
{
    static struct dkim_keyring *ring;
    static const char *const names[] = {"From", "Subject", "To"};
    static const struct config_dkim_selector key = {.name = "s", .key_pem = KEY, .use = true};
    static const struct config_dkim domain = {.domain = "a.b", .selectors = &key, .selector_count = 1,
                                              .subdomains = true, .oversign = {names, 3}};
    const struct config config = {.dkim = &domain, .dkim_count = 1};
    char why[256];
    if (!ring)
        ring = dkim_keyring_new(&config, why, sizeof why);
    must(ring != NULL);
    return ring;
}

static int sign(struct view text, size_t piece, struct dkim_signed *s)
{
    const struct text t = {text, piece};
    const struct dkim_message m = {read_text, &t, text.n};
    dkim_signed_init(s);
    return dkim_sign(keyring(), &m, 1, s);
}

static void check_signature(struct view text, size_t piece)
{
    struct dkim_signed whole, parts;
    int err = sign(text, text.n + 1, &whole);
    must(err == MSA_OK && sign(text, piece, &parts) == MSA_OK);
    must(view_eq(buf_view(&whole.fields), buf_view(&parts.fields)));
    must(buf_len(&whole.fields) == 0 ? whole.by[0] == '\0' : strcmp(whole.by, "a.b/s") == 0);
    struct view fields = buf_view(&whole.fields);
    for (size_t i = 0; i < fields.n; i++)
        must(fields.p[i] > 0 && (fields.p[i] >= ' ' || strchr("\r\n\t", fields.p[i])));
    dkim_signed_fini(&whole);
    dkim_signed_fini(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view in = fuzz_view(data, size);
    size_t piece = fuzz_take_piece(&in);
    check_body(in, piece);
    check_signature(in, piece);
    return 0;
}
