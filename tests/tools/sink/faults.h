/* What goes wrong on purpose. One rule a line:
 *
 *     PHASE [to PATTERN] [skip N] [times N] [delay MS] ACTION [TEXT]
 *
 *     rcpt to r450-* times 3 reply 450 4.2.1 try later      # shell pattern over the address
 *     eod delay 500 ok                                      # in time, but late
 *     after-eod drop                                        # message kept, answer lost
 *
 * Phases: banner ehlo starttls auth mail rcpt data body eod after-eod rset quit. Actions:
 *   ok           the usual answer (after the delay)
 *   reply TEXT   this instead of the usual; \n in TEXT makes it several lines
 *   early TEXT   the usual answer and, in the same breath, TEXT: an answer to what was not asked yet
 *   hang         no answer, ever; the connection stays open
 *   drop         the connection is closed without an answer; reset: the same by RST
 *   garbage      bytes that are no reply, then silence
 *   long         a reply line of 100,000 bytes; flood: a reply of 100,000 lines
 *
 * The first rule that applies is taken. body rules apply when the first byte of a message has come;
 * eod instead of accepting; after-eod once the message is recorded. */
#ifndef TESTS_TOOLS_SINK_FAULTS_H
#define TESTS_TOOLS_SINK_FAULTS_H

#include <stdbool.h>
#include <stdint.h>

#include "msa/base/view.h"

enum phase {
    PHASE_BANNER = 0,
    PHASE_EHLO,
    PHASE_STARTTLS,
    PHASE_AUTH,
    PHASE_MAIL,
    PHASE_RCPT,
    PHASE_DATA,
    PHASE_BODY,
    PHASE_EOD,
    PHASE_AFTER_EOD,
    PHASE_RSET,
    PHASE_QUIT,
    PHASE_COUNT,
};

enum action {
    ACTION_OK = 0,
    ACTION_REPLY,
    ACTION_EARLY,
    ACTION_HANG,
    ACTION_DROP,
    ACTION_RESET,
    ACTION_GARBAGE,
    ACTION_LONG,
    ACTION_FLOOD,
    ACTION_COUNT,
};

#define FAULT_TEXT_MAX 512

struct fault {
    enum phase phase;
    enum action action;
    char pattern[128]; /* empty: any address */
    char text[FAULT_TEXT_MAX];
    uint64_t skip_count;
    uint64_t times_count; /* UINT64_MAX: always */
    uint64_t delay_ms;
};

#define FAULTS_MAX 64

struct faults {
    struct fault rules[FAULTS_MAX];
    unsigned count;
};

/* Adds one rule. False, with a reason in `*why_out`, if the line is none; an empty line or a comment is fine. */
bool faults_add(struct faults *f, struct view line, const char **why_out);

/* Adds the rules of a file; false, with a message on stderr, if there is a mistake in it. */
bool faults_read(struct faults *f, const char *path);

/* The rule for this event, counted as used, or NULL. `address` is empty where there is none. */
const struct fault *faults_take(struct faults *f, enum phase phase, struct view address);

#endif
