#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/clock.h"
#include "msa/base/err.h"
#include "msa/ctl/log_file.h"
#include "msa/ctl/log_reader.h"
#include "tests/unit/shared_data.h"

TestSuite(log_reader, .timeout = 20);

static struct log_reader reader;

static void begin(void)
{
    clock_set_for_test(1, 1795000000000); /* November 2026 */
    cr_assert(eq(int, log_reader_init(&reader, 2026), MSA_OK));
    reader.clock.has_zone = true;
}

static void end(void)
{
    log_reader_fini(&reader);
}

static int parse(const char *line, struct trace_event *out)
{
    return log_reader_line(&reader, view_cstr(line), out);
}

struct want {
    const char *line;
    int result;
    enum trace_kind kind;
    const char *account, *ip;
    uint32_t recipients;
};

/* The rest of a case in which the line is understood and says nothing. */
#define NOTHING MSA_ENOENT, TRACE_LOGIN, "", "", 0

static void check(const struct want *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct trace_event t;
        char ip[IPADDR_TEXT_MAX];
        const struct want *w = &cases[i];
        cr_assert(eq(int, parse(w->line, &t), w->result), "%s", w->line);
        if (w->result != MSA_OK)
            continue;
        ipaddr_format(&t.ip, ip);
        cr_assert(eq(int, (int)t.kind, (int)w->kind), "%s", w->line);
        cr_assert(eq(str, t.account, (char *)w->account), "%s", w->line);
        cr_assert(eq(str, ip, (char *)w->ip), "%s", w->line);
        cr_assert(eq(u32, t.recipients, w->recipients), "%s", w->line);
    }
}

#define CHECK(cases) check(cases, sizeof cases / sizeof cases[0])

Test(log_reader, postfix_joins_client_and_recipients_by_queue_id, .init = begin,
     .fini = end)
{
    static const struct want cases[] = {
        {"Nov 23 11:13:00 mx postfix/submission/smtpd[77]: connect from h[192.0.2.1]",
         NOTHING},
        {"Nov 23 11:13:00 mx postfix/submission/smtpd[77]: 4F9D2: "
         "client=h[192.0.2.1]:4711, "
         "sasl_method=PLAIN, sasl_username=Taro@Example.jp",
         NOTHING},
        {"Nov 23 11:13:01 mx postfix/qmgr[5]: 4F9D2: from=<taro@example.jp>, size=1234, "
         "nrcpt=7 "
         "(queue active)",
         MSA_OK, TRACE_SUBMIT, "taro@example.jp", "192.0.2.1", 7},
        {"Nov 23 11:23:01 mx postfix/qmgr[5]: 4F9D2: from=<taro@example.jp>, size=1234, "
         "nrcpt=7 "
         "(queue active)",
         NOTHING}, /* again: a retry */
        {"Nov 23 11:13:01 mx postfix/qmgr[5]: 5A: from=<x@example.org>, size=1, nrcpt=1 "
         "(queue "
         "active)",
         NOTHING}, /* came in by port 25 */
        {"Nov 23 11:13:02 mx postfix/smtpd[77]: warning: unknown[2001:db8::9]: SASL "
         "LOGIN "
         "authentication failed: UGFzc3dvcmQ6, sasl_username=admin",
         MSA_OK, TRACE_LOGIN_FAILED, "admin", "2001:db8::9", 1},
        {"Nov 23 11:13:02 mx postfix/smtpd[77]: warning: unknown[192.0.2.9]: SASL LOGIN "
         "authentication failed: UGFzc3dvcmQ6",
         MSA_OK, TRACE_LOGIN_FAILED, "", "192.0.2.9", 1},
        {"Nov 23 11:13:02 mx postfix/smtp[7]: 4F9D2: to=<a@b>, relay=none", NOTHING},
    };
    CHECK(cases);
}

