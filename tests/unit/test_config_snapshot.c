/* The way back to text: the dump for people, the snapshots for the children. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/config/config.h"

TestSuite(config_snapshot, .timeout = 30);

/* Something other than the default in every kind of place. */
static const char rich[] =
    "hostname mx.example.jp; workers 7; sandbox no; user mail; users { relay out; }\n"
    "log { target file; file \"/var/log/a \\\"b\\\".log\"; level warn; }\n"
    "listener a { address *:587 [::1]:588; proxy_protocol any; proxy_from 10.0.0.0/8 ::1;\n"
    "  xclient_from 192.0.2.1; backlog 7; }\n"
    "listener b { address 127.0.0.1:465; mode submissions; }\n"
    "tls { min_version 1.3; certificate { cert_file /a.pem; key_file /secret.key; } }\n"
    "auth { mechanisms CRAM-MD5 PLAIN; default_domain example.jp; threads 3; }\n"
    "limits { message_size 5M; long_lines accept; handshakes_per_address 10/1m; }\n"
    "deadlines { greeting_pause 1500ms; data_min_rate off; }\n"
    "submission { sender off; future_release off; received_client_address country; }\n"
    "policy { messages 10/1d; recipients off; default_pool two; route hold; }\n"
    "score { neutral_score -2.25; deadline 100ms; }\n"
    "pool one { smarthost a.example; smarthost [2001:db8::1]:26 { preference 5; mx yes; }\n"
    "  source 192.0.2.1 2001:db8::9; tls opportunistic; handover queue; }\n"
    "pool two { smarthost b.example; implicit_tls yes; auth { user u; password_file %s; }\n"
    "  deadlines { final_dot 90s; } }\n"
    "queue { retry 1s 90s; expiry 1d; delay_notice_after off; bounce_from x@example.jp; }\n"
    "dns { servers 192.0.2.53 [::1]:5353; timeout 100ms; }\n"
    "console { socket /run/c.sock; }\n";

static const enum config_role roles[] = {
    CONFIG_ROLE_SUPERVISOR, CONFIG_ROLE_SMTP,  CONFIG_ROLE_AUTH,   CONFIG_ROLE_POLICY,
    CONFIG_ROLE_SCORE,      CONFIG_ROLE_RELAY, CONFIG_ROLE_CONSOLE};
#define ROLES (sizeof roles / sizeof roles[0])

static char directory[] = "/tmp/msad-test-XXXXXX";
static char conf_path[64];
static char password_path[64];
static struct config_errors errs;

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
    cr_assert(eq(int, chmod(path, mode), 0));
}

static struct config *load_rich(void)
{
    char text[8192];
    struct config *cfg = NULL;
    cr_assert(mkdtemp(directory) != NULL);
    snprintf(conf_path, sizeof conf_path, "%s/f.conf", directory);
    snprintf(password_path, sizeof password_path, "%s/password", directory);
    write_file(password_path, "pa ss\"\\wörd\t\n", 0600);
    snprintf(text, sizeof text, rich, password_path);
    write_file(conf_path, text, 0644);
    config_errors_init(&errs);
    int err = config_load(conf_path, &cfg, &errs);
    for (uint32_t i = 0; i < errs.count; i++)
        cr_log_error("%u: %s", errs.items[i].line, errs.items[i].text);
    unlink(conf_path);
    unlink(password_path);
    rmdir(directory);
    cr_assert(eq(int, err, 0));
    return cfg;
}

static void done(struct config *cfg)
{
    config_free(&cfg);
    config_errors_fini(&errs);
}

static struct config *parse_snapshot(struct view text, enum config_role role)
{
    struct config *cfg = NULL;
    int err = config_parse_snapshot(text, role, &cfg, &errs);
    for (uint32_t i = 0; i < errs.count; i++)
        cr_log_error("%u: %s", errs.items[i].line, errs.items[i].text);
    cr_assert(eq(int, err, 0));
    return cfg;
}

static bool holds(const struct buf *b, const char *needle)
{
    return memmem(buf_view(b).p, buf_len(b), needle, strlen(needle)) != NULL;
}

Test(config_snapshot, a_snapshot_read_and_written_again_is_the_same)
{
    struct config *cfg = load_rich();
    for (size_t i = 0; i < ROLES; i++) {
        struct buf first, second;
        buf_init_secret(&first, CONFIG_TEXT_MAX_BYTES);
        buf_init_secret(&second, CONFIG_TEXT_MAX_BYTES);
        cr_assert(eq(int, config_serialize(cfg, roles[i], &first), 0));
        struct config *child = parse_snapshot(buf_view(&first), roles[i]);
        cr_assert(eq(int, config_serialize(child, roles[i], &second), 0));
        cr_assert(view_eq(buf_view(&first), buf_view(&second)));
        config_free(&child);
        buf_fini(&first);
        buf_fini(&second);
    }
    done(cfg);
}

