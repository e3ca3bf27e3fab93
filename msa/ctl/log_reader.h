/* Lines of mail servers' logs as events, whichever server wrote them:
 *
 *   traces     one JSON object a line (trace.h)
 *   msad       its own log: auth-ok, auth-failed, mail-accepted, mail-refused, mailbox-ok, mailbox-failed
 *   Postfix    smtpd: client=…, sasl_username=…, and SASL … authentication failed; qmgr:
 * nrcpt=… Dovecot    imap-login, pop3-login and submission-login: Login and failed logins
 *   Exim       <= … A=…, and … authenticator failed
 *
 * Several may be mixed in one file, as syslog does. Every byte is somebody else's: a line
 * is bounded, and what does not fit is passed over. */
#ifndef MSA_CTL_LOG_READER_H
#define MSA_CTL_LOG_READER_H

#include "msa/ctl/log_join.h"
#include "msa/ctl/log_time.h"
#include "msa/ctl/trace.h"

struct log_reader {
    struct log_clock clock;
    struct log_join *join;
};

/* MSA_OK or MSA_ENOMEM. `year` as for log_clock_init. */
int log_reader_init(struct log_reader *r, int year);
void log_reader_fini(struct log_reader *r);

/* MSA_OK: an event; MSA_ENOENT: a line of a log that says nothing to us; MSA_EINVAL: no
 * line of a log. */
int log_reader_line(struct log_reader *r, struct view line, struct trace_event *out);

/* ---- the parsers of each server's lines; `rest` is behind the time. True: an event in
 * *out ---- */

bool log_msad_line(struct log_reader *r, struct view rest, struct trace_event *out);
bool log_postfix_line(struct log_reader *r, struct view rest, struct trace_event *out);
bool log_dovecot_line(struct view rest, struct trace_event *out);
bool log_exim_line(struct view rest, struct trace_event *out);

/* ---- for them ---- */

/* The bytes behind `key` up to one of `ends`; empty if the key is not there. */
struct view log_value(struct view line, const char *key, const char *ends);
/* Where `needle` begins in `v`, or v.n. */
size_t log_find(struct view v, const char *needle);
#endif
