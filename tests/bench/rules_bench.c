/* rules_bench: how fast the rule engine decides on one core, and what its store costs.
 * Prints one line of JSON.
 *
 * Fills a store with accounts and sources, then lets events of random accounts come from
 * random sources: each message is a greeting, a sign-in, a transaction, its recipients
 * and its content, and every tenth one comes with a failed sign-in by somebody else.
 * Nobody returns to a warm cache, which is the worst case. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "msa/base/err.h"
#include "msa/config/config.h"
#include "policy/engine/engine.h"
#include "policy/engine/store_lmdb.h"
#include "policy/rules.h"

static const char help[] =
    "usage: rules_bench [--store lmdb|memory] [--dir DIR] [--rules FILE] [--accounts N]\n"
    "                   [--sources N] [--seconds S] [--map-mib N] [--only KIND]\n"
    "KIND: login, transaction, message, content, mailbox, failed; default: all, as they "
    "come\n";

#define T0 INT64_C(1780000000000)

static const char *const kind_names[EVENT_KIND_COUNT] = {
    [EVENT_CONNECT] = "connect",     [EVENT_LOGIN] = "login",
    [EVENT_LOGIN_FAILED] = "failed", [EVENT_TRANSACTION] = "transaction",
    [EVENT_MESSAGE] = "message",     [EVENT_CONTENT] = "content",
    [EVENT_REJECTED] = "rejected",   [EVENT_MAILBOX] = "mailbox",
};

struct bench {
    const char *store_name, *dir, *rules, *only;
    uint64_t account_count, source_count, map_mib;
    double seconds;
    struct config *config;
    struct rule_set *set;
    struct store *store;
    struct store_lmdb *lmdb;
    char path[4096];
    uint64_t random;
    int64_t now_ms;
    uint64_t decision_count, pass_count, away_count;
};

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "rules_bench: %s\n", what);
    exit(2);
}

static uint64_t random_below(struct bench *b, uint64_t n)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return b->random % n;
}

static double seconds_of(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- set up ---- */

static void load_rules(struct bench *b)
{
    static char text[1 << 20];
    struct config_errors errs;
    size_t n =
        (size_t)snprintf(text, sizeof text,
                         "hostname b.invalid; listener l { address 127.0.0.1:1; "
                         "auth_without_tls yes; } pool p { smarthost 127.0.0.1:1; } ");
    FILE *f = fopen(b->rules, "r");
    if (!f)
        die("cannot read the rules");
    n += fread(text + n, 1, sizeof text - n, f);
    fclose(f);
    config_errors_init(&errs);
    if (config_parse_text(view_of(text, n), b->rules, &b->config, &errs) < 0)
        die("the rules have mistakes");
    config_errors_fini(&errs);
    static const uint8_t key[16] = "rules bench key";
    b->set = rules_new(b->config, key);
}

static void open_store(struct bench *b)
{
    char error[256];
    if (strcmp(b->store_name, "memory") == 0) {
        b->store = store_memory_new();
        return;
    }
    snprintf(b->path, sizeof b->path, "%s/rules-bench-%d.mdb", b->dir, (int)getpid());
    struct store_lmdb_settings settings = {.path = b->path,
                                           .map_bytes = (size_t)b->map_mib << 20};
    b->lmdb = store_lmdb_open(&settings, error, sizeof error);
    if (!b->lmdb)
        die(error);
    b->store = store_lmdb_store(b->lmdb);
}

/* ---- events ---- */

static struct ipaddr address_of(uint64_t n)
{
    /* 2001:db8::/32, a /64 each, 16 of them to a /48 */
    struct ipaddr a = {{0x20, 0x01, 0x0d, 0xb8}};
    for (int i = 0; i < 4; i++)
        a.bytes[7 - i] = (uint8_t)(n >> (8 * i));
    return a;
}

