#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/mmdb.h"
#include "tests/unit/shared_data.h"

TestSuite(mmdb, .timeout = 20);

#define COUNTRY_DB "mmdb/loopback-country.mmdb"

static struct mmdb_path iso_code;

static bool has_country(const struct mmdb_record *r, const void *arg)
{
    struct view v;
    (void)arg;
    return mmdb_text(r, &iso_code, &v) && v.n == 2;
}

static bool anything(const struct mmdb_record *r, const void *arg)
{
    (void)r, (void)arg;
    return true;
}

static void begin(void)
{
    cr_assert(mmdb_path_parse("country.iso_code", &iso_code));
}

/* Skips the test without the shared data. */
static void need(const char *name, char *path, size_t size)
{
    if (!shared_data_path(name, path, size))
        cr_skip_test("no %s: broken and real databases are not tested", name);
}

static struct ipaddr ip(const char *text)
{
    struct ipaddr a;
    cr_assert(ipaddr_parse(view_cstr(text), &a));
    return a;
}

Test(mmdb, a_path_is_names_between_dots)
{
    struct mmdb_path p;
    cr_assert(mmdb_path_parse("a", &p));
    cr_assert(p.keys[1] == NULL);
    cr_assert(mmdb_path_parse("location.latitude", &p));
    cr_assert(eq(str, (char *)p.keys[0], "location"));
    cr_assert(eq(str, (char *)p.keys[1], "latitude"));
    static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "1.2.3.4.5.6.7.8.9"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert(not(mmdb_path_parse(bad[i], &p)), "%s", bad[i]);
    char longest[MMDB_PATH_TEXT_MAX + 1];
    memset(longest, 'x', sizeof longest - 1);
    longest[MMDB_PATH_TEXT_MAX] = '\0';
    cr_assert(not(mmdb_path_parse(longest, &p)));
    cr_assert(mmdb_path_parse(longest + 1, &p));
}

Test(mmdb, what_is_no_database_is_said, .init = begin)
{
    static const char *const files[] = {"/nonexistent.mmdb", "/dev/null", "/etc",
                                        "/etc/hostname"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char error[MMDB_ERROR_MAX] = "";
        cr_assert(mmdb_open(files[i], anything, NULL, error) == NULL);
        cr_assert(ne(str, error, ""), "%s", files[i]);
    }
    char error[MMDB_ERROR_MAX];
    cr_assert(mmdb_open_bytes(VIEW_EMPTY, anything, NULL, error) == NULL);
}

Test(mmdb, finds_both_families_and_v4_in_v6_form, .init = begin)
{
    static const struct {
        const char *ip, *country;
    } cases[] = {
        {"127.0.0.1", "JP"},      {"127.3.7.9", "RU"},     {"::ffff:127.3.7.9", "RU"},
        {"127.63.255.255", "MN"}, {"2001:db8:3::1", "RU"}, {"::1", "JP"},
        {"127.201.0.1", ""},      {"127.206.0.1", ""},     {"127.207.0.1", ""},
        {"198.51.100.7", "DE"},   {"192.0.2.255", "US"},   {"8.8.8.8", ""}};
    char path[4096], error[MMDB_ERROR_MAX];
    need(COUNTRY_DB, path, sizeof path);
    struct mmdb *m = mmdb_open(path, has_country, NULL, error);
    cr_assert(m != NULL, "%s", error);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ipaddr a = ip(cases[i].ip);
        struct mmdb_record r;
        struct view v = VIEW_EMPTY;
        bool is_found = mmdb_find(m, &a, &r) && mmdb_text(&r, &iso_code, &v);
        cr_assert(eq(int, is_found, cases[i].country[0] != '\0'), "%s", cases[i].ip);
        cr_assert(view_eq(v, view_cstr(cases[i].country)), "%s", cases[i].ip);
    }
    mmdb_close(&m);
    mmdb_close(&m);
}

Test(mmdb, a_database_without_what_is_wanted_is_refused, .init = begin)
{
    char path[4096], error[MMDB_ERROR_MAX] = "";
    need("mmdb/loopback-asn.mmdb", path, sizeof path);
    cr_assert(mmdb_open(path, has_country, NULL, error) == NULL);
    cr_assert(strstr(error, "has what is looked for") != NULL, "%s", error);
}

/* The file may be cut off while it is used: what we use is a copy. */
Test(mmdb, the_file_may_be_overwritten_while_it_is_used, .init = begin)
{
    char path[4096], copy[] = "/tmp/test-mmdb-XXXXXX", error[MMDB_ERROR_MAX];
    size_t n;
    need(COUNTRY_DB, path, sizeof path);
    char *bytes = shared_data_slurp(path, &n);
    int fd = mkstemp(copy);
    cr_assert(bytes && write(fd, bytes, n) == (ssize_t)n);
    struct mmdb *m = mmdb_open(copy, has_country, NULL, error);
    cr_assert(m != NULL, "%s", error);
    cr_assert(eq(int, ftruncate(fd, 0), 0));
    struct ipaddr a = ip("127.3.7.9");
    struct mmdb_record r;
    struct view v;
    cr_assert(mmdb_find(m, &a, &r) && mmdb_text(&r, &iso_code, &v));
    cr_assert(view_eq(v, VIEW_LIT("RU")));
    cr_assert(mmdb_open(copy, has_country, NULL, error) == NULL, "an empty file");
    mmdb_close(&m);
    close(fd);
    unlink(copy);
    free(bytes);
}

