/* The rules of the score: each condition holds where it should, and nowhere else. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/score/rules.h"
#include "tests/unit/shared_data.h"

TestSuite(score_rules, .timeout = 30);
TestSuite(score_findings, .timeout = 20);

#define TEXT_MAX (1 << 20)

static struct score_rules *rules_of(const char *text)
{
    struct config *config = NULL;
    struct config_errors errs;
    config_errors_init(&errs);
    int err = config_parse_snapshot(view_cstr(text), CONFIG_ROLE_SCORE, &config, &errs);
    for (uint32_t i = 0; i < errs.count; i++)
        cr_log_error("%s", errs.items[i].text);
    cr_assert_eq(err, MSA_OK, "%s", text);
    struct score_rules *r = score_rules_new(config);
    cr_assert(r != NULL);
    config_free(&config); /* nothing of it is kept */
    config_errors_fini(&errs);
    return r;
}

/* Names of what was found, as "A B". */
static const char *found(const char *config, const char *message)
{
    static char names[2048];
    struct score_rules *r = rules_of(config);
    struct document_reader *reader = document_reader_new();
    const struct document *d;
    struct findings f;
    size_t n = 0;
    cr_assert_eq(document_read(reader, view_cstr(message), &d), MSA_OK);
    const struct score_subject subject = {.document = d, .reader = reader, .recipient_count = 3};
    findings_init(&f);
    cr_assert_eq(score_rules_judge(r, &subject, &f), MSA_OK);
    names[0] = '\0';
    for (unsigned i = 0; i < f.count; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%.*s", n ? " " : "",
                              (int)f.items[i].name.n, f.items[i].name.p);
    findings_fini(&f);
    document_reader_free(reader);
    score_rules_unref(&r);
    return names;
}

/* Rule X with these conditions, and this message. */
static bool holds(const char *conditions, const char *message)
{
    char config[4096];
    snprintf(config, sizeof config, "score_rule X { %s add 1.0; describe \"x\"; }", conditions);
    return strcmp(found(config, message), "X") == 0;
}

#define PLAIN  "From: Taro <taro@example.jp>\r\nTo: a@example.com\r\nSubject: Hello there\r\n\r\nGood morning.\r\n"
#define HTML(body) "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n" body "\r\n"

static const struct rule_vector {
    const char *conditions;
    const char *message;
    bool holds;
} vectors[] = {
    /* header */
    {"missing Date;", PLAIN, true},
    {"missing Subject;", PLAIN, false},
    {"missing Date X-Mailer;", PLAIN, true},
    {"missing Date to;", PLAIN, false},
    {"present subject to;", PLAIN, true},
    {"present Subject Date;", PLAIN, false},
    {"repeated Subject;", PLAIN, false},
    {"repeated Date Subject;", "Subject: a\r\nSubject: b\r\n\r\n", true},
    {"field Subject; matches \"hello*\";", PLAIN, true},
    {"field Subject; matches \"hello\";", PLAIN, false},
    {"field Subject From; matches \"*@EXAMPLE.jp>\";", PLAIN, true},
    {"field To; matches \"*taro*\";", PLAIN, false},
    {"field Subject; matches \"無料*\";", "Subject: =?UTF-8?B?54Sh5paZ44Gn44GZ?=\r\n\r\n", true},
    {"field Subject; phrases \"hello\";", PLAIN, true},
    {"field Subject; phrases \"morning\";", PLAIN, false},
    /* text */
    {"phrases \"good morning\";", PLAIN, true},
    {"phrases \"hello there\";", PLAIN, true},
    {"phrases \"morn\";", PLAIN, false},
    {"phrases \"hello\" \"morning\" \"evening\"; at_least 2;", PLAIN, true},
    {"phrases \"hello\" \"morning\" \"evening\"; at_least 3;", PLAIN, false},
    {"phrases \"無料\";", "Content-Type: text/plain; charset=utf-8\r\n\r\n完全 無 料 です\r\n", true},
    {"phrases \"無料\";", "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$BL5NA\x1b(B\r\n", true},
    /* structure */
    {"fact html-only;", HTML("<p>Hello</p>"), true},
    {"fact html-only;", PLAIN, false},
    {"fact hidden-text;", HTML("<p>Hi<span style='display:none'>secret words</span></p>"), true},
    {"fact hidden-text html-only;", HTML("<p>Hello</p>"), false},
    {"fact form;", HTML("<form action='http://a.example/'><input></form>"), true},
    {"fact shouting;", "Subject: BUY THIS NOW!\r\n\r\n", true},
    {"fact shouting;", "Subject: Buy this now\r\n\r\n", false},
    {"fact shouting;", "Subject: FYI\r\n\r\n", false},
    {"fact reply-elsewhere;", "From: a@example.jp\r\nReply-To: b@example.com\r\n\r\n", true},
    {"fact reply-elsewhere;", "From: a@mail.example.jp\r\nReply-To: B <b@example.jp>\r\n\r\n", false},
    {"fact reply-elsewhere;", "From: a@example.jp\r\n\r\n", false},
    {"fact name-is-address;", "From: \"bank@bank.example\" <a@example.jp>\r\n\r\n", true},
    {"fact name-is-address;", "From: \"a@example.jp\" <a@example.jp>\r\n\r\n", false},
    {"fact name-is-address;", "From: a@example.jp\r\n\r\n", false},
    {"fact no-text;", "Subject: x\r\n\r\n", true},
    {"fact no-text;", PLAIN, false},
    {"charset \"utf-8\";", "Content-Type: text/plain; charset=UTF-8\r\n\r\nx\r\n", true},
    {"charset \"koi8*\";", "Content-Type: text/plain; charset=UTF-8\r\n\r\nx\r\n", false},
    {"media_type \"text/html\";", HTML("<p>x"), true},
    /* links */
    {"link ip-address;", HTML("<a href='http://192.0.2.1/x'>x</a>"), true},
    {"link ip-address;", HTML("<a href='http://a.example/x'>x</a>"), false},
    {"link host-differs;", HTML("<a href='http://evil.example/'>www.bank.example</a>"), true},
    {"link_host \"*.bank.example\";", HTML("<a href='http://www.bank.example/'>x</a>"), true},
    {"link host-differs; link_host \"*bank*\";",
     HTML("<a href='http://evil.example/'>www.bank.example</a> <a href='http://bank.example/'>here</a>"), false},
    {"min_links 2;", "\r\nhttp://a.example/ and http://b.example/\r\n", true},
    {"min_links 2;", "\r\nhttp://a.example/1 and http://a.example/2\r\n", false},
    {"max_links 2;", PLAIN, false},
    {"max_links 2;", "\r\nhttp://a.example/\r\n", true},
    /* numbers */
    {"min_recipients 3;", PLAIN, true},
    {"min_recipients 4;", PLAIN, false},
    {"min_text 5;", PLAIN, true},
    {"max_text 5;", PLAIN, false},
    {"min_size 1K;", PLAIN, false},
    {"max_size 1K;", PLAIN, true},
};

