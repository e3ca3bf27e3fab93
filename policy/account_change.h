/* A change of an account's settings as an operator gives it, in JSON; any subset of:
 *
 *      {"class": "business",                       "" : none; a class that some rule, align block or route names
 *       "overseas": "allow" | "block" | "default",
 *       "home": ["JP", "US"],                      [] : those of the configuration
 *       "exceptions": [E…], "exceptions_add": [E…], "exceptions_remove": [E…]
 *              E = {"country": "FR", "from_ms": 0, "until_ms": 0}, each may be left out
 *       "limits": {"RULE": 100 | "off" | "default", …},
 *       "senders": [P…], "senders_add": [P…], "senders_remove": [P…]     (msa/mail/sender_pattern.h)
 *       "consent": "yes" | "no" | "default",
 *       "notice_language": "ja" | "en" | "default",
 *       "notice_address": "…",                     "" : the login
 *       "normalize_newlines": true,
 *       "note": "…"}
 *
 * What is not known is refused, with what may have been meant. Pure. */
#ifndef POLICY_ACCOUNT_CHANGE_H
#define POLICY_ACCOUNT_CHANGE_H

#include <jansson.h>

#include "policy/account.h"

#define ACCOUNT_DETAIL_MAX 256

/* Applies `change` to `*a`, whose texts then point into `change` and into `senders`, a buffer of at least
 * SENDERS_BYTES_MAX made by the caller. Members of `args` that begin the list of `beside` (NULL at its end)
 * are somebody else's. MSA_OK, or MSA_EINVAL with a text in `detail` and `*a` half changed. */
int account_change(struct account *a, struct buf *senders, const json_t *args,
                   const char *const *beside, const struct config *config,
                   char detail[ACCOUNT_DETAIL_MAX]);

/* ---- account_json.c ---- */

/* What the settings of one word are called, by the value of their enum; NULL at the end. */
extern const char *const account_overseas_words[], *const account_consent_words[],
    *const account_language_words[];

/* For people and programs, the effective overseas setting too; a new object, NULL when memory is out. */
json_t *account_json(const struct account *a, const struct config *config);

#endif
