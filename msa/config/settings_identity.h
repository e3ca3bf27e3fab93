/* The settings of whom auth asks: whether a token is good, and what must stand in the answer; and whether a password
 * is. Conventions as in settings.h. */
#ifndef MSA_CONFIG_SETTINGS_IDENTITY_H
#define MSA_CONFIG_SETTINGS_IDENTITY_H

#include <stdint.h>

#include "msa/config/settings.h"

#define CONFIG_PROVIDER_ADDRESSES_MAX 16

struct config_identity_provider {
    const char *introspection; /* URL; "": there is no provider */
    struct config_addresses addresses; /* of the name in it */
    const char *client_id;
    const char *client_secret_file;
    const char *client_secret; /* what it holds */
    const char *ca_file;
    const char *ca_pem; /* what it holds */
    const char *login_claim;
    const char *issuer;   /* "": any, like the next two */
    const char *audience;
    const char *scope;
    const char *openid_configuration; /* URL told to clients; "": none */
    int64_t deadline_ms;
    uint32_t request_count;
    int64_t cache_ms;
    int64_t refused_cache_ms;
    uint32_t cached_token_count;
};

/* Who is asked about the passwords that are kept elsewhere. */
struct config_saslauthd {
    const char *socket; /* path; "": nobody */
    const char *service;
    const char *realm; /* "": the domain of the login */
    int64_t deadline_ms;
    uint32_t connection_count;
};

#endif
