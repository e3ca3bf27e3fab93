/* Settings of the services that the score process asks. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "msa/base/err.h"
#include "msa/config/config.h"
#include "msa/config/errors.h"

TestSuite(config_services, .timeout = 20);

static struct config *parse(const char *score, char *why, size_t size)
{
    char text[4096];
    struct config *cfg;
    struct config_errors errs;
    snprintf(text, sizeof text,
             "hostname a.example.jp; listener s { address 127.0.0.1:5870; auth_without_tls yes; }\n"
             "pool main { smarthost 127.0.0.1:2525; tls off; } score { %s }",
             score);
    config_errors_init(&errs);
    int err = config_parse_text(view_cstr(text), "test", &cfg, &errs);
    why[0] = '\0';
    if (err < 0)
        snprintf(why, size, "%s", errs.count > 0 ? errs.items[0].text : "?");
    config_errors_fini(&errs);
    return cfg;
}

Test(config_services, are_read)
{
    char why[512];
    struct config *cfg = parse("rspamd main { socket 127.0.0.1:11333; weight 0.5; on_soft_reject none; }\n"
                               "clamd virus { socket /run/clamd.ctl; on_virus hold; }\n"
                               "milter sign { socket [::1]:8891; deadline 1s; concurrency 2; waiting 0; }",
                               why, sizeof why);
    cr_assert_not_null(cfg, "%s", why);
    const struct config_services *s = &cfg->score.services;
    cr_assert(s->rspamd_count == 1 && s->clamd_count == 1 && s->milter_count == 1);
    cr_assert_str_eq(s->rspamds[0].common.name, "main");
    cr_assert_eq(s->rspamds[0].common.weight_milli, 500);
    cr_assert_eq(s->rspamds[0].on_soft_reject, CONFIG_ACT_NONE);
    cr_assert_eq(s->rspamds[0].on_reject, CONFIG_ACT_REFUSE);
    cr_assert_eq(s->clamds[0].on_virus, CONFIG_ACT_HOLD);
    cr_assert_eq(s->clamds[0].common.failure_count, 5);
    cr_assert_eq(s->milters[0].common.deadline_ms, 1000);
    cr_assert_eq(s->milters[0].common.waiting_count, 0);
    config_free(&cfg);
}

Test(config_services, mistakes_say_what_would_be_right)
{
    static const struct {
        const char *score, *want;
    } rows[] = {
        {"rspamd a { socket localhost:11333; }", "is no socket: an address with port"},
        {"rspamd a { socket 127.0.0.1; }", "is no socket"},
        {"rspamd a { socket 127.0.0.1:0; }", "is no socket"},
        {"clamd a { socket ::1:3310; }", "is no socket"},
        {"clamd a { }", "socket"},
        {"milter a { socket 127.0.0.1:1; deadline 5s; }", "must be shorter than 'deadline' of block 'score'"},
        {"milter a { socket 127.0.0.1:1; } clamd a { socket 127.0.0.1:1; }", "two services are called 'a'"},
        {"rspamd a { socket 127.0.0.1:1; on_reject score; }", "none"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char why[512];
        struct config *cfg = parse(rows[i].score, why, sizeof why);
        cr_assert_null(cfg, "%s", rows[i].score);
        cr_assert_not_null(strstr(why, rows[i].want), "%s: %s", rows[i].score, why);
    }
}

Test(config_services, addresses)
{
    struct config_service_address a;
    char path[200] = "/";
    cr_assert(config_service_address("127.0.0.1:3310", &a) && !a.path && a.port == 3310);
    cr_assert(config_service_address("[2001:db8::1]:1", &a) && !ipaddr_is_v4(&a.ip));
    cr_assert(config_service_address("/run/x", &a) && strcmp(a.path, "/run/x") == 0);
    cr_assert_not(config_service_address("", &a));
    cr_assert_not(config_service_address("[127.0.0.1]:1", &a));
    cr_assert_not(config_service_address("[::1]", &a));
    cr_assert_not(config_service_address("127.0.0.1:65536", &a));
    memset(path + 1, 'x', 106);
    cr_assert(config_service_address(path, &a));
    path[107] = 'x';
    cr_assert_not(config_service_address(path, &a));
}
