#include "auth/sasl.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sasl/sasl.h>
#include <sasl/saslplug.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/cram.h"
#include "auth/direct.h"
#include "auth/mech.h"
#include "auth/password.h"
#include "msa/base/assert.h"
#include "msa/base/err.h"
#include "msa/base/secret.h"
#include "msa/base/wipe_alloc.h"
#include "msa/config/settings.h"

#define BINDING_MAX   64
#define CALLBACK_MAX  8
#define TLS_STRENGTH  256 /* SASL_SSF_EXTERNAL: bits, a formality */

enum stage { STAGE_NEW = 0, STAGE_UNDER_WAY, STAGE_ASKING, STAGE_OVER };

struct sasl_run {
    struct verify verify;
    const struct mech *mech;
    enum stage stage;
    bool is_tls;
    bool is_asked;      /* the empty challenge that asks for the first message is out */
    bool is_authorized; /* libsasl2 found the proof good and verify_authorize agreed */
    bool is_wellformed; /* the message under way: an error of libsasl2 is not one of grammar */
    enum auth_result refusal; /* by us, whatever libsasl2 makes of it; AUTH_OK: none */
    sasl_conn_t *conn;
    sasl_callback_t callbacks[CALLBACK_MAX];
    /* SASL_CHANNEL_BINDING keeps the pointer, so it all lives here. */
    sasl_channel_binding_t binding;
    uint8_t exporter[BINDING_MAX], unique[BINDING_MAX], end_point[BINDING_MAX];
    struct mech_bindings bindings;
    struct bearer bearer; /* while somebody is asked about it */
    char password[PASSWORD_MAX]; /* likewise; libsasl2 keeps none beyond its callback */
    size_t password_bytes;
    char certificate[LOGIN_TYPED_MAX + 1];
};

/* ---- the library ----------------------------------------------------------------------------- */

static char plugin_dir[512];

/* Set at open, read only afterwards. */
static void (*hmac_md5_precalc)(HMAC_MD5_STATE *, const unsigned char *, int);

static void *mutex_new(void)
{
    pthread_mutex_t *m = malloc(sizeof *m);
    if (m)
        pthread_mutex_init(m, NULL);
    return m;
}

static int mutex_lock(void *m)
{
    return pthread_mutex_lock(m) == 0 ? SASL_OK : SASL_FAIL;
}

static int mutex_unlock(void *m)
{
    return pthread_mutex_unlock(m) == 0 ? SASL_OK : SASL_FAIL;
}

static void mutex_free(void *m)
{
    if (m)
        pthread_mutex_destroy(m);
    free(m);
}

/* SASL_OK for every option, so that no other source is asked. `run` is NULL outside an exchange. */
static int on_getopt(void *context, const char *plugin, const char *option, const char **result,
                     unsigned *length)
{
    const struct sasl_run *run = context;
    (void)plugin;
    *result = NULL;
    /* No such verifier: a refusal of on_checkpass would otherwise go on to auxprop's strcmp. */
    if (strcmp(option, "pwcheck_method") == 0)
        *result = "none";
    if (run && strcmp(option, "mech_list") == 0)
        *result = run->mech->base_name;
    if (length)
        *length = *result ? (unsigned)strlen(*result) : 0;
    return SASL_OK;
}

/* Its words repeat what the client sent; ours are in auth_done. */
static int on_log(void *context, int level, const char *message)
{
    (void)context, (void)level, (void)message;
    return SASL_OK;
}

static int on_getpath(void *context, const char **path)
{
    (void)context;
    *path = plugin_dir;
    return SASL_OK;
}

/* Only the plugins that are offered are loaded; the others (sasldb, ntlm, sql …) never run a
 * line. */
static int on_verifyfile(void *context, const char *file, sasl_verify_type_t type)
{
    static const char *const wanted[] = {"libplain.so", "liblogin.so", "libscram.so",
                                         "libcrammd5.so"};
    (void)context;
    if (type != SASL_VRFY_PLUGIN)
        return SASL_CONTINUE;
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        if (strcmp(base, wanted[i]) == 0)
            return SASL_OK;
    return SASL_CONTINUE;
}

