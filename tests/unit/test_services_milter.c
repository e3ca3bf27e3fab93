/* A milter's session, against one of a few lines: the order of things, what it may skip, what it answers. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/score/services/milter_frame.h"
#include "services_fixture.h"

#define MESSAGE "From: taro@example.jp\r\nSubject: hello\r\n there\r\n\r\nThe body.\r\n"

/* ---- the milter ---- */

struct rule { /* what it says to a command, in place of "continue" */
    char command;
    const char *reply;
    size_t n;
};

static struct sf_peer peer;
static struct config_milter milter;
static const struct rule *rules; /* ended by command 0 */
static uint32_t protocol;        /* that it asks for */
static const char *options;      /* in place of a sound answer to the options */
static size_t options_bytes;
static struct buf said; /* what it was told, a line each */
static struct buf body;
static size_t macro_count;

static void setup(void)
{
    sf_set_up();
    rules = NULL;
    options = NULL;
    protocol = 0;
    macro_count = 0;
    buf_init(&said, 1u << 20);
    buf_init(&body, 32u << 20);
}

static void teardown(void)
{
    sf_tear_down();
    buf_fini(&said);
    buf_fini(&body);
}

TestSuite(services_milter, .timeout = 60, .init = setup, .fini = teardown);

static void note(const struct milter_frame *f)
{
    size_t n = f->command == 'B' ? 0 : f->data.n;
    buf_addf(&said, "%c", f->command);
    for (size_t i = 0; i < n && f->command != 'O'; i++) {
        unsigned char c = (unsigned char)f->data.p[i];
        if (i == 0)
            buf_add_char(&said, ' ');
        if (c >= ' ' || i + 1 < n)
            buf_add_char(&said, c >= ' ' ? (char)c : '|');
    }
    buf_add_cstr(&said, "\n");
}

static bool is_silent(char command)
{
    static const struct {
        char command;
        uint32_t bit;
    } silent[] = {{'C', MILTER_NR_CONNECT}, {'H', MILTER_NR_HELO}, {'M', MILTER_NR_MAIL},
                  {'R', MILTER_NR_RCPT},    {'T', MILTER_NR_DATA}, {'L', MILTER_NR_HEADERS},
                  {'N', MILTER_NR_EOH},     {'B', MILTER_NR_BODY}};
    for (size_t i = 0; i < sizeof silent / sizeof silent[0]; i++)
        if (silent[i].command == command)
            return protocol & silent[i].bit;
    return command == 'D' || command == 'A' || command == 'Q';
}

static void say_options(struct sf_client *c)
{
    struct buf b;
    buf_init(&b, 100);
    const char bytes[] = {0, 0, 0, 6, 0, 0, 1, (char)0xff, (char)(protocol >> 24), (char)(protocol >> 16),
                          (char)(protocol >> 8), (char)protocol};
    milter_frame_add(&b, 'O', view_of(bytes, sizeof bytes));
    if (options)
        sf_say(c, options, options_bytes);
    else
        sf_say(c, buf_view(&b).p, buf_len(&b));
    buf_fini(&b);
}

static const struct rule *rule_for(char command)
{
    for (const struct rule *r = rules; r && r->command; r++)
        if (r->command == command)
            return r;
    return NULL;
}

static void answer(struct sf_client *c, const struct milter_frame *f)
{
    const struct rule *r = rule_for(f->command);
    if (f->command == 'B')
        buf_add(&body, f->data);
    if (f->command == 'D')
        macro_count++;
    else
        note(f);
    if (f->command == 'O')
        say_options(c);
    else if (r && r->n == 0)
        sf_end(c);
    else if (r)
        sf_say(c, r->reply, r->n);
    else if (!is_silent(f->command))
        sf_say(c, "\0\0\0\1c", 5);
}

static void hear(struct sf_client *c)
{
    struct milter_frame f;
    int n;
    while (c->fd != -1 && (n = milter_frame_parse(buf_view(&c->heard), &f)) != 0) {
        cr_assert_gt(n, 0);
        answer(c, &f);
        if (f.command == 'Q')
            sf_end(c);
        buf_take(&c->heard, (size_t)n);
    }
}

static void start(void)
{
    sf_peer_open(&peer, hear);
    milter = (struct config_milter){.common = sf_common("sign", peer.socket),
                                    .add_headers = true,
                                    .on_reject = CONFIG_ACT_REFUSE,
                                    .on_tempfail = CONFIG_ACT_DEFER,
                                    .on_discard = CONFIG_ACT_HOLD,
                                    .on_quarantine = CONFIG_ACT_HOLD};
    sf_config.score.services.milters = &milter;
    sf_config.score.services.milter_count = 1;
    sf_start();
}

static const struct sf_seen *ask(void)
{
    unsigned n = sf_ask(MESSAGE);
    SF_WAIT_ANSWER(n);
    return &sf_seen[n];
}

