/* Old logs through the engine: what is counted as stopped, prevented and troubled. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/ctl/replay.h"
#include "msa/ctl/replay_input.h"
#include "msa/ctl/replay_sweep.h"
#include "policy/rules.h"

TestSuite(replay, .timeout = 20);

#define T0 1780000000000

static struct config *config;
static struct replay replay;
static char files[4][32];

static void begin(void)
{
    struct config_errors errs;
    config_errors_init(&errs);
    config_parse_text(
        VIEW_LIT("hostname mx.example.jp;\n"
                 "listener lo { address 127.0.0.1:10587; auth_without_tls yes; }\n"
                 "pool main { smarthost 127.0.0.1:10025; }\n"
                 "rule volume { count messages; within 1h; limit 3; then suspend; }\n"
                 "rule wide { count recipients; within 1h; limit 50; then defer; }\n"
                 "rule looks { count messages; within 1h; limit 1; then suspend; "
                 "mode shadow; }"),
        "f", &config, &errs);
    config_errors_fini(&errs);
    cr_assert(eq(int, replay_init(&replay, config), MSA_OK));
    replay.keeps_steps = true;
}

static void end(void)
{
    replay_fini(&replay);
    config_free(&config);
    for (size_t i = 0; i < 4; i++)
        if (files[i][0])
            unlink(files[i]);
}

static const char *file_of(size_t i, const char *text)
{
    snprintf(files[i], sizeof files[i], "/tmp/test-replay-XXXXXX");
    int fd = mkstemp(files[i]);
    cr_assert(eq(int, (int)write(fd, text, strlen(text)), (int)strlen(text)));
    close(fd);
    return files[i];
}

static void submit(const char *account, int64_t after_ms, uint32_t recipients)
{
    struct trace_event t;
    trace_event_init(&t);
    t.kind = TRACE_SUBMIT;
    t.at_ms = T0 + after_ms;
    snprintf(t.account, sizeof t.account, "%s", account);
    cr_assert(ipaddr_parse(VIEW_LIT("192.0.2.1"), &t.ip));
    t.recipients = recipients;
    cr_assert(eq(int, replay_event(&replay, &t), MSA_OK));
}

static void read_lists(void)
{
    struct log_file *f =
        log_file_open(file_of(0, "#account\tcreated\nbad\t1\ngood\t1\nodd\tx\n"));
    cr_assert(eq(int, replay_read_accounts(&replay, f), MSA_OK));
    log_file_close(&f);
    f = log_file_open(
        file_of(1, "bad\tabused\ttheft\t1780000001.5\ngood\tlegit\t-\t-\nnonsense\n"));
    cr_assert(eq(int, replay_read_labels(&replay, f), MSA_OK));
    log_file_close(&f);
}

/* One before the abuse begins, two that pass, the rest is prevented. */
static void feed(void)
{
    submit("bad", 0, 1);
    submit("bad", 2000, 7);
    submit("bad", 3000, 7);
    submit("bad", 4000, 7);
    submit("bad", 5000, 7);
    submit("good", 6000, 60);
    submit("good", 7000, 2);
    submit("stranger", 8000, 60);
}

Test(replay, tells_abused_from_lawful_and_prevented_from_let_through, .init = begin,
     .fini = end)
{
    struct replay_summary s;
    read_lists();
    feed();
    cr_assert(eq(int, replay_summarize(&replay, &s), MSA_OK));
    cr_assert(eq(u32, s.abused_count, 1));
    cr_assert(eq(u32, s.abused_stopped_count, 1));
    cr_assert(eq(u32, s.median_recipients_through, 14),
              "what was sent before the theft is the owner's");
    cr_assert(eq(u32, s.lawful_count, 1), "a stranger is nobody's account");
    cr_assert(eq(u32, s.lawful_suspended_count, 0));
    cr_assert(eq(u32, s.lawful_refused_count, 1));
    cr_assert(eq(u64, replay.bad_line_count, 2));
    for (unsigned i = 0; i < replay.rules->rule_count; i++)
        if (view_eq(replay.rules->rules[i].name, VIEW_LIT("looks")))
            cr_assert(eq(u32, replay.tallies[i].abused_accounts, 1),
                      "shadow rules are told too");
}

Test(replay, tells_of_each_rule_when_it_acted_and_what_had_got_through, .init = begin,
     .fini = end)
{
    struct replay_rule_summary s;
    read_lists();
    feed();
    for (unsigned i = 0; i < replay.rules->rule_count; i++) {
        cr_assert(eq(int, replay_rule_summarize(&replay, i, &s), MSA_OK));
        bool is_volume = view_eq(s.rule->name, VIEW_LIT("volume"));
        cr_assert(eq(u32, s.abused_stopped_count, is_volume));
        cr_assert(eq(u32, s.lawful_stopped_count, 0));
        if (is_volume) {
            cr_assert(eq(u32, s.median_messages, 2));
            cr_assert(eq(u32, s.median_recipients, 14));
            cr_assert(eq(u32, s.median_seconds, 3), "from the abuse on, whole seconds");
        }
    }
}

Test(replay, who_is_stopped_before_the_abuse_is_a_false_alarm, .init = begin, .fini = end)
{
    struct replay_summary s;
    read_lists();
    for (int i = 0; i < 4; i++)
        submit("bad", i, 1);
    submit("bad", 2000, 1);
    cr_assert(eq(int, replay_summarize(&replay, &s), MSA_OK));
    cr_assert(eq(u32, s.abused_stopped_count, 0));
    cr_assert(eq(u32, s.lawful_suspended_count, 1));
    cr_assert(eq(u32, s.median_recipients_through, 0));
}

