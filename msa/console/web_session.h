/* Browser sessions of people who signed in: in memory, bounded, gone when console restarts.
 *
 * The cookie holds 256 random bits, of which only a digest is kept; the token that goes with each change (CSRF) is
 * another 256. A session ends after 15 minutes without a request, 12 hours after it began, when its people sign out,
 * when the password of its login is changed by another session or its token is taken back. Too many: the one unused for longest goes, of
 * the same login first. Times are monotonic. */
#ifndef MSA_CONSOLE_WEB_SESSION_H
#define MSA_CONSOLE_WEB_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msa/base/list.h"
#include "msa/base/table.h"
#include "msa/base/view.h"

#define SESSION_SECRET_MAX    44 /* base64url of 32 octets, with NUL */
#define SESSION_DIGEST_BYTES  32
#define SESSION_LOGIN_MAX     320
#define SESSION_IDLE_MS       (15 * 60 * 1000)
#define SESSION_LIFE_MS       (12 * 3600 * 1000)
#define SESSIONS_MAX          10000
#define SESSIONS_PER_NAME_MAX 16

/* Whose it is. */
struct session_owner {
    unsigned who;    /* enum api_who */
    uint64_t scopes; /* bits of enum api_scope */
    char name[SESSION_LOGIN_MAX + 1]; /* the login; of a token its id */
};

struct web_session {
    struct table_entry entry;
    struct list link; /* the one unused for longest first */
    uint8_t digest[SESSION_DIGEST_BYTES];
    char csrf[SESSION_SECRET_MAX];
    struct session_owner owner;
    int64_t created_ms, used_ms;
};

struct web_sessions {
    struct table table;
    struct list by_use;
};

void web_sessions_init(struct web_sessions *all);
void web_sessions_fini(struct web_sessions *all);

/* NULL: out of memory. `cookie_out` is what the browser is given, and nobody keeps. */
struct web_session *web_sessions_begin(struct web_sessions *all, const struct session_owner *owner, int64_t now_ms,
                               char cookie_out[SESSION_SECRET_MAX]);
/* NULL: there is none, or it ended. Counts as use. */
struct web_session *web_sessions_find(struct web_sessions *all, struct view cookie, int64_t now_ms);
/* Whether that session goes on; no use of it. */
bool web_sessions_hold(const struct web_sessions *all, const uint8_t digest[SESSION_DIGEST_BYTES], int64_t now_ms);
void web_sessions_end(struct web_sessions *all, struct web_session *s);
/* How many; `except` (may be NULL) goes on. */
size_t web_sessions_end_of(struct web_sessions *all, struct view name, const struct web_session *except);
void web_sessions_expire(struct web_sessions *all, int64_t now_ms);
size_t web_sessions_count(const struct web_sessions *all);

/* ---- digest.c ---- */

void console_digest(struct view bytes, uint8_t out[SESSION_DIGEST_BYTES]); /* SHA-256 */
void console_random_text(char out[SESSION_SECRET_MAX]);                   /* 256 bits, base64url */

#endif
