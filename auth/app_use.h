/* When and where from an app password was last used, written to its record behind the answer: what is lost is
 * written by the next use. */
#ifndef AUTH_APP_USE_H
#define AUTH_APP_USE_H

#include "auth/store.h"
#include "msa/io/threads.h"

/* By the day and the country: a mail program that signs in every minute does not cost a write each time. `used_ms` and
 * `used_from` are its last use. Any thread. */
bool app_use_is_due(int64_t used_ms, const char *used_from, int64_t now_ms, const char *country);

/* A job for the writer; the store outlives it. `country` is two letters or "". Loop's thread. */
void app_use_submit(struct threads *writer, struct store *store, uint64_t account, uint64_t app_id,
                    const char *country);

#endif