Test(mmdb, cut_off_anywhere_or_damaged_it_is_no_danger, .init = begin)
{
    char path[4096], error[MMDB_ERROR_MAX];
    size_t n;
    need(COUNTRY_DB, path, sizeof path);
    char *bytes = shared_data_slurp(path, &n);
    for (size_t cut = 0; cut < n; cut += 37) {
        struct mmdb *m = mmdb_open_bytes(view_of(bytes, cut), has_country, NULL, error);
        cr_assert(m == NULL, "cut at %zu", cut);
    }
    uint64_t random = 1;
    for (int round = 0; round < 400; round++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t at = (size_t)(random >> 33) % n;
        char old = bytes[at];
        bytes[at] = (char)(random >> 20);
        struct mmdb *m = mmdb_open_bytes(view_of(bytes, n), has_country, NULL, error);
        for (unsigned i = 0; m && i < 256; i++) {
            struct ipaddr a = ip("127.0.0.1");
            struct mmdb_record r;
            struct view v;
            a.bytes[13] = (uint8_t)i;
            if (mmdb_find(m, &a, &r))
                mmdb_text(&r, &iso_code, &v);
        }
        mmdb_close(&m);
        bytes[at] = old;
    }
    free(bytes);
}

/* MaxMind's own collection of databases that broke readers. */
Test(mmdb, the_collection_of_broken_databases_breaks_nothing, .init = begin)
{
    char folder[4096], path[4400], error[MMDB_ERROR_MAX];
    unsigned tried = 0;
    struct mmdb_path names;
    cr_assert(mmdb_path_parse("names.en", &names));
    need("mmdb/maxmind-bad", folder, sizeof folder);
    DIR *dir = opendir(folder);
    for (struct dirent *e; (e = readdir(dir));) {
        if (!strstr(e->d_name, ".mmdb"))
            continue;
        tried++;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        struct mmdb *m = mmdb_open(path, anything, NULL, error);
        for (unsigned i = 0; m && i < 512; i++) {
            struct ipaddr a = ip(i & 1 ? "1.1.1.1" : "2001:200::1");
            struct mmdb_record r;
            struct view v;
            double number;
            a.bytes[i & 1 ? 12 : 1] = (uint8_t)(i >> 1);
            if (mmdb_find(m, &a, &r)) {
                mmdb_text(&r, &iso_code, &v);
                mmdb_text(&r, &names, &v);
                mmdb_number(&r, &iso_code, &number);
            }
        }
        mmdb_close(&m);
    }
    closedir(dir);
    cr_assert(gt(uint, tried, 10));
}

static struct mmdb *open_cached(const char *folder, const char *file,
                                struct mmdb **cached, char *cached_name, size_t size)
{
    char path[4400], error[MMDB_ERROR_MAX];
    if (*cached && strcmp(cached_name, file) == 0)
        return *cached;
    mmdb_close(cached);
    snprintf(path, sizeof path, "%s/%s", folder, file);
    snprintf(cached_name, size, "%s", file);
    *cached = mmdb_open(path, anything, NULL, error);
    bool is_open = *cached != NULL;
    cr_assert(is_open, "%s: %s", file, error);
    return *cached;
}

/* file, network, country.iso_code, registered_country.iso_code …, "-" for none */
Test(mmdb, agrees_with_what_maxmind_says_of_its_test_databases, .init = begin)
{
    char folder[4096], list[4200], name[128] = "", line[512];
    struct mmdb *m = NULL;
    unsigned compared = 0;
    struct mmdb_path registered;
    cr_assert(mmdb_path_parse("registered_country.iso_code", &registered));
    need("mmdb/maxmind-test", folder, sizeof folder);
    snprintf(list, sizeof list, "%s/country-expected.tsv", folder);
    FILE *f = fopen(list, "r");
    while (fgets(line, sizeof line, f)) {
        struct view rest = view_of(line, strcspn(line, "\n"));
        char file[128], text[64];
        if (line[0] == '#')
            continue;
        view_to_cstr(view_cut(&rest, '\t'), file, sizeof file);
        struct view network = view_cut(&rest, '\t'), want = view_cut(&rest, '\t');
        struct view want_registered = view_cut(&rest, '\t'), got = VIEW_LIT("-");
        view_to_cstr(view_cut(&network, '/'), text, sizeof text);
        open_cached(folder, file, &m, name, sizeof name);
        struct ipaddr a = ip(text);
        struct mmdb_record r;
        bool is_found = mmdb_find(m, &a, &r);
        if (is_found)
            mmdb_text(&r, &iso_code, &got);
        cr_assert(view_eq(got, want), "%s %s", file, text);
        got = VIEW_LIT("-");
        if (is_found)
            mmdb_text(&r, &registered, &got);
        cr_assert(view_eq(got, want_registered), "%s %s", file, text);
        compared++;
    }
    fclose(f);
    mmdb_close(&m);
    cr_assert(gt(uint, compared, 300));
}
