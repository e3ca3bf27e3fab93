/* A geo database of any bytes: opened or refused, and never read beyond. The first bytes
 * are addresses to look up. */
#include "policy/mmdb.h"
#include "tests/fuzz/fuzz.h"

#define ADDRESSES 4

static struct mmdb_path paths[3];

static bool is_wanted(const struct mmdb_record *r, const void *arg)
{
    (void)r, (void)arg;
    return true;
}

static void ask(const struct mmdb *m, const struct ipaddr *a)
{
    struct mmdb_record r;
    if (!mmdb_find(m, a, &r))
        return;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct view text;
        double number;
        uint32_t n;
        unsigned sum = 0;
        if (mmdb_text(&r, &paths[i], &text))
            for (size_t k = 0; k < text.n; k++)
                sum += (unsigned char)text.p[k];
        must(sum < UINT32_MAX);
        if (mmdb_number(&r, &paths[i], &number))
            must(number == number);
        mmdb_u32(&r, &paths[i], &n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[MMDB_ERROR_MAX] = "";
    if (size < ADDRESSES * sizeof(struct ipaddr) || size > 65536)
        return 0;
    must(mmdb_path_parse("country.iso_code", &paths[0]) &&
         mmdb_path_parse("location.latitude", &paths[1]) &&
         mmdb_path_parse("autonomous_system_number", &paths[2]));
    struct view in = fuzz_view(data, size);
    struct mmdb *m = mmdb_open_bytes(
        view_slice(in, ADDRESSES * sizeof(struct ipaddr), in.n), is_wanted, NULL, error);
    must((m == NULL) == (error[0] != '\0'));
    for (size_t i = 0; m && i < ADDRESSES; i++) {
        struct ipaddr a;
        for (size_t k = 0; k < sizeof a.bytes; k++)
            a.bytes[k] = data[i * sizeof a + k];
        ask(m, &a);
    }
    mmdb_close(&m);
    return 0;
}
