#include "policy/lookalikes.h"

#include <string.h>

#include "msa/base/table.h"
#include "policy/confusable.h"

#define LOGINS_MAX 4 /* of one skeleton: who has three already is told by any of them */
#define VALUE_MAX  2048

/* A list of logins, each with a LF behind it, under a hash of their skeleton. */
static struct view key_of(struct view skeleton, uint64_t *hash)
{
    static const uint8_t key[16] = "msad lookalikes";
    *hash = siphash13(key, skeleton.p, skeleton.n);
    return view_of((const char *)hash, sizeof *hash);
}

static bool holds(struct view list, struct view login, unsigned *count_out)
{
    *count_out = 0;
    while (list.n > 0) {
        if (view_eq(view_cut(&list, '\n'), login))
            return true;
        ++*count_out;
    }
    return false;
}

void lookalikes_learn(struct ledger *ledger, struct view login)
{
    char skeleton[CONFUSABLE_SIZE];
    uint64_t hash;
    unsigned count;
    struct buf list;
    int n = confusable_skeleton(login, skeleton);
    if (n <= 0)
        return; /* a name without a domain is no address */
    struct view key = key_of(view_of(skeleton, (size_t)n), &hash);
    buf_init(&list, VALUE_MAX);
    enum msa_lookup found = ledger_get(ledger, LEDGER_LOOKALIKES, key, &list);
    if (found != MSA_RETRY && !holds(buf_view(&list), login, &count) &&
        count < LOGINS_MAX) {
        buf_add(&list, login);
        buf_add_char(&list, '\n');
        if (!buf_failed(&list))
            (void)ledger_put(ledger, LEDGER_LOOKALIKES, key, buf_view(&list));
    }
    buf_fini(&list);
}

struct view lookalikes_find(struct ledger *ledger, struct view skeleton,
                            struct view address, struct view login, struct buf *out)
{
    uint64_t hash;
    if (ledger_get(ledger, LEDGER_LOOKALIKES, key_of(skeleton, &hash), out) != MSA_FOUND)
        return VIEW_EMPTY;
    struct view list = buf_view(out);
    while (list.n > 0) {
        struct view other = view_cut(&list, '\n');
        if (!view_eq_nocase(other, login) && confusable_addresses(other, address))
            return other;
    }
    return VIEW_EMPTY;
}
