/* Keys that sign mail: see generation.h, of which this is a part. */
#ifndef MSA_PROC_GENERATION_DKIM_H
#define MSA_PROC_GENERATION_DKIM_H

#include "msa/base/buf.h"
#include "msa/config/config.h"

typedef void generation_dkim_weak_fn(void *arg, const struct config *config,
                                     const struct config_dkim_selector *s, unsigned bits);

/* Parses each key, and calls `on_weak` (may be NULL) for the RSA keys that are shorter than signers should use. 0; or
 * MSA_EINVAL with one line per mistake in `report`. */
int generation_try_dkim(const struct config *config, generation_dkim_weak_fn *on_weak, void *arg,
                        struct buf *report);

#endif
