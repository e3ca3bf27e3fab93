/* The list of an account's last sign-ins: what counts as the same, what gives way, its form on disk. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/engine/event.h"
#include "policy/engine/record.h"
#include "policy/sign_in_list.h"
#include "policy/sign_ins.h"

TestSuite(sign_in_list, .timeout = 20);

#define T0_MS     INT64_C(1780000000000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

static struct sign_in_entry entry(int64_t at_ms, enum sign_in_result result, const char *country, uint32_t network,
                                  const char *program)
{
    struct sign_in_entry e = {
        .last_ms = at_ms,
        .protocol = SIGN_IN_SMTP,
        .result = result,
        .is_proven = result != SIGN_IN_WRONG_PASSWORD,
        .country = country_code(view_cstr(country)),
        .network = network,
    };
    snprintf(e.address, sizeof e.address, "192.0.2.%u", (unsigned)network % 256);
    snprintf(e.program, sizeof e.program, "%s", program);
    return e;
}

static void add(struct sign_in_list *list, int64_t at_ms, enum sign_in_result result, const char *country,
                uint32_t network)
{
    struct sign_in_entry e = entry(at_ms, result, country, network, "phone");
    sign_in_list_add(list, &e);
}

static unsigned count_of(const struct sign_in_list *list, enum sign_in_result result)
{
    unsigned n = 0;
    for (unsigned i = 0; i < list->count; i++)
        n += list->entries[i].result == result;
    return n;
}

static const struct sign_in_entry *find_country(const struct sign_in_list *list, const char *country)
{
    for (unsigned i = 0; i < list->count; i++)
        if (list->entries[i].country == country_code(view_cstr(country)))
            return &list->entries[i];
    return NULL;
}

/* ---- what is the same ---- */

Test(sign_in_list, the_same_again_within_an_hour_is_counted)
{
    static struct sign_in_list list;
    for (int i = 0; i < 600; i++)
        add(&list, T0_MS + i * MINUTE_MS, SIGN_IN_ALLOWED, "JP", 1);
    cr_assert_eq(list.count, 1);
    cr_assert_eq(list.entries[0].times, 600);
    cr_assert_eq(list.entries[0].first_ms, T0_MS);
    cr_assert_eq(list.entries[0].last_ms, T0_MS + 599 * MINUTE_MS);
    add(&list, T0_MS + 599 * MINUTE_MS + HOUR_MS, SIGN_IN_ALLOWED, "JP", 1);
    cr_assert_eq(list.count, 2, "after an hour it is another one");
}

Test(sign_in_list, one_entry_is_of_one_day)
{
    static struct sign_in_list list;
    for (int i = 0; i <= 48; i++)
        add(&list, T0_MS + i * HOUR_MS / 2, SIGN_IN_ALLOWED, "JP", 1);
    cr_assert_eq(list.count, 2);
}

Test(sign_in_list, another_program_network_protocol_or_result_is_another)
{
    static struct sign_in_list list;
    struct sign_in_entry e = entry(T0_MS, SIGN_IN_ALLOWED, "JP", 1, "phone");
    sign_in_list_add(&list, &e);
    e = entry(T0_MS, SIGN_IN_ALLOWED, "JP", 1, "desk");
    sign_in_list_add(&list, &e);
    e = entry(T0_MS, SIGN_IN_ALLOWED, "JP", 2, "phone");
    sign_in_list_add(&list, &e);
    e = entry(T0_MS, SIGN_IN_REFUSED, "JP", 1, "phone");
    sign_in_list_add(&list, &e);
    e = entry(T0_MS, SIGN_IN_ALLOWED, "JP", 1, "phone");
    e.protocol = SIGN_IN_IMAP;
    sign_in_list_add(&list, &e);
    cr_assert_eq(list.count, 5);
}

