/* Which command is lawful when, and the one function that changes a session's phase. */
#ifndef SMTP_MACHINE_H
#define SMTP_MACHINE_H

#include "msa/mail/command.h"
#include "smtp/replies.h"
#include "smtp/session.h"

/* REPLY_NONE when the command may go on, otherwise the reply that refuses it. Looks at phase and flags
 * alone; the phase must be one in which commands are read. */
enum smtp_reply machine_judge(const struct smtp_session *s, enum command_verb verb);

bool machine_reads_commands(enum smtp_phase phase);
bool machine_has_edge(enum smtp_phase from, enum smtp_phase to);

/* Asserts that the edge exists and sets the new phase's deadline. */
void smtp_enter_phase(struct smtp_session *s, enum smtp_phase to);

const char *smtp_phase_name(enum smtp_phase phase);
const char *smtp_wait_name(enum smtp_wait wait);

#endif
