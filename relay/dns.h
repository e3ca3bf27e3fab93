/* Names of smarthosts, resolved by c-ares in the loop. One answer has every address of a host, or of all hosts
 * of an MX set in the order of their preference, and how long it may be believed. */
#ifndef RELAY_DNS_H
#define RELAY_DNS_H

#include <stddef.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/config/config.h"
#include "msa/io/loop.h"

#define DNS_ADDRESSES_MAX 32
#define DNS_NAME_MAX      256 /* with NUL */

struct dns;
struct dns_query;

struct dns_address {
    struct ipaddr ip;
    uint16_t preference;     /* of the MX; 0 without */
    char name[DNS_NAME_MAX]; /* the host that has it: what its certificate is to say */
};

struct dns_answer {
    int err; /* MSA_OK with at least one address; MSA_ENOENT: no such name, or none for it; MSA_EAGAIN */
    int64_t ttl_ms;
    size_t count;
    struct dns_address addresses[DNS_ADDRESSES_MAX]; /* by preference */
};

/* In the loop; `answer` is valid during the call. */
typedef void dns_fn(void *arg, const struct dns_answer *answer);

/* Reads resolv.conf where the configuration names no servers: before the sandbox closes. NULL with a text in
 * `error`. `config` may go afterwards. */
struct dns *dns_new(struct loop *loop, const struct config_dns *config, char *error,
                    size_t error_size);
void dns_free(struct dns **dns); /* questions under way end without an answer; NULL is fine */

/* Asks for the addresses of `name`, or of its MX hosts. `fn` is called once, never from inside this call. NULL: out
 * of memory, and no call. */
struct dns_query *dns_ask(struct dns *dns, const char *name, bool is_mx, dns_fn *fn, void *arg);
void dns_cancel(struct dns_query **q); /* fn is not called any more; NULL is fine */

#endif
