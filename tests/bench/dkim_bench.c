/* What a signature costs: CPU time per message with each kind of key, and per MiB of body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "msa/base/err.h"
#include "relay/dkim/sign.h"

#define SMALL_BYTES 4096u
#define LARGE_BYTES (10u << 20)

static int read_text(const void *arg, uint64_t offset, char *scratch, size_t scratch_bytes,
                     struct view *piece_out)
{
    const struct view *text = arg;
    (void)scratch;
    *piece_out = view_slice(*text, (size_t)offset, (size_t)offset + scratch_bytes);
    return MSA_OK;
}

static double cpu_ms(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static char *pem_of(enum dkim_algorithm algorithm)
{
    char why[DKIM_KEY_WHY_MAX];
    struct buf pem;
    struct dkim_key *key = dkim_key_generate(algorithm, 2048, why);
    buf_init(&pem, 16384);
    if (!key || dkim_key_pem(key, &pem) < 0 || buf_add_char(&pem, '\0') < 0) {
        fprintf(stderr, "no key\n");
        exit(1);
    }
    dkim_key_free(&key);
    return pem.data;
}

/* A header and lines of prose, `bytes` in all. */
static struct view make_mail(size_t bytes)
{
    static const char head[] = "From: Taro <taro@example.jp>\r\nTo: hana@example.test\r\nSubject: a bench\r\n"
                               "Date: Thu, 1 Jan 2026 00:00:00 +0900\r\nMessage-ID: <1@example.jp>\r\n\r\n";
    static const char line[] = "Words of five or so letters stand in lines of seventy, as they do in mail.\r\n";
    char *text = malloc(bytes);
    size_t n = sizeof head - 1;
    if (!text)
        exit(1);
    memcpy(text, head, n);
    for (; n + sizeof line - 1 <= bytes; n += sizeof line - 1)
        memcpy(text + n, line, sizeof line - 1);
    return view_of(text, n);
}

static double measure(const struct dkim_keyring *ring, struct view text, unsigned count)
{
    const struct dkim_message m = {read_text, &text, text.n};
    double before = cpu_ms();
    for (unsigned i = 0; i < count; i++) {
        struct dkim_signed s;
        dkim_signed_init(&s);
        if (dkim_sign(ring, &m, 1, &s) < 0 || buf_len(&s.fields) == 0)
            exit(1);
        dkim_signed_fini(&s);
    }
    return (cpu_ms() - before) / count;
}

int main(void)
{
    static const char *const names[] = {"From", "To", "Cc", "Subject", "Date", "Message-ID"};
    static const char *const what[] = {"rsa-2048", "ed25519", "both"};
    const struct config_dkim_selector keys[] = {
        {.name = "r", .key_pem = pem_of(DKIM_RSA_SHA256), .use = true},
        {.name = "e", .key_pem = pem_of(DKIM_ED25519_SHA256), .use = true},
    };
    struct view small = make_mail(SMALL_BYTES), large = make_mail(LARGE_BYTES);
    for (int i = 0; i < 3; i++) {
        char why[256];
        const struct config_dkim domain = {.domain = "example.jp", .selectors = &keys[i % 2],
                                           .selector_count = i == 2 ? 2 : 1, .oversign = {names, 6}};
        const struct config config = {.dkim = &domain, .dkim_count = 1};
        struct dkim_keyring *ring = dkim_keyring_new(&config, why, sizeof why);
        if (!ring)
            return 1;
        double small_ms = measure(ring, small, 1000), large_ms = measure(ring, large, 10);
        printf("%-8s  4 KiB: %.3f ms   10 MiB: %.1f ms (%.2f ms per MiB)\n", what[i], small_ms, large_ms,
               (large_ms - small_ms) / (LARGE_BYTES >> 20));
        dkim_keyring_drop(&ring);
    }
    free((char *)keys[0].key_pem);
    free((char *)keys[1].key_pem);
    free((char *)small.p);
    free((char *)large.p);
    return 0;
}