Test(sign_in_list, strangers_wrong_passwords_are_one_entry_per_country_and_hour)
{
    static struct sign_in_list list;
    for (uint32_t i = 0; i < 1000; i++)
        add(&list, T0_MS + i * 3000, SIGN_IN_WRONG_PASSWORD, "US", 100 + i);
    cr_assert_eq(list.count, 1);
    cr_assert_eq(list.entries[0].times, 1000);
    cr_assert_str_eq(list.entries[0].address, "", "they came from many");
    cr_assert_str_eq(list.entries[0].program, "phone", "which all call themselves so");
    add(&list, T0_MS + HOUR_MS, SIGN_IN_WRONG_PASSWORD, "US", 7);
    add(&list, T0_MS + HOUR_MS, SIGN_IN_WRONG_PASSWORD, "FR", 7);
    cr_assert_eq(list.count, 3);
}

Test(sign_in_list, a_wrong_password_at_home_stands_with_its_network)
{
    static struct sign_in_list list;
    add(&list, T0_MS, SIGN_IN_ALLOWED, "JP", 1);
    add(&list, T0_MS + 1, SIGN_IN_WRONG_PASSWORD, "JP", 2);
    add(&list, T0_MS + 2, SIGN_IN_WRONG_PASSWORD, "JP", 1);
    add(&list, T0_MS + 3, SIGN_IN_WRONG_PASSWORD, "JP", 3);
    cr_assert_eq(list.count, 3);
    sign_in_list_sort(&list);
    cr_assert(list.entries[0].is_folded);
    cr_assert_eq(list.entries[0].times, 2);
    cr_assert_not(list.entries[1].is_folded);
    cr_assert_str_eq(list.entries[1].address, "192.0.2.1");
}

/* ---- what gives way ---- */

Test(sign_in_list, the_owners_devices_do_not_push_out_the_stranger)
{
    static struct sign_in_list list;
    add(&list, T0_MS, SIGN_IN_ALLOWED, "US", 99);
    add(&list, T0_MS, SIGN_IN_OVERSEAS, "FR", 98);
    for (int day = 1; day < 60; day++)
        for (uint32_t device = 0; device < 5; device++)
            add(&list, T0_MS + day * DAY_MS, SIGN_IN_ALLOWED, "JP", 10 + device);
    cr_assert_eq(list.count, SIGN_INS_MAX);
    cr_assert_not_null(find_country(&list, "US"));
    cr_assert_not_null(find_country(&list, "FR"));
}

Test(sign_in_list, a_guesser_pushes_out_nothing_but_guesses)
{
    static struct sign_in_list list;
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    for (uint32_t i = 0; i < SIGN_INS_MAX; i++)
        add(&list, T0_MS + i, SIGN_IN_ALLOWED, "JP", 10 + i);
    add(&list, T0_MS, SIGN_IN_OVERSEAS, "KR", 5000);
    for (int i = 0; i < 26 * 26; i++) /* from every country there could be, for weeks */
        add(&list, T0_MS + i * HOUR_MS, SIGN_IN_WRONG_PASSWORD,
            (char[3]){letters[i / 26], letters[i % 26], '\0'}, 9000 + (uint32_t)i);
    cr_assert_eq(list.count, SIGN_INS_MAX);
    cr_assert_geq(count_of(&list, SIGN_IN_ALLOWED), SIGN_IN_LET_IN_SHARE);
    cr_assert_eq(count_of(&list, SIGN_IN_OVERSEAS), 1);
}

Test(sign_in_list, a_thief_who_is_refused_pushes_out_no_good_one)
{
    static struct sign_in_list list;
    for (uint32_t i = 0; i < SIGN_IN_LET_IN_SHARE; i++)
        add(&list, T0_MS + i, SIGN_IN_ALLOWED, "JP", 10 + i);
    for (uint32_t i = 0; i < 500; i++)
        add(&list, T0_MS + i * 1000, SIGN_IN_OVERSEAS, "US", 1000 + i);
    cr_assert_eq(list.count, SIGN_INS_MAX);
    cr_assert_eq(count_of(&list, SIGN_IN_ALLOWED), SIGN_IN_LET_IN_SHARE);
}

Test(sign_in_list, what_is_old_is_forgotten)
{
    static struct sign_in_list list;
    for (uint32_t i = 0; i < 10; i++)
        add(&list, T0_MS + i * DAY_MS, SIGN_IN_ALLOWED, "JP", i);
    sign_in_list_expire(&list, T0_MS + 7 * DAY_MS);
    cr_assert_eq(list.count, 3);
}

/* ---- clocks that jump ---- */