Test(log_reader, dovecot_tells_mailbox_from_sending, .init = begin, .fini = end)
{
    static const struct want cases[] = {
        {"2026-11-23T11:13:00.5+09:00 mx dovecot: imap-login: Login: "
         "user=<taro@example.jp>, "
         "method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, mpid=1, TLS, session=<x>",
         MSA_OK, TRACE_MAILBOX, "taro@example.jp", "192.0.2.1", 1},
        {"Nov 23 11:13:00 mx dovecot: pop3-login: Info: Login: user=<hanako>, "
         "method=PLAIN, "
         "rip=2001:db8::1, lip=::1",
         MSA_OK, TRACE_MAILBOX, "hanako", "2001:db8::1", 1},
        {"Nov 23 11:13:00 mx dovecot: submission-login: Login: user=<hanako>, "
         "method=PLAIN, "
         "rip=192.0.2.7, lip=::1",
         MSA_OK, TRACE_LOGIN, "hanako", "192.0.2.7", 1},
        {"Nov 23 11:13:00 mx dovecot: managesieve-login: Login: user=<hanako>, "
         "method=PLAIN, "
         "rip=192.0.2.7, lip=::1",
         NOTHING},
        {"Nov 23 11:13:00 mx dovecot: imap-login: Disconnected (auth failed, 3 attempts "
         "in 16 "
         "secs): user=<a, rip=127.0.0.1>, method=PLAIN, rip=192.0.2.9, lip=::1",
         MSA_OK, TRACE_LOGIN_FAILED, "a, rip=127.0.0.1", "192.0.2.9", 1},
        {"Nov 23 11:13:00 mx dovecot: imap-login: Disconnected (no auth attempts in 1 "
         "secs): "
         "user=<>, rip=192.0.2.9, lip=::1",
         NOTHING},
    };
    struct trace_event t;
    CHECK(cases);
    cr_assert(eq(int, parse(cases[4].line, &t), MSA_OK));
    cr_assert(eq(u32, t.attempts, 3));
}

Test(log_reader, exim_has_it_all_in_one_line, .init = begin, .fini = end)
{
    static const struct want cases[] = {
        {"2026-11-23 11:13:00 1abCdE-000000-AA <= taro@example.jp H=host.example (me) "
         "[192.0.2.1]:4711 I=[192.0.2.99]:587 P=esmtpsa X=TLS1.3 A=plain_login:Taro:x "
         "S=1234 "
         "id=m@x for a@b.example c@d.example",
         MSA_OK, TRACE_SUBMIT, "taro", "192.0.2.1", 2},
        {"2026-11-23 11:13:00 1abCdE-000000-AA <= taro@example.jp H=([10.0.0.1]) "
         "[192.0.2.1] "
         "P=esmtpsa A=plain:taro S=1234",
         MSA_OK, TRACE_SUBMIT, "taro", "192.0.2.1", 1},
        {"2026-11-23 11:13:00 1abCdE-000000-AA <= x@example.org H=h [192.0.2.1] P=esmtps "
         "S=1",
         NOTHING},
        {"2026-11-23 11:13:00 plain authenticator failed for h ([192.168.2.33]) "
         "[192.0.2.9]: 535 "
         "Incorrect authentication data (set_id=brian)",
         MSA_OK, TRACE_LOGIN_FAILED, "brian", "192.0.2.9", 1},
        {"2026-11-23 11:13:00 auth_plain authenticator failed for (r) [192.0.2.9]:41 "
         "I=[10.0.0.1]:25: 535 Incorrect authentication data",
         MSA_OK, TRACE_LOGIN_FAILED, "", "192.0.2.9", 1},
    };
    CHECK(cases);
}

Test(log_reader, msads_own_log_joins_by_session_and_undoes_the_quoting, .init = begin,
     .fini = end)
{
    static const struct want cases[] = {
        {"2026-11-23T02:13:00.123Z smtp[1] info auth-ok sess=4kq user=taro@example.jp "
         "mechanism=PLAIN ip=192.0.2.1 country=JP helo=\"a b\"",
         MSA_OK, TRACE_LOGIN, "taro@example.jp", "192.0.2.1", 1},
        {"2026-11-23T02:13:01.123Z smtp[1] info mail-accepted sess=4kq msg=1 "
         "user=taro@example.jp "
         "sender=x recipients=3 size=77 pool=main result=queued",
         MSA_OK, TRACE_SUBMIT, "taro@example.jp", "192.0.2.1", 3},
        {"2026-11-23T02:13:01.123Z smtp[1] info mail-refused sess=4kq msg=1 "
         "user=taro@example.jp "
         "sender=x recipients=9 size=0 code=450",
         MSA_OK, TRACE_SUBMIT, "taro@example.jp", "192.0.2.1", 9},
        {"2026-11-23T02:13:01.123Z smtp[1] info mail-accepted sess=other msg=1 "
         "recipients=3",
         NOTHING},
        /* A name that looks like keys, and one with a quote and a byte of its own. */
        {"2026-11-23T02:13:02.123Z smtp[1] info auth-failed sess=5 user=\"x ip=127.0.0.1 "
         "why=policy\" mechanism=PLAIN why=credentials ip=192.0.2.9",
         MSA_OK, TRACE_LOGIN_FAILED, "x ip=127.0.0.1 why=policy", "192.0.2.9", 1},
        {"2026-11-23T02:13:02.123Z smtp[1] info auth-failed sess=5 user=\"x\\x22y\" "
         "why=credentials "
         "ip=192.0.2.9",
         MSA_OK, TRACE_LOGIN_FAILED, "x\"y", "192.0.2.9", 1},
        {"2026-11-23T02:13:02.123Z smtp[1] info auth-failed sess=5 user=\"x\\x0ay\" "
         "why=credentials "
         "ip=192.0.2.9",
         NOTHING},
        {"2026-11-23T02:13:02.123Z smtp[1] info auth-failed sess=5 user=taro why=policy "
         "ip=192.0.2.9",
         MSA_OK, TRACE_LOGIN, "taro", "192.0.2.9", 1},
        {"2026-11-23T02:13:02.123Z smtp[1] info connect sess=5 ip=192.0.2.9", NOTHING},
        {"rubbish", MSA_EINVAL, TRACE_LOGIN, "", "", 0},
        {"", MSA_EINVAL, TRACE_LOGIN, "", "", 0},
    };
    CHECK(cases);
}

