/* The state machine's tables (style.md's sketch made whole): flag rules are looked at first, then
 * command × phase. A handler never asks "am I allowed"; tests/unit/test_smtp_machine.c walks every cell. */
#include "smtp/machine.h"

#include "msa/base/assert.h"
#include "msa/base/log.h"
#include "msa/base/msgid.h"
#include "smtp/deadlines.h"

#define OK REPLY_NONE

/* ---- flags --------------------------------------------------------------------------------------- */

#define SECURE (SMTP_TLS | SMTP_AUTH_IN_CLEAR)

struct need {
    unsigned any_of; /* enum smtp_flag; 0: no need */
    enum smtp_reply without;
};

/* RFC 8314, RFC 6409 section 4.3: no mail without TLS and AUTH. */
#define MAIL_NEEDS {{SECURE, REPLY_TLS_FIRST}, {SMTP_AUTHED, REPLY_AUTH_FIRST}}

static const struct flag_rule {
    struct need needs[2];
    unsigned none_of;
    enum smtp_reply with;
} flag_rules[COMMAND_VERB_COUNT] = {
    [COMMAND_STARTTLS] = {.none_of = SMTP_TLS, .with = REPLY_TLS_ALREADY},
    [COMMAND_AUTH] = {.needs = {{SECURE, REPLY_AUTH_NEEDS_TLS}},
                      .none_of = SMTP_AUTHED,
                      .with = REPLY_AUTH_TWICE},
    [COMMAND_MAIL] = {.needs = MAIL_NEEDS},
    [COMMAND_RCPT] = {.needs = MAIL_NEEDS},
    [COMMAND_DATA] = {.needs = MAIL_NEEDS},
    [COMMAND_BDAT] = {.needs = MAIL_NEEDS},
    [COMMAND_XCLIENT] = {.needs = {{SMTP_MAY_XCLIENT, REPLY_XCLIENT_DENIED}},
                         .none_of = SMTP_AUTHED,
                         .with = REPLY_AUTH_TWICE},
};

static enum smtp_reply judge_flags(enum command_verb verb, unsigned flags)
{
    const struct flag_rule *rule = &flag_rules[verb];
    for (unsigned i = 0; i < 2; i++)
        if (rule->needs[i].any_of && !(flags & rule->needs[i].any_of))
            return rule->needs[i].without;
    return flags & rule->none_of ? rule->with : OK;
}

/* ---- command × phase ----------------------------------------------------------------------------- */

enum column { IN_GREET = 0, IN_READY, IN_MAIL, IN_RCPT, IN_BDAT, COLUMN_COUNT };

static const int8_t column_of[PHASE_COUNT] = {
    [PHASE_START] = -1,      [PHASE_GREET] = IN_GREET, [PHASE_READY] = IN_READY,
    [PHASE_AUTH] = -1,       [PHASE_MAIL] = IN_MAIL,   [PHASE_RCPT] = IN_RCPT,
    [PHASE_DATA] = -1,       [PHASE_BDAT] = IN_BDAT,   [PHASE_CLOSING] = -1,
    [PHASE_DEAD] = -1,
};

#define ROW(greet, ready, mail, rcpt, bdat)                                                        \
    {[IN_GREET] = (greet), [IN_READY] = (ready), [IN_MAIL] = (mail), [IN_RCPT] = (rcpt),           \
     [IN_BDAT] = (bdat)}
#define ALWAYS(cell) ROW(cell, cell, cell, cell, cell)

#define R_HELLO  REPLY_HELLO_FIRST
#define R_IN_TXN REPLY_IN_TRANSACTION
#define R_NESTED REPLY_NESTED_MAIL
#define R_MAIL   REPLY_NO_MAIL
#define R_RCPT   REPLY_NO_RCPT
#define R_CHUNKS REPLY_CHUNKS_ON
#define R_NOT    REPLY_NOT_OFFERED

