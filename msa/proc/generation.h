/* struct generation: one state of the configuration file, with the certificates and keys that it
 * names, read and tried. What the supervisor hands out comes from here. */
#ifndef MSA_PROC_GENERATION_H
#define MSA_PROC_GENERATION_H

#include <stddef.h>

#include "msa/base/buf.h"
#include "msa/config/config.h"
#include "msa/io/tls.h"

#define GENERATION_CHAIN_MAX  (256u * 1024) /* as in messages.def */
#define GENERATION_KEY_MAX    (64u * 1024)
#define GENERATION_REPORT_MAX (64u * 1024)

struct generation_certificate {
    struct buf chain;
    struct buf key; /* secret */
    int64_t expires_s;
};

struct generation {
    struct config *config;
    struct generation_certificate *certificates; /* in the order of the configuration */
    size_t certificate_count;
    struct buf warnings; /* one line for each thing that works and should be changed */
};

/* Reads the file and everything that it names, and builds a TLS context to see that keys fit their
 * certificates. 0; or negative with `*out` NULL and one line per mistake in `report`
 * (GENERATION_REPORT_MAX). Blocks on the file system. */
int generation_load(const char *path, struct generation **out, struct buf *report);
void generation_free(struct generation **g); /* wipes keys; NULL is fine */

/* A line in the log for each certificate that ends soon or has ended. It serves all the same: better than none,
 * and a reload that is about something else must not fail for it. */
void generation_log_expiry(const struct generation *g);

/* The same for its warnings. */
void generation_log_warnings(const struct generation *g);

#endif