Test(log_reader, msads_own_log_says_where_a_client_was_and_which_wrong_password, .init = begin,
     .fini = end)
{
    struct trace_event t;
    cr_assert(eq(int,
                 log_reader_line(&reader,
                                 VIEW_LIT("2026-11-23T02:13:00.123Z smtp[1] info auth-ok sess=4kq "
                                          "user=taro ip=192.0.2.1 country=DE"),
                                 &t),
                 MSA_OK));
    cr_assert(eq(str, t.country, "DE"));
    cr_assert(eq(int,
                 log_reader_line(&reader,
                                 VIEW_LIT("2026-11-23T02:13:01.123Z smtp[1] info mail-accepted "
                                          "sess=4kq msg=1 user=taro sender=x recipients=3"),
                                 &t),
                 MSA_OK));
    cr_assert(eq(str, t.country, "DE"), "a message came from where its session did");
    cr_assert(eq(int,
                 log_reader_line(&reader,
                                 VIEW_LIT("2026-11-23T02:13:02.123Z smtp[1] info auth-failed sess=5 "
                                          "user=taro why=credentials ip=192.0.2.9 country=\"\" "
                                          "wrong=4711"),
                                 &t),
                 MSA_OK));
    cr_assert(eq(str, t.country, ""));
    cr_assert(eq(u64, t.wrong_password, 4711));
}

