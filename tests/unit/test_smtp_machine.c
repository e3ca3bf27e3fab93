#include <criterion/criterion.h>

#include "smtp/machine.h"

TestSuite(smtp_machine, .timeout = 20);

static const enum smtp_phase columns[] = {PHASE_GREET, PHASE_READY, PHASE_MAIL, PHASE_RCPT,
                                          PHASE_BDAT};
#define COLUMN_COUNT (sizeof columns / sizeof columns[0])

#define OK      REPLY_NONE
#define HELLO   REPLY_HELLO_FIRST
#define IN_TXN  REPLY_IN_TRANSACTION
#define NESTED  REPLY_NESTED_MAIL
#define NO_MAIL REPLY_NO_MAIL
#define NO_RCPT REPLY_NO_RCPT
#define CHUNKS  REPLY_CHUNKS_ON
#define NOT     REPLY_NOT_OFFERED
#define UNKNOWN REPLY_UNKNOWN

/* Written down a second time, from RFC 5321 section 4.1.4, 4954 section 4, 3207 section 4 and 3030 section 2,
 * for a session in TLS that may do everything and is signed in where the command needs it. */
static const struct {
    enum command_verb verb;
    bool needs_login;
    enum smtp_reply want[COLUMN_COUNT];
} rows[] = {
    {COMMAND_EHLO, false, {OK, OK, OK, OK, OK}},
    {COMMAND_HELO, false, {OK, OK, OK, OK, OK}},
    {COMMAND_AUTH, false, {HELLO, OK, IN_TXN, IN_TXN, CHUNKS}},
    {COMMAND_MAIL, true, {HELLO, OK, NESTED, NESTED, CHUNKS}},
    {COMMAND_RCPT, true, {HELLO, NO_MAIL, OK, OK, CHUNKS}},
    {COMMAND_DATA, true, {HELLO, NO_MAIL, NO_RCPT, OK, CHUNKS}},
    {COMMAND_BDAT, true, {HELLO, NO_MAIL, NO_RCPT, OK, OK}},
    {COMMAND_RSET, false, {OK, OK, OK, OK, OK}},
    {COMMAND_NOOP, false, {OK, OK, OK, OK, OK}},
    {COMMAND_VRFY, false, {OK, OK, OK, OK, CHUNKS}},
    {COMMAND_HELP, false, {OK, OK, OK, OK, CHUNKS}},
    {COMMAND_QUIT, false, {OK, OK, OK, OK, OK}},
    {COMMAND_XCLIENT, false, {OK, OK, IN_TXN, IN_TXN, CHUNKS}},
    {COMMAND_EXPN, false, {NOT, NOT, NOT, NOT, NOT}},
    {COMMAND_ETRN, false, {NOT, NOT, NOT, NOT, NOT}},
    {COMMAND_BURL, false, {NOT, NOT, NOT, NOT, NOT}},
    {COMMAND_UNKNOWN, false, {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN}},
    {COMMAND_HTTP, false, {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN}},
};

static enum smtp_reply judge(enum smtp_phase phase, unsigned flags, enum command_verb verb)
{
    struct smtp_session s = {.phase = phase, .flags = flags};
    return machine_judge(&s, verb);
}

Test(smtp_machine, every_cell)
{
    unsigned seen = 0;
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        unsigned flags = SMTP_TLS | SMTP_EXTENDED | SMTP_MAY_XCLIENT;
        if (rows[r].needs_login)
            flags |= SMTP_AUTHED;
        for (size_t i = 0; i < COLUMN_COUNT; i++)
            cr_assert_eq(judge(columns[i], flags, rows[r].verb), rows[r].want[i], "%s in %s",
                         command_verb_name(rows[r].verb), smtp_phase_name(columns[i]));
        seen |= 1u << rows[r].verb;
    }
    /* STARTTLS is the one command for a session without TLS. */
    static const enum smtp_reply starttls[] = {OK, OK, IN_TXN, IN_TXN, CHUNKS};
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        cr_assert_eq(judge(columns[i], 0, COMMAND_STARTTLS), starttls[i]);
    seen |= 1u << COMMAND_STARTTLS;
    cr_assert_eq(seen, (1u << COMMAND_VERB_COUNT) - 1, "a command has no row here");
}

