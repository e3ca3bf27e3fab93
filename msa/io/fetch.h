/* HTTP requests from the loop: the only place with libcurl. For webhooks and other
 * programs of the operator.
 *
 * A request is bounded in time and in the size of its answer, follows no redirect, uses
 * no proxy and no netrc, speaks http and https alone, and checks the certificate. Names
 * are the caller's to resolve (curl would start a thread for each): fetch_url_parse says
 * when there is one. */
#ifndef MSA_IO_FETCH_H
#define MSA_IO_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/ipaddr.h"
#include "msa/base/view.h"
#include "msa/io/loop.h"

#define FETCH_HOST_SIZE     256 /* with NUL */
#define FETCH_HEADERS_MAX   8
#define FETCH_ADDRESSES_MAX 16

struct fetch_url {
    char host[FETCH_HOST_SIZE]; /* an IPv6 address without brackets */
    uint16_t port;
    bool is_tls;
    bool is_name; /* its addresses are needed; not so for an address, or localhost */
};

/* MSA_OK, or MSA_EINVAL for what is no http or https URL, or has a user in it. */
int fetch_url_parse(const char *url, struct fetch_url *out);

struct fetcher;

struct fetcher *fetcher_new(
    struct loop *loop); /* NULL: out of memory. Before the sandbox closes */
void fetcher_free(
    struct fetcher **f); /* cancels what is under way; not from a fetch_fn */

struct fetch_request {
    const char *url;
    const struct ipaddr *addresses; /* of the name in it */
    size_t address_count;
    const char *ca_pem; /* authorities to trust; NULL or "": those of the system */
    const char *headers[FETCH_HEADERS_MAX]; /* "Name: value", up to the first NULL */
    const char *const *more_headers;        /* further ones */
    size_t more_header_count;
    const char *unix_socket; /* connect there, whatever the host is; NULL or "": no */
    struct view body;        /* sent by POST */
    /* In place of `body`: so many bytes of a file, from an offset, read in pieces as they
     * go. The descriptor stays the caller's, open until the end. */
    bool is_file;
    int file_fd;
    uint64_t file_offset;
    uint64_t file_bytes;
    int64_t timeout_ms;                     /* of the whole */
    size_t answer_max_bytes;                /* a longer answer is a failure */
};

struct fetch_result {
    int err; /* MSA_OK: `status` came; else what prevented it (MSA_ETIMEOUT, MSA_ECLOSED,
                MSA_ETOOBIG, …) */
    unsigned status; /* 200 … */
    struct view body;
    const char *text; /* what curl says of a failure; never NULL */
};

typedef void fetch_fn(
    void *arg,
    const struct fetch_result *result); /* once, in the loop; views are valid in it */

/* Most connections at once, in all and to one host and port; requests beyond wait, and
 * their time runs. 32 and 8 at first. */
void fetcher_limit(struct fetcher *f, unsigned total_count, unsigned host_count);

/* Copies all of the request but a file's bytes. MSA_OK with an id for fetch_cancel, or MSA_ENOMEM, or
 * MSA_EINVAL for a bad URL or a name without addresses; `fn` is not called then, and
 * never from inside. */
int fetch_start(struct fetcher *f, const struct fetch_request *request, fetch_fn *fn,
                void *arg, uint64_t *id_out);
void fetch_cancel(struct fetcher *f,
                  uint64_t id); /* fn is not called any more; fine for one that is over */

#endif
