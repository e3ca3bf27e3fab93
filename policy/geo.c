#include "policy/geo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "msa/base/clock.h"
#include "msa/base/log.h"
#include "policy/mmdb.h"

#define PATHS_MAX 8

enum source_kind { SOURCE_COUNTRY = 0, SOURCE_CITY, SOURCE_ASN, SOURCE_COUNT };

static const char *const source_names[SOURCE_COUNT] = {
    [SOURCE_COUNTRY] = "country",
    [SOURCE_CITY] = "city",
    [SOURCE_ASN] = "asn",
};

/* Which contents of which file were looked at last. */
struct stamp {
    dev_t device;
    ino_t inode;
    off_t bytes;
    struct timespec changed;
};

struct source {
    struct mmdb *db; /* NULL: none */
    const char *file;
    char *loaded_from; /* of `stamp`; NULL: never looked at */
    struct stamp stamp;
    int64_t loaded_ms;
    bool is_failed; /* the present file is not what serves */
};

struct paths {
    struct mmdb_path items[PATHS_MAX];
    unsigned count;
};

struct geo {
    const struct config_geo *settings;
    struct source sources[SOURCE_COUNT];
    struct paths country_paths;
    struct paths asn_paths;
    struct paths latitude_paths;
    struct paths longitude_paths;
    struct paths network_name_paths;
};

/* ---- what a record says
 * ------------------------------------------------------------------------- */

static uint16_t country_of(const struct geo *g, const struct mmdb_record *r)
{
    struct view text;
    for (unsigned i = 0; i < g->country_paths.count; i++)
        if (mmdb_text(r, &g->country_paths.items[i], &text) &&
            country_code(text) != COUNTRY_NONE)
            return country_code(text);
    return COUNTRY_NONE;
}

static uint32_t asn_of(const struct geo *g, const struct mmdb_record *r)
{
    uint32_t asn;
    for (unsigned i = 0; i < g->asn_paths.count; i++)
        if (mmdb_u32(r, &g->asn_paths.items[i], &asn))
            return asn;
    return 0;
}

static bool number_of(const struct paths *paths, const struct mmdb_record *r,
                      double limit, float *out)
{
    double n;
    for (unsigned i = 0; i < paths->count; i++) {
        if (!mmdb_number(r, &paths->items[i], &n) || n < -limit || n > limit)
            continue;
        *out = (float)n;
        return true;
    }
    return false;
}

static bool coordinates_of(const struct geo *g, const struct mmdb_record *r,
                           struct place *out)
{
    return number_of(&g->latitude_paths, r, 90.0, &out->latitude_deg) &&
           number_of(&g->longitude_paths, r, 180.0, &out->longitude_deg);
}

static bool has_country(const struct mmdb_record *r, const void *geo)
{
    return country_of(geo, r) != COUNTRY_NONE;
}

static bool has_asn(const struct mmdb_record *r, const void *geo)
{
    return asn_of(geo, r) != 0;
}

static bool has_coordinates(const struct mmdb_record *r, const void *geo)
{
    struct place ignored;
    return coordinates_of(geo, r, &ignored);
}

static mmdb_is_wanted_fn *const wanted[SOURCE_COUNT] = {
    [SOURCE_COUNTRY] = has_country,
    [SOURCE_CITY] = has_coordinates,
    [SOURCE_ASN] = has_asn,
};

/* ---- loading
 * ------------------------------------------------------------------------------------ */

static void log_loaded(const struct source *s, enum source_kind kind)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_INFO, "geo-loaded");
    log_str(&l, "kind", source_names[kind]);
    log_str(&l, "file", s->file);
    log_str(&l, "type", mmdb_type(s->db));
    log_num(&l, "bytes", (int64_t)mmdb_bytes(s->db));
    log_num(&l, "age_days", (clock_wall_s() - mmdb_built_s(s->db)) / 86400);
    log_end(&l);
}