/* ---- what the mechanisms ask ----------------------------------------------------------------- */

static int on_canon_user(sasl_conn_t *conn, void *context, const char *name, unsigned length,
                         unsigned flags, const char *realm, char *out, unsigned out_size,
                         unsigned *out_length)
{
    /* No name: an account of this name cannot exist, and libsasl2 takes no empty one. */
    static const char nobody[] = "?";
    struct sasl_run *run = context;
    char canonical[STORE_LOGIN_MAX + 1];
    (void)conn, (void)realm;
    if ((flags & SASL_CU_AUTHID) != 0) {
        if (!run->verify.is_named)
            verify_login(&run->verify, view_of(name, length));
        /* Not for LOGIN, whose plugin leaks the password then; on_checkpass says it. */
        if (run->verify.is_broken && run->mech->kind != MECH_KIND_LOGIN)
            return SASL_UNAVAIL;
        memcpy(canonical, run->verify.login, sizeof canonical);
    } else {
        verify_canonical(run->verify.rules, view_of(name, length), canonical);
    }
    const char *result = canonical[0] != '\0' ? canonical : nobody;
    *out_length = (unsigned)strlen(result);
    return view_to_cstr(view_cstr(result), out, out_size) ? SASL_OK : SASL_BUFOVER;
}

static int on_checkpass(sasl_conn_t *conn, void *context, const char *user, const char *password,
                        unsigned length, struct propctx *properties)
{
    struct sasl_run *run = context;
    (void)conn, (void)user, (void)properties;
    run->is_wellformed = true;
    enum auth_result result = verify_password(&run->verify, view_of(password, length));
    if (run->verify.is_pending) { /* libsasl2 goes on as if it were right; nobody is told before sasl_run_settle */
        MSA_ASSERT(length <= sizeof run->password);
        memcpy(run->password, password, length);
        run->password_bytes = length;
    }
    return result == AUTH_OK || run->verify.is_pending ? SASL_OK : SASL_BADAUTH;
}

/* The proof was good, or is pending: then sasl_run_settle authorizes. Asked before SCRAM's v= leaves, so that a disabled
 * account looks like a wrong password from outside. No account may act for another one (RFC 4422 §3.4.1). */
static int on_authorize(sasl_conn_t *conn, void *context, const char *requested,
                        unsigned requested_length, const char *login, unsigned login_length,
                        const char *realm, unsigned realm_length, struct propctx *properties)
{
    struct sasl_run *run = context;
    (void)conn, (void)realm, (void)realm_length, (void)properties;
    struct view name = view_of(login, login_length);
    if (!run->verify.is_known || !view_eq(name, view_cstr(run->verify.login)) ||
        !view_eq(name, view_of(requested, requested_length)))
        run->refusal = verify_refusal(&run->verify);
    else
        run->refusal = run->verify.is_pending ? AUTH_OK : verify_authorize(&run->verify);
    run->is_authorized = run->refusal == AUTH_OK;
    return run->is_authorized ? SASL_OK : SASL_NOAUTHZ;
}

static struct sasl_run *run_of(const sasl_server_params_t *params)
{
    sasl_callback_ft fn = NULL;
    void *context = NULL;
    int rc = params->utils->getcallback(params->utils->conn, SASL_CB_CANON_USER, &fn, &context);
    return rc == SASL_OK ? context : NULL;
}

/* Gives the secret of the exchange's own mechanism and no other; never "no such user", which SCRAM
 * would tell the client before any challenge. */
