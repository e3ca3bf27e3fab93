#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/geo.h"
#include "tests/unit/shared_data.h"

TestSuite(geo, .timeout = 20);

#define BASE                                                           \
    "hostname mx.example.jp;\n"                                        \
    "listener lo { address 127.0.0.1:10587; auth_without_tls yes; }\n" \
    "pool main { smarthost 127.0.0.1:10025; }\n"

static struct config *configs[8];
static unsigned config_count;
static struct geo *geo;

static void begin(void)
{
    geo = geo_new();
    config_count = 0;
}

static void end(void)
{
    geo_free(&geo);
    for (unsigned i = 0; i < config_count; i++)
        config_free(&configs[i]);
}

/* `text` stands within geo { }; every %s in it is replaced by the folder of the
 * databases. */
static void take(const char *text)
{
    char folder[1024] = "/nonexistent", whole[16384];
    size_t n = (size_t)snprintf(whole, sizeof whole, BASE "geo { ");
    struct config_errors errs;
    if (!shared_data_path("mmdb", folder, sizeof folder) && strstr(text, "%s"))
        cr_skip_test("no mmdb: databases are not tested");
    char *absolute = realpath(folder, NULL);
    for (; *text; text++) {
        if (text[0] == '%' && text[1] == 's') {
            n += (size_t)snprintf(whole + n, sizeof whole - n, "%s", absolute);
            text++;
        } else {
            whole[n++] = *text;
        }
    }
    snprintf(whole + n, sizeof whole - n, " }");
    free(absolute);
    config_errors_init(&errs);
    config_parse_text(view_cstr(whole), "test", &configs[config_count], &errs);
    bool is_parsed = configs[config_count] != NULL;
    cr_assert(is_parsed, "%s: %s", whole, errs.count ? errs.items[0].text : "");
    config_errors_fini(&errs);
    geo_take(geo, &configs[config_count++]->geo);
}

static struct place look_up(const char *text)
{
    struct ipaddr a;
    struct place p;
    cr_assert(ipaddr_parse(view_cstr(text), &a));
    geo_lookup(geo, &a, &p);
    return p;
}

static const char *country_at(const char *text)
{
    static char out[3];
    country_text(look_up(text).country, out);
    return out;
}

Test(geo, without_a_database_every_country_is_unknown, .init = begin, .fini = end)
{
    cr_assert(eq(str, (char *)country_at("192.0.2.1"), "??"));
    take("");
    cr_assert(eq(str, (char *)country_at("192.0.2.1"), "??"));
    cr_assert(not(look_up("192.0.2.1").has_coordinates));
}

Test(geo, both_schemas_are_read_as_they_come, .init = begin, .fini = end)
{
    static const char *const settings[] = {"country %s/loopback-country.mmdb;",
                                           "country %s/loopback-country-flat.mmdb;"};
    static const char *const addresses[] = {"127.3.7.9", "::ffff:127.3.7.9",
                                            "2001:db8:3::9"};
    for (size_t i = 0; i < 2; i++) {
        take(settings[i]);
        for (size_t k = 0; k < 3; k++)
            cr_assert(eq(str, (char *)country_at(addresses[k]), "RU"), "%s",
                      addresses[k]);
        cr_assert(eq(str, (char *)country_at("127.207.0.1"), "??"));
        cr_assert(eq(str, (char *)country_at("127.201.0.1"), "??"), "an empty record");
    }
}

Test(geo, the_path_is_the_operators_choice, .init = begin, .fini = end)
{
    take("country %s/loopback-country.mmdb;");
    cr_assert(eq(str, (char *)country_at("127.202.0.1"), "DE"),
              "not where it is registered");
    cr_assert(eq(str, (char *)country_at("127.200.0.1"), "??"));
    take("country %s/loopback-country.mmdb; country_path country.iso_code "
         "registered_country.iso_code;");
    cr_assert(eq(str, (char *)country_at("127.202.0.1"), "DE"));
    cr_assert(ne(str, (char *)country_at("127.200.0.1"), "??"), "the second path");
    take("country %s/loopback-country.mmdb; country_path registered_country.iso_code;");
    cr_assert(eq(str, (char *)country_at("127.202.0.1"), "US"));
}

Test(geo, what_is_no_country_code_is_none, .init = begin, .fini = end)
{
    take("country %s/loopback-country.mmdb; country_path country.iso_code "
         "continent.code;");
    cr_assert(
        eq(str, (char *)country_at("127.206.0.1"), (char *)country_at("127.203.0.1")));
    take("country %s/loopback-country.mmdb; country_path country.iso_code "
         "country.names.en;");
    cr_assert(eq(str, (char *)country_at("127.206.0.1"), "??"), "a name is no code");
}

Test(geo, the_smallest_named_network_decides, .init = begin, .fini = end)
{
    take("country %s/loopback-country.mmdb; place XA { networks 10.0.0.0/8 fd00::/8; }\n"
         "place JP { networks 10.1.0.0/16; } place KR { networks 127.3.7.0/24; }");
    cr_assert(eq(str, (char *)country_at("10.9.9.9"), "XA"));
    cr_assert(eq(str, (char *)country_at("::ffff:10.9.9.9"), "XA"));
    cr_assert(eq(str, (char *)country_at("fd12::1"), "XA"));
    cr_assert(eq(str, (char *)country_at("10.1.2.3"), "JP"));
    cr_assert(eq(str, (char *)country_at("127.3.7.9"), "KR"), "against the database");
    cr_assert(eq(str, (char *)country_at("127.3.8.9"), "RU"));
    cr_assert(not(look_up("10.9.9.9").has_coordinates));
    cr_assert(look_up("10.1.2.3").has_coordinates);
}