Test(sign_in_list, an_entry_of_a_wrong_date_counts_nothing_more)
{
    static struct sign_in_list list;
    add(&list, T0_MS + 400 * DAY_MS, SIGN_IN_ALLOWED, "JP", 1);
    add(&list, T0_MS, SIGN_IN_ALLOWED, "JP", 1);
    add(&list, T0_MS + 1, SIGN_IN_ALLOWED, "JP", 1);
    cr_assert_eq(list.count, 2);
    add(&list, T0_MS - MINUTE_MS, SIGN_IN_ALLOWED, "JP", 1);
    cr_assert_eq(list.count, 2, "a minute back is the same clock");
}

/* ---- texts ---- */

Test(sign_in_list, texts_of_strangers_are_bounded_and_on_one_line)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"", ""},
        {"mail.example.jp", "mail.example.jp"},
        {"a\r\nb\x1b[31mc", "a  b [31mc"},
        {"\xe9\x9b\xbb\xff", "\xe9\x9b\xbb\xef\xbf\xbd"},
        {"  padded  ", "padded"},
        {"0123456789abcdef", "0123456789abcde"},
        {"0123456789abcd\xe9\x9b\xbb", "0123456789abcd"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[16];
        sign_in_clean(view_cstr(cases[i].text), out, sizeof out);
        cr_assert_str_eq(out, cases[i].want);
    }
}

/* ---- form on disk ---- */

static void fill(struct sign_in_list *list)
{
    for (uint32_t i = 0; i < SIGN_INS_MAX; i++) {
        struct sign_in_entry e = entry(T0_MS + i * DAY_MS, (enum sign_in_result)(i % SIGN_IN_RESULT_COUNT), "JP", i, "");
        memset(e.address, 'a', sizeof e.address - 1);
        memset(e.network_name, 'n', sizeof e.network_name - 1);
        memset(e.program, 'p', sizeof e.program - 1);
        sign_in_list_add(list, &e);
    }
}

Test(sign_in_list, survives_the_form_on_disk)
{
    static struct sign_in_list list, back;
    struct buf bytes;
    fill(&list);
    buf_init(&bytes, SIGN_IN_LIST_BYTES_MAX);
    cr_assert_eq(sign_in_list_encode(&list, 77, &bytes), MSA_OK, "the largest list fits");
    cr_assert_eq(record_keep_until(buf_view(&bytes)), 77);
    cr_assert_eq(sign_in_list_decode(buf_view(&bytes), &back), MSA_OK);
    cr_assert_eq(back.count, list.count);
    for (unsigned i = 0; i < list.count; i++) {
        cr_assert_eq(sign_in_kind(&back.entries[i]), sign_in_kind(&list.entries[i]));
        cr_assert_eq(back.entries[i].last_ms, list.entries[i].last_ms);
        cr_assert_str_eq(back.entries[i].address, list.entries[i].address);
    }
    buf_fini(&bytes);
}

Test(sign_in_list, every_cut_and_every_longer_one_is_damaged)
{
    static struct sign_in_list list, back;
    struct buf bytes;
    fill(&list);
    buf_init(&bytes, SIGN_IN_LIST_BYTES_MAX);
    cr_assert_eq(sign_in_list_encode(&list, 77, &bytes), MSA_OK);
    for (size_t n = 0; n < buf_len(&bytes); n++) {
        cr_assert_eq(sign_in_list_decode(view_slice(buf_view(&bytes), 0, n), &back), MSA_ECORRUPT);
        cr_assert_eq(back.count, 0);
    }
    buf_add_char(&bytes, 'x');
    cr_assert_eq(sign_in_list_decode(buf_view(&bytes), &back), MSA_ECORRUPT);
    buf_fini(&bytes);
}

Test(sign_in_list, unknown_words_and_too_many_are_damaged)
{
    static struct sign_in_list list, back;
    char copy[512];
    struct buf bytes;
    add(&list, T0_MS, SIGN_IN_ALLOWED, "JP", 1);
    buf_init(&bytes, SIGN_IN_LIST_BYTES_MAX);
    cr_assert_eq(sign_in_list_encode(&list, 77, &bytes), MSA_OK);
    static const struct {
        size_t at;
        char value;
    } cases[] = {{0, 99}, {5, 99}, {6, SIGN_INS_MAX + 1}, {27, SIGN_IN_PROTOCOL_COUNT}, {28, SIGN_IN_RESULT_COUNT}, {29, 2}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(copy, buf_view(&bytes).p, buf_len(&bytes));
        copy[cases[i].at] = cases[i].value;
        cr_assert_eq(sign_in_list_decode(view_of(copy, buf_len(&bytes)), &back), MSA_ECORRUPT, "%zu", i);
    }
    buf_fini(&bytes);
}