Test(smtp_machine, mail_needs_tls_and_a_sign_in)
{
    static const enum command_verb verbs[] = {COMMAND_MAIL, COMMAND_RCPT, COMMAND_DATA,
                                              COMMAND_BDAT};
    for (size_t v = 0; v < 4; v++)
        for (size_t i = 0; i < COLUMN_COUNT; i++) {
            cr_assert_eq(judge(columns[i], 0, verbs[v]), REPLY_TLS_FIRST);
            cr_assert_eq(judge(columns[i], SMTP_TLS, verbs[v]), REPLY_AUTH_FIRST);
            cr_assert_eq(judge(columns[i], SMTP_AUTH_IN_CLEAR, verbs[v]), REPLY_AUTH_FIRST);
        }
}

Test(smtp_machine, auth_only_under_tls_and_once)
{
    cr_assert_eq(judge(PHASE_READY, 0, COMMAND_AUTH), REPLY_AUTH_NEEDS_TLS);
    cr_assert_eq(judge(PHASE_READY, SMTP_AUTH_IN_CLEAR, COMMAND_AUTH), OK);
    cr_assert_eq(judge(PHASE_READY, SMTP_TLS | SMTP_AUTHED, COMMAND_AUTH), REPLY_AUTH_TWICE);
    cr_assert_eq(judge(PHASE_READY, SMTP_TLS, COMMAND_STARTTLS), REPLY_TLS_ALREADY);
}

Test(smtp_machine, xclient_only_for_listed_fronts)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        cr_assert_eq(judge(columns[i], SMTP_TLS, COMMAND_XCLIENT), REPLY_XCLIENT_DENIED);
    cr_assert_eq(judge(PHASE_READY, SMTP_MAY_XCLIENT | SMTP_AUTHED, COMMAND_XCLIENT),
                 REPLY_AUTH_TWICE);
}

Test(smtp_machine, the_end_is_reached_from_everywhere_and_never_left)
{
    for (int from = 0; from < PHASE_DEAD; from++)
        cr_assert(machine_has_edge((enum smtp_phase)from, PHASE_DEAD));
    for (int to = 0; to < PHASE_COUNT; to++) {
        cr_assert_not(machine_has_edge(PHASE_DEAD, (enum smtp_phase)to));
        cr_assert_eq(machine_has_edge(PHASE_CLOSING, (enum smtp_phase)to), to == PHASE_DEAD);
    }
}

/* Only lines of these phases are commands. */
Test(smtp_machine, reads_commands_where_it_has_a_column)
{
    unsigned reading = 0;
    for (int phase = 0; phase < PHASE_COUNT; phase++)
        reading |= machine_reads_commands((enum smtp_phase)phase) ? 1u << phase : 0;
    unsigned want = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        want |= 1u << columns[i];
    cr_assert_eq(reading, want);
}

/* Nothing of a message can begin in a session that was not greeted and has not said EHLO. */
Test(smtp_machine, a_message_begins_from_ready_alone)
{
    for (int from = 0; from < PHASE_COUNT; from++)
        cr_assert_eq(machine_has_edge((enum smtp_phase)from, PHASE_MAIL), from == PHASE_READY);
    for (int from = 0; from < PHASE_COUNT; from++) {
        cr_assert_eq(machine_has_edge((enum smtp_phase)from, PHASE_DATA), from == PHASE_RCPT);
        cr_assert_eq(machine_has_edge((enum smtp_phase)from, PHASE_BDAT), from == PHASE_RCPT);
    }
}