static void expect_said(const char *want)
{
    SF_WAIT(peer.open_count == 0);
    cr_assert(view_eq(buf_view(&said), view_cstr(want)), "said:\n%.*s", (int)buf_len(&said),
              buf_view(&said).p);
}

static void expect_neutral(const struct sf_seen *s)
{
    cr_assert_eq(s->answered, 0, "%s %s", s->text, s->findings);
    cr_assert_eq(s->action, SCORE_ACTION_NONE);
    cr_assert_str_eq(s->header, "");
    cr_assert_str_eq(s->findings, "");
}

/* ---- the order of things ---- */

#define ENVELOPE                                                                                   \
    "O\nC [192.0.2.7]|4||192.0.2.7\nH pc.example.jp\nM <taro@example.jp>\nR <hana@example.net>\n"      \
    "R <ken@example.org>\nT\n"
#define HEADER "L From|taro@example.jp\nL Subject|hello| there\n"

Test(services_milter, is_told_all_in_order)
{
    start();
    const struct sf_seen *s = ask();
    cr_assert_eq(s->answered, 1);
    cr_assert_not(s->is_scored);
    expect_said(ENVELOPE HEADER "N\nB\nE\nQ\n");
    cr_assert(view_eq(buf_view(&body), VIEW_LIT("The body.\r\n")));
    cr_assert_eq(macro_count, 7, "C M R R T N E");
}

Test(services_milter, replies_may_come_byte_by_byte)
{
    start();
    peer.piece_bytes = 1;
    cr_assert_eq(ask()->answered, 1);
    expect_said(ENVELOPE HEADER "N\nB\nE\nQ\n");
}

Test(services_milter, what_it_does_not_want_it_is_not_told)
{
    protocol = MILTER_NO_CONNECT | MILTER_NO_HELO | MILTER_NO_MAIL | MILTER_NO_RCPT | MILTER_NO_DATA |
               MILTER_NO_HEADERS | MILTER_NO_EOH | MILTER_NO_BODY;
    start();
    cr_assert_eq(ask()->answered, 1);
    expect_said("O\nE\nQ\n");
}

Test(services_milter, what_it_does_not_answer_is_not_waited_for)
{
    protocol = MILTER_NR_CONNECT | MILTER_NR_HELO | MILTER_NR_MAIL | MILTER_NR_RCPT | MILTER_NR_DATA |
               MILTER_NR_HEADERS | MILTER_NR_EOH | MILTER_NR_BODY;
    start();
    cr_assert_eq(ask()->answered, 1);
    expect_said(ENVELOPE HEADER "N\nB\nE\nQ\n");
}

Test(services_milter, each_bit_alone_is_respected)
{
    static const uint32_t bits[] = {MILTER_NO_CONNECT, MILTER_NO_HELO, MILTER_NO_MAIL, MILTER_NO_RCPT,
                                    MILTER_NO_DATA, MILTER_NO_HEADERS, MILTER_NO_EOH, MILTER_NO_BODY,
                                    MILTER_NR_CONNECT, MILTER_NR_HELO, MILTER_NR_MAIL, MILTER_NR_RCPT,
                                    MILTER_NR_DATA, MILTER_NR_HEADERS, MILTER_NR_EOH, MILTER_NR_BODY};
    static const char commands[] = "CHMRTLNBCHMRTLNB";
    start();
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        char line[3] = {'\n', commands[i], '\0'};
        buf_reset(&said);
        protocol = bits[i];
        cr_assert_eq(ask()->answered, 1, "bit %x", bits[i]);
        SF_WAIT(peer.open_count == 0);
        bool was_told = memmem(buf_view(&said).p, buf_len(&said), line, 2) != NULL;
        cr_assert_eq(was_told, i >= 8, "bit %x", bits[i]);
    }
}

Test(services_milter, a_leading_space_stays_where_it_is_wanted)
{
    protocol = MILTER_LEADING_SPACE;
    static const struct rule r[] = {{'E', "\0\0\0\6hX\0 a\0\0\0\0\1c", 15}, {0}};
    rules = r;
    start();
    cr_assert_str_eq(ask()->header, "X: a\r\n");
    expect_said(ENVELOPE "L From| taro@example.jp\nL Subject| hello| there\nN\nB\nE\nQ\n");
}

Test(services_milter, twelve_mebibytes_arrive_whole_with_and_without_replies)
{
    static const uint32_t ways[] = {0, MILTER_NR_BODY};
    size_t n = (12u << 20) + 77;
    char *text = malloc(n);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)('a' + i % 23);
    memcpy(text, "Subject: x\r\n\r\n", 14);
    start();
    for (size_t i = 0; i < 2; i++) {
        protocol = ways[i];
        buf_reset(&body);
        unsigned number = sf_ask_fd(sf_file(text, n), 12, n);
        SF_WAIT_ANSWER(number);
        cr_assert_eq(sf_seen[number].answered, 1);
        cr_assert_eq(buf_len(&body), n - 14);
        cr_assert_eq(memcmp(buf_view(&body).p, text + 14, n - 14), 0);
    }
    free(text);
}