/* ---- of all accounts ---- */

#define KEEP_MS (90 * DAY_MS)

static unsigned write_count;
static const struct store_ops *memory_ops;

static int counting_swap(struct store *s, const struct store_record *records, unsigned count)
{
    write_count += count;
    return memory_ops->swap_many(s, records, count);
}

static struct store *counting_store(void)
{
    static struct store_ops ops;
    struct store *store = store_memory_new();
    memory_ops = store->ops;
    ops = *memory_ops;
    ops.swap_many = counting_swap;
    store->ops = &ops;
    write_count = 0;
    return store;
}

static void note(struct sign_ins *s, uint64_t account, int64_t at_ms, uint32_t network)
{
    struct sign_in_entry e = entry(at_ms, SIGN_IN_ALLOWED, "JP", network, "phone");
    sign_ins_note(s, account, &e, KEEP_MS);
}

Test(sign_in_list, what_is_the_same_within_a_minute_costs_no_write_and_is_read)
{
    static struct sign_in_list list;
    struct store *store = counting_store();
    struct sign_ins *s = sign_ins_new(store);
    for (int i = 0; i < 1000; i++)
        note(s, 7, T0_MS + i * 50, 1);
    cr_assert_eq(write_count, 1);
    sign_ins_read(s, 7, KEEP_MS, T0_MS + MINUTE_MS, &list);
    cr_assert_eq(list.count, 1);
    cr_assert_eq(list.entries[0].times, 1000);
    cr_assert_eq(list.entries[0].last_ms, T0_MS + 999 * 50);
    note(s, 7, T0_MS + 2 * MINUTE_MS, 1);
    cr_assert_eq(write_count, 2);
    sign_ins_read(s, 7, KEEP_MS, T0_MS + 2 * MINUTE_MS, &list);
    cr_assert_eq(list.entries[0].times, 1001);
    note(s, 7, T0_MS + 2 * MINUTE_MS + 1, 1);
    sign_ins_free(&s);
    cr_assert_eq(write_count, 3, "what was in memory alone is written at the end");
    s = sign_ins_new(store);
    sign_ins_read(s, 7, KEEP_MS, T0_MS + 2 * MINUTE_MS, &list);
    cr_assert_eq(list.entries[0].times, 1002, "and is there after a restart");
    sign_ins_free(&s);
    store_memory_free(&store);
}

Test(sign_in_list, many_accounts_share_the_memory_and_lose_nothing)
{
    static struct sign_in_list list;
    struct store *store = counting_store();
    struct sign_ins *s = sign_ins_new(store);
    for (int round = 0; round < 3; round++)
        for (uint64_t account = 1; account <= 20000; account++)
            note(s, account, T0_MS + round * 1000, 1);
    for (uint64_t account = 1; account <= 20000; account++) {
        sign_ins_read(s, account, KEEP_MS, T0_MS + MINUTE_MS, &list);
        cr_assert_eq(list.count, 1);
        cr_assert_eq(list.entries[0].times, 3, "%llu: %u", (unsigned long long)account, list.entries[0].times);
    }
    sign_ins_free(&s);
    store_memory_free(&store);
}

Test(sign_in_list, names_that_are_nobodys_have_no_list)
{
    static struct sign_in_list list;
    struct store *store = counting_store();
    struct sign_ins *s = sign_ins_new(store);
    note(s, 0, T0_MS, 1);
    note(s, 5 | ACCOUNT_UNKNOWN_BIT, T0_MS, 1);
    cr_assert_eq(write_count, 0);
    sign_ins_read(s, 5, KEEP_MS, T0_MS, &list);
    cr_assert_eq(list.count, 0);
    sign_ins_free(&s);
    store_memory_free(&store);
}
