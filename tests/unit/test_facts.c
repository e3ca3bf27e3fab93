#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/ipc/messages.h"
#include "policy/engine/subject.h"
#include "policy/facts.h"
#include "policy/outcome.h"

TestSuite(facts, .timeout = 20);

static const uint8_t key[16] = "0123456789abcde";
static struct arena arena;
static struct buf items;

static void begin(void)
{
    arena_init(&arena, 1u << 20);
    buf_init(&items, 1u << 20);
}

static void end(void)
{
    buf_fini(&items);
    arena_fini(&arena);
}

TestSuite(facts_recipients, .timeout = 20, .init = begin, .fini = end);

static void add(const char *path)
{
    const struct msg_recipient r = {.path = view_cstr(path)};
    items_add_recipient(&items, &r);
}

Test(facts, names_are_told_apart_and_strangers_marked)
{
    uint64_t a = facts_unknown_account(key, view_cstr("taro@example.jp"));
    cr_assert(a & ACCOUNT_UNKNOWN_BIT);
    cr_assert_neq(a, facts_unknown_account(key, view_cstr("hana@example.jp")));
    cr_assert_eq(facts_domain(key, view_cstr("taro@example.jp")),
                 facts_domain(key, view_cstr("hana@example.jp")));
    cr_assert_eq(facts_domain(key, view_cstr("taro")), 0);
}

Test(facts_recipients, counts_domains_whatever_their_case)
{
    struct event e = {0};
    add("a@one.example");
    add("b@TWO.example");
    add("c@two.example");
    cr_assert_eq(facts_recipients(key, buf_view(&items), 3, &arena, &e), MSA_OK);
    cr_assert_eq(e.recipients, 3);
    cr_assert_eq(e.destination_count, 2);
    cr_assert(view_eq(e.destinations[0].domain, VIEW_LIT("two.example")),
              "the largest first");
    cr_assert_eq(e.destinations[0].recipients, 2);
    cr_assert_neq(e.destinations[0].hash, e.destinations[1].hash);
}

Test(facts_recipients, a_mailbox_is_the_same_in_every_spelling)
{
    struct event e = {0};
    add("taro@example.jp");
    add("taro@EXAMPLE.jp");
    add("\"taro\"@example.jp");
    add("Taro@example.jp"); /* the case of a local part is its host's business */
    cr_assert_eq(facts_recipients(key, buf_view(&items), 4, &arena, &e), MSA_OK);
    cr_assert_eq(e.recipient_hashes[0], e.recipient_hashes[1]);
    cr_assert_eq(e.recipient_hashes[0], e.recipient_hashes[2]);
    cr_assert_neq(e.recipient_hashes[0], e.recipient_hashes[3]);
}

Test(facts_recipients, many_domains_leave_the_largest)
{
    struct event e = {0};
    char path[64];
    for (int i = 0; i < 200; i++) {
        snprintf(path, sizeof path, "a@d%d.example", i % 50);
        add(i % 50 == 49 ? "x@large.example" : path);
    }
    for (int i = 0; i < 20; i++)
        add("y@large.example");
    cr_assert_eq(facts_recipients(key, buf_view(&items), 220, &arena, &e), MSA_OK);
    cr_assert_eq(e.destination_count, DESTINATIONS_MAX);
    cr_assert(view_eq(e.destinations[0].domain, VIEW_LIT("large.example")));
    cr_assert_eq(e.destinations[0].recipients, 24);
}

Test(facts_recipients, a_list_that_does_not_fit_its_number_is_refused)
{
    struct event e = {0};
    add("a@one.example");
    add("b@one.example");
    cr_assert_eq(facts_recipients(key, buf_view(&items), 1, &arena, &e), MSA_EPROTO);
    cr_assert_eq(facts_recipients(key, buf_view(&items), 3, &arena, &e), MSA_EPROTO);
    struct view cut = buf_view(&items);
    cut.n--;
    cr_assert_eq(facts_recipients(key, cut, 2, &arena, &e), MSA_EPROTO);
}

Test(facts_recipients, only_what_is_refused_for_good_counts_as_rejected)
{
    static const uint16_t codes[] = {250, 450, 550, 552, 0, 599, 600};
    struct event e = {0};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        const struct msg_recipient_result r = {.path = VIEW_LIT("a@one.example"),
                                               .code = codes[i]};
        items_add_result(&items, &r);
    }
    cr_assert_eq(facts_rejected(key, buf_view(&items), &arena, &e), MSA_OK);
    cr_assert_eq(e.recipients, 2, "552 is a full mailbox");
    cr_assert_eq(e.destinations[0].recipients, 2);
}

Test(facts_recipients, fingerprints_come_in_eights)
{
    struct event e = {0};
    char bytes[8 * 10 + 3];
    memset(bytes, 7, sizeof bytes);
    facts_fingerprints(view_of(bytes, 11), &arena, &e);
    cr_assert_eq(e.fingerprint_count, 1);
    facts_fingerprints(view_of(bytes, sizeof bytes), &arena, &e);
    cr_assert_eq(e.fingerprint_count, FINGERPRINTS_MAX);
    cr_assert_eq(e.fingerprints[0], UINT64_C(0x0707070707070707));
}

Test(facts_recipients, what_a_receiver_refused_is_one_of_a_few_kinds)
{
    static const struct {
        unsigned code;
        const char *enhanced;
        enum outcome_class want;
    } cases[] = {
        {250, "2.0.0", OUTCOME_FINE},      {450, "4.2.2", OUTCOME_FINE},
        {550, "5.1.1", OUTCOME_NO_RECIPIENT}, {550, "", OUTCOME_NO_RECIPIENT},
        {553, "5.1.3", OUTCOME_NO_RECIPIENT}, {552, "", OUTCOME_FULL},
        {552, "5.2.2", OUTCOME_FULL},      {552, "5.3.4", OUTCOME_CONTENT},
        {554, "5.7.1", OUTCOME_SPAM},      {550, "5.7.26", OUTCOME_SPAM},
        {550, "5.2.1", OUTCOME_NO_RECIPIENT}, {554, "5.6.0", OUTCOME_CONTENT},
        {501, "", OUTCOME_CONTENT},        {554, "x", OUTCOME_NO_RECIPIENT},
        {0, "5.7.1", OUTCOME_FINE},        {600, "5.7.1", OUTCOME_FINE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(outcome_class_of(cases[i].code, view_cstr(cases[i].enhanced)), cases[i].want,
                     "%u %s", cases[i].code, cases[i].enhanced);
}

Test(facts_recipients, a_message_refused_as_spam_is_one_and_rejects_nobody)
{
    struct event e = {0};
    for (unsigned i = 0; i < 5; i++) {
        const struct msg_recipient_result r = {
            .path = VIEW_LIT("a@one.example"), .code = 554, .enhanced = VIEW_LIT("5.7.1")};
        items_add_result(&items, &r);
    }
    cr_assert_eq(facts_rejected(key, buf_view(&items), &arena, &e), MSA_OK);
    cr_assert_eq(e.recipients, 0);
    cr_assert_eq(e.spam_refusals, 1);
}
