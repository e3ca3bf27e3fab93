/* Within msa/config: what the files that look for contradictions share. */
#ifndef MSA_CONFIG_CHECK_H
#define MSA_CONFIG_CHECK_H

#include "msa/config/config.h"
#include "msa/config/report.h"

struct checker {
    const struct config *cfg;
    struct config_errors *errs;
};

/* Where `field` was written; if it was not, where its block begins; else the file as a
 * whole. */
const struct place *check_place(const struct checker *c, const void *field,
                                const void *block);

/* Reports a name that is no pool's. */
void check_pool_name(const struct checker *c, const char *const *name, const void *block);
/* Reports what is not two letters. */
void check_country(const struct checker *c, const char *country, const void *field,
                   const void *block);

/* Reports a name that is no listener's; "" is fine. */
void check_listener_name(const struct checker *c, const char *const *name, const void *block);

/* "http://", a loopback address or localhost, and what may follow a host. */
bool check_is_loopback_url(struct view url);

void check_rules(const struct checker *c);
void check_routes(const struct checker *c);
void check_align(const struct checker *c);
void check_notice(const struct checker *c);
void check_identity(const struct checker *c);
void check_services(const struct checker *c);
void check_dkim(const struct checker *c);
void check_score(const struct checker *c);
void check_shape(const struct checker *c);

#endif
