/* Messages between roles: the first byte chooses the decoder. What decodes encodes to the same bytes. */
#include "msa/base/err.h"
#include "msa/ipc/messages.h"
#include "tests/fuzz/fuzz.h"

static void check_items(struct view list)
{
    struct view item;
    size_t total = 0, n = list.n;
    while (items_next(&list, &item))
        total += item.n + 4;
    must(total + list.n == n);
}

#define CHECK_FIELD(type, name)
#define CHECK_BYTES(name, max)                                                                     \
    must(m.name.n <= (max));                                                                       \
    check_items(m.name);

#define TRY(name_)                                                                                 \
    static void try_##name_(struct view in, struct buf *out)                                       \
    {                                                                                              \
        struct msg_##name_ m;                                                                      \
        int err = msg_##name_##_decode(in, &m);                                                    \
        must(err == MSA_OK || err == MSA_EPROTO);                                                  \
        if (err < 0)                                                                               \
            return;                                                                                \
        FIELDS_##name_(CHECK_FIELD, CHECK_BYTES) msg_##name_##_encode(&m, out);                    \
        must(!buf_failed(out) && view_eq(buf_view(out), in));                                      \
    }
#define IPC_MESSAGE(name, sender, receiver, fds) TRY(name)
#define IPC_ITEM(name) TRY(name)
#include "msa/ipc/messages.def"
#undef IPC_MESSAGE
#undef IPC_ITEM

static void (*const tries[])(struct view, struct buf *) = {
#define IPC_MESSAGE(name, sender, receiver, fds) try_##name,
#define IPC_ITEM(name) try_##name,
#include "msa/ipc/messages.def"
#undef IPC_MESSAGE
#undef IPC_ITEM
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct buf out;
    buf_init(&out, 64u << 20);
    tries[data[0] % (sizeof tries / sizeof tries[0])](fuzz_view(data + 1, size - 1), &out);
    buf_fini(&out);
    return 0;
}