Test(config_snapshot, the_child_has_the_supervisors_values)
{
    struct config *cfg = load_rich();
    struct buf text;
    buf_init_secret(&text, CONFIG_TEXT_MAX_BYTES);
    cr_assert(eq(int, config_serialize(cfg, CONFIG_ROLE_SMTP, &text), 0));
    struct config *smtp = parse_snapshot(buf_view(&text), CONFIG_ROLE_SMTP);
    cr_assert(eq(u64, smtp->limits.message_bytes, 5u << 20));
    cr_assert(eq(int, (int)smtp->limits.long_lines, CONFIG_LONG_LINES_ACCEPT));
    cr_assert(eq(u32, smtp->listeners[0].proxy_from.count, 2));
    cr_assert(eq(i32, smtp->score.neutral_score_milli, -2250));
    cr_assert(eq(u32, smtp->pool_count, 0));
    config_free(&smtp);

    buf_reset(&text);
    cr_assert(eq(int, config_serialize(cfg, CONFIG_ROLE_RELAY, &text), 0));
    struct config *relay = parse_snapshot(buf_view(&text), CONFIG_ROLE_RELAY);
    cr_assert(eq(u32, relay->pool_count, 2));
    cr_assert(eq(str, (char *)relay->pools[1].auth.password, "pa ss\"\\wörd\t"));
    cr_assert(eq(str, (char *)relay->pools[1].auth.password_file, ""));
    cr_assert(eq(u16, relay->pools[1].smarthosts[0].host.port, 465));
    cr_assert(eq(u32, relay->pools[0].smarthosts[1].preference, 5));
    cr_assert(eq(str, (char *)relay->pools[0].ehlo_name, "mx.example.jp"));
    cr_assert(eq(u32, relay->dns.servers.count, 2));
    config_free(&relay);
    buf_fini(&text);
    done(cfg);
}

Test(config_snapshot, a_role_sees_no_more_than_it_needs)
{
    static const struct {
        const char *needle;
        unsigned roles; /* that may see it */
    } cases[] = {
        {"wörd", CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_RELAY},
        {"/password", CONFIG_ROLE_SUPERVISOR},
        {"/secret.key", CONFIG_ROLE_SUPERVISOR},
        {"/a.pem", CONFIG_ROLE_SUPERVISOR},
        {"b.example", CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_RELAY},
        {"pool \"two\"", CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_RELAY | CONFIG_ROLE_POLICY},
        {"messages 10/1d", CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_POLICY},
        {"CRAM-MD5", CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_AUTH | CONFIG_ROLE_SMTP},
        {"/run/c.sock", CONFIG_ROLE_SUPERVISOR | CONFIG_ROLE_CONSOLE},
        {"mx.example.jp", (1 << 7) - 1},
    };
    struct config *cfg = load_rich();
    for (size_t i = 0; i < ROLES; i++) {
        struct buf text;
        buf_init_secret(&text, CONFIG_TEXT_MAX_BYTES);
        cr_assert(eq(int, config_serialize(cfg, roles[i], &text), 0));
        for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
            cr_expect(holds(&text, cases[k].needle) == ((cases[k].roles & roles[i]) != 0),
                      "role %u: %s", roles[i], cases[k].needle);
        buf_fini(&text);
    }
    done(cfg);
}

Test(config_snapshot, a_key_of_another_role_is_refused)
{
    struct config *cfg = NULL;
    config_errors_init(&errs);
    struct view text = VIEW_LIT("pool p { auth { password x; } }");
    cr_assert(eq(int, config_parse_snapshot(text, CONFIG_ROLE_SMTP, &cfg, &errs), MSA_EINVAL));
    cr_assert(cfg == NULL);
    cr_assert(eq(str, (char *)errs.items[0].text, "unknown block 'pool' at the top level"));
    done(cfg);
}