static void decide(struct bench *b, struct event *e, enum event_kind kind)
{
    struct verdict v;
    e->kind = kind;
    e->at_ms = b->now_ms;
    b->away_count += engine_decide(b->set, b->store, e, &v) < 0;
    b->decision_count++;
    b->pass_count += verdict_is_pass(&v);
}

static struct event event_of(struct bench *b, uint64_t account, uint64_t source)
{
    static uint32_t recipients[2];
    recipients[0] = (uint32_t)random_below(b, UINT32_MAX);
    recipients[1] = (uint32_t)account;
    return (struct event){
        .account = account,
        .account_class = VIEW_LIT("default"),
        .account_age_ms = INT64_C(400) * 86400000,
        .domain = 1,
        .is_home = true,
        .ip = address_of(source),
        .place = {.country = 'J' << 8 | 'P', .has_coordinates = true},
        .protocol = VIEW_LIT("smtp"),
        .account_sessions = 1,
        .address_sessions = 1,
        .account_sending = 1,
        .address_sending = 1,
        .tried_account_hash = account,
        .wrong_password = account | 1,
        .recipients = 2,
        .recipient_hashes = recipients,
        .bytes = 20000,
    };
}

static void message(struct bench *b, uint64_t account, uint64_t source)
{
    static const enum event_kind steps[] = {EVENT_LOGIN, EVENT_TRANSACTION, EVENT_MESSAGE,
                                            EVENT_CONTENT};
    struct event e = event_of(b, account, source);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        decide(b, &e, steps[i]);
    struct event mailbox = e;
    decide(b, &mailbox, EVENT_MAILBOX);
}

static void failure(struct bench *b, uint64_t account, uint64_t source)
{
    struct event e = event_of(b, account, source);
    decide(b, &e, EVENT_LOGIN_FAILED);
}

static void fill(struct bench *b)
{
    uint64_t most =
        b->account_count > b->source_count ? b->account_count : b->source_count;
    for (uint64_t i = 0; i < most; i++) {
        b->now_ms += 1;
        if (i < b->account_count)
            message(b, i + 1, i % b->source_count);
        if (i < b->source_count && i % 10 == 0)
            failure(b, i % b->account_count + 1, i);
    }
}

static void one_kind(struct bench *b, enum event_kind kind)
{
    struct event e = event_of(b, random_below(b, b->account_count) + 1,
                              random_below(b, b->source_count));
    decide(b, &e, kind);
}

static void all_kinds(struct bench *b, uint64_t n)
{
    message(b, random_below(b, b->account_count) + 1, random_below(b, b->source_count));
    if (n % 10 == 0)
        failure(b, random_below(b, b->account_count) + 1,
                random_below(b, b->source_count));
}

static enum event_kind only_kind(const struct bench *b)
{
    for (unsigned kind = 0; b->only && kind < EVENT_KIND_COUNT; kind++)
        if (strcmp(b->only, kind_names[kind]) == 0)
            return (enum event_kind)kind;
    return EVENT_KIND_COUNT;
}

static void run(struct bench *b)
{
    enum event_kind only = only_kind(b);
    double until = seconds_of(CLOCK_MONOTONIC) + b->seconds;
    for (uint64_t n = 0; n % 64 != 0 || seconds_of(CLOCK_MONOTONIC) < until; n++) {
        b->now_ms += 1;
        if (only < EVENT_KIND_COUNT)
            one_kind(b, only);
        else
            all_kinds(b, n);
    }
}

/* ---- what it came to ---- */