static int auxprop_lookup(void *context, sasl_server_params_t *params, unsigned flags,
                          const char *user, unsigned length)
{
    const struct sasl_run *run = run_of(params);
    (void)context, (void)user, (void)length;
    if (!run || (flags & SASL_AUXPROP_AUTHZID) != 0)
        return SASL_OK;
    int rc = SASL_OK;
    if (run->mech->kind == MECH_KIND_SCRAM) {
        char text[SCRAM_TEXT_MAX];
        verify_scram_text(&run->verify, text);
        rc = params->utils->prop_set(params->propctx, "*authPassword", text, -1);
        secret_wipe(text, sizeof text);
    } else if (run->mech->kind == MECH_KIND_CRAM) {
        uint8_t state[ACCOUNT_CRAM_BYTES];
        verify_cram_state(&run->verify, state);
        rc = params->utils->prop_set(params->propctx, "*cmusaslsecretCRAM-MD5",
                                     (const char *)state, sizeof state);
        secret_wipe(state, sizeof state);
    }
    return rc;
}

static int auxprop_init(const sasl_utils_t *utils, int max_version, int *version_out,
                        sasl_auxprop_plug_t **plugin_out, const char *name)
{
    static char plugin_name[] = "msad";
    static sasl_auxprop_plug_t plugin = {.name = plugin_name, .auxprop_lookup = auxprop_lookup};
    (void)name;
    if (max_version < SASL_AUXPROP_PLUG_VERSION)
        return SASL_BADVERS;
    hmac_md5_precalc = utils->hmac_md5_precalc;
    *version_out = SASL_AUXPROP_PLUG_VERSION;
    *plugin_out = &plugin;
    return SASL_OK;
}

void cram_state(struct view prepared_password, uint8_t out[ACCOUNT_CRAM_BYTES])
{
    HMAC_MD5_STATE state;
    _Static_assert(sizeof state == ACCOUNT_CRAM_BYTES, "libsasl2's form of a CRAM-MD5 secret");
    MSA_ASSERT(hmac_md5_precalc != NULL);
    hmac_md5_precalc(&state, (const unsigned char *)prepared_password.p, (int)prepared_password.n);
    memcpy(out, &state, sizeof state);
    secret_wipe(&state, sizeof state);
}

/* ---- set-up ---------------------------------------------------------------------------------- */

/* ISO C has no conversion between the callbacks' types but a cast through a function pointer. */
#define CALLBACK(id, fn, context) {(id), (int (*)(void))(void (*)(void))(fn), (context)}

/* Debian keeps the plugins beside the library, in a folder named after the architecture. */
static bool find_plugin_dir(void)
{
    Dl_info info;
    if (dladdr((void *)(uintptr_t)sasl_server_init, &info) == 0 || !info.dli_fname)
        return false;
    const char *slash = strrchr(info.dli_fname, '/');
    int n = snprintf(plugin_dir, sizeof plugin_dir, "%.*s/sasl2",
                     slash ? (int)(slash - info.dli_fname) : 0, info.dli_fname);
    return slash && n > 0 && (size_t)n < sizeof plugin_dir;
}

static const char *missing_mechanism(void)
{
    static const char *const wanted[] = {"PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        const char **list = sasl_global_listmech();
        bool is_there = false;
        for (; list && *list; list++)
            is_there = is_there || strcmp(*list, wanted[i]) == 0;
        if (!is_there)
            return wanted[i];
    }
    return NULL;
}

int sasl_library_open(char *error, size_t error_size)
{
    static const sasl_callback_t callbacks[] = {
        CALLBACK(SASL_CB_GETOPT, on_getopt, NULL),
        CALLBACK(SASL_CB_LOG, on_log, NULL),
        CALLBACK(SASL_CB_GETPATH, on_getpath, NULL),
        CALLBACK(SASL_CB_VERIFYFILE, on_verifyfile, NULL),
        {SASL_CB_LIST_END, NULL, NULL},
    };
    if (!find_plugin_dir()) {
        snprintf(error, error_size, "cannot tell where libsasl2's plugins are");
        return MSA_ENOENT;
    }
    sasl_set_mutex(mutex_new, mutex_lock, mutex_unlock, mutex_free);
    sasl_set_alloc(wipe_malloc, wipe_calloc, wipe_realloc, wipe_free);
    int rc = sasl_server_init(callbacks, NULL); /* no application name: no file is looked for */
    if (rc == SASL_OK)
        rc = sasl_auxprop_add_plugin("msad", auxprop_init); /* only now there are utils for it */
    if (rc != SASL_OK) {
        snprintf(error, error_size, "libsasl2: %s", sasl_errstring(rc, NULL, NULL));
        sasl_library_close();
        return MSA_EIO;
    }
    const char *missing = missing_mechanism();
    if (missing) {
        snprintf(error, error_size, "libsasl2 has no %s in %s: install libsasl2-modules", missing,
                 plugin_dir);
        sasl_library_close();
        return MSA_ENOENT;
    }
    return MSA_OK;
}

