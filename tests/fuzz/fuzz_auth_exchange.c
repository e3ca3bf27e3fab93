/* What a client sends within AUTH, for each mechanism. The first byte chooses mechanism and TLS,
 * the second whether there is an initial response; each message follows with its length in one
 * byte. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth/password.h"
#include "auth/sasl.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/config/settings.h"
#include "tests/fuzz/fuzz.h"

#define CHALLENGE_MAX 16384
#define MESSAGES_MAX  6

static struct verify_env env;
static struct verify_rules rules;

static void add_account(const char *login, const char *password, bool is_disabled)
{
    char why[128];
    struct store_change change;
    struct account a = {.generation = 1, .is_disabled = is_disabled};
    must(password_store(view_cstr(password), 4096, true, &a, why, sizeof why) == MSA_OK);
    store_begin(env.store, &change);
    must(store_add(&change, view_cstr(login), &a) == MSA_OK && store_commit(&change) == MSA_OK);
}

/* Once per process: a store that has no name any more when the first input comes. */
static void set_up(void)
{
    char dir[] = "/tmp/msad-fuzz-XXXXXX", path[64], lock[80], error[256];
    must(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/accounts.mdb", dir);
    snprintf(lock, sizeof lock, "%s-lock", path);
    must(sasl_library_open(error, sizeof error) == MSA_OK);
    env.store = store_open(path, error, sizeof error);
    env.cache = cache_new(64);
    must(env.store && env.cache);
    rules = (struct verify_rules){
        .mechanisms = CONFIG_MECH_PLAIN | CONFIG_MECH_LOGIN | CONFIG_MECH_SCRAM_SHA_256 |
                      CONFIG_MECH_SCRAM_SHA_256_PLUS | CONFIG_MECH_CRAM_MD5,
        .scram_iteration_count = 4096,
        .cache_life_ms = 1000,
        .default_domain = "example.jp",
        .hostname = "mx.example.jp",
    };
    add_account("taro@example.jp", "pencil", false);
    add_account("off@example.jp", "pencil", true);
    unlink(path);
    unlink(lock);
    rmdir(dir);
}

static bool take_message(struct view *in, struct view *message_out)
{
    if (in->n == 0)
        return false;
    size_t n = (unsigned char)in->p[0];
    *message_out = view_slice(*in, 1, 1 + n);
    *in = view_slice(*in, 1 + n, in->n);
    return true;
}

static void check_end(const struct sasl_run *run, const struct sasl_answer *answer)
{
    const struct verify *v = sasl_run_verify(run);
    must(answer->result != AUTH_NO_MECHANISM && answer->result != AUTH_UNAVAILABLE);
    if (answer->result == AUTH_OK)
        must(strcmp(v->login, "taro@example.jp") == 0 && v->account.id == 1);
    if (answer->result == AUTH_DISABLED)
        must(strcmp(v->login, "off@example.jp") == 0);
    if (answer->result == AUTH_NO_SUCH_USER)
        must(v->is_named && !v->is_known);
}

static void converse(struct sasl_run *run, bool has_initial, struct view in)
{
    struct sasl_answer answer = {0};
    struct view message = VIEW_EMPTY;
    if (has_initial && take_message(&in, &message))
        sasl_run_step(run, &message, 0, &answer);
    else
        sasl_run_step(run, NULL, 0, &answer);
    for (int i = 0; !answer.is_over && i < MESSAGES_MAX && take_message(&in, &message); i++) {
        must(answer.challenge.n <= CHALLENGE_MAX);
        sasl_run_step(run, &message, 0, &answer);
    }
    if (answer.is_over)
        check_end(run, &answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"PLAIN", "LOGIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS",
                                        "CRAM-MD5"};
    if (!env.store)
        set_up();
    if (size < 2)
        return 0;
    struct sasl_start start = {
        .mechanism = view_cstr(names[data[0] % 5]),
        .bindings = {.exporter = VIEW_LIT("0123456789abcdef0123456789abcdef"),
                     .unique = VIEW_LIT("0123456789ab"),
                     .end_point = VIEW_LIT("fedcba9876543210fedcba9876543210")},
        .is_tls = (data[0] & 0x80) != 0,
    };
    struct sasl_run *run = NULL;
    must(sasl_run_new(&env, &rules, &start, &run) == AUTH_OK);
    converse(run, (data[1] & 1) != 0, fuzz_view(data + 2, size - 2));
    sasl_run_free(&run);
    return 0;
}