Test(services_milter, skip_ends_the_body)
{
    static const struct rule r[] = {{'B', "\0\0\0\1s", 5}, {0}};
    size_t n = 1u << 20;
    char *text = calloc(1, n);
    memcpy(text, "A: x\r\n\r\n", 8);
    rules = r;
    protocol = MILTER_MAY_SKIP;
    start();
    unsigned number = sf_ask_fd(sf_file(text, n), 6, n);
    SF_WAIT_ANSWER(number);
    cr_assert_eq(sf_seen[number].answered, 1);
    cr_assert_eq(buf_len(&body), MILTER_CHUNK_MAX);
    free(text);
}

/* ---- decisions ---- */

Test(services_milter, decisions_at_any_step)
{
    static const struct {
        const char *reply;
        size_t n;
        enum score_action want;
        const char *text, *finding;
    } words[] = {
        {"\0\0\0\1a", 5, SCORE_ACTION_NONE, "", ""},
        {"\0\0\0\1r", 5, SCORE_ACTION_REFUSE, "message refused", "sign/REJECT 0\n"},
        {"\0\0\0\1t", 5, SCORE_ACTION_DEFER, "try again later", "sign/TEMPFAIL 0\n"},
        {"\0\0\0\0014", 5, SCORE_ACTION_DEFER, "try again later", "sign/TEMPFAIL 0\n"},
        {"\0\0\0\1d", 5, SCORE_ACTION_HOLD, "message refused", "sign/DISCARD 0\n"},
        {"\0\0\0\x0fy550 5.7.9 sad\0", 19, SCORE_ACTION_REFUSE, "sad", "sign/REJECT 0\n"},
        {"\0\0\0\x0ey451 try late\0", 18, SCORE_ACTION_DEFER, "try late", "sign/TEMPFAIL 0\n"},
    };
    struct rule r[2] = {{0}, {0}};
    rules = r;
    start();
    for (const char *command = "CHMRTLNBE"; *command; command++)
        for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
            static unsigned count;
            if (++count % 3 && *command != 'E' && *command != 'C') /* a sample of those between */
                continue;
            r[0] = (struct rule){*command, words[i].reply, words[i].n};
            const struct sf_seen *s = ask();
            cr_assert_eq(s->answered, 1, "%c row %zu", *command, i);
            cr_assert_eq(s->action, words[i].want, "%c row %zu", *command, i);
            cr_assert_str_eq(s->text, words[i].text);
            cr_assert_str_eq(s->findings, words[i].finding);
        }
}

Test(services_milter, changes_that_can_be_made_and_those_that_cannot)
{
    static const char all[] =
        "\0\0\0\1p"
        "\0\0\0\11hX-A\0one\0"
        "\0\0\0\15i\0\0\0\0X-B\0two\0"
        "\0\0\0\17m\0\0\0\1X-C\0three\0"
        "\0\0\0\17m\0\0\0\1From\0four\0"
        "\0\0\0\12m\0\0\0\1X-Z\0\0"
        "\0\0\0\11+<a@b.c>\0"
        "\0\0\0\5bbody"
        "\0\0\0\5qodd\0"
        "\0\0\0\1c";
    struct rule r[] = {{'E', all, sizeof all - 1}, {0}};
    rules = r;
    start();
    const struct sf_seen *s = ask();
    cr_assert_eq(s->answered, 1, "%s", sf_status_text("last_error"));
    cr_assert_str_eq(s->header, "X-B: two\r\nX-A: one\r\nX-C: three\r\n");
    cr_assert_eq(s->action, SCORE_ACTION_HOLD);
    cr_assert_str_eq(s->findings, "sign/QUARANTINE 0\n");
    milter.add_headers = false;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    cr_assert_str_eq(ask()->header, "");
}

/* ---- hostile ones ---- */

Test(services_milter, odd_answers_to_the_options_are_neutral)
{
    static const struct {
        const char *p;
        size_t n;
    } bad[] = {
        {"\0\0\0\1c", 5},
        {"\0\0\0\1a", 5},
        {"\0\0\0\5O\0\0\0\6", 9},
        {"\0\0\0\15O\0\0\0\1\0\0\0\0\0\0\0\0", 17},
        {"\0\0\0\15O\0\0\0\7\0\0\0\0\0\0\0\0", 17},
        {"\0\0\0\15O\0\0\0\6\0\0\x10\0\0\0\0\0", 17},
        {"\0\0\0\15O\0\0\0\6\0\0\0\0\x80\0\0\0", 17},
        {"\0\0\0\0", 4},
        {"HTTP/1.1 400 Bad Request\r\n\r\n", 28},
        {"220 mail.example ESMTP\r\n", 24},
    };
    start();
    milter.common.failure_count = 1000;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        options = bad[i].p;
        options_bytes = bad[i].n;
        expect_neutral(ask());
    }
    cr_assert_eq(sf_status("failed"), (int64_t)(sizeof bad / sizeof bad[0]));
}