Test(score_rules, each_condition_holds_where_it_should)
{
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        cr_expect_eq(holds(vectors[i].conditions, vectors[i].message), vectors[i].holds, "%s: %s",
                     vectors[i].conditions, vectors[i].message);
}

#define ATTACHED(name, first)                                                                      \
    "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nsee there\r\n"  \
    "--b\r\nContent-Type: application/octet-stream; name=\"" name "\"\r\n"                         \
    "Content-Disposition: attachment; filename=\"" name "\"\r\n\r\n" first "\r\n--b--\r\n"

Test(score_rules, attachments_are_known_by_name_and_by_their_first_bytes)
{
    cr_expect(holds("fact two-extensions;", ATTACHED("invoice.pdf.exe", "x")));
    cr_expect_not(holds("fact two-extensions;", ATTACHED("release.v1.exe", "x")));
    cr_expect_not(holds("fact two-extensions;", ATTACHED(".pdf.exe", "x")));
    cr_expect(holds("fact executable;", ATTACHED("photo.jpg", "MZ\x90")));
    cr_expect_not(holds("fact executable;", ATTACHED("photo.jpg", "\xff\xd8\xff")));
    cr_expect(holds("attachment \"*.exe\" \"*.js\";", ATTACHED("A.JS", "x")));
    cr_expect_not(holds("attachment \"*.exe\";", ATTACHED("a.txt", "x")));
}

Test(score_rules, rules_are_built_of_others)
{
    static const char config[] =
        "score_rule A { phrases \"alpha\"; add 1.0; describe \"a\"; }"
        "score_rule B { phrases \"beta\"; }" /* no finding of its own */
        "score_rule BOTH { all_of A B; add 2.0; describe \"both\"; }"
        "score_rule ONE { any_of A B; none_of BOTH; add 0.5; describe \"one\"; }"
        "score_rule NEITHER { none_of A B; add -1.0; describe \"neither\"; }";
    cr_expect_str_eq(found(config, "\r\nalpha beta\r\n"), "A BOTH");
    cr_expect_str_eq(found(config, "\r\nalpha\r\n"), "A ONE");
    cr_expect_str_eq(found(config, "\r\nbeta\r\n"), "ONE");
    cr_expect_str_eq(found(config, "\r\ngamma\r\n"), "NEITHER");
}

Test(score_rules, without_rules_nothing_is_found)
{
    cr_expect_str_eq(found("", PLAIN), "");
    cr_expect_str_eq(found("score_rule A { present Nothing; add 1.0; describe \"a\"; }", ""), "");
}