Test(replay, says_the_same_again_after_a_restart, .init = begin, .fini = end)
{
    struct replay_summary first, again;
    read_lists();
    feed();
    replay_summarize(&replay, &first);
    cr_assert(eq(int, replay_restart(&replay), MSA_OK));
    cr_assert(eq(int, replay_steps(&replay), MSA_OK));
    replay_summarize(&replay, &again);
    cr_assert(eq(int, memcmp(&first, &again, sizeof first), 0));
}

static void ignore(unsigned done, unsigned total, void *arg)
{
    (void)done, (void)total, (void)arg;
}

Test(replay, a_sweep_tries_each_limit, .init = begin, .fini = end)
{
    static struct sweep_result result;
    struct sweep s;
    char *svg = NULL;
    size_t n = 0;
    read_lists();
    feed();
    cr_assert(eq(int, sweep_parse(VIEW_LIT("volume.limit=1..5/2"), &s), MSA_OK));
    cr_assert(eq(int, sweep_run(&replay, &s, ignore, NULL, &result), MSA_OK));
    cr_assert(eq(uint, result.row_count, 3));
    static const uint32_t through[] = {0, 14, 28};
    for (unsigned i = 0; i < 3; i++) {
        cr_assert(eq(u32, result.rows[i].limit, 1 + 2 * i));
        cr_assert(eq(u32, result.rows[i].summary.median_recipients_through, through[i]));
        cr_assert(eq(u32, result.rows[i].rule.abused_accounts, i < 2));
    }
    FILE *f = open_memstream(&svg, &n);
    sweep_plot(&result, f);
    fclose(f);
    cr_assert(n > 500);
    cr_assert(eq(int, strncmp(svg, "<svg ", 5), 0));
    cr_assert(eq(str, svg + n - 7, "</svg>\n"));
    cr_assert(strstr(svg, "nan") == NULL && strstr(svg, "inf") == NULL);
    free(svg);
    snprintf(s.rule, sizeof s.rule, "none");
    cr_assert(eq(int, sweep_run(&replay, &s, ignore, NULL, &result), MSA_ENOENT));
}

Test(replay, a_sweep_of_nothing_can_be_drawn)
{
    static struct sweep_result result = {.sweep = {"r", 5, 5, 1}, .row_count = 1};
    char *svg = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&svg, &n);
    sweep_plot(&result, f);
    fclose(f);
    cr_assert(strstr(svg, "nan") == NULL && strstr(svg, "inf") == NULL);
    free(svg);
}

Test(replay, what_a_sweep_may_be)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {{"r.limit=2..12", MSA_OK},
                 {"r.limit=2..2", MSA_OK},
                 {"r.limit=0..1000/10", MSA_OK},
                 {"r.limit=0..1000", MSA_ETOOBIG},
                 {"r.limit=3..2", MSA_EINVAL},
                 {"r.limit=2", MSA_EINVAL},
                 {"r.limit=2..", MSA_EINVAL},
                 {"r.limit=..2", MSA_EINVAL},
                 {"r.limit=2...3", MSA_EINVAL},
                 {"r.limit=2..3/0", MSA_EINVAL},
                 {"r.spare=2..3", MSA_EINVAL},
                 {"r=2..3", MSA_EINVAL},
                 {"", MSA_EINVAL},
                 {"r.limit=-1..3", MSA_EINVAL}};
    struct sweep s;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_assert(eq(int, sweep_parse(view_cstr(cases[i].text), &s), cases[i].result),
                  "%s", cases[i].text);
}

Test(replay, one_rule_alone, .init = begin, .fini = end)
{
    struct replay_summary s;
    cr_assert(rules_keep_only(replay.rules, VIEW_LIT("wide")));
    read_lists();
    feed();
    replay_summarize(&replay, &s);
    cr_assert(eq(u32, s.abused_stopped_count, 0));
    cr_assert(eq(u32, s.lawful_refused_count, 1));
    cr_assert(not(rules_keep_only(replay.rules, VIEW_LIT("volume"))), "it is gone");
}

Test(replay, several_logs_are_one_in_order_of_time, .fini = end)
{
    struct log_clock clock;
    const struct trace_event *t;
    log_clock_init(&clock, 2026);
    clock.has_zone = true;
    struct replay_input *in = replay_input_new(&clock);
    const char *json = file_of(
        0, "{\"t\":1795399981,\"ev\":\"auth-ok\",\"acct\":\"b\",\"ip\":\"::1\"}\n"
           "rubbish\n"
           "{\"t\":1795399984,\"ev\":\"auth-ok\",\"acct\":\"d\",\"ip\":\"::1\"}\n");
    const char *syslog = file_of(
        1, "Nov 23 02:13:00 mx dovecot: imap-login: Login: user=<a>, method=PLAIN, "
           "rip=::1, lip=::1\n"
           "Nov 23 02:13:02 mx dovecot: imap-login: Login: user=<c>, method=PLAIN, "
           "rip=::1, lip=::1\n");
    cr_assert(eq(int, replay_input_add(in, json), MSA_OK));
    cr_assert(eq(int, replay_input_add(in, syslog), MSA_OK));
    cr_assert(eq(int, replay_input_add(in, "/nonexistent"), MSA_EIO));
    for (const char *name = "abcd"; *name; name++) {
        cr_assert(eq(int, replay_input_next(in, &t), 1));
        cr_assert(eq(chr, t->account[0], *name));
    }
    cr_assert(eq(int, replay_input_next(in, &t), 0));
    cr_assert(eq(u64, replay_input_bad_lines(in), 1));
    replay_input_free(&in);
}