Test(log_reader, times_of_all_kinds, .init = begin, .fini = end)
{
    static const struct {
        const char *text;
        int64_t at_ms; /* 0: no time */
    } cases[] = {
        {"2026-11-23T02:13:00.123Z x", 1795399980123},
        {"2026-11-23T11:13:00+09:00 x", 1795399980000},
        {"2026-11-23 02:13:00 x", 1795399980000},
        {"2026-11-23 02:13:00.5 x", 1795399980500},
        {"2026-11-23 11:13:00 +0900 x", 1795399980000},
        {"Nov 23 02:13:00 x", 1795399980000},
        {"Nov  3 02:13:00 x", 1793671980000},
        {"Nov 3 02:13:00 x", 1793671980000},
        {"Nov 23 2:13:00 x", 0},
        {"Nov 32 02:13:00 x", 0},
        {"Nox 23 02:13:00 x", 0},
        {"2026-13-23T02:13:00Z x", 0},
        {"2026-11-23T24:13:00Z x", 0},
        {"2026-11-23", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view line = view_cstr(cases[i].text);
        int64_t at_ms = 0;
        cr_assert(
            eq(int, log_time_take(&reader.clock, &line, &at_ms), cases[i].at_ms != 0),
            "%s", cases[i].text);
        cr_assert(eq(i64, at_ms, cases[i].at_ms), "%s", cases[i].text);
        if (cases[i].at_ms)
            cr_assert(view_eq(line, VIEW_LIT("x")), "%s", cases[i].text);
    }
}

static int64_t time_of(struct log_clock *c, const char *text)
{
    struct view line = view_cstr(text);
    int64_t at_ms = 0;
    cr_assert(log_time_take(c, &line, &at_ms));
    return at_ms;
}

Test(log_reader, a_log_without_years_runs_over_new_year, .init = begin, .fini = end)
{
    struct log_clock c;
    log_clock_init(&c, 0);
    c.has_zone = true;
    int64_t december = time_of(&c, "Dec 31 23:59:00 x"),
            january = time_of(&c, "Jan  1 00:01:00 x");
    cr_assert(eq(i64, january - december, 120000));
    cr_assert(lt(i64, january, 1795000000000), "not in the future: it began last year");
    cr_assert(eq(i64, time_of(&c, "Dec 31 23:59:30 x") - december, 30000),
              "a line that is late");
    cr_assert(eq(i64, time_of(&c, "Jan  1 00:02:00 x") - december, 180000));
}

Test(log_reader, zones)
{
    int32_t s;
    cr_assert(log_zone_parse(VIEW_LIT("+09:00"), &s) && s == 32400);
    cr_assert(log_zone_parse(VIEW_LIT("-0330"), &s) && s == -12600);
    cr_assert(log_zone_parse(VIEW_LIT("Z"), &s) && s == 0);
    cr_assert(not(log_zone_parse(VIEW_LIT("JST"), &s)));
    cr_assert(not(log_zone_parse(VIEW_LIT("+09:00x"), &s)));
    cr_assert(not(log_zone_parse(VIEW_LIT(""), &s)));
}

/* fail2ban's collection says itself which host failed: of what we take for a failed
 * sign-in, every address is the one it says. */
Test(log_reader, agrees_with_fail2ban_about_who_failed)
{
    static const char *const files[] = {"logs/fail2ban-postfix.log",
                                        "logs/fail2ban-dovecot.log",
                                        "logs/fail2ban-exim.log"};
    static const unsigned least[] = {11, 19, 11};
    for (size_t i = 0; i < 3; i++) {
        struct log_reader r;
        char line[8192], expected[128] = "";
        unsigned agreed = 0;
        FILE *f = shared_data_open(files[i]);
        log_reader_init(&r, 2026);
        while (fgets(line, sizeof line, f)) {
            struct trace_event t;
            struct view v = view_of(line, strcspn(line, "\n"));
            if (line[0] == '#') {
                view_to_cstr(log_value(v, "\"host\": \"", "\""), expected,
                             sizeof expected);
                if (log_find(v, "\"match\": false") < v.n)
                    expected[0] = '\0';
                continue;
            }
            struct ipaddr want;
            if (log_reader_line(&r, v, &t) != MSA_OK || t.kind != TRACE_LOGIN_FAILED)
                continue;
            cr_assert(ipaddr_parse(view_cstr(expected), &want), "%s: %s", files[i], line);
            cr_assert(ipaddr_eq(&t.ip, &want), "%s: %s", files[i], line);
            agreed++;
        }
        cr_assert(ge(uint, agreed, least[i]), "%s", files[i]);
        log_reader_fini(&r);
        fclose(f);
    }
}

Test(log_reader, what_is_joined_is_bounded)
{
    struct log_join *j = log_join_new(3);
    struct trace_event t;
    static const char *const keys[] = {"a", "b", "c", "a", "d"};
    for (size_t i = 0; i < 5; i++) {
        trace_event_init(&t);
        cr_assert(trace_account(view_cstr(keys[i]), t.account));
        log_join_put(j, view_cstr(keys[i]), &t);
    }
    cr_assert(not(log_join_get(j, VIEW_LIT("b"), &t)), "the oldest");
    cr_assert(log_join_get(j, VIEW_LIT("a"), &t));
    cr_assert(eq(str, t.account, "a"));
    log_join_forget(j, VIEW_LIT("a"));
    cr_assert(not(log_join_get(j, VIEW_LIT("a"), &t)));
    log_join_free(&j);
}

Test(log_reader, lines_come_whole_from_plain_and_packed_files)
{
    char name[] = "/tmp/test-lines-XXXXXX", command[128];
    struct view v;
    int fd = mkstemp(name);
    FILE *f = fdopen(fd, "w");
    fputs("first\r\n\n", f);
    for (int i = 0; i < 3 * LOG_FILE_LINE_MAX; i++)
        fputc('x', f);
    fputs("\nlast", f);
    fclose(f);
    for (int packed = 0; packed < 2; packed++) {
        struct log_file *l = log_file_open(name);
        cr_assert(eq(int, log_file_next(l, &v), 1));
        cr_assert(view_eq(v, VIEW_LIT("first")));
        cr_assert(eq(int, log_file_next(l, &v), 1));
        cr_assert(eq(sz, v.n, 0));
        cr_assert(eq(int, log_file_next(l, &v), 1));
        cr_assert(eq(sz, v.n, LOG_FILE_LINE_MAX), "the rest is passed over");
        cr_assert(eq(int, log_file_next(l, &v), 1));
        cr_assert(view_eq(v, VIEW_LIT("last")));
        cr_assert(eq(int, log_file_next(l, &v), 0));
        cr_assert(gt(u64, log_file_total_bytes(l), 0));
        log_file_close(&l);
        snprintf(command, sizeof command, "gzip %s && mv %s.gz %s", name, name, name);
        cr_assert(eq(int, system(command), 0));
    }
    remove(name);
    cr_assert(log_file_open("/nonexistent") == NULL);
}