/* ---- mistakes in the configuration ---- */

static const struct mistake {
    const char *text;
    const char *said;
} mistakes[] = {
    {"score_rule A { add 1.0; describe \"a\"; }", "asks for nothing"},
    {"score_rule A { phrases \"x\"; add 1.0; }", "needs 'describe'"},
    {"score_rule A { matches \"x\"; }", "needs 'field'"},
    {"score_rule A { field Subject; }", "needs 'matches' or 'phrases'"},
    {"score_rule A { phrases \"x\"; at_least 2; }", "can never hold"},
    {"score_rule A { fact html_only; }", "did you mean 'html-only'"},
    {"score_rule A { link ip-adress; }", "did you mean 'ip-address'"},
    {"score_rule A { phrase \"x\"; }", "did you mean 'phrases'"},
    {"score_rule ALPHA { phrases \"x\"; } score_rule B { all_of ALHPA; }", "did you mean 'ALPHA'"},
    {"score_rule A { any_of B; } score_rule B { phrases \"x\"; }", "no such rule before it"},
    {"score_rule A { all_of A; }", "no such rule before it"},
    {"score_rule A { phrases \"x\"; } score_rule A { phrases \"y\"; }", "already defined"},
    {"score_rule A { min_size 2M; max_size 1M; }", "'min_size' may not be more than 'max_size'"},
};

#define BASE                                                                                       \
    "hostname a.example.jp; listener s { address 127.0.0.1:5870; auth_without_tls yes; }\n"        \
    "pool main { smarthost 127.0.0.1:2525; tls off; }\n"

Test(score_rules, mistakes_are_explained)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
        char text[2048];
        struct config *config = NULL;
        struct config_errors errs;
        bool is_said = false;
        config_errors_init(&errs);
        snprintf(text, sizeof text, BASE "%s", mistakes[i].text);
        cr_expect_eq(config_parse_text(view_cstr(text), "test", &config, &errs), MSA_EINVAL, "%s",
                     mistakes[i].text);
        for (uint32_t k = 0; k < errs.count; k++)
            is_said |= strstr(errs.items[k].text, mistakes[i].said) != NULL;
        cr_expect(is_said, "%s: %s", mistakes[i].text, errs.count ? errs.items[0].text : "nothing");
        config_errors_fini(&errs);
        config_free(&config);
    }
}

/* ---- the set that is shipped ---- */

static char *read_shipped(void)
{
    char *text = calloc(1, TEXT_MAX);
    FILE *f = fopen("conf/score.conf", "r");
    cr_assert(f != NULL, "run from the top of the repository");
    cr_assert_lt(fread(text, 1, TEXT_MAX, f), TEXT_MAX);
    fclose(f);
    return text;
}

Test(score_rules, the_shipped_set_is_sound_and_sees_what_it_is_for)
{
    char *config = read_shipped();
    cr_expect(strstr(found(config, ATTACHED("invoice.pdf.exe", "MZ\x90")), "TWO_EXTENSIONS") != NULL);
    cr_expect(strstr(found(config, "\r\nDear customer, please verify your account: unusual activity. "
                                   "http://192.0.2.1/login\r\n"),
                     "PHISH_WITH_LINK") != NULL);
    cr_expect(strstr(found(config, "Content-Type: text/plain; charset=utf-8\r\n\r\n"
                                   "不正アクセスが確認されました。24時間以内に本人確認をお願いします。https://a.example/\r\n"),
                     "PHISH_JA") != NULL);
    cr_expect_str_eq(found(config, PLAIN), "");
    free(config);
}

/* A threshold of policy is 3 points and more. What lists and servers have added to this mail makes no difference here. */
#define HONEST_MAX_MILLI 3000

Test(score_rules, no_honest_message_gets_many_points_by_the_shipped_set, .timeout = 120)
{
    char *config = read_shipped();
    struct score_rules *r = rules_of(config);
    struct document_reader *reader = document_reader_new();
    unsigned count = 0;
    int64_t most = 0;
    fclose(shared_data_open("mail/index.tsv")); /* or skips */
    for (int i = 1; i <= 1000; i++) {
        char name[64], path[4096];
        size_t n;
        const struct document *d;
        struct findings f;
        snprintf(name, sizeof name, "mail/ham/h%04d.eml", i);
        char *text = shared_data_path(name, path, sizeof path) ? shared_data_slurp(path, &n) : NULL;
        cr_assert(text != NULL, "%s", name);
        cr_assert_eq(document_read(reader, view_of(text, n), &d), MSA_OK);
        const struct score_subject subject = {.document = d, .reader = reader, .recipient_count = 1};
        findings_init(&f);
        cr_assert_eq(score_rules_judge(r, &subject, &f), MSA_OK);
        cr_expect_lt(f.total_milli, HONEST_MAX_MILLI, "%s", name);
        most = f.total_milli > most ? f.total_milli : most;
        count++;
        findings_fini(&f);
        free(text);
    }
    cr_expect_eq(count, 1000);
    cr_log_info("%u honest messages, at most %ld thousandths of a point", count, (long)most);
    document_reader_free(reader);
    score_rules_unref(&r);
    free(config);
}