Test(geo, addresses_that_stand_for_others_are_nowhere, .init = begin, .fini = end)
{
    take("country %s/geo-whois-asn-country.mmdb; place XB { networks 64:ff9b::/96; }");
    cr_assert(eq(str, (char *)country_at("133.1.1.1"), "JP"));
    cr_assert(eq(str, (char *)country_at("2002:8501:101::1"), "??"), "6to4");
    cr_assert(eq(str, (char *)country_at("2001:0:8501:101::1"), "??"), "Teredo");
    cr_assert(eq(str, (char *)country_at("64:ff9b::8501:101"), "XB"),
              "unless the operator says");
}

Test(geo, coordinates_are_of_the_city_or_the_middle_of_the_country, .init = begin,
     .fini = end)
{
    take("city %s/maxmind-test/GeoLite2-City-Test.mmdb;");
    struct place london = look_up("81.2.69.160");
    cr_assert(eq(u16, london.country, 'G' << 8 | 'B'),
              "of the city database, for want of another");
    cr_assert(london.has_coordinates);
    cr_assert(london.latitude_deg > 51.4f && london.latitude_deg < 51.6f);
    take("country %s/loopback-country.mmdb; vague_networks 127.0.7.0/24;");
    struct place japan = look_up("127.0.0.1");
    cr_assert(japan.has_coordinates);
    cr_assert(japan.latitude_deg > 30 && japan.longitude_deg > 130);
    struct place vague = look_up("127.0.7.1");
    cr_assert(eq(u16, vague.country, 'J' << 8 | 'P'));
    cr_assert(not(vague.has_coordinates));
}

Test(geo, systems_are_known_by_number, .init = begin, .fini = end)
{
    take("country %s/loopback-country.mmdb; asn %s/loopback-asn.mmdb;");
    struct place p = look_up("127.0.0.1");
    cr_assert(ge(u32, p.asn, 64512));
    cr_assert(p.has_coordinates);
    char text[256];
    snprintf(
        text, sizeof text,
        "country %%s/loopback-country.mmdb; asn %%s/loopback-asn.mmdb; vague_asns 1 %u;",
        p.asn);
    take(text);
    cr_assert(not(look_up("127.0.0.1").has_coordinates));
}

static void copy_file(const char *name, const char *to, size_t bytes_max)
{
    char path[1024];
    size_t n;
    if (!shared_data_path(name, path, sizeof path))
        cr_skip_test("no %s", name);
    char *bytes = shared_data_slurp(path, &n);
    FILE *f = fopen(to, "w");
    fwrite(bytes, 1, n < bytes_max ? n : bytes_max, f);
    fclose(f);
    free(bytes);
}

/* A new file is taken when it is there, a broken one never: the last good one stays. */
Test(geo, a_broken_or_missing_file_leaves_the_last_good_one, .init = begin, .fini = end)
{
    char file[] = "/tmp/test-geo-XXXXXX", text[128];
    close(mkstemp(file));
    copy_file("mmdb/loopback-country.mmdb", file, SIZE_MAX);
    snprintf(text, sizeof text, "country %s;", file);
    take(text);
    cr_assert(eq(str, (char *)country_at("127.3.7.9"), "RU"));
    copy_file("mmdb/loopback-country.mmdb", file, 3000);
    geo_refresh(geo);
    cr_assert(eq(str, (char *)country_at("127.3.7.9"), "RU"), "cut off");
    copy_file("mmdb/loopback-asn.mmdb", file, SIZE_MAX);
    geo_refresh(geo);
    cr_assert(eq(str, (char *)country_at("127.3.7.9"), "RU"), "of another kind");
    unlink(file);
    geo_refresh(geo);
    cr_assert(eq(str, (char *)country_at("127.3.7.9"), "RU"), "missing");
    json_t *all = geo_describe(geo);
    json_t *country = json_object_get(all, "country");
    bool is_outdated = json_is_true(json_object_get(country, "is_outdated"));
    cr_assert(is_outdated);
    json_decref(all);
    copy_file("mmdb/maxmind-test/GeoLite2-Country-Test.mmdb", file, SIZE_MAX);
    geo_refresh(geo);
    cr_assert(eq(str, (char *)country_at("127.3.7.9"), "??"), "the new one");
    cr_assert(eq(str, (char *)country_at("81.2.69.160"), "GB"));
    take("");
    cr_assert(eq(str, (char *)country_at("81.2.69.160"), "??"),
              "taken out of the configuration");
    unlink(file);
}

Test(geo, every_country_has_a_middle)
{
    static const char *const some[] = {"AD", "CN", "JP", "RU", "US", "XK", "ZW"};
    float lat, lon;
    unsigned known = 0;
    for (char a = 'A'; a <= 'Z'; a++)
        for (char b = 'A'; b <= 'Z'; b++) {
            if (!centroid_find((uint16_t)(a << 8 | b), &lat, &lon))
                continue;
            known++;
            cr_assert(lat >= -90 && lat <= 90 && lon >= -180 && lon <= 180);
        }
    cr_assert(eq(uint, known, 250), "all of ISO 3166-1, and XK");
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
        cr_assert(centroid_find(country_code(view_cstr(some[i])), &lat, &lon), "%s",
                  some[i]);
    cr_assert(not(centroid_find(COUNTRY_NONE, &lat, &lon)));
    cr_assert(not(centroid_find('X' << 8 | 'A', &lat, &lon)));
}
