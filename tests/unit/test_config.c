/* The configuration as a whole: what is understood, and what is said about mistakes. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/config/config.h"

TestSuite(config, .timeout = 30);

/* With this before it any snippet is a whole configuration; its first line is the fourth. */
#define BASE                                                                                       \
    "hostname mx.example.jp;\n"                                                                    \
    "listener lo { address 127.0.0.1:10587; auth_without_tls yes; }\n"                             \
    "pool main { smarthost 127.0.0.1:10025; }\n"

static struct config_errors errs;

static struct config *parse(const char *text)
{
    struct config *cfg = NULL;
    config_errors_init(&errs);
    config_parse_text(view_cstr(text), "f", &cfg, &errs);
    return cfg;
}

static struct config *parse_good(const char *text)
{
    struct config *cfg = parse(text);
    for (uint32_t i = 0; i < errs.count; i++)
        cr_log_error("%u:%u %s", errs.items[i].line, errs.items[i].column, errs.items[i].text);
    cr_assert(cfg != NULL);
    return cfg;
}

static void done(struct config *cfg)
{
    config_free(&cfg);
    cr_assert(cfg == NULL);
    config_errors_fini(&errs);
}

struct mistake {
    const char *text;
    const char *want;
};

/* Each mistake in `text`, as config_errors_print writes it. */
static void expect_errors(const char *text, const char *want)
{
    struct config *cfg = parse(text);
    struct buf printed;
    buf_init(&printed, 1 << 20);
    config_errors_print(&errs, &printed);
    buf_add_char(&printed, '\0');
    cr_assert(cfg == NULL);
    cr_expect(strcmp(buf_view(&printed).p, want) == 0, "for:\n%s\n--- said:\n%s--- wanted:\n%s",
              text, buf_view(&printed).p, want);
    buf_fini(&printed);
    done(cfg);
}

/* Snippets behind BASE. */
static void expect_mistakes(const struct mistake *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char text[2048];
        snprintf(text, sizeof text, "%s%s", BASE, cases[i].text);
        expect_errors(text, cases[i].want);
    }
}

#define EXPECT_MISTAKES(cases) expect_mistakes(cases, sizeof(cases) / sizeof((cases)[0]))

Test(config, defaults_are_those_of_the_table)
{
    struct config *cfg = parse_good(BASE);
    cr_assert(eq(str, (char *)cfg->hostname, "mx.example.jp"));
    cr_assert(eq(str, (char *)cfg->state_dir, "/var/lib/msad"));
    cr_assert(eq(u32, cfg->worker_count, 0));
    cr_assert(cfg->sandbox);
    cr_assert(eq(u32, cfg->limits.command_line_bytes, 512));
    cr_assert(eq(u32, cfg->limits.auth_line_bytes, 12288));
    cr_assert(eq(u64, cfg->limits.message_bytes, 35u << 20));
    cr_assert(eq(u32, cfg->limits.handshakes_per_address.limit, 0));
    cr_assert(eq(i64, cfg->deadlines.command_ms, 300000));
    cr_assert(eq(u32, cfg->auth.mechanisms,
                 CONFIG_MECH_PLAIN | CONFIG_MECH_LOGIN | CONFIG_MECH_SCRAM_SHA_256 |
                     CONFIG_MECH_SCRAM_SHA_256_PLUS));
    cr_assert(eq(u32, cfg->policy.messages.limit, 500));
    cr_assert(eq(i64, cfg->policy.messages.window_ms, 3600000));
    cr_assert(eq(int, (int)cfg->log.level, LOG_LEVEL_INFO));
    cr_assert(eq(u32, cfg->queue.retry.count, 7));
    cr_assert(eq(i64, cfg->queue.retry.items_ms[6], 7200000));
    cr_assert(eq(u64, cfg->queue.bytes, UINT64_C(20) << 30));
    cr_assert(eq(i64, cfg->pools[0].deadlines.final_dot_ms, 600000));
    done(cfg);
}