/* The supervisor reads the file and hands the rules on as text. */
Test(score_rules, the_shipped_set_survives_the_way_to_the_process)
{
    char *shipped = read_shipped();
    struct config *config = NULL, *snapshot = NULL;
    struct config_errors errs;
    struct buf text;
    config_errors_init(&errs);
    buf_init(&text, CONFIG_TEXT_MAX_BYTES);
    buf_addf(&text, BASE "%s", shipped);
    int err = config_parse_text(buf_view(&text), "test", &config, &errs);
    cr_assert_eq(err, MSA_OK, "line %u: %s", errs.items[0].line, errs.items[0].text);
    buf_reset(&text);
    cr_assert_eq(config_serialize(config, CONFIG_ROLE_SCORE, &text), MSA_OK);
    err = config_parse_snapshot(buf_view(&text), CONFIG_ROLE_SCORE, &snapshot, &errs);
    cr_assert_eq(err, MSA_OK, "%s", errs.items[0].text);
    cr_assert_eq(snapshot->score_rule_count, config->score_rule_count);
    for (uint32_t i = 0; i < config->score_rule_count; i++) {
        const struct config_score_rule *a = &config->score_rules[i], *b = &snapshot->score_rules[i];
        cr_expect_str_eq(a->name, b->name);
        cr_expect_eq(a->fact, b->fact);
        cr_expect_eq(a->phrases.count, b->phrases.count);
        cr_expect_eq(a->add_milli, b->add_milli);
        for (uint32_t k = 0; k < a->phrases.count; k++)
            cr_expect_str_eq(a->phrases.items[k], b->phrases.items[k]);
    }
    buf_fini(&text);
    config_free(&config);
    config_free(&snapshot);
    config_errors_fini(&errs);
    free(shipped);
}

/* ---- findings ---- */

static void expect_written(const struct findings *f, size_t room, const char *want)
{
    struct buf out;
    buf_init(&out, room);
    findings_write(f, &out);
    cr_expect(view_eq(buf_view(&out), view_cstr(want)), "%.*s", (int)buf_len(&out), buf_view(&out).p);
    cr_expect_not(buf_failed(&out));
    buf_fini(&out);
}

Test(score_findings, are_written_by_weight_and_as_whole_lines)
{
    struct findings f;
    findings_init(&f);
    findings_add(&f, VIEW_LIT("A"), 250, VIEW_LIT("a"));
    findings_add(&f, VIEW_LIT("B B\n"), -1500, VIEW_LIT("b"));
    findings_add(&f, VIEW_LIT("C"), 3000, VIEW_LIT("c"));
    findings_add(&f, VIEW_LIT("late:scan"), 0, VIEW_LIT(""));
    findings_add(&f, VIEW_LIT("D"), 1001, VIEW_LIT("d"));
    findings_sort(&f);
    cr_expect_eq(f.total_milli, 2751);
    expect_written(&f, 4096, "C 3\nB_B_ -1.5\nD 1.001\nA 0.25\nlate:scan 0");
    expect_written(&f, 15, "C 3\nB_B_ -1.5");
    expect_written(&f, 3, "C 3");
    expect_written(&f, 2, "");
    findings_fini(&f);
}

Test(score_findings, beyond_the_maximum_count_and_are_not_kept)
{
    struct findings f, all;
    char name[16], text[1000];
    memset(text, 'x', sizeof text);
    findings_init(&f);
    findings_init(&all);
    for (int i = 0; i < FINDINGS_MAX + 10; i++) {
        snprintf(name, sizeof name, "R%d", i);
        findings_add(&f, view_cstr(name), 1000, view_of(text, sizeof text));
    }
    cr_expect_eq(f.count, FINDINGS_MAX);
    cr_expect_eq(f.dropped_count, 10);
    cr_expect_eq(f.items[0].text.n, FINDING_TEXT_MAX);
    findings_join(&all, &f);
    cr_expect_eq(all.total_milli, (FINDINGS_MAX + 10) * 1000);
    cr_expect_eq(all.dropped_count, 10);
    findings_add(&all, VIEW_LIT("HUGE"), INT32_MAX, VIEW_EMPTY);
    cr_expect_eq(all.total_milli, (FINDINGS_MAX + 10) * 1000 + FINDING_POINTS_MAX);
    findings_fini(&all);
    findings_fini(&f);
}
