#include "msa/base/msgid.h"

#include "msa/base/assert.h"
#include "msa/base/clock.h"

/* 42 bits of milliseconds since 2020 (until 2159), 6 of worker, 16 of counter. The last id is
 * remembered, so a wall clock that steps back only makes ids run ahead of it for a while. */
#define EPOCH_2020_MS 1577836800000
#define WORKER_BITS   6
#define COUNTER_BITS  16

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static uint64_t worker_field;
static uint64_t last_stamp; /* time in the upper bits, counter in the lower */

void msgid_setup(unsigned worker)
{
    MSA_ASSERT(worker < 1u << WORKER_BITS);
    worker_field = worker;
}

uint64_t msgid_next(void)
{
    int64_t since = clock_wall_ms() - EPOCH_2020_MS;
    uint64_t stamp = (since > 0 ? (uint64_t)since : 0) << COUNTER_BITS;
    last_stamp = stamp > last_stamp ? stamp : last_stamp + 1;
    uint64_t ms = last_stamp >> COUNTER_BITS;
    uint64_t counter = last_stamp & ((1u << COUNTER_BITS) - 1);
    return ms << (WORKER_BITS + COUNTER_BITS) | worker_field << COUNTER_BITS | counter;
}

uint64_t msgid_first_at(int64_t wall_ms)
{
    int64_t since = wall_ms - EPOCH_2020_MS;
    return (since > 0 ? (uint64_t)since : 0) << (WORKER_BITS + COUNTER_BITS);
}

void msgid_format(uint64_t id, char out[MSGID_TEXT_MAX])
{
    for (int i = 12; i >= 0; i--) {
        out[i] = alphabet[id & 31];
        id >>= 5;
    }
    out[13] = '\0';
}

bool msgid_parse(struct view text, uint64_t *out)
{
    uint64_t id = 0;
    if (text.n != MSGID_TEXT_MAX - 1)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        size_t digit = view_find(view_of(alphabet, 32), text.p[i]);
        if (digit == 32 || (i == 0 && digit > 15)) /* 13 digits hold 65 bits */
            return false;
        id = id << 5 | digit;
    }
    *out = id;
    return true;
}