Test(config, what_follows_from_other_settings_is_filled)
{
    struct config *cfg = parse_good("user mail; users { relay out; } runtime_dir /run/x;"
                                    "pool second { smarthost a.example; smarthost b.example:26;"
                                    "  implicit_tls yes; ehlo_name out.example; }\n" BASE);
    cr_assert(eq(str, (char *)cfg->users.smtp, "mail"));
    cr_assert(eq(str, (char *)cfg->users.relay, "out"));
    cr_assert(eq(str, (char *)cfg->console.socket, "/run/x/console.sock"));
    cr_assert(eq(str, (char *)cfg->queue.bounce_from, "mailer-daemon@mx.example.jp"));
    cr_assert(eq(str, (char *)cfg->queue.postmaster, "postmaster@mx.example.jp"));
    cr_assert(eq(str, (char *)cfg->policy.default_pool, "second"));
    cr_assert(eq(u16, cfg->pools[0].smarthosts[0].host.port, 465));
    cr_assert(eq(u16, cfg->pools[0].smarthosts[1].host.port, 26));
    cr_assert(eq(str, (char *)cfg->pools[0].ehlo_name, "out.example"));
    cr_assert(eq(str, (char *)cfg->pools[1].ehlo_name, "mx.example.jp"));
    cr_assert(config_pool_find(cfg, VIEW_LIT("main")) == &cfg->pools[1]);
    cr_assert(config_pool_find(cfg, VIEW_LIT("mai")) == NULL);
    cr_assert(config_worker_count(cfg) >= 1);
    cr_assert(config_auth_thread_count(cfg) >= 1);
    done(cfg);
}

Test(config, listeners_pools_and_certificates_repeat_in_order)
{
    struct config *cfg = parse_good(
        "hostname h.example;\n"
        "tls { min_version 1.3;\n"
        "  certificate { cert_file /a.pem; key_file /a.key; }\n"
        "  certificate { cert_file \"/b c.pem\"; key_file /b.key; } }\n"
        "listener a { address *:587 [::1]:588; proxy_protocol v2; proxy_from 10.0.0.0/8; }\n"
        "listener b { address 192.0.2.1:465; mode submissions; }\n"
        "pool p { smarthost [2001:db8::1] { preference 5; mx no; } tls off; source 192.0.2.9; }\n"
        "policy { default_pool p; route hold; recipients off; login defer; }\n"
        "score { neutral_score -1.5; }");
    cr_assert(eq(u32, cfg->listener_count, 2));
    cr_assert(eq(u32, cfg->listeners[0].addresses.count, 2));
    cr_assert(ipaddr_is_none(&cfg->listeners[0].addresses.items[0].addr));
    cr_assert(eq(u16, cfg->listeners[0].addresses.items[1].port, 588));
    cr_assert(eq(u8, cfg->listeners[0].proxy_from.items[0].bits, 104));
    cr_assert(eq(int, (int)cfg->listeners[1].mode, CONFIG_SUBMISSIONS));
    cr_assert(eq(u32, cfg->tls.certificate_count, 2));
    cr_assert(eq(str, (char *)cfg->tls.certificates[1].cert_file, "/b c.pem"));
    cr_assert(eq(str, (char *)cfg->pools[0].smarthosts[0].host.name, "2001:db8::1"));
    cr_assert(eq(u16, cfg->pools[0].smarthosts[0].host.port, 25));
    cr_assert(eq(u32, cfg->pools[0].smarthosts[0].preference, 5));
    cr_assert(eq(u32, cfg->pools[0].source.count, 1));
    cr_assert(eq(int, (int)cfg->policy.route, CONFIG_BRAKE_HOLD));
    cr_assert(eq(u32, cfg->policy.recipients.limit, 0));
    cr_assert(eq(i32, cfg->score.neutral_score_milli, -1500));
    done(cfg);
}

Test(config, comments_quotes_and_line_ends)
{
    struct config *cfg = parse_good("# one\r\nuser\t\"mail\" ;# two\r\nworkers 3;log{level\n"
                                    "debug;}#three\n" BASE "# no newline behind this");
    cr_assert(eq(str, (char *)cfg->user, "mail"));
    cr_assert(eq(u32, cfg->worker_count, 3));
    cr_assert(eq(int, (int)cfg->log.level, LOG_LEVEL_DEBUG));
    done(cfg);
}

