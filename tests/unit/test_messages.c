#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/ipc/messages.h"

TestSuite(messages, .timeout = 60);

/* Every message of messages.def is filled, sent through its codec and compared, by the same macros that
 * made it: so a message that is added is tested with it. */

static char bytes_of_any_length[(8u << 20) + 1];

static size_t field_number; /* makes each field different from its neighbours */

static struct view some_bytes(size_t max)
{
    size_t n = 3 + field_number++ % 50;
    return view_of(bytes_of_any_length, n < max ? n : max);
}

static struct ipaddr some_ip(void)
{
    struct ipaddr a;
    memset(a.bytes, (int)(1 + field_number++), sizeof a.bytes);
    return a;
}

#define FILL_INT (UINT64_C(0x8182838485868788) + field_number++)
#define FILL_u8  (uint8_t) FILL_INT
#define FILL_u16 (uint16_t) FILL_INT
#define FILL_u32 (uint32_t) FILL_INT
#define FILL_u64 FILL_INT
#define FILL_i64 (int64_t) FILL_INT
#define FILL_flag (field_number++ % 2 == 0)
#define FILL_ip   some_ip()
#define FILL(type, name) m.name = FILL_##type;
#define FILL_BYTES(name, max) m.name = some_bytes(max);

static bool same_ip(struct ipaddr a, struct ipaddr b)
{
    return ipaddr_eq(&a, &b);
}

#define SAME_u8(a, b) ((a) == (b))
#define SAME_u16(a, b) ((a) == (b))
#define SAME_u32(a, b) ((a) == (b))
#define SAME_u64(a, b) ((a) == (b))
#define SAME_i64(a, b) ((a) == (b))
#define SAME_flag(a, b) ((a) == (b))
#define SAME_ip(a, b) same_ip((a), (b))
#define SAME(type, name) cr_assert(SAME_##type(m.name, got.name), "%s", #name);
#define SAME_BYTES(name, max) cr_assert(view_eq(m.name, got.name), "%s", #name);