Test(config_snapshot, the_dump_names_the_origin_and_hides_the_password)
{
    struct config *cfg = load_rich();
    struct buf text;
    char origin[128];
    buf_init(&text, CONFIG_TEXT_MAX_BYTES);
    cr_assert(eq(int, config_dump(cfg, true, &text), 0));
    cr_assert(not(holds(&text, "wörd")));
    snprintf(origin, sizeof origin, "%-56s# %s:1\n", "workers 7;", conf_path);
    cr_expect(holds(&text, origin), "%s", origin);
    snprintf(origin, sizeof origin, "%-56s# %s:2\n", "    level warn;", conf_path);
    cr_expect(holds(&text, origin), "%s", origin);
    snprintf(origin, sizeof origin, "%-56s# default\n", "score_workers 1;");
    cr_expect(holds(&text, origin), "%s", origin);
    snprintf(origin, sizeof origin, "%-56s# default\n", "    smtp \"mail\";");
    cr_expect(holds(&text, origin), "%s", origin);
    buf_fini(&text);
    done(cfg);
}

Test(config_snapshot, the_dump_is_a_configuration)
{
    static const char text[] = "hostname h.example; log { target syslog; }\n"
                               "listener l { address [::1]:1; auth_without_tls yes; }\n"
                               "pool p { smarthost 192.0.2.1 { mx no; } }\n";
    struct config *cfg = NULL, *again = NULL;
    struct buf first, second;
    config_errors_init(&errs);
    buf_init(&first, CONFIG_TEXT_MAX_BYTES);
    buf_init(&second, CONFIG_TEXT_MAX_BYTES);
    cr_assert(eq(int, config_parse_text(view_cstr(text), "f", &cfg, &errs), 0));
    cr_assert(eq(int, config_dump(cfg, false, &first), 0));
    cr_assert(eq(int, config_parse_text(buf_view(&first), "g", &again, &errs), 0));
    cr_assert(eq(int, config_dump(again, false, &second), 0));
    cr_assert(view_eq(buf_view(&first), buf_view(&second)));
    buf_fini(&first);
    buf_fini(&second);
    config_free(&again);
    done(cfg);
}

Test(config_snapshot, a_buffer_that_is_too_small_is_an_error)
{
    struct config *cfg = load_rich();
    struct buf text;
    buf_init(&text, 1000);
    cr_assert(eq(int, config_dump(cfg, true, &text), MSA_ETOOBIG));
    buf_reset(&text);
    cr_assert(eq(int, config_serialize(cfg, CONFIG_ROLE_RELAY, &text), MSA_ETOOBIG));
    buf_fini(&text);
    done(cfg);
}

struct lines {
    struct buf text;
    size_t count;
};

static void add_line(void *arg, const struct config_setting *s)
{
    struct lines *l = arg;
    l->count++;
    buf_addf(&l->text, "%.*s|%s|%.*s|%u\n", (int)s->block.n, s->block.p, s->key, (int)s->value.n, s->value.p,
             s->file ? s->line : 0);
}

/* The same walk as the dump's, so that neither shows what the other does not. */
Test(config_snapshot, each_setting_is_told_with_its_place)
{
    static const char text[] = "hostname a.example;\npool one { smarthost 192.0.2.1 {\n preference 7; } }\n"
                               "listener x { address 127.0.0.1:25; auth_without_tls yes; }\n";
    struct config *cfg;
    struct lines l = {.count = 0};
    struct buf dump;
    size_t in_dump = 0;
    config_errors_init(&errs);
    cr_assert_eq(config_parse_text(view_cstr(text), "t", &cfg, &errs), MSA_OK);
    buf_init(&l.text, 1u << 20);
    buf_init(&dump, 1u << 20);
    cr_assert_eq(config_each(cfg, add_line, &l), MSA_OK);
    cr_assert_eq(config_dump(cfg, false, &dump), MSA_OK);
    buf_append(&l.text, "", 1);
    const char *all = buf_view(&l.text).p;
    cr_assert_not_null(strstr(all, "|hostname|\"a.example\"|1\n"), "%s", all);
    cr_assert_not_null(strstr(all, "\npool \"one\" / smarthost \"192.0.2.1:25\"|preference|7|3\n"), "%s", all);
    cr_assert_not_null(strstr(all, "\nlistener \"x\"|address|\"127.0.0.1:25\"|4\n"), "%s", all);
    cr_assert_not_null(strstr(all, "\nlistener \"x\"|mode|submission|0\n"), "%s", all);
    struct view rest = buf_view(&dump);
    while (rest.n > 0) {
        struct view line = view_cut(&rest, '\n');
        bool is_label = view_find(line, '"') < line.n; /* of a block: a setting of what it stands in */
        in_dump += line.n > 0 && (line.p[line.n - 1] == ';' || (line.p[line.n - 1] == '{' && is_label));
    }
    cr_assert_eq(l.count, in_dump);
    buf_fini(&l.text);
    buf_fini(&dump);
    config_free(&cfg);
    config_errors_fini(&errs);
}