void sasl_library_close(void)
{
    sasl_server_done();
}

/* ---- one exchange ---------------------------------------------------------------------------- */

static void copy_binding(struct view from, uint8_t to[BINDING_MAX], struct view *view_out)
{
    *view_out = VIEW_EMPTY;
    if (from.n == 0 || from.n > BINDING_MAX)
        return;
    memcpy(to, from.p, from.n);
    *view_out = view_of((const char *)to, from.n);
}

enum auth_result sasl_run_new(const struct verify_env *env, const struct verify_rules *rules,
                              const struct sasl_start *start, struct sasl_run **run_out)
{
    const struct mech *mech = mech_find(start->mechanism, rules->mechanisms, &start->bindings);
    *run_out = NULL;
    bool is_out_of_place = mech && ((mech->kind == MECH_KIND_BEARER && !start->is_tls) || /* RFC 7628 §5 */
                                    (mech->kind == MECH_KIND_EXTERNAL && start->certificate.n == 0));
    if (!mech || is_out_of_place)
        return AUTH_NO_MECHANISM;
    struct sasl_run *run = calloc(1, sizeof *run);
    if (!run)
        return AUTH_UNAVAILABLE;
    verify_init(&run->verify, env, rules);
    run->verify.scope = APP_SCOPE_SMTP;
    run->verify.may_ask = mech->kind == MECH_KIND_PLAIN || mech->kind == MECH_KIND_LOGIN;
    run->mech = mech;
    run->is_tls = start->is_tls;
    (void)view_to_cstr(start->certificate, run->certificate, sizeof run->certificate); /* "": nobody's */
    copy_binding(start->bindings.exporter, run->exporter, &run->bindings.exporter);
    copy_binding(start->bindings.unique, run->unique, &run->bindings.unique);
    copy_binding(start->bindings.end_point, run->end_point, &run->bindings.end_point);
    *run_out = run;
    return AUTH_OK;
}

void sasl_run_free(struct sasl_run **run)
{
    if (!*run)
        return;
    if ((*run)->conn)
        sasl_dispose(&(*run)->conn);
    verify_fini(&(*run)->verify);
    secret_wipe(*run, sizeof **run);
    free(*run);
    *run = NULL;
}

const struct verify *sasl_run_verify(const struct sasl_run *run)
{
    return &run->verify;
}

static int set_binding(struct sasl_run *run, const char *name)
{
    struct view data = mech_binding_data(&run->bindings, view_cstr(name));
    run->binding = (sasl_channel_binding_t){
        .name = name,
        .critical = 1,
        .len = data.n,
        .data = (const unsigned char *)data.p,
    };
    return sasl_setprop(run->conn, SASL_CHANNEL_BINDING, &run->binding);
}

static int open_conn(struct sasl_run *run, const char *binding)
{
    const sasl_ssf_t strength = TLS_STRENGTH;
    const sasl_callback_t callbacks[CALLBACK_MAX] = {
        CALLBACK(SASL_CB_GETOPT, on_getopt, run),
        CALLBACK(SASL_CB_LOG, on_log, NULL),
        CALLBACK(SASL_CB_CANON_USER, on_canon_user, run),
        CALLBACK(SASL_CB_SERVER_USERDB_CHECKPASS, on_checkpass, run),
        CALLBACK(SASL_CB_PROXY_POLICY, on_authorize, run),
        {SASL_CB_LIST_END, NULL, NULL},
    };
    memcpy(run->callbacks, callbacks, sizeof callbacks);
    /* A host name, or libsasl2 asks the DNS for ours. */
    const char *hostname = run->verify.rules->hostname;
    int rc = sasl_server_new("smtp", hostname[0] ? hostname : "localhost", NULL, NULL, NULL,
                             run->callbacks, 0, &run->conn);
    if (rc == SASL_OK && run->is_tls)
        rc = sasl_setprop(run->conn, SASL_SSF_EXTERNAL, &strength);
    if (rc == SASL_OK && binding)
        rc = set_binding(run, binding);
    return rc;
}