Test(config, mistakes_of_grammar)
{
    static const struct mistake cases[] = {
        {"log {\n  level info;\n limits {\n",
         "f:4:1: block 'log' opened here is not closed at the end of the file, add a '}'\n"
         "f:6:2: block 'limits' opened here is not closed at the end of the file, add a '}'\n"
         "f:6:2: unknown block 'limits' in block 'log'\n"},
        {"limits { recipients 200 }", "f:4:21: ';' is missing behind '200'\n"},
        {"workers 3", "f:4:9: ';' is missing behind '3'\n"},
        {"user mail\nworkers 2;", "f:4:6: ';' is missing behind 'mail'\n"},
        {"workers 2\nlimits { hops 20; }", "f:4:9: ';' is missing behind '2'\n"},
        {"}", "f:4:1: '}' without a block that it could close\n"},
        {"log { } }", "f:4:9: '}' without a block that it could close\n"},
        {"; ;", "f:4:1: ';' without a setting before it\n"
                "f:4:3: ';' without a setting before it\n"},
        {"{ }", "f:4:1: '{' without the name of a block before it\n"
                "f:4:1: unknown block '{' at the top level\n"},
        {"user \"mail;", "f:4:6: this string is not closed on its line, add a '\"'\n"},
        {"user \"a\\qb\";",
         "f:4:8: unknown escape, known are \\\" \\\\ \\t and \\x01 to \\xff\n"},
        {"user \"a\\x00\";",
         "f:4:8: unknown escape, known are \\\" \\\\ \\t and \\x01 to \\xff\n"},
        {"user \"a\\x4\";",
         "f:4:8: unknown escape, known are \\\" \\\\ \\t and \\x01 to \\xff\n"},
        {"\001user mail;", "f:4:1: stray control character 0x01, remove it\n"},
        {"user \"a\x1b\";", "f:4:8: control character 0x1b in a string, write \\x1b\n"},
        {"include \"x.conf\";", "f:4:1: include works only in a file\n"},
        {"include;", "f:4:1: include works only in a file\n"},
    };
    EXPECT_MISTAKES(cases);
}

Test(config, mistakes_of_keys)
{
    static const struct mistake cases[] = {
        {"usr mail;", "f:4:1: unknown setting 'usr' at the top level (did you mean 'user'?)\n"},
        {"limits { msgs 1; recipeints 200; }",
         "f:4:10: unknown setting 'msgs' in block 'limits'\n"
         "f:4:18: unknown setting 'recipeints' in block 'limits' (did you mean 'recipients'?)\n"},
        {"message_size 3M;", "f:4:1: unknown setting 'message_size' at the top level (it belongs "
                             "into block 'limits')\n"},
        {"qeueu { x { y 1; } }",
         "f:4:1: unknown block 'qeueu' at the top level (did you mean 'queue'?)\n"},
        {"user a; user b;", "f:4:9: 'user' is already set at f:4\n"},
        {"log { } log { }", "f:4:9: 'log' is already set at f:4\n"},
        {"user { x 1; }", "f:4:1: 'user' is not a block: user VALUE;\n"},
        {"limits 5;", "f:4:1: 'limits' is a block: limits { … }\n"},
        {"pool x;", "f:4:1: 'pool' is a block: pool NAME { … }\n"
                    "f:4:1: pool 'x' has no smarthost: add smarthost HOST:PORT;\n"},
        {"limits a { }", "f:4:8: block 'limits' has no name\n"},
        {"pool { smarthost h; }", "f:4:1: block 'pool' takes one name in front of its '{'\n"},
        {"pool \"\" { smarthost h; }", "f:4:1: block 'pool' takes one name in front of its '{'\n"},
        {"tls { certificate x { cert_file /a; key_file /b; } }",
         "f:4:7: block 'certificate' takes no name\n"},
        {"pool main { smarthost h; }", "f:4:6: pool 'main' is already defined at f:3\n"},
        {"user;", "f:4:1: 'user' needs a value: a name\n"},
        {"user a b;", "f:4:8: 'user' takes one value, this is another\n"},
        {"listener x { }",
         "f:4:1: 'address' is missing: an address with port, such as 192.0.2.1:587 or "
         "[2001:db8::1]:587\n"
         "f:4:1: listener 'x' offers TLS but there is no certificate: add tls { certificate { "
         "cert_file …; key_file …; } }\n"},
        {"pool p { smarthost h; auth { password x; } }",
         "f:4:30: 'password' may not stand in a file, use 'password_file' to name one that holds "
         "it\n"},
        {"console { auth_policy_token x; }",
         "f:4:11: 'auth_policy_token' may not stand in a file, use 'auth_policy_token_file' to name "
         "one that holds it\n"},
    };
    EXPECT_MISTAKES(cases);
}

