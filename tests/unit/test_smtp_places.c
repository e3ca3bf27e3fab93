#include <criterion/criterion.h>

#include "msa/base/clock.h"
#include "smtp/places.h"

TestSuite(smtp_places, .timeout = 20);

static struct places places;

static void begin(const struct config_limits *limits)
{
    clock_set_for_test(1000000, 0);
    places_init(&places);
    places_configure(&places, limits, 1);
}

static struct ipaddr ip(const char *text)
{
    struct ipaddr a;
    cr_assert(ipaddr_parse(view_cstr(text), &a));
    return a;
}

static enum places_result take(struct place *place, const char *text)
{
    struct ipaddr a = ip(text);
    return places_take(&places, place, &a);
}

static const struct config_limits plenty = {
    .session_count = 100,
    .preauth_session_count = 100,
    .session_per_address_count = 100,
    .preauth_per_address_count = 100,
};

Test(smtp_places, all_sessions_have_a_limit)
{
    struct config_limits limits = plenty;
    struct place p[3];
    limits.session_count = 2;
    begin(&limits);
    cr_assert_eq(take(&p[0], "192.0.2.1"), PLACES_OK);
    cr_assert_eq(take(&p[1], "192.0.2.2"), PLACES_OK);
    cr_assert_eq(take(&p[2], "192.0.2.3"), PLACES_FULL);
    places_leave(&places, &p[2]);
    places_leave(&places, &p[0]);
    cr_assert_eq(take(&p[2], "192.0.2.3"), PLACES_OK);
    places_leave(&places, &p[1]);
    places_leave(&places, &p[2]);
    places_fini(&places);
}

Test(smtp_places, strangers_do_not_take_the_places_of_customers)
{
    struct config_limits limits = plenty;
    struct place p[3];
    limits.preauth_session_count = 1;
    begin(&limits);
    cr_assert_eq(take(&p[0], "192.0.2.1"), PLACES_OK);
    cr_assert_eq(take(&p[1], "192.0.2.2"), PLACES_FULL);
    places_settle(&places, &p[0]);
    places_settle(&places, &p[0]);
    cr_assert_eq(take(&p[1], "192.0.2.2"), PLACES_OK);
    places_leave(&places, &p[0]);
    cr_assert_eq(places.stranger_count, 1);
    places_leave(&places, &p[1]);
    cr_assert_eq(places.stranger_count, 0);
    cr_assert_eq(places.session_count, 0);
    places_fini(&places);
}

Test(smtp_places, one_address_has_a_limit)
{
    struct config_limits limits = plenty;
    struct place p[4];
    limits.session_per_address_count = 2;
    begin(&limits);
    cr_assert_eq(take(&p[0], "192.0.2.1"), PLACES_OK);
    cr_assert_eq(take(&p[1], "192.0.2.1"), PLACES_OK);
    cr_assert_eq(take(&p[2], "192.0.2.1"), PLACES_FULL_ADDRESS);
    cr_assert_eq(take(&p[2], "192.0.2.2"), PLACES_OK);
    for (int i = 0; i < 3; i++)
        places_leave(&places, &p[i]);
    places_fini(&places);
}

Test(smtp_places, ipv6_counts_by_its_64)
{
    struct config_limits limits = plenty;
    struct place p[3];
    limits.session_per_address_count = 1;
    begin(&limits);
    cr_assert_eq(take(&p[0], "2001:db8::1"), PLACES_OK);
    cr_assert_eq(take(&p[1], "2001:db8::ffff:1"), PLACES_FULL_ADDRESS);
    cr_assert_eq(take(&p[1], "2001:db8:0:1::1"), PLACES_OK);
    places_leave(&places, &p[0]);
    places_leave(&places, &p[1]);
    places_fini(&places);
}

Test(smtp_places, handshakes_have_a_rate)
{
    struct config_limits limits = plenty;
    struct place p;
    limits.handshakes_per_address = (struct config_rate){.limit = 3, .window_ms = 60000};
    begin(&limits);
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(take(&p, "192.0.2.1"), PLACES_OK);
        places_leave(&places, &p);
    }
    cr_assert_eq(take(&p, "192.0.2.1"), PLACES_FULL_ADDRESS);
    clock_advance_for_test(59999);
    cr_assert_eq(take(&p, "192.0.2.1"), PLACES_FULL_ADDRESS);
    clock_advance_for_test(1);
    cr_assert_eq(take(&p, "192.0.2.1"), PLACES_OK);
    places_leave(&places, &p);
    places_fini(&places);
}

Test(smtp_places, a_front_counts_in_all_and_its_user_by_address)
{
    struct config_limits limits = plenty;
    struct place front, user;
    struct ipaddr a = ip("203.0.113.9");
    limits.session_per_address_count = 1;
    begin(&limits);
    cr_assert_eq(places_take(&places, &front, NULL), PLACES_OK);
    places_move(&places, &front, &a);
    cr_assert_eq(take(&user, "203.0.113.9"), PLACES_FULL_ADDRESS);
    places_leave(&places, &front);
    cr_assert_eq(take(&user, "203.0.113.9"), PLACES_OK);
    places_leave(&places, &user);
    places_fini(&places);
}

Test(smtp_places, a_million_addresses_cost_bounded_memory)
{
    struct config_limits limits = plenty;
    struct place p;
    limits.handshakes_per_address = (struct config_rate){.limit = 3, .window_ms = 3600000};
    begin(&limits);
    for (uint32_t i = 0; i < 60000; i++) {
        struct ipaddr a = ip("10.0.0.0");
        a.bytes[13] = (uint8_t)(i >> 16);
        a.bytes[14] = (uint8_t)(i >> 8);
        a.bytes[15] = (uint8_t)i;
        cr_assert_eq(places_take(&places, &p, &a), PLACES_OK);
        places_leave(&places, &p);
    }
    cr_assert(places.sources.count <= 20001);
    places_fini(&places);
}

Test(smtp_places, workers_share_the_limit)
{
    struct config_limits limits = plenty;
    begin(&limits);
    places_configure(&places, &limits, 3);
    cr_assert_eq(places.session_max, 34);
    places_fini(&places);
}
