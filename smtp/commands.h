/* Inside of the session engine: what session.c offers to the files of the verbs, and they to it. */
#ifndef SMTP_COMMANDS_H
#define SMTP_COMMANDS_H

#include "msa/base/view.h"
#include "msa/mail/params.h"
#include "smtp/body.h"
#include "smtp/replies.h"
#include "smtp/session.h"

/* ---- one file per verb: the machine has said that the command may go on ---- */

typedef void smtp_command_fn(struct smtp_session *s, struct view args);

smtp_command_fn smtp_cmd_ehlo, smtp_cmd_helo;
smtp_command_fn smtp_cmd_starttls;
smtp_command_fn smtp_cmd_auth;
smtp_command_fn smtp_cmd_mail;
smtp_command_fn smtp_cmd_rcpt;
smtp_command_fn smtp_cmd_data;
smtp_command_fn smtp_cmd_bdat;
smtp_command_fn smtp_cmd_rset, smtp_cmd_noop, smtp_cmd_help, smtp_cmd_vrfy, smtp_cmd_quit;
smtp_command_fn smtp_cmd_xclient;

/* BDAT that may not be: its octets come all the same and must not become commands. */
void smtp_bdat_refuse(struct smtp_session *s, struct view args, enum smtp_reply why);

void smtp_starttls_go(struct smtp_session *s); /* behind the command line */
void smtp_auth_respond(struct smtp_session *s, struct view line); /* a line in PHASE_AUTH */
void smtp_auth_overlong(struct smtp_session *s);
void smtp_auth_late(struct smtp_session *s); /* no answer in time */
void smtp_auth_drop(struct smtp_session *s); /* ends what is under way, wipes and frees s->auth */
void smtp_body_input(struct smtp_session *s);  /* bytes in PHASE_DATA */
void smtp_chunk_input(struct smtp_session *s); /* octets of a BDAT chunk */
void smtp_reserve(struct smtp_session *s);     /* the quota question, behind DATA or the first BDAT */
void smtp_grow_body(struct smtp_session *s);   /* the small descriptor is full */
void smtp_submit(struct smtp_session *s);      /* all of the message is here */
void smtp_refuse_body(struct smtp_session *s, enum body_fault fault);
bool smtp_may_normalize(const struct smtp_session *s);
void smtp_ask_greeting(struct smtp_session *s); /* connect question, then 220 */

bool smtp_mechanism_is_offered(const struct smtp_session *s, struct view name);
/* Parameters on offer in the session's present state; see EHLO. */
unsigned smtp_offered_params(const struct smtp_session *s);
void smtp_refuse_param(struct smtp_session *s, enum params_result why, struct view culprit);

/* ---- session.c ---- */

void smtp_reply(struct smtp_session *s, enum smtp_reply id);
void smtp_reply_with(struct smtp_session *s, enum smtp_reply id, struct view detail);
void smtp_reply_foreign(struct smtp_session *s, enum smtp_reply id, unsigned code,
                        struct view enhanced, struct view text);
void smtp_write(struct smtp_session *s, struct view bytes); /* EHLO's lines */
void smtp_flush(struct smtp_session *s); /* what was written goes to the client now */

/* One wait at a time. smtp_wait_end is false, and the answer dropped, when another or none is due. */
void smtp_wait_begin(struct smtp_session *s, enum smtp_wait wait);
bool smtp_wait_end(struct smtp_session *s, enum smtp_wait wait);

/* What policy decided, for after its delay. `text` dies with the call. */
typedef void smtp_verdict_fn(struct smtp_session *s, enum policy_verdict verdict, struct view text);
void smtp_delay(struct smtp_session *s, int64_t delay_ms, enum policy_verdict verdict,
                struct view text, smtp_verdict_fn *then);

/* Bytes that the client sent behind the command line at work. */
size_t smtp_bytes_behind(const struct smtp_session *s);

/* The reply, then the end of the session. `reason` is a constant for the log. */
void smtp_end_with(struct smtp_session *s, enum smtp_reply id, struct view detail,
                   const char *reason);
/* The end without a word. */
void smtp_end(struct smtp_session *s, bool is_abort, const char *reason);

/* Commands that were waiting go on; called last by every event. */
void smtp_go_on(struct smtp_session *s);

void smtp_set_string(char **place, struct view v); /* frees the old one; NULL when out of memory */

#endif