Test(config, mistakes_between_settings)
{
    static const struct mistake cases[] = {
        {"listener x { address 192.0.2.1:587; }",
         "f:4:1: listener 'x' offers TLS but there is no certificate: add tls { certificate { "
         "cert_file …; key_file …; } }\n"},
        {"listener x { address 127.0.0.1:5 192.0.2.1:5; auth_without_tls yes; }",
         "f:4:47: 'auth_without_tls' is for loopback addresses only: passwords would cross the "
         "network in clear\n"},
        {"listener x { address *:5; auth_without_tls yes; }",
         "f:4:27: 'auth_without_tls' is for loopback addresses only: passwords would cross the "
         "network in clear\n"},
        {"listener x { address [::1]:5; auth_without_tls yes; proxy_protocol any; }",
         "f:4:53: 'proxy_protocol' needs 'proxy_from', the networks of the load balancers\n"},
        {"listener x { address [::1]:5; auth_without_tls yes; proxy_from 10.0.0.0/8; }",
         "f:4:53: 'proxy_from' has no effect without 'proxy_protocol v1', 'v2' or 'any'\n"},
        {"listener x { address 127.0.0.1:10587; auth_without_tls yes; }",
         "f:4:14: port 10587 of this address is already taken by listener 'lo'\n"},
        {"listener x { address 127.0.0.1:5 127.0.0.1:5; auth_without_tls yes; }",
         "f:4:14: port 5 of this address is already taken by listener 'x'\n"},
        {"log { target file; }",
         "f:4:7: 'target file' needs 'file', the path of the log file\n"},
        {"policy { default_pool mian; }",
         "f:4:10: there is no pool 'mian' (did you mean 'main'?)\n"},
        {"policy { default_pool elsewhere; }", "f:4:10: there is no pool 'elsewhere'\n"},
        {"pool x { tls off; }",
         "f:4:1: pool 'x' has no smarthost: add smarthost HOST:PORT;\n"},
        {"pool x { smarthost h; tls opportunistic; implicit_tls yes; }",
         "f:4:42: 'implicit_tls' leaves no choice: it goes with 'tls required' only\n"},
        {"pool x { smarthost h; auth { user u; } }",
         "f:4:30: 'user' needs 'password_file' beside it\n"},
        {"pool x { smarthost h; auth { password_file /p; } }",
         "f:4:30: 'password_file' needs 'user' beside it\n"
         "f:4:30: 'password_file' works only in a file\n"},
        {"pool x { smarthost h; handover_deadline 4m; }",
         "f:4:23: 'handover_deadline' must be shorter than 'relay_answer' in block 'deadlines' "
         "(180 s), or the client is refused before the message is queued\n"},
        {"limits { sessions 50; }",
         "f:4:1: 'preauth_sessions' may not be more than 'sessions'\n"
         "f:4:1: 'sessions_per_address' may not be more than 'sessions'\n"},
        {"console { auth_policy 127.0.0.1:4001 192.0.2.1:4001; }",
         "f:4:11: 'auth_policy' on another address than loopback needs 'auth_policy_token_file'\n"},
        {"console { auth_policy 192.0.2.1:4001; auth_policy_token_file /t; }",
         "f:4:39: 'auth_policy_token_file' works only in a file\n"},
        {"queue { expiry 1h; }", "f:4:1: 'delay_notice_after' may not be more than 'expiry'\n"},
        {"limits { message_size 64K; }",
         "f:4:1: 'header_size' may not be more than 'message_size'\n"},
        {"queue { max_bytes 1M; }", "f: 'message_size' may not be more than 'max_bytes'\n"},
    };
    EXPECT_MISTAKES(cases);
}

