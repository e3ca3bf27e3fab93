/* Where an address is: from the databases and networks of the configuration.
 *
 * A look-up never fails and never blocks: what is not known is COUNTRY_NONE. A database
 * that cannot be read, is damaged or is of another kind is logged (geo-not-loaded) and
 * the last good one stays. */
#ifndef POLICY_GEO_H
#define POLICY_GEO_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "msa/config/config.h"
#include "policy/engine/event.h"

struct geo;

struct geo *geo_new(void); /* knows nothing; NULL: out of memory */
void geo_free(struct geo **g);

/* These settings from now on; `s` must outlive the next call. Reads the databases that
 * are new: blocks. */
void geo_take(struct geo *g, const struct config_geo *s);
/* By timer: reads those whose files have changed since. */
void geo_refresh(struct geo *g);

void geo_lookup(const struct geo *g, const struct ipaddr *a, struct place *out);

/* The name of the network's owner (AS) as the database has it, up to the next geo_refresh; empty: not known. */
struct view geo_network_name(const struct geo *g, const struct ipaddr *a);

/* What the databases are; a new object, NULL when memory is out. */
json_t *geo_describe(const struct geo *g);

/* ---- centroid.c ---- */

/* The middle of the country, in degrees; false for what is no country. */
bool centroid_find(uint16_t country, float *latitude_deg_out, float *longitude_deg_out);

#endif
