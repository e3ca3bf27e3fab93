/* Envelopes on disk: whatever the bytes, a decoder says so or gives something that encodes to what decodes alike. The
 * checksum would keep a fuzzer out, so it is made good first. */
#include <stdlib.h>
#include <string.h>

#include "msa/base/table.h"
#include "relay/envelope.h"
#include "tests/fuzz/fuzz.h"

static void write_le(char *p, uint64_t n, size_t width)
{
    for (size_t i = 0; i < width; i++)
        p[i] = (char)(n >> (8 * i) & 0xff);
}

static void seal(char *record, size_t n)
{
    static const uint8_t zero_key[16];
    write_le(record, 0x3151534d, 4);
    write_le(record + 4, n - 16, 4);
    write_le(record + 8, siphash13(zero_key, record + 16, n - 16), 8);
}

static void check_again(const struct message *m)
{
    struct message *again;
    struct buf b;
    buf_init(&b, ENVELOPE_MAX_BYTES);
    /* Only lengths are known of the content. */
    struct message copy = *m;
    copy.content.prepend = view_of(NULL, m->content.prepend.n);
    copy.content.memory = view_of(NULL, m->content.fd_bytes);
    must(envelope_encode(&copy, &b) == 0);
    must(envelope_decode(buf_view(&b), &again) == 0);
    must(again->rcpt_count == m->rcpt_count && again->id == m->id);
    must(view_eq(again->sender, m->sender) && view_eq(again->pool, m->pool));
    message_free(&again);
    buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message *m;
    struct envelope_head head;
    char *record = malloc(size + 1);
    must(record != NULL);
    if (size > 0)
        memcpy(record, data, size);
    if (size > 16)
        seal(record, size);
    int head_err = envelope_read_head(view_of(record, size), &head);
    int err = envelope_decode(view_of(record, size), &m);
    must(err != 0 || head_err == 0);
    if (err == 0)
        check_again(m);
    message_free(&m);
    free(record);
    return 0;
}