static uint64_t resident_bytes(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    char line[128] = "";
    if (f && fgets(line, sizeof line, f))
        pages = strtoull(strchr(line, ' ') ? strchr(line, ' ') : "0", NULL, 10);
    if (f)
        fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t file_bytes(const struct bench *b)
{
    struct stat st;
    return b->path[0] && stat(b->path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

static void report(const struct bench *b, double fill_s, uint64_t fill_count,
                   double wall_s, double cpu_s)
{
    struct store_lmdb_usage usage = {0};
    uint64_t count = b->decision_count - fill_count;
    if (b->lmdb)
        usage = store_lmdb_usage(b->lmdb);
    printf("{\"store\": \"%s\", \"kind\": \"%s\", \"rules\": %u, \"accounts\": %llu, "
           "\"sources\": %llu, "
           "\"decisions\": %llu, \"decisions_per_s\": %.0f, "
           "\"decisions_per_cpu_s\": %.0f, "
           "\"fill_per_s\": %.0f, \"refused\": %llu, \"away\": %llu, \"records\": %llu, "
           "\"used_mib\": %.0f, \"file_mib\": %.0f, \"rss_mib\": %.0f}\n",
           b->store_name, b->only ? b->only : "all", b->set->rule_count,
           (unsigned long long)b->account_count, (unsigned long long)b->source_count,
           (unsigned long long)count, (double)count / wall_s, (double)count / cpu_s,
           (double)fill_count / fill_s,
           (unsigned long long)(b->decision_count - b->pass_count),
           (unsigned long long)b->away_count,
           (unsigned long long)(usage.account_count + usage.source_count),
           (double)usage.used_bytes / (1 << 20), (double)file_bytes(b) / (1 << 20),
           (double)resident_bytes() / (1 << 20));
}

static void clean_up(struct bench *b)
{
    store_lmdb_close(&b->lmdb);
    if (strcmp(b->store_name, "memory") == 0)
        store_memory_free(&b->store);
    for (const char *const *suffix = (const char *const[]){"", "-lock", "-boot", NULL};
         *suffix; suffix++) {
        char name[4200];
        snprintf(name, sizeof name, "%s%s", b->path, *suffix);
        if (b->path[0])
            unlink(name);
    }
    rules_free(&b->set);
    config_free(&b->config);
}

static const struct option options[] = {
    {"store", required_argument, NULL, 's'},
    {"dir", required_argument, NULL, 'd'},
    {"rules", required_argument, NULL, 'r'},
    {"accounts", required_argument, NULL, 'a'},
    {"sources", required_argument, NULL, 'n'},
    {"seconds", required_argument, NULL, 't'},
    {"map-mib", required_argument, NULL, 'm'},
    {"only", required_argument, NULL, 'o'},
    {0},
};

static void take_options(struct bench *b, int argc, char *argv[])
{
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            b->store_name = optarg;
            break;
        case 'd':
            b->dir = optarg;
            break;
        case 'r':
            b->rules = optarg;
            break;
        case 'a':
            b->account_count = strtoull(optarg, NULL, 10);
            break;
        case 'n':
            b->source_count = strtoull(optarg, NULL, 10);
            break;
        case 't':
            b->seconds = strtod(optarg, NULL);
            break;
        case 'o':
            b->only = optarg;
            break;
        case 'm':
            b->map_mib = strtoull(optarg, NULL, 10);
            break;
        default:
            fputs(help, stderr);
            exit(2);
        }
    }
    if (b->account_count == 0 || b->source_count == 0 || b->seconds <= 0)
        die("nothing to do");
}

int main(int argc, char *argv[])
{
    struct bench b = {.store_name = "lmdb",
                      .dir = "/tmp",
                      .rules = "conf/rules.conf",
                      .account_count = 1000000,
                      .source_count = 1000000,
                      .seconds = 10,
                      .map_mib = 3072,
                      .random = 88172645463325252u,
                      .now_ms = T0};
    take_options(&b, argc, argv);
    load_rules(&b);
    open_store(&b);
    double began = seconds_of(CLOCK_MONOTONIC);
    fill(&b);
    double filled = seconds_of(CLOCK_MONOTONIC),
           cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    uint64_t fill_count = b.decision_count;
    run(&b);
    report(&b, filled - began, fill_count, seconds_of(CLOCK_MONOTONIC) - filled,
           seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu);
    clean_up(&b);
    return 0;
}