Test(config, clear_text_auth_towards_a_smarthost_is_refused)
{
    expect_errors(BASE "pool x { smarthost h; tls off; auth { user u; password_file /p; } }",
                  "f:4:39: 'auth' needs TLS: with 'tls off' the password would go in clear\n"
                  "f:4:47: 'password_file' works only in a file\n");
}

Test(config, an_empty_text_says_what_is_missing)
{
    expect_errors("", "f: 'hostname' is missing: a host name, such as mx.example.jp, in ASCII\n"
                      "f: there is no listener: add listener NAME { address *:587; }\n"
                      "f: there is no pool: add pool NAME { smarthost HOST:PORT; }\n");
}

Test(config, one_pass_shows_all_mistakes_in_order)
{
    expect_errors("hostname -x-;\n"
                  "limits { hops 5; recipients many; }\n"
                  "listener l { address 1.2.3.4; }\n"
                  "pool p { smarthost h:0; tls perhaps; }\n",
                  "f:1:10: '-x-' is not a host name: such as mx.example.jp, in ASCII\n"
                  "f:2:15: '5' is out of range for 'hops', use 10 to 1000\n"
                  "f:2:29: 'many' is not a number: digits only, such as 100\n"
                  "f:3:1: listener 'l' offers TLS but there is no certificate: add tls { "
                  "certificate { cert_file …; key_file …; } }\n"
                  "f:3:22: '1.2.3.4' is not an address with port: such as 192.0.2.1:587 or "
                  "[2001:db8::1]:587\n"
                  "f:4:20: 'h:0' is not a host: a name or address, such as mx.example.jp:25 or "
                  "[2001:db8::1]:25\n"
                  "f:4:29: 'perhaps' is no value of 'tls', use required, opportunistic or off\n");
}

Test(config, errors_beyond_the_hundredth_are_counted)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < 150; i++)
        buf_addf(&text, "x%d 1;\n", i);
    buf_addf(&text, "%s%c", BASE, '\0');
    struct config *cfg = parse(buf_view(&text).p);
    cr_assert(cfg == NULL);
    cr_assert(eq(u32, errs.count, 100));
    cr_assert(eq(u32, errs.dropped_count, 50));
    cr_assert(eq(u32, errs.items[99].line, 100));
    buf_fini(&text);
    done(cfg);
}

Test(config, a_message_cannot_carry_terminal_sequences)
{
    expect_errors(BASE "user \"\\x1b[2J\";",
                  "f:4:6: '?[2J' is not a name: up to 63 letters, digits, '-', '_' or '.'\n");
}

Test(config, notices_need_somebody_to_come_from)
{
    expect_errors(BASE "notice { desk d@e.jp; utc_offset +9; }",
                  "f:4:1: 'from' is missing: notices need an address to come from\n"
                  "f:4:23: 'utc_offset' is hours and minutes, such as +09:00, at most 14:59\n");
    expect_errors(BASE "notice { from \"t\xc3\xa9@e.jp\"; }",
                  "f:4:15: 't\xc3\xa9@e.jp' is not a mail address: such as postmaster@example.jp\n");
    expect_errors(BASE "notice { template suspended.taro.ja { file /x; } }",
                  "f:4:10: 'suspended.taro.ja' names no template: event, reader and language, such as "
                  "suspended.customer.ja\n"
                  "f:4:39: 'file' works only in a file\n");
}

Test(config, webhooks_stay_confidential)
{
#define SECRET_FILE "secret_file /x; }"
    expect_errors(BASE "webhook a { url http://192.0.2.1/; " SECRET_FILE,
                  "f:4:13: 'url' begins with https://, or with http:// and a loopback address: it tells of "
                  "customers\n"
                  "f:4:36: 'secret_file' works only in a file\n");
    expect_errors(BASE "webhook a { url http://127.0.0.1@e.jp/; " SECRET_FILE,
                  "f:4:13: 'url' begins with https://, or with http:// and a loopback address: it tells of "
                  "customers\n"
                  "f:4:41: 'secret_file' works only in a file\n");
    expect_errors(BASE "webhook a { url http://[::1]:8080/; " SECRET_FILE,
                  "f:4:37: 'secret_file' works only in a file\n");
}

