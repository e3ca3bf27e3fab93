/* Answers of the API as text for people. What came from strangers (senders, replies) is cleaned of
 * control characters first. */
#ifndef MSA_CTL_SHOW_H
#define MSA_CTL_SHOW_H

#include <jansson.h>

#include "msa/base/buf.h"
#include "msa/base/view.h"

void show_done(const json_t *answer, struct buf *out);    /* the figures of an answer, in one line */
void show_pairs(const json_t *answer, struct buf *out);   /* key: value, nested ones indented */
void show_accounts(const json_t *answer, struct buf *out);
void show_restrictions(const json_t *answer, struct buf *out);
void show_accesses(const json_t *answer, struct buf *out);
void show_usage(const json_t *answer, struct buf *out);
void show_rules(const json_t *answer, struct buf *out);
void show_trend(const json_t *answer, struct buf *out);
void show_sign_ins(const json_t *answer, struct buf *out);
void show_app_passwords(const json_t *answer, struct buf *out);
void show_tokens(const json_t *answer, struct buf *out);
void show_audit(const json_t *answer, struct buf *out);
void show_changes(const json_t *answer, struct buf *out); /* of many accounts */
void show_queue(const json_t *answer, struct buf *out);
void show_pools(const json_t *answer, struct buf *out);
void show_content(const json_t *answer, struct buf *out); /* a message, octet for octet */
void show_status(const json_t *answer, struct buf *out);
void show_import(const json_t *answer, struct buf *out);
void show_config(const json_t *answer, struct buf *out);
void show_reload(const json_t *answer, struct buf *out);
void show_score(const json_t *answer, struct buf *out); /* show_score.c */
void show_training(const json_t *answer, struct buf *out);

/* Title, detail and the list of errors of a problem document (RFC 9457). */
void show_problem(const json_t *problem, unsigned status, struct buf *out);

#endif