Test(services_milter, rubbish_an_early_end_and_half_a_reply_at_any_step_are_neutral)
{
    static const struct {
        const char *p;
        size_t n;
    } bad[] = {
        {"", 0},                       /* closes */
        {"\0\0\0\1?", 5},              /* no reply */
        {"\0\0\0\0", 4},               /* no frame */
        {"\xff\xff\xff\xff", 4},
        {"\0\0\0\1f", 5},              /* "connection failure" */
        {"\0\0\0\7y250 x\0", 11},      /* a positive "refusal" */
        {"\0\0\0\15O\0\0\0\6\0\0\0\0\0\0\0\0", 17},
    };
    struct rule r[2] = {{0}, {0}};
    rules = r;
    start();
    milter.common.failure_count = 1000;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    for (const char *command = "CHMRTLNBE"; *command; command++)
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            static unsigned count;
            if (++count % 2 && *command != 'E')
                continue;
            r[0] = (struct rule){*command, bad[i].p, bad[i].n};
            expect_neutral(ask());
        }
}

Test(services_milter, a_change_before_the_end_or_a_word_out_of_turn_is_neutral)
{
    static const struct rule early[] = {{'N', "\0\0\0\10hX-A\0on\0", 12}, {0}};
    static const struct rule twice[] = {{'H', "\0\0\0\1c\0\0\0\1c\0\0\0\1c\0\0\0\1c", 20}, {0}};
    static const struct rule skips[] = {{'L', "\0\0\0\1s", 5}, {0}};
    const struct rule *const ways[] = {early, twice, skips};
    start();
    for (size_t i = 0; i < 3; i++) {
        rules = ways[i];
        const struct sf_seen *s = ask();
        if (ways[i] != twice) /* more replies than questions are seen when nobody waits for one */
            expect_neutral(s);
    }
}

/* It says nothing more, at each step in turn. */
Test(services_milter, hanging_at_any_step_ends_at_the_deadline)
{
    struct rule r[2] = {{0}, {0}};
    rules = r;
    start();
    milter.common.failure_count = 1000;
    cr_assert_eq(services_reconfigure(sf_services, &sf_config), 0);
    for (const char *command = "CHMRTLNBE"; *command; command++) {
        r[0] = (struct rule){*command, "\0\0", 2}; /* half a length */
        char line[3] = {'\n', *command, '\0'};
        buf_reset(&said);
        unsigned n = sf_ask(MESSAGE);
        SF_WAIT(buf_len(&said) > 0 && memmem(buf_view(&said).p, buf_len(&said), line, 2));
        sf_pass(1999);
        cr_assert_not(sf_seen[n].is_there);
        sf_pass(1);
        SF_WAIT_ANSWER(n);
        expect_neutral(&sf_seen[n]);
    }
    cr_assert_eq(sf_status("failed"), 9);
}

static void endless(struct sf_client *c)
{
    static const char progress[] = "\0\0\0\1p\0\0\0\1p\0\0\0\1p\0\0\0\1p\0\0\0\1p\0\0\0\1p";
    struct milter_frame f;
    int n;
    while ((n = milter_frame_parse(buf_view(&c->heard), &f)) > 0) {
        bool is_options = f.command == 'O', is_connect = f.command == 'C';
        buf_take(&c->heard, (size_t)n);
        if (is_options)
            say_options(c);
        for (int i = 0; is_connect && i < 10000; i++)
            sf_say(c, progress, sizeof progress - 1);
    }
}

Test(services_milter, endless_progress_ends)
{
    start();
    peer.hear = endless;
    expect_neutral(ask());
}

Test(services_milter, added_fields_have_a_bound)
{
    struct buf all;
    buf_init(&all, 1u << 20);
    for (int i = 0; i < 200; i++)
        buf_append(&all, "\0\0\0\11hX-A\0one\0", 13);
    buf_append(&all, "\0\0\0\1c", 5);
    struct rule r[] = {{'E', buf_view(&all).p, buf_len(&all)}, {0}};
    rules = r;
    start();
    const struct sf_seen *s = ask();
    cr_assert_eq(s->answered, 1);
    cr_assert_eq(strlen(s->header), 64 * strlen("X-A: one\r\n"));
    buf_fini(&all);
}
