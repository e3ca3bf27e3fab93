#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "policy/align.h"
#include "policy/confusable.h"
#include "tests/unit/align_fixture.h"

TestSuite(align, .timeout = 20);

/* ---- settings
 * -------------------------------------------------------------------------------- */

/* What is said about a mistake in `block`. */
static void expect_mistake(const char *block, const char *want)
{
    struct config *cfg;
    struct config_errors errs;
    struct buf text;
    config_errors_init(&errs);
    buf_init(&text, 10000);
    buf_add_cstr(&text,
                 ALIGN_SETTINGS);
    buf_add_cstr(&text, block);
    cr_expect_eq(config_parse_text(buf_view(&text), "test", &cfg, &errs), MSA_EINVAL,
                 "%s", block);
    cr_assert_eq(errs.count, 1, "%s", block);
    cr_expect(strstr(errs.items[0].text, want), "%s: %s", block, errs.items[0].text);
    cr_expect_eq(errs.items[0].line, 4, "%s", block);
    buf_fini(&text);
    config_errors_fini(&errs);
}

Test(align, says_what_is_wrong_with_a_block)
{
    expect_mistake("align a { when { listener webmial; } }", "did you mean 'webmail'?");
    expect_mistake("align a { when { countries Japan; } }", "'Japan' is not a country");
    expect_mistake("align a { senders .jp; }", "'.jp' is not a sender");
    expect_mistake("align a { senders example.jp; }", "'example.jp' is not a sender");
    expect_mistake("align a { mismatch refues; }", "did you mean 'refuse'?");
    expect_mistake("align a { check header; mismatch rewrite; }", "about the envelope");
    expect_mistake("align a { when { younger_than 1d; older_than 2d; } }", "no account");
    expect_mistake("align a { } align b { when { from overseas; } }",
                   "'b' is never reached: 'a'");
}

/* ---- the envelope
 * ---------------------------------------------------------------------------- */

Test(align, lets_an_account_use_its_own_envelope_senders)
{
    static const struct {
        const char *sender;
        bool is_refused;
    } cases[] = {
        {"taro@example.jp", false},
        {"TARO@Example.JP", false},
        {"\"taro\"@example.jp", false},
        {"taro+news@example.jp", false},
        {"info@example.jp", false},
        {"info+x@example.jp", false},
        {"any@taro.example", false},
        {"boss@example.jp", false},
        {"any@sub.taro.example", true},
        {"hanako@example.jp", true},
        {"taro@example.com", true},
        {"tarot@example.jp", true},
        {"taro-news@example.jp", true},
        {"\"taro@example.jp\"@example.com", true},
        {"taro", true},
        {"", true},
        {"taro@[192.0.2.1]", true},
        {"t\xd0\xb0ro@example.jp", true},
    };
    struct config *cfg = align_settings("");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct align_answer a;
        align_envelope(cfg, &align_taro, view_cstr(cases[i].sender), &a);
        cr_expect_eq(a.is_refused, cases[i].is_refused, "%s", cases[i].sender);
        cr_expect_eq(a.text[0] != '\0', cases[i].is_refused, "%s: %s", cases[i].sender,
                     a.text);
        cr_expect_str_eq(a.rewritten, "");
    }
    config_free(&cfg);
}