Test(config, tokens_go_only_where_they_are_safe)
{
#define TOKENS BASE "auth { mechanisms PLAIN XOAUTH2; }\nidentity_provider { introspection "
    expect_errors(BASE "auth { mechanisms OAUTHBEARER; }",
                  "f:4:8: OAUTHBEARER and XOAUTH2 need somebody who knows the tokens: add identity_provider { "
                  "introspection …; }\n");
    expect_errors(BASE "identity_provider { introspection http://[::1]/; }",
                  "f:4:21: 'identity_provider' has no effect without OAUTHBEARER or XOAUTH2 in 'mechanisms' of block "
                  "'auth'\n");
    expect_errors(TOKENS "http://192.0.2.1/; }",
                  "f:5:21: 'introspection' begins with https://, or with http:// and a loopback address: tokens go "
                  "there\n");
    expect_errors(TOKENS "https://192.0.2.1/; }",
                  "f:5:21: 'introspection' with https:// needs 'ca_file', the authorities that are trusted\n"
                  "f:5:21: 'introspection' with https:// needs 'client_id' and 'client_secret_file' (RFC 7662 section "
                  "2.1)\n");
    expect_errors(TOKENS "http://localhost:1/; client_id x; scope \"a\\\"b\"; deadline 20s; "
                         "openid_configuration http://e.jp/; }",
                  "f:5:21: 'client_id' and 'client_secret_file' go together\n"
                  "f:5:69: 'scope' is words of ASCII without '\"' and '\\' (RFC 6749 section 3.3)\n"
                  "f:5:83: 'deadline' must be shorter than 'auth_answer' in block 'deadlines' (20 s)\n"
                  "f:5:97: 'openid_configuration' is a URL that begins with https://\n");
}

Test(config, saslauthd_is_told_how_long_and_where)
{
    expect_errors(BASE "saslauthd { service imap; }", "f:4:1: 'socket' is missing: a path, it begins with '/'\n");
    expect_errors(BASE "saslauthd { socket /run/saslauthd/mux; deadline 20s; }",
                  "f:4:40: 'deadline' must be shorter than 'auth_answer' in block 'deadlines' (20 s)\n");
    expect_errors(BASE "saslauthd { socket /run/0123456789012345678901234567890123456789012345678901234567890123456789"
                       "01234567890123456789012345678901234567890123456789; }",
                  "f:4:13: 'socket' is longer than the 107 bytes of a Unix socket's path\n");
}

/* 1 MiB of statements costs more than a parse may take: it ends with one clear error. */
Test(config, memory_is_bounded)
{
    struct buf text;
    struct config *cfg = NULL;
    buf_init(&text, 1 << 20);
    while (buf_add_cstr(&text, "a;") == 0)
        ;
    config_errors_init(&errs);
    cr_assert(eq(int, config_parse_text(buf_view(&text), "f", &cfg, &errs), MSA_ENOMEM));
    cr_assert(cfg == NULL);
    cr_assert(eq(str, (char *)errs.items[0].text,
                 "out of memory, or more than 32 MiB of statements"));
    buf_fini(&text);
    done(cfg);
}

Test(config, too_many_blocks_and_values_are_refused)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_add_cstr(&text, BASE "pool x {");
    for (int i = 0; i < 65; i++)
        buf_add_cstr(&text, " smarthost h;");
    buf_add_cstr(&text, "}\nqueue { retry");
    for (int i = 0; i < 1025; i++)
        buf_add_cstr(&text, " 1s");
    buf_addf(&text, "; }%c", '\0');
    expect_errors(buf_view(&text).p, "f:4:1: pool 'x' has no smarthost: add smarthost HOST:PORT;\n"
                                     "f:4:10: 65 blocks 'smarthost', at most 64 are possible\n"
                                     "f:5:9: 'retry' has more than 1024 values\n");
    buf_fini(&text);
}