static void log_failed(const struct source *s, enum source_kind kind, const char *why)
{
    struct log_line l;
    log_begin(&l, LOG_LEVEL_ERROR, "geo-not-loaded");
    log_str(&l, "kind", source_names[kind]);
    log_str(&l, "file", s->file);
    log_str(&l, "serving", s->db ? "the last good one" : "none");
    log_str(&l, "text", why);
    log_end(&l);
}

static struct stamp stamp_of(const char *file)
{
    struct stat st;
    if (stat(file, &st) == -1)
        return (struct stamp){0};
    return (struct stamp){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
}

static bool same_stamp(const struct stamp *a, const struct stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->bytes == b->bytes &&
           a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static void load(struct geo *g, enum source_kind kind, const struct stamp *stamp)
{
    struct source *s = &g->sources[kind];
    char error[MMDB_ERROR_MAX];
    free(s->loaded_from);
    s->loaded_from = strdup(s->file);
    s->stamp = *stamp; /* before it is read: what comes while we read is read again */
    struct mmdb *next = mmdb_open(s->file, wanted[kind], g, error);
    s->is_failed = !next;
    if (!next) {
        log_failed(s, kind, error);
        return;
    }
    mmdb_close(&s->db);
    s->db = next;
    s->loaded_ms = clock_wall_ms();
    log_loaded(s, kind);
}

static void unload(struct source *s)
{
    mmdb_close(&s->db);
    free(s->loaded_from);
    s->loaded_from = NULL;
    s->is_failed = false;
}

void geo_refresh(struct geo *g)
{
    for (unsigned kind = 0; g->settings && kind < SOURCE_COUNT; kind++) {
        struct source *s = &g->sources[kind];
        if (s->file[0] == '\0') {
            unload(s);
            continue;
        }
        struct stamp now = stamp_of(s->file);
        if (!s->loaded_from || strcmp(s->loaded_from, s->file) != 0 ||
            !same_stamp(&now, &s->stamp))
            load(g, (enum source_kind)kind, &now);
    }
}

static void take_paths(const struct config_strings *from, struct paths *to)
{
    to->count = 0;
    for (uint32_t i = 0; i < from->count && to->count < PATHS_MAX; i++)
        to->count += mmdb_path_parse(from->items[i], &to->items[to->count]);
}

void geo_take(struct geo *g, const struct config_geo *s)
{
    g->settings = s;
    g->sources[SOURCE_COUNTRY].file = s->country_file;
    g->sources[SOURCE_CITY].file = s->city_file;
    g->sources[SOURCE_ASN].file = s->asn_file;
    take_paths(&s->country_paths, &g->country_paths);
    take_paths(&s->asn_paths, &g->asn_paths);
    geo_refresh(g);
}

struct geo *geo_new(void)
{
    static const char *const latitude[] = {"location.latitude", "latitude"};
    static const char *const longitude[] = {"location.longitude", "longitude"};
    static const char *const names[] = {"autonomous_system_organization", "as_name", "organization"};
    struct geo *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    take_paths(&(struct config_strings){latitude, 2}, &g->latitude_paths);
    take_paths(&(struct config_strings){longitude, 2}, &g->longitude_paths);
    take_paths(&(struct config_strings){names, 3}, &g->network_name_paths);
    return g;
}

void geo_free(struct geo **g)
{
    if (!*g)
        return;
    for (unsigned kind = 0; kind < SOURCE_COUNT; kind++)
        unload(&(*g)->sources[kind]);
    free(*g);
    *g = NULL;
}

/* ---- look-ups
 * ----------------------------------------------------------------------------------- */

/* Addresses that stand for another one, somewhere else: Teredo, NAT64 (RFC 6052), 6to4.
 */
static bool is_translated(const struct ipaddr *a)
{
    static const uint8_t teredo[4] = {0x20, 0x01, 0, 0}, nat64[4] = {0, 0x64, 0xff, 0x9b};
    static const uint8_t six_to_four[2] = {0x20, 0x02};
    return memcmp(a->bytes, teredo, sizeof teredo) == 0 ||
           memcmp(a->bytes, nat64, sizeof nat64) == 0 ||
           memcmp(a->bytes, six_to_four, sizeof six_to_four) == 0;
}

/* The smallest of the operator's networks around the address. */
static uint16_t named_country(const struct config_geo *s, const struct ipaddr *a)
{
    uint16_t country = COUNTRY_NONE;
    int longest = -1;
    for (uint32_t i = 0; i < s->place_count; i++) {
        const struct config_place *p = &s->places[i];
        for (uint32_t k = 0; k < p->networks.count; k++) {
            if (p->networks.items[k].bits <= longest ||
                !ipprefix_contains(&p->networks.items[k], a))
                continue;
            longest = p->networks.items[k].bits;
            country = country_code(view_cstr(p->country));
        }
    }
    return country;
}

static bool is_vague(const struct config_geo *s, const struct ipaddr *a, uint32_t asn)
{
    for (uint32_t i = 0; i < s->vague_networks.count; i++)
        if (ipprefix_contains(&s->vague_networks.items[i], a))
            return true;
    for (uint32_t i = 0; asn != 0 && i < s->vague_asns.count; i++)
        if (s->vague_asns.items[i] == asn)
            return true;
    return false;
}

static bool find(const struct geo *g, enum source_kind kind, const struct ipaddr *a,
                 struct mmdb_record *out)
{
    return g->sources[kind].db && mmdb_find(g->sources[kind].db, a, out);
}

static void ask_databases(const struct geo *g, const struct ipaddr *a, struct place *out)
{
    struct mmdb_record r;
    if (find(g, SOURCE_ASN, a, &r))
        out->asn = asn_of(g, &r);
    if (find(g, SOURCE_COUNTRY, a, &r))
        out->country = country_of(g, &r);
    if (!find(g, SOURCE_CITY, a, &r))
        return;
    if (out->country == COUNTRY_NONE)
        out->country = country_of(g, &r);
    out->has_coordinates = coordinates_of(g, &r, out);
}

void geo_lookup(const struct geo *g, const struct ipaddr *a, struct place *out)
{
    *out = (struct place){0};
    if (!g->settings || ipaddr_is_none(a))
        return;
    if (!is_translated(a))
        ask_databases(g, a, out);
    uint16_t named = named_country(g->settings, a);
    if (named != COUNTRY_NONE && named != out->country) {
        out->country = named;
        out->has_coordinates = false; /* those of the databases are elsewhere */
    }
    if (is_vague(g->settings, a, out->asn))
        out->has_coordinates = false;
    else if (!out->has_coordinates)
        out->has_coordinates =
            centroid_find(out->country, &out->latitude_deg, &out->longitude_deg);
}

struct view geo_network_name(const struct geo *g, const struct ipaddr *a)
{
    struct mmdb_record r;
    struct view name;
    if (!g->settings || ipaddr_is_none(a) || is_translated(a) || !find(g, SOURCE_ASN, a, &r))
        return VIEW_EMPTY;
    for (unsigned i = 0; i < g->network_name_paths.count; i++)
        if (mmdb_text(&r, &g->network_name_paths.items[i], &name))
            return name;
    return VIEW_EMPTY;
}

/* ---- for people
 * --------------------------------------------------------------------------------- */

static json_t *describe(const struct source *s)
{
    return json_pack("{s:s, s:s?, s:I, s:I, s:I, s:b}", "file", s->file, "type",
                     s->db ? mmdb_type(s->db) : NULL, "bytes",
                     (json_int_t)(s->db ? mmdb_bytes(s->db) : 0), "built_s",
                     (json_int_t)(s->db ? mmdb_built_s(s->db) : 0), "loaded_ms",
                     (json_int_t)s->loaded_ms, "is_outdated", s->is_failed);
}

json_t *geo_describe(const struct geo *g)
{
    json_t *all = json_object();
    for (unsigned kind = 0; kind < SOURCE_COUNT; kind++) {
        const struct source *s = &g->sources[kind];
        if (s->file && s->file[0] != '\0')
            json_object_set_new(all, source_names[kind], describe(s));
    }
    return all;
}