Test(align, does_with_a_foreign_envelope_as_the_block_says)
{
    static const struct {
        const char *block, *login, *sender;
        bool is_refused;
        const char *rewritten;
    } cases[] = {
        {"mismatch refuse;", "taro@example.jp", "x@y.example", true, ""},
        {"mismatch add-sender;", "taro@example.jp", "x@y.example", false, ""},
        {"mismatch add-sender;", "taro", "x@y.example", true, ""}, /* cannot be named */
        {"mismatch rewrite;", "taro@example.jp", "x@y.example", false, "taro@example.jp"},
        {"mismatch rewrite;", "taro@example.jp", "info@example.jp", false, ""},
        {"mismatch rewrite;", "taro", "x@y.example", true, ""},
        {"mismatch score;", "taro", "x@y.example", false, ""},
        {"check header;", "taro@example.jp", "x@y.example", false, ""},
        {"check off;", "taro@example.jp", "x@y.example", false, ""},
        {"check off;", "taro@example.jp", "", true, ""},
        {"null_sender yes;", "taro@example.jp", "", false, ""},
        {"mismatch rewrite; null_sender yes;", "taro@example.jp", "", false, ""},
        {"senders x@Y.example;", "taro@example.jp", "x@y.example", false, ""},
        {"senders @y.example;", "taro@example.jp", "x@y.example", false, ""},
        {"subaddress \"\";", "taro@example.jp", "taro+x@example.jp", true, ""},
        {"subaddress \"-\";", "taro@example.jp", "taro-x@example.jp", false, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char block[200];
        struct align_answer a;
        struct align_who who = align_taro;
        snprintf(block, sizeof block, "align all { %s }", cases[i].block);
        struct config *cfg = align_settings(block);
        who.login = view_cstr(cases[i].login);
        align_envelope(cfg, &who, view_cstr(cases[i].sender), &a);
        cr_expect_eq(a.is_refused, cases[i].is_refused, "%s %s", block, cases[i].sender);
        cr_expect_str_eq(a.rewritten, cases[i].rewritten, "%s %s", block,
                         cases[i].sender);
        config_free(&cfg);
    }
}

/* ---- which block
 * ----------------------------------------------------------------------------- */

Test(align, takes_the_first_block_that_applies)
{
    struct config *cfg =
        align_settings("align travellers  { when { from overseas; } mismatch refuse; }\n"
                 "align newsletters { when { classes bulk; } check off; }\n"
                 "align young       { when { younger_than 7d; } }\n"
                 "align webmail     { when { listener webmail; } check header; }\n"
                 "align germans     { when { countries DE AT; } check off; }\n"
                 "align old         { when { older_than 365d; } }\n");
    static const struct {
        const char *country, *class, *listener;
        bool is_home;
        int64_t age_days;
        const char *block;
    } cases[] = {
        {"US", "bulk", "", false, 1, "travellers"},
        {"JP", "bulk", "", true, 1, "newsletters"},
        {"JP", "", "", true, 1, "young"},
        {"JP", "", "", true, 7, ""},
        {"JP", "", "webmail", true, 7, "webmail"},
        {"DE", "", "", true, 30, "germans"},
        {"de", "x", "y", true, 30, "germans"},
        {"", "", "", true, 365, "old"},
        {"", "", "", true, -1, "old"}, /* of unknown age */
        {"", "", "", true, 364, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct align_answer a;
        struct align_who who = align_taro;
        who.country = view_cstr(cases[i].country);
        who.account_class = view_cstr(cases[i].class);
        who.listener = view_cstr(cases[i].listener);
        who.is_home = cases[i].is_home;
        who.age_ms = cases[i].age_days < 0 ? -1 : cases[i].age_days * 86400000;
        align_envelope(cfg, &who, align_taro.login, &a);
        cr_expect_str_eq(a.block, cases[i].block, "case %zu", i);
    }
    config_free(&cfg);
}

Test(align, is_strict_where_a_rule_says_so)
{
    struct config *cfg = align_settings("align all { check off; senders @partner.example; }");
    struct align_who who = align_taro;
    struct align_answer a;
    who.is_strict = true;
    align_envelope(cfg, &who, VIEW_LIT("x@partner.example"), &a);
    cr_expect(a.is_refused);
    align_envelope(cfg, &who, VIEW_LIT("info@example.jp"), &a);
    cr_expect_not(a.is_refused);
    config_free(&cfg);
}

Test(align, without_blocks_is_like_an_empty_block)
{
    struct config *cfg = align_settings("align all { }");
    struct config *none = align_settings("");
    static const char *const senders[] = {"taro+x@example.jp", "x@y.example", ""};
    for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++) {
        struct align_answer a, b;
        align_envelope(cfg, &align_taro, view_cstr(senders[i]), &a);
        align_envelope(none, &align_taro, view_cstr(senders[i]), &b);
        cr_expect_eq(a.is_refused, b.is_refused, "%s", senders[i]);
    }
    const struct align_message m = {.sender = align_taro.login,
                                    .authors = VIEW_LIT("taro@example.jp\n"),
                                    .shown = VIEW_LIT("x@y.example\n")};
    struct align_answer a, b;
    align_message(cfg, &align_taro, &m, &a);
    align_message(none, &align_taro, &m, &b);
    cr_expect_eq(a.is_refused, b.is_refused);
    cr_expect_eq(a.add_score_milli, 5000);
    cr_expect_eq(b.add_score_milli, 5000);
    config_free(&cfg);
    config_free(&none);
}

/* ---- whole messages: header scan, author_read, decision
 * -------------------------------------- */

/* Messages that must pass without a doubt; "Sender" where the answer asks for it. */
static const struct {
    const char *text;
    enum sender_field sender_field;
} good[] = {
    {"From: taro@example.jp\r\n", SENDER_KEEP},
    {"From: <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: Taro Yamada <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: \"Yamada, Taro\" <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: Taro Q. Yamada <Taro@Example.JP>\r\n", SENDER_KEEP},
    {"from:taro@example.jp\r\n", SENDER_KEEP},
    {"FROM: taro@example.jp\r\n", SENDER_KEEP},
    {"From:\r\n\ttaro@example.jp\r\n", SENDER_KEEP},
    {"From: Taro\r\n Yamada\r\n <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: taro@example.jp (Taro Yamada)\r\n", SENDER_KEEP},
    {"From: =?UTF-8?B?5bGx55Sw?= <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: \xe5\xb1\xb1\xe7\x94\xb0 <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: \"taro@example.jp\" <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: \"info@example.jp\" <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: taro+news@example.jp\r\n", SENDER_KEEP},
    {"From: \"taro\"@example.jp\r\n", SENDER_KEEP},
    {"From: Info <info@example.jp>\r\n", SENDER_KEEP},
    {"From: any@taro.example\r\n", SENDER_KEEP},
    {"From: boss@example.jp\r\n", SENDER_SET_LOGIN},
    {"From: boss@example.jp\r\nSender: taro@example.jp\r\n", SENDER_SET_LOGIN},
    {"From: taro@example.jp, info@example.jp\r\nSender: taro@example.jp\r\n",
     SENDER_KEEP},
    {"From: taro@example.jp\r\nSender: Taro <taro@example.jp>\r\n", SENDER_KEEP},
    {"From: taro@example.jp\r\nReply-To: anybody@elsewhere.example\r\n", SENDER_KEEP},
    {"From: taro@example.jp\r\nResent-From: taro@example.jp\r\nResent-Sender: "
     "info@example.jp\r\n",
     SENDER_KEEP},
    {"From: taro@example.jp\r\nX-From: a@b.example\r\nTo: From <c@d.example>\r\n",
     SENDER_KEEP},
    {"Subject : odd but harmless\r\nFrom: taro@example.jp\r\n", SENDER_KEEP},
};

Test(align, lets_good_messages_pass)
{
    struct config *cfg = align_settings("");
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct align_answer a = align_judge(cfg, &align_taro, view_cstr(good[i].text));
        cr_expect_eq(a.reason, ALIGN_FINE, "[%s] %s", good[i].text,
                     align_reason_name(a.reason));
        cr_expect_not(a.is_refused, "[%s]", good[i].text);
        cr_expect_eq(a.add_score_milli, 0, "[%s]", good[i].text);
        cr_expect_eq(a.sender_field, good[i].sender_field, "[%s]", good[i].text);
    }
    config_free(&cfg);
}