static bool is_plus_offered(const struct sasl_run *run)
{
    return mech_find(VIEW_LIT("SCRAM-SHA-256-PLUS"), run->verify.rules->mechanisms,
                     &run->bindings) != NULL;
}

/* The client's message, looked at before libsasl2 gets it. */
static enum auth_result check_message(struct sasl_run *run, struct view message,
                                      const char **binding_out)
{
    enum auth_result result = AUTH_OK;
    switch (run->mech->kind) {
    case MECH_KIND_PLAIN: result = mech_check_plain(message); break;
    case MECH_KIND_LOGIN: result = mech_check_text(message); break;
    case MECH_KIND_CRAM:
        /* RFC 4954 §4: no initial response where the server speaks first. */
        result = run->stage == STAGE_NEW ? AUTH_MALFORMED : mech_check_text(message);
        break;
    case MECH_KIND_BEARER:
    case MECH_KIND_EXTERNAL: break; /* not its matter */
    case MECH_KIND_SCRAM:
        if (run->stage == STAGE_NEW)
            return mech_check_scram_first(run->mech, message, is_plus_offered(run), &run->bindings,
                                          binding_out);
        result = mech_check_scram_final(message);
        run->is_wellformed = result == AUTH_OK;
        break;
    }
    return result;
}

/* Why libsasl2 refused. For a wrong password its code says little: "no mechanism" with PLAIN,
 * "protocol error" with SCRAM. */
static enum auth_result refusal_of(const struct sasl_run *run, int rc)
{
    if (run->verify.is_broken)
        return AUTH_UNAVAILABLE;
    if (run->refusal != AUTH_OK)
        return run->refusal;
    switch (rc) {
    case SASL_NOMEM:
    case SASL_BUFOVER:
    case SASL_UNAVAIL:
    case SASL_NOTINIT: return AUTH_UNAVAILABLE;
    case SASL_BADPROT: return run->is_wellformed ? verify_refusal(&run->verify) : AUTH_MALFORMED;
    default: return verify_refusal(&run->verify);
    }
}

static void end_run(struct sasl_run *run, enum auth_result result, struct sasl_answer *answer_out)
{
    run->stage = STAGE_OVER;
    *answer_out = (struct sasl_answer){.is_over = true, .result = result};
}

/* libsasl2 says the exchange is done. Believed only if our own callbacks saw the proof. */
static enum auth_result conclude(const struct sasl_run *run)
{
    const void *user = NULL;
    bool is_plain = run->mech->kind == MECH_KIND_PLAIN || run->mech->kind == MECH_KIND_LOGIN;
    int rc = sasl_getprop(run->conn, SASL_USERNAME, &user);
    if (rc != SASL_OK || !user || !run->is_authorized || !run->verify.is_known ||
        (is_plain && !run->verify.is_password_ok && !run->verify.is_pending) || strcmp(user, run->verify.login) != 0)
        return AUTH_UNAVAILABLE;
    return AUTH_OK;
}

/* libsasl2 is done with it, and only the password is not known to be right. */
static void ask_about_password(struct sasl_run *run, struct sasl_answer *answer_out)
{
    run->stage = STAGE_ASKING;
    *answer_out = (struct sasl_answer){.asks = AUTHORITY_SASLAUTHD,
                                       .secret = view_of(run->password, run->password_bytes)};
}

