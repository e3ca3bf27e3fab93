#include "msa/ipc/messages.h"

#include "msa/base/err.h"

/* The longest field that a message may have is its own maximum, so a frame can be no longer than the
 * sum of them; the channel's own limit (chan.h) is lower than that for all but a few. */

#define put_flag(b, v) put_u8((b), (v) ? 1 : 0)
#define put_ip(b, v) put_ipaddr((b), &(v))
#define get_flag(r) get_bool(r)

static struct ipaddr get_ip(struct reader *r)
{
    struct ipaddr a;
    get_ipaddr(r, &a);
    return a;
}

#define ENCODE(type, name) put_##type(out, m->name);
#define ENCODE_BYTES(name, max)                                                                    \
    if (m->name.n > (max))                                                                         \
        out->failed = true;                                                                        \
    put_bytes(out, m->name);
#define DECODE(type, name) out->name = get_##type(&r);
#define DECODE_BYTES(name, max) out->name = get_bytes(&r, (max));

#define IPC_CODEC(name)                                                                            \
    void msg_##name##_encode(const struct msg_##name *m, struct buf *out)                          \
    {                                                                                              \
        FIELDS_##name(ENCODE, ENCODE_BYTES)                                                        \
    }                                                                                              \
    int msg_##name##_decode(struct view bytes, struct msg_##name *out)                             \
    {                                                                                              \
        struct reader r = reader_of(bytes);                                                        \
        FIELDS_##name(DECODE, DECODE_BYTES)                                                        \
        return reader_end(&r);                                                                     \
    }
#define IPC_MESSAGE(name, sender, receiver, fds) IPC_CODEC(name)
#define IPC_ITEM(name) IPC_CODEC(name)
#include "msa/ipc/messages.def"
#undef IPC_MESSAGE
#undef IPC_ITEM

static const struct ipc_rule rules[IPC_TYPE_COUNT] = {
#define IPC_MESSAGE(name, sender, receiver, fds) [IPC_##name] = {#name, (sender), (receiver), (fds)},
#define IPC_ITEM(name)
#include "msa/ipc/messages.def"
#undef IPC_MESSAGE
#undef IPC_ITEM
};

const struct ipc_rule *ipc_rule_of(unsigned type)
{
    return type > IPC_NONE && type < IPC_TYPE_COUNT ? &rules[type] : NULL;
}

static bool has_suffix(enum ipc_type type, struct view suffix)
{
    const struct ipc_rule *rule = ipc_rule_of(type);
    return rule && view_has_suffix_nocase(view_cstr(rule->name), suffix);
}

enum ipc_type ipc_answer_of(enum ipc_type ask)
{
    return has_suffix(ask, VIEW_LIT("_ask")) ? (enum ipc_type)(ask + 1) : IPC_NONE;
}

bool ipc_is_answer(enum ipc_type type)
{
    return has_suffix(type, VIEW_LIT("_answer"));
}

const char *role_name(enum role role)
{
    switch (role) {
    case ROLE_SUPERVISOR: return "supervisor";
    case ROLE_SMTP: return "smtp";
    case ROLE_AUTH: return "auth";
    case ROLE_POLICY: return "policy";
    case ROLE_SCORE: return "score";
    case ROLE_RELAY: return "relay";
    case ROLE_CONSOLE: return "console";
    case ROLE_ANY: break;
    }
    return "?";
}

int64_t ipc_score_bounded(int64_t milli)
{
    if (milli > IPC_SCORE_MILLI_MAX)
        return IPC_SCORE_MILLI_MAX;
    return milli < -IPC_SCORE_MILLI_MAX ? -IPC_SCORE_MILLI_MAX : milli;
}

bool items_next(struct view *list, struct view *item_out)
{
    struct reader r = reader_of(*list);
    struct view item = get_bytes(&r, list->n);
    if (r.failed)
        return false;
    *item_out = item;
    *list = view_of((const char *)r.p, r.n);
    return true;
}

/* The length comes first, so it is written as 0 and put right afterwards. */
#define ADD_ITEM(list, item, name)                                                                 \
    size_t at = buf_len(list);                                                                     \
    put_u32((list), 0);                                                                            \
    msg_##name##_encode((item), (list));                                                           \
    end_item((list), at)

static void end_item(struct buf *list, size_t at)
{
    if (buf_failed(list))
        return;
    size_t n = buf_len(list) - at - 4;
    for (size_t i = 0; i < 4; i++)
        list->data[list->start + at + i] = (char)(n >> (8 * i));
}

void items_add_recipient(struct buf *list, const struct msg_recipient *r)
{
    ADD_ITEM(list, r, recipient);
}

void items_add_result(struct buf *list, const struct msg_recipient_result *r)
{
    ADD_ITEM(list, r, recipient_result);
}