/* Refused even where nothing is checked: there is no telling who the author is. */
static const struct {
    struct view text;
    enum align_reason reason;
} ambiguous[] = {
    {VIEW_LIT("From: taro@example.jp\r\nFrom: boss@bank.example\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("From: boss@bank.example\r\nFrom: taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("From: taro@example.jp\r\nfrom: taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("From : boss@bank.example\r\nFrom: taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("From : taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("From\t: taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("Sender : boss@bank.example\r\nFrom: taro@example.jp\r\n"),
     ALIGN_AMBIGUOUS},
    {VIEW_LIT(" From: boss@bank.example\r\nFrom: taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("\xef\xbb\xbf"
              "From: boss@bank.example\r\nFrom: taro@example.jp\r\n"),
     ALIGN_AMBIGUOUS},
    {VIEW_LIT("From boss@bank.example Mon Jan  1\r\nFrom: taro@example.jp\r\n"),
     ALIGN_AMBIGUOUS},
    {VIEW_LIT(">From boss@bank.example\r\nFrom: taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("junk\r\nFrom: taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT(": x\r\nFrom: taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("From: taro@example.jp\0, boss@bank.example\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("Fr\0om: boss@bank.example\r\nFrom: taro@example.jp\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("From: taro@example.jp\nFrom: boss@bank.example\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("From: taro@example.jp\rFrom: boss@bank.example\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("Subject: x\nFrom: boss@bank.example\r\nFrom: taro@example.jp\r\n"),
     ALIGN_AMBIGUOUS},
    {VIEW_LIT("Fr\xc3\xb6m: boss@bank.example\r\nFrom: taro@example.jp\r\n"),
     ALIGN_AMBIGUOUS},
    {VIEW_LIT("From: taro@example.jp\r\n \t\r\n boss@bank.example\r\n"), ALIGN_AMBIGUOUS},
    {VIEW_LIT("From:\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: Taro <>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: taro\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: <taro@example.jp> <boss@bank.example>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: <boss@bank.example> <taro@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: <<boss@bank.example>taro@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: boss@bank.example <taro@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: boss@bank.example taro@example.jp\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: taro@example.jp; boss@bank.example\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: taro@example.jp@bank.example\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: \"boss@bank.example <taro@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: (boss@bank.example taro@example.jp\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: <taro@example.jp\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: taro@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: <@bank.example:taro@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: <@bank.example,@b.example:taro@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: Bank: taro@example.jp;\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: Undisclosed:;\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: ,taro@example.jp\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: taro@example.jp,\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: taro@[192.0.2.1]\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: taro@exam_ple.jp\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: =?utf-8?q?boss=40bank=2Eexample=3E?=@example.jp\r\n"),
     ALIGN_BAD_FROM},
    {VIEW_LIT("From: <=?utf-8?b?dGFybw==?=@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: =?utf-8?b?dGFyb0BleGFtcGxlLmpw?=\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: \"a\x01\" <taro@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: \x8eR\x93\x63 <taro@example.jp>\r\n"), ALIGN_BAD_FROM},
    {VIEW_LIT("From: taro@example.jp, boss@bank.example\r\n"), ALIGN_AUTHORS},
    {VIEW_LIT("From: taro@example.jp, info@example.jp\r\n"), ALIGN_AUTHORS},
    {VIEW_LIT("From: taro@example.jp\r\nSender: taro@example.jp\r\nSender: "
              "boss@bank.example\r\n"),
     ALIGN_BAD_SENDER},
    {VIEW_LIT("From: taro@example.jp\r\nSender: taro@example.jp, boss@bank.example\r\n"),
     ALIGN_BAD_SENDER},
    {VIEW_LIT("From: taro@example.jp\r\nSender: <@bank.example:taro@example.jp>\r\n"),
     ALIGN_BAD_SENDER},
    {VIEW_LIT("From: taro@example.jp\r\nSender: boss\r\n"), ALIGN_BAD_SENDER},
    {VIEW_LIT("From: taro@example.jp\r\nResent-From: boss\r\n"), ALIGN_BAD_RESENT},
    {VIEW_LIT("From: taro@example.jp\r\nResent-Sender: G:;\r\n"), ALIGN_BAD_RESENT},
};

Test(align, refuses_what_is_ambiguous_whatever_the_block_says)
{
    static const char *const blocks[] = {
        "", "align all { check off; }",
        "align all { mismatch score; shown_addresses accept; }",
        "align all { mismatch add-sender; senders @bank.example; }"};
    for (size_t b = 0; b < sizeof blocks / sizeof blocks[0]; b++) {
        struct config *cfg = align_settings(blocks[b]);
        for (size_t i = 0; i < sizeof ambiguous / sizeof ambiguous[0]; i++) {
            struct view text = ambiguous[i].text;
            struct align_answer a = align_judge(cfg, &align_taro, text);
            cr_expect(a.is_refused, "%s [%.*s]", blocks[b], (int)text.n, text.p);
            cr_expect_eq(a.reason, ambiguous[i].reason, "%s [%.*s]: %s", blocks[b],
                         (int)text.n, text.p, align_reason_name(a.reason));
        }
        config_free(&cfg);
    }
}

Test(align, refuses_no_author_where_the_header_is_checked)
{
    static const char *const headers[] = {"Subject: nobody\r\n", "X-From: taro@example.jp\r\n"};
    for (size_t i = 0; i < 2; i++) {
        struct config *cfg = align_settings("");
        struct align_answer a = align_judge(cfg, &align_taro, view_cstr(headers[i]));
        cr_expect(a.is_refused);
        cr_expect_eq(a.reason, ALIGN_NO_FROM);
        config_free(&cfg);
        cfg = align_settings("align all { check envelope; }");
        cr_expect_not(align_judge(cfg, &align_taro, view_cstr(headers[i])).is_refused);
        config_free(&cfg);
    }
}

/* Clear, and somebody else. */
static const struct {
    const char *text;
    enum align_reason reason;
} foreign[] = {
    {"From: boss@bank.example\r\n", ALIGN_FROM},
    {"From: Taro <hanako@example.jp>\r\n", ALIGN_FROM},
    {"From: \"taro@example.jp\" <boss@bank.example>\r\n", ALIGN_FROM},
    {"From: boss@bank.example (taro@example.jp)\r\n", ALIGN_FROM},
    {"From: \"taro@example.jp\"@bank.example\r\n", ALIGN_FROM},
    {"From: taro@example.jp.bank.example\r\n", ALIGN_FROM},
    {"From: taro%example.jp@bank.example\r\n", ALIGN_FROM},
    {"From: t\xd0\xb0ro@example.jp\r\n", ALIGN_FROM},
    {"From: taro@xn--exmple-4nf.jp\r\n", ALIGN_FROM},
    {"From: taro(x)@bank.example\r\n", ALIGN_FROM},
    {"From: boss@bank.example, taro@example.jp\r\nSender: taro@example.jp\r\n",
     ALIGN_FROM},
    {"From: taro@example.jp\r\nSender: boss@bank.example\r\n", ALIGN_SENDER},
    {"From: taro@example.jp\r\nResent-From: boss@bank.example\r\n", ALIGN_RESENT},
    {"From: taro@example.jp\r\nResent-Sender: boss@bank.example\r\n", ALIGN_RESENT},
    {"From: taro@example.jp\r\nResent-From: taro@example.jp\r\nResent-From: "
     "boss@bank.example\r\n",
     ALIGN_RESENT},
};

Test(align, refuses_who_names_somebody_else)
{
    struct config *cfg = align_settings("");
    struct config *off = align_settings("align all { check envelope; }");
    struct config *score =
        align_settings("align all { mismatch score; add_score 2.5; shown_addresses accept; }");
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        struct view text = view_cstr(foreign[i].text);
        struct align_answer a = align_judge(cfg, &align_taro, text);
        cr_expect(a.is_refused, "[%s]", foreign[i].text);
        cr_expect_eq(a.reason, foreign[i].reason, "[%s] %s", foreign[i].text,
                     align_reason_name(a.reason));
        a = align_judge(off, &align_taro, text);
        cr_expect_not(a.is_refused, "[%s]", foreign[i].text);
        a = align_judge(score, &align_taro, text);
        cr_expect_not(a.is_refused, "[%s]", foreign[i].text);
        cr_expect_eq(a.add_score_milli, 2500, "[%s] %d", foreign[i].text,
                     a.add_score_milli);
        cr_expect_eq(a.reason, foreign[i].reason, "[%s]", foreign[i].text);
    }
    config_free(&cfg);
    config_free(&off);
    config_free(&score);
}

Test(align, names_the_account_in_sender)
{
    static const struct {
        const char *settings, *login, *text;
        bool is_refused;
    } cases[] = {
        {"", "taro@example.jp", "From: x@y.example\r\n", false},
        {"", "taro@example.jp", "From: x@y.example\r\nSender: taro@example.jp\r\n",
         false},
        {"", "taro@example.jp", "From: x@y.example\r\nSender: boss@bank.example\r\n",
         true},
        {"", "taro@example.jp", "From: taro@example.jp\r\nSender: boss@bank.example\r\n",
         true},
        {"submission { sender replace; }", "taro@example.jp",
         "From: x@y.example\r\nSender: boss@bank.example\r\n", false},
        {"submission { sender off; }", "taro@example.jp", "From: x@y.example\r\n", true},
        {"", "taro", "From: x@y.example\r\n", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[200];
        struct align_who who = align_taro;
        snprintf(text, sizeof text, "align all { mismatch add-sender; } %s",
                 cases[i].settings);
        struct config *cfg = align_settings(text);
        struct align_fixture f;
        struct align_answer a;
        who.login = view_cstr(cases[i].login);
        align_read_header(&f, view_cstr(cases[i].text), VIEW_LIT("info@example.jp"));
        align_message(cfg, &who, &f.m, &a);
        cr_expect_eq(a.is_refused, cases[i].is_refused, "case %zu", i);
        cr_expect_eq(a.sender_field, SENDER_SET_LOGIN, "case %zu", i);
        align_forget(&f);
        config_free(&cfg);
    }
}

/* ---- doubts
 * ---------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    enum align_reason reason;
} doubtful[] = {
    {"From: \"boss@bank.example\" <taro@example.jp>\r\n", ALIGN_SHOWN},
    {"From: taro@example.jp (boss@bank.example)\r\n", ALIGN_SHOWN},
    {"From: =?utf-8?b?Ym9zc0BiYW5rLmV4YW1wbGU=?= <taro@example.jp>\r\n", ALIGN_SHOWN},
    {"From: =?utf-8?q?boss=40bank=2Eexample=00?= <taro@example.jp>\r\n", ALIGN_SHOWN},
    {"From: \"=?utf-8?q?boss=40bank=2Eexample?=\" <taro@example.jp>\r\n", ALIGN_SHOWN},
    {"From: \"boss\xef\xbc\xa0"
     "bank.example\" <taro@example.jp>\r\n",
     ALIGN_SHOWN},
    {"From: taro(x)@example.jp\r\n", ALIGN_OBSOLETE},
    {"From: taro @ example . jp\r\n", ALIGN_OBSOLETE},
};

Test(align, has_doubts)
{
    struct config *score = align_settings("");
    struct config *refuse = align_settings("align all { shown_addresses refuse; }");
    struct config *accept = align_settings("align all { shown_addresses accept; }");
    for (size_t i = 0; i < sizeof doubtful / sizeof doubtful[0]; i++) {
        struct view text = view_cstr(doubtful[i].text);
        struct align_answer a = align_judge(score, &align_taro, text);
        cr_expect(!a.is_refused && a.add_score_milli == 5000, "[%s]", doubtful[i].text);
        cr_expect_eq(a.reason, doubtful[i].reason, "[%s] %s", doubtful[i].text,
                     align_reason_name(a.reason));
        a = align_judge(refuse, &align_taro, text);
        cr_expect(a.is_refused && a.reason == doubtful[i].reason, "[%s]",
                  doubtful[i].text);
        a = align_judge(accept, &align_taro, text);
        cr_expect(!a.is_refused && a.add_score_milli == 0 && a.reason == ALIGN_FINE,
                  "[%s]", doubtful[i].text);
    }
    config_free(&score);
    config_free(&refuse);
    config_free(&accept);
}

/* One other account, boss@taro.example, with an index of its skeleton. */
static struct view find_boss(void *arg, struct view skeleton, struct view address)
{
    char own[CONFUSABLE_SIZE];
    const struct view boss = VIEW_LIT("boss@taro.example");
    (void)arg;
    int n = confusable_skeleton(boss, own);
    return view_eq(skeleton, view_of(own, (size_t)n)) && !view_eq_nocase(address, boss)
               ? boss
               : VIEW_EMPTY;
}

Test(align, scores_lookalikes_of_other_accounts)
{
    struct config *cfg = align_settings("");
    struct align_who who = align_taro;
    who.find_lookalike = find_boss;
    struct align_answer a =
        align_judge(cfg, &who, VIEW_LIT("From: b\xd0\xbess@taro.example\r\n"));
    cr_expect(!a.is_refused && a.add_score_milli == 5000 && a.reason == ALIGN_LOOKALIKE);
    a = align_judge(cfg, &who, VIEW_LIT("From: b0ss@taro.example\r\n"));
    cr_expect_eq(a.reason, ALIGN_LOOKALIKE);
    a = align_judge(cfg, &who, VIEW_LIT("From: \"b0ss@taro.example\" <taro@example.jp>\r\n"));
    cr_expect_eq(a.reason, ALIGN_LOOKALIKE, "shown");
    a = align_judge(cfg, &who, VIEW_LIT("From: other@taro.example\r\n"));
    cr_expect_eq(a.reason, ALIGN_FINE);
    who.senders = VIEW_LIT("b0ss@taro.example\n");
    a = align_judge(cfg, &who, VIEW_LIT("From: b0ss@taro.example\r\n"));
    cr_expect_eq(a.reason, ALIGN_FINE, "an address that is listed is what it is");
    config_free(&cfg);
}