static enum auth_result settle_password(struct sasl_run *run, const struct finding *finding)
{
    enum auth_result result =
        verify_settle(&run->verify, view_of(run->password, run->password_bytes), finding);
    secret_wipe(run->password, sizeof run->password);
    run->password_bytes = 0;
    return result == AUTH_OK ? verify_authorize(&run->verify) : result;
}

static void feed(struct sasl_run *run, const struct view *message, struct sasl_answer *answer_out)
{
    const char *out = NULL, *binding = NULL;
    unsigned out_length = 0;
    enum auth_result checked = message ? check_message(run, *message, &binding) : AUTH_OK;
    if (checked != AUTH_OK) {
        end_run(run, checked, answer_out);
        return;
    }
    const char *in = message ? (message->n > 0 ? message->p : "") : NULL;
    unsigned in_length = message ? (unsigned)message->n : 0;
    int rc = run->conn ? SASL_OK : open_conn(run, binding);
    if (rc == SASL_OK)
        rc = run->stage == STAGE_NEW
                 ? sasl_server_start(run->conn, run->mech->name, in, in_length, &out, &out_length)
                 : sasl_server_step(run->conn, in, in_length, &out, &out_length);
    if (rc == SASL_CONTINUE && !run->is_authorized) {
        run->stage = STAGE_UNDER_WAY;
        *answer_out = (struct sasl_answer){.challenge = view_of(out, out_length)};
        return;
    }
    /* After the proof SASL_CONTINUE means that v= is to go out and an empty line to come back. That is
     * the session's: all is decided here. */
    bool is_good = rc == SASL_OK || rc == SASL_CONTINUE;
    if (is_good && run->verify.is_pending && conclude(run) == AUTH_OK) {
        ask_about_password(run, answer_out);
        return;
    }
    end_run(run, is_good ? conclude(run) : refusal_of(run, rc), answer_out);
    if (rc == SASL_CONTINUE && answer_out->result == AUTH_OK)
        answer_out->challenge = view_of(out, out_length);
}

static void feed_bearer(struct sasl_run *run, struct view message, struct sasl_answer *answer_out)
{
    enum auth_result result = direct_bearer(&run->verify, run->mech->form, message, &run->bearer);
    if (result != AUTH_OK) {
        end_run(run, result, answer_out);
        return;
    }
    run->stage = STAGE_ASKING;
    *answer_out = (struct sasl_answer){.asks = AUTHORITY_PROVIDER, .secret = run->bearer.token};
}

void sasl_run_settle(struct sasl_run *run, const struct finding *finding, int64_t now_ms,
                     struct sasl_answer *answer_out)
{
    MSA_ASSERT(run->stage == STAGE_ASKING);
    run->verify.now_ms = now_ms;
    bool is_token = run->mech->kind == MECH_KIND_BEARER;
    end_run(run, is_token ? direct_bearer_settle(&run->verify, &run->bearer, finding) : settle_password(run, finding),
            answer_out);
}

const char *sasl_run_refusal(const struct sasl_run *run)
{
    return run->mech->kind == MECH_KIND_BEARER ? run->verify.rules->refusals[run->mech->form] : "";
}

void sasl_run_step(struct sasl_run *run, const struct view *message, int64_t now_ms,
                   struct sasl_answer *answer_out)
{
    MSA_ASSERT(run->stage != STAGE_OVER && run->stage != STAGE_ASKING);
    run->verify.now_ms = now_ms;
    if (!message && run->mech->is_client_first && !run->is_asked) {
        run->is_asked = true;
        *answer_out = (struct sasl_answer){.challenge = VIEW_EMPTY};
    } else if (!message && (run->stage != STAGE_NEW || run->is_asked)) {
        end_run(run, AUTH_MALFORMED, answer_out);
    } else if (run->mech->kind == MECH_KIND_BEARER) {
        feed_bearer(run, *message, answer_out); /* it begins with the client: there is one */
    } else if (run->mech->kind == MECH_KIND_EXTERNAL) {
        end_run(run, direct_external(&run->verify, view_cstr(run->certificate), *message), answer_out);
    } else {
        feed(run, message, answer_out);
    }
}