/* Longest value of one field, the others as they are: fits; one byte more does not, when sent or received. */
#define TRY_NOTHING(type, name)
#define TRY_MAX(name, max)                                                                         \
    {                                                                                              \
        struct view kept = m.name;                                                                 \
        m.name = view_of(bytes_of_any_length, (max));                                              \
        buf_reset(&b);                                                                             \
        encode(&m, &b);                                                                            \
        cr_assert_not(buf_failed(&b), "%s", #name);                                                \
        cr_assert_eq(decode(buf_view(&b), &got), MSA_OK, "%s", #name);                             \
        cr_assert_eq(got.name.n, (size_t)(max), "%s", #name);                                      \
        m.name.n++;                                                                                \
        buf_reset(&b);                                                                             \
        encode(&m, &b);                                                                            \
        cr_assert(buf_failed(&b), "%s", #name);                                                    \
        m.name = kept;                                                                             \
    }

#define CODEC_TEST(name_)                                                                          \
    Test(messages, name_)                                                                          \
    {                                                                                              \
        void (*encode)(const struct msg_##name_ *, struct buf *) = msg_##name_##_encode;           \
        int (*decode)(struct view, struct msg_##name_ *) = msg_##name_##_decode;                   \
        struct msg_##name_ m, got;                                                                 \
        struct buf b;                                                                              \
        memset(&m, 0, sizeof m);                                                                   \
        memset(bytes_of_any_length, 'x', sizeof bytes_of_any_length);                              \
        buf_init(&b, 16u << 20);                                                                   \
        FIELDS_##name_(FILL, FILL_BYTES) encode(&m, &b);                                           \
        cr_assert_not(buf_failed(&b));                                                             \
        cr_assert_eq(decode(buf_view(&b), &got), MSA_OK);                                          \
        FIELDS_##name_(SAME, SAME_BYTES) refuse_other_lengths(&b, decode_any_##name_);             \
        FIELDS_##name_(TRY_NOTHING, TRY_MAX) buf_fini(&b);                                         \
    }

/* No prefix decodes and nothing may be left over. The copy is exact, so that ASan sees a read beyond it. */
static void refuse_other_lengths(struct buf *b, int (*decode)(struct view))
{
    size_t n = buf_len(b);
    for (size_t i = 0; i <= n + 1; i++) {
        char *copy = malloc(i + 1);
        cr_assert_not_null(copy);
        memset(copy, 0, i + 1);
        memcpy(copy, buf_view(b).p, i < n ? i : n);
        cr_assert_eq(decode(view_of(copy, i)), i == n ? MSA_OK : MSA_EPROTO, "%zu of %zu", i, n);
        free(copy);
    }
}

#define DECODE_ANY(name)                                                                           \
    static int decode_any_##name(struct view v)                                                    \
    {                                                                                              \
        struct msg_##name m;                                                                       \
        return msg_##name##_decode(v, &m);                                                         \
    }
#define IPC_MESSAGE(name, sender, receiver, fds) DECODE_ANY(name) CODEC_TEST(name)
#define IPC_ITEM(name) DECODE_ANY(name) CODEC_TEST(name)
#include "msa/ipc/messages.def"
#undef IPC_MESSAGE
#undef IPC_ITEM

Test(messages, a_length_beyond_the_field_is_refused_also_when_the_bytes_are_there)
{
    struct buf b;
    buf_init(&b, 4096);
    put_u64(&b, 1);
    put_bytes(&b, view_of(bytes_of_any_length, IPC_REPLY_MAX + 1));
    struct msg_policy_kill m;
    cr_assert_eq(msg_policy_kill_decode(buf_view(&b), &m), MSA_EPROTO);
    buf_fini(&b);
}

Test(messages, a_flag_is_0_or_1)
{
    struct msg_relay_notice_answer m;
    cr_assert_eq(msg_relay_notice_answer_decode(view_of("\0", 1), &m), MSA_OK);
    cr_assert_not(m.is_queued);
    cr_assert_eq(msg_relay_notice_answer_decode(view_of("\1", 1), &m), MSA_OK);
    cr_assert(m.is_queued);
    cr_assert_eq(msg_relay_notice_answer_decode(view_of("\2", 1), &m), MSA_EPROTO);
}

static bool has_suffix(const char *name, const char *suffix)
{
    return view_has_suffix_nocase(view_cstr(name), view_cstr(suffix));
}

Test(messages, every_question_is_followed_by_its_answer)
{
    for (unsigned t = 1; t < IPC_TYPE_COUNT; t++) {
        const struct ipc_rule *rule = ipc_rule_of(t);
        enum ipc_type answer = ipc_answer_of((enum ipc_type)t);
        cr_assert_eq(ipc_is_answer((enum ipc_type)t), has_suffix(rule->name, "_answer"));
        if (!has_suffix(rule->name, "_ask")) {
            cr_assert_eq(answer, IPC_NONE, "%s", rule->name);
            continue;
        }
        const struct ipc_rule *other = ipc_rule_of(answer);
        size_t stem = strlen(rule->name) - strlen("ask");
        cr_assert_eq(strncmp(rule->name, other->name, stem), 0, "%s", rule->name);
        cr_assert_str_eq(other->name + stem, "answer");
        cr_assert_eq(rule->senders, other->receivers, "%s", rule->name);
        cr_assert_eq(rule->receivers, other->senders, "%s", rule->name);
    }
}

Test(messages, numbers_outside_the_list_have_no_rule)
{
    cr_assert_null(ipc_rule_of(IPC_NONE));
    cr_assert_null(ipc_rule_of(IPC_TYPE_COUNT));
    cr_assert_null(ipc_rule_of(65535));
    cr_assert_eq(ipc_answer_of((enum ipc_type)65535), IPC_NONE);
    cr_assert_not(ipc_is_answer((enum ipc_type)65535));
}

Test(messages, roles_have_names)
{
    static const char *const names[ROLE_COUNT] = {"supervisor", "smtp",  "auth",   "policy",
                                                  "score",      "relay", "console"};
    for (unsigned i = 0; i < ROLE_COUNT; i++)
        cr_assert_str_eq(role_name((enum role)(1u << i)), names[i]);
    cr_assert_str_eq(role_name(ROLE_ANY), "?");
    cr_assert_str_eq(role_name((enum role)0), "?");
}

Test(messages, items_come_back_in_order)
{
    struct buf list;
    buf_init(&list, 4096);
    for (uint16_t i = 0; i < 5; i++) {
        struct msg_recipient_result r = {.path = view_of("abcde", i), .code = i};
        items_add_result(&list, &r);
    }
    struct view rest = buf_view(&list), item;
    uint16_t count = 0;
    while (items_next(&rest, &item)) {
        struct msg_recipient_result r;
        cr_assert_eq(msg_recipient_result_decode(item, &r), MSA_OK);
        cr_assert_eq(r.path.n, count);
        cr_assert_eq(r.code, count);
        count++;
    }
    cr_assert_eq(count, 5);
    cr_assert_eq(rest.n, 0);
    rest = view_slice(buf_view(&list), 0, buf_len(&list) - 1);
    for (count = 0; items_next(&rest, &item);)
        count++;
    cr_assert_eq(count, 4);
    cr_assert_gt(rest.n, 0, "a list that is cut off leaves something over");
    buf_fini(&list);
}

Test(messages, a_list_that_is_full_stays_failed)
{
    struct buf list;
    buf_init(&list, 40);
    struct msg_recipient r = {.path = view_cstr("someone@example.jp")};
    items_add_recipient(&list, &r);
    cr_assert_not(buf_failed(&list));
    items_add_recipient(&list, &r);
    cr_assert(buf_failed(&list));
    buf_fini(&list);
}