/* clang-format off */
static const uint8_t legal[COMMAND_VERB_COUNT][COLUMN_COUNT] = {
    /*                          GREET     READY     MAIL      RCPT      BDAT           */
    [COMMAND_EHLO]     = ROW(   OK,       OK,       OK,       OK,       OK        ),
    [COMMAND_HELO]     = ROW(   OK,       OK,       OK,       OK,       OK        ),
    [COMMAND_STARTTLS] = ROW(   OK,       OK,       R_IN_TXN, R_IN_TXN, R_CHUNKS  ),
    [COMMAND_AUTH]     = ROW(   R_HELLO,  OK,       R_IN_TXN, R_IN_TXN, R_CHUNKS  ),
    [COMMAND_MAIL]     = ROW(   R_HELLO,  OK,       R_NESTED, R_NESTED, R_CHUNKS  ),
    [COMMAND_RCPT]     = ROW(   R_HELLO,  R_MAIL,   OK,       OK,       R_CHUNKS  ),
    [COMMAND_DATA]     = ROW(   R_HELLO,  R_MAIL,   R_RCPT,   OK,       R_CHUNKS  ),
    [COMMAND_BDAT]     = ROW(   R_HELLO,  R_MAIL,   R_RCPT,   OK,       OK        ),
    [COMMAND_RSET]     = ALWAYS(OK),
    [COMMAND_NOOP]     = ALWAYS(OK),
    [COMMAND_VRFY]     = ROW(   OK,       OK,       OK,       OK,       R_CHUNKS  ),
    [COMMAND_HELP]     = ROW(   OK,       OK,       OK,       OK,       R_CHUNKS  ),
    [COMMAND_QUIT]     = ALWAYS(OK),
    [COMMAND_XCLIENT]  = ROW(   OK,       OK,       R_IN_TXN, R_IN_TXN, R_CHUNKS  ),
    [COMMAND_EXPN]     = ALWAYS(R_NOT),
    [COMMAND_ETRN]     = ALWAYS(R_NOT),
    [COMMAND_BURL]     = ALWAYS(R_NOT),
    [COMMAND_UNKNOWN]  = ALWAYS(REPLY_UNKNOWN),
    [COMMAND_HTTP]     = ALWAYS(REPLY_UNKNOWN), /* cut off before anyone asks here */
};
/* clang-format on */

_Static_assert(REPLY_COUNT <= UINT8_MAX, "a cell holds any reply");

bool machine_reads_commands(enum smtp_phase phase)
{
    return column_of[phase] >= 0;
}

enum smtp_reply machine_judge(const struct smtp_session *s, enum command_verb verb)
{
    MSA_ASSERT(machine_reads_commands(s->phase));
    enum smtp_reply verdict = judge_flags(verb, s->flags);
    return verdict != OK ? verdict : (enum smtp_reply)legal[verb][column_of[s->phase]];
}

/* ---- phase × phase ------------------------------------------------------------------------------- */

#define TO(phase) (1u << (phase))
#define TO_END    (TO(PHASE_CLOSING) | TO(PHASE_DEAD))

static const uint16_t edges[PHASE_COUNT] = {
    [PHASE_START] = TO(PHASE_GREET) | TO_END,
    [PHASE_GREET] = TO(PHASE_START) | TO(PHASE_GREET) | TO(PHASE_READY) | TO_END, /* XCLIENT, STARTTLS */
    [PHASE_READY] = TO(PHASE_START) | TO(PHASE_GREET) | TO(PHASE_AUTH) | TO(PHASE_MAIL) | TO_END,
    [PHASE_AUTH] = TO(PHASE_READY) | TO_END,
    [PHASE_MAIL] = TO(PHASE_RCPT) | TO(PHASE_READY) | TO_END,
    [PHASE_RCPT] = TO(PHASE_DATA) | TO(PHASE_BDAT) | TO(PHASE_READY) | TO_END,
    [PHASE_DATA] = TO(PHASE_READY) | TO_END,
    [PHASE_BDAT] = TO(PHASE_READY) | TO_END,
    [PHASE_CLOSING] = TO(PHASE_DEAD),
    [PHASE_DEAD] = 0,
};

bool machine_has_edge(enum smtp_phase from, enum smtp_phase to)
{
    return (edges[from] & TO(to)) != 0;
}

void smtp_enter_phase(struct smtp_session *s, enum smtp_phase to)
{
    MSA_ASSERT(machine_has_edge(s->phase, to));
    s->phase = to;
    smtp_deadline_step(s);
}

/* ---- names --------------------------------------------------------------------------------------- */

const char *smtp_phase_name(enum smtp_phase phase)
{
    static const char *const names[PHASE_COUNT] = {
        [PHASE_START] = "start", [PHASE_GREET] = "greet",     [PHASE_READY] = "ready",
        [PHASE_AUTH] = "auth",   [PHASE_MAIL] = "mail",       [PHASE_RCPT] = "rcpt",
        [PHASE_DATA] = "data",   [PHASE_BDAT] = "bdat",       [PHASE_CLOSING] = "closing",
        [PHASE_DEAD] = "dead",
    };
    return names[phase];
}

const char *smtp_wait_name(enum smtp_wait wait)
{
    static const char *const names[WAIT_COUNT] = {
        [WAIT_NONE] = "none",       [WAIT_TLS] = "tls",     [WAIT_DELAY] = "delay",
        [WAIT_CONNECT] = "connect", [WAIT_AUTH] = "auth",   [WAIT_LOGIN] = "login",
        [WAIT_MAIL] = "mail",       [WAIT_QUOTA] = "quota", [WAIT_BODY] = "body",
        [WAIT_SCORE] = "score",     [WAIT_ROUTE] = "route", [WAIT_ACCEPT] = "accept",
    };
    return names[wait];
}
